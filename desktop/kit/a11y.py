"""Accessibility as code: who takes the focus, what a screen reader says, how large a target is. A test walks every
page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QPlainTextEdit,
    QScrollBar,
    QTextEdit,
    QWidget,
)

from desktop.kit.card import ActionCard

LEAST_TARGET = 32


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that keeps somebody out. ``where`` is the path of class names down to the widget."""

    where: str
    what: str


def path(widget: QWidget) -> str:
    names = []
    at: QWidget | None = widget
    while at is not None:
        names.append(at.objectName() or type(at).__name__)
        at = at.parentWidget()
    return " > ".join(reversed(names[:5]))


def interactive(root: QWidget) -> Iterator[QWidget]:
    """Every visible widget under ``root`` that a person works with."""
    kinds = (QAbstractButton, QAbstractItemView, QComboBox, QLineEdit, QPlainTextEdit, QTextEdit, ActionCard)
    for widget in (root, *root.findChildren(QWidget)):
        if (
            widget.isVisible()
            and widget.isEnabled()
            and isinstance(widget, kinds)
            and not isinstance(widget, QScrollBar | QHeaderView)  # the head of a table is read with its cells
        ):
            yield widget


def flaws(root: QWidget) -> list[Flaw]:
    """What is wrong under ``root``: no name, not reachable by keyboard, too small a target."""
    found: list[Flaw] = []
    for widget in interactive(root):
        if not widget.accessibleName().strip():
            found.append(Flaw(path(widget), "has no accessible name"))
        if widget.focusPolicy() == Qt.FocusPolicy.NoFocus:
            found.append(Flaw(path(widget), "cannot be reached by keyboard"))
        small = min(widget.width(), widget.height()) < LEAST_TARGET
        if small and not isinstance(widget, QAbstractScrollArea):
            found.append(Flaw(path(widget), f"is {widget.width()}×{widget.height()} px, less than {LEAST_TARGET}"))
    return found


def spoken(root: QWidget) -> list[str]:
    """Everything that stands on ``root`` in words: texts, names, descriptions, tool tips, placeholders."""
    words: list[str] = []
    for widget in (root, *root.findChildren(QWidget)):
        if not widget.isVisible():
            continue
        for part in ("text", "accessibleName", "accessibleDescription", "toolTip", "placeholderText", "windowTitle"):
            call = getattr(widget, part, None)
            if callable(call):
                said = call()
                if isinstance(said, str) and said.strip():
                    words.append(said)
    return words
