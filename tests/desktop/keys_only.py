"""Hands without a mouse, and eyes: Tab to a thing, the ring around what has the focus, and what is cut off on a screen."""

from __future__ import annotations

import os
from typing import Any

from PySide6.QtCore import QEvent, QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from desktop.kit.wrap import Label
from i18n import catalog

SHOTS = os.environ.get("SALA_SHOTS", "")  # a folder: keep pictures of what a person sees


def focused() -> Any:
    """What has the focus."""
    return QApplication.focusWidget()


def holds(widget: QWidget) -> bool:
    """Whether ``widget``, or something in it, has the focus."""
    return focused() is widget or widget.isAncestorOf(focused())


def tab_to(wanted: QWidget, most: int = 60) -> int:
    """Press Tab until ``wanted`` holds the focus; how often it took."""
    for pressed in range(most):
        QApplication.processEvents()  # what has just been laid out is shown with the next event
        if holds(wanted):
            return pressed
        QTest.keyClick(focused(), Qt.Key.Key_Tab)
    raise AssertionError(f"Tab never comes to {wanted} {wanted.accessibleName()}")


def press(key: Qt.Key) -> None:
    """One key, where the focus is."""
    QTest.keyClick(focused(), key)
    QApplication.processEvents()


def ring(widget: QWidget) -> None:
    """What has the focus looks different than without it, and is scrolled into sight."""
    held = focused()
    QApplication.processEvents()
    assert held.visibleRegion().boundingRect().height() > 0, f"out of sight: {widget}"
    with_focus = widget.grab().toImage()
    held.clearFocus()
    QApplication.processEvents()
    without = widget.grab().toImage()
    held.setFocus(Qt.FocusReason.TabFocusReason)
    assert with_focus != without, f"no focus ring: {widget}"


def cut_off(root: QWidget) -> list[str]:
    """Words of ``root`` that are taller than their place or stand outside of the window sideways."""
    found = []
    window = QRect(QPoint(0, 0), root.window().size())
    for label in root.findChildren(Label):
        if not label.isVisible() or not label.words():
            continue
        need = label.heightForWidth(label.width()) if label.hasHeightForWidth() else label.minimumSizeHint().height()
        left = label.mapTo(root.window(), QPoint(0, 0)).x()
        if need > label.height() + 1 or left < 0 or left + label.width() > window.width():
            found.append(label.words())
    return found


def speak(widget: QWidget, language: catalog.Language) -> None:
    """Another language, as the switch in the window does it."""
    catalog.use(language)
    for one in [widget, *widget.findChildren(QWidget)]:
        QApplication.sendEvent(one, QEvent(QEvent.Type.LanguageChange))
    QApplication.processEvents()


def shoot(widget: QWidget, name: str) -> None:
    """Keep a picture when somebody asked for pictures."""
    if SHOTS:
        QApplication.processEvents()
        widget.grab().save(f"{SHOTS}/{name}-{widget.width()}-{catalog.language()}.png")
