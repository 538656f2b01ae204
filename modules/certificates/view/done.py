"""After issuing: the number, the sheet as it will be, and the ways to paper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from desktop.kit.button import Button
from desktop.kit.card import Card
from desktop.kit.desk import Desk
from desktop.kit.icons import Picture
from desktop.kit.layout import column, holder, row
from desktop.kit.preview import Preview
from desktop.kit.wrap import Label
from i18n.catalog import Text, text, tr
from modules.certificates.view import looks, outputs


class Done(QWidget):
    """``another``: the next certificate · ``registered(id)``: show it in the register."""

    another = Signal()
    registered = Signal(str)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._id, self._number = "", ""
        self.title = Label("", size="title", tone="green", bold=True, wrap=True)
        self.words = Label("", wrap=True)
        head = row(spacing=14, margins=(18, 14, 18, 14))
        head.addWidget(Picture("check-circle", "green", 32), 0, Qt.AlignmentFlag.AlignTop)
        head.addLayout(column(self.title, self.words, spacing=2), 1)
        self.print = Button(lambda: tr("Print"), kind="primary", icon="print", key="Ctrl+P")
        self.save = Button(lambda: tr("Save as PDF"), icon="file", key="Ctrl+S")
        self.open = Button(lambda: tr("Open in the register"), icon="list")
        self.next = Button(lambda: tr("Next certificate"), icon="plus")
        self.preview = Preview(name=lambda: tr("The sheet"))
        left = column(Card(head, fill="green_soft", line="", bar="green"), 8, spacing=10)
        for button in (self.print, self.save, self.open, self.next):
            left.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
        left.addStretch(1)
        body = row(spacing=20)
        body.addWidget(holder(left), 9)
        body.addWidget(Card(column(self.preview, margins=(10, 6, 10, 8))), 10)
        self.setLayout(body)
        self.print.clicked.connect(self.print_it)
        self.save.clicked.connect(self.save_it)
        self.open.clicked.connect(lambda: self.registered.emit(self._id))
        self.next.clicked.connect(self.another)
        for keys, call in (("Ctrl+P", self.print_it), ("Ctrl+S", self.save_it)):
            shortcut = QShortcut(QKeySequence(keys), self, call)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)

    def show_made(self, made: Mapping[str, Any], title: Text, name: str) -> None:
        """Show what was issued."""
        self._id, self._number = made["id"], made["number"]
        number = made["number"]
        if made["already"]:
            self.title.say(lambda: tr("Was issued before: {number}", number=looks.digits(number)))
        else:
            self.title.say(lambda: tr("Issued: {number}", number=looks.digits(number)))
        self.words.say(lambda: " · ".join(part for part in (text(title), name) if part))
        self._show_sheet()
        self.print.setFocus()

    def _show_sheet(self) -> None:
        outputs.show_sheet(self._desk, self._id, self.preview.show_image)

    def print_it(self) -> None:
        if self._id:
            outputs.print_sheet(self, self._desk, self._id, self._show_sheet)

    def save_it(self) -> None:
        if self._id:
            outputs.save_sheet(self, self._desk, self._id, self._number, self._show_sheet)
