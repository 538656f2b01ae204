"""What a person does on the certificates page, and what they read there."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QWidget

from modules.certificates.view import CertificatesPage


def words(widget: QWidget) -> list[str]:
    """Everything that can be read on ``widget``."""
    from desktop.kit.button import Button
    from desktop.kit.wrap import Label

    labels = [label.words() for label in widget.findChildren(Label) if label.isVisibleTo(widget)]
    return labels + [button.words() for button in widget.findChildren(Button) if button.isVisibleTo(widget)]


def type_into(line: QLineEdit, text: str) -> None:
    """As a scanner does: the whole text, then Enter."""
    line.setFocus()
    line.clear()
    line.insert(text)
    QTest.keyClick(line, Qt.Key.Key_Return)


def fill(page: CertificatesPage, data: dict[str, Any]) -> None:
    fields = page.issue.editor.fieldset.fields
    for name, value in data.items():
        fields[name].set_value({"birth": "1990-05-12", "chairs": 3}.get(name, value))
    page.issue.editor.fieldset.edited.emit()
