"""After finishing: the number large, what to say to the applicant, the receipt as it will be on paper, and the next person."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from desktop.kit import shown, theme
from desktop.kit.button import Button
from desktop.kit.card import Card
from desktop.kit.desk import Desk
from desktop.kit.icons import Picture
from desktop.kit.layout import column, row
from desktop.kit.preview import Preview
from desktop.kit.printing import print_pdf
from desktop.kit.wrap import Label
from i18n.catalog import language, text, tr
from modules.forms import words


class FinishedView(QWidget):
    """``again_wanted(form, service)`` for the next person, ``case_wanted(id)``, ``closed`` back to the catalogue."""

    again_wanted = Signal(str, str)
    case_wanted = Signal(str)
    closed = Signal()

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._result: Mapping[str, Any] = {}
        self._pdf = b""
        self.title = Label(lambda: tr("Finished and queued"), size="heading", bold=True, tone="green", wrap=True)
        self.number = Label("", size="display", bold=True)
        self.facts = Label(self._fact_words, size="body", wrap=True)
        self._kept = Label(
            lambda: tr("It is kept here and is sent by itself when there is a line."),
            size="note",
            tone="soft",
            wrap=True,
        )
        self.print = Button(lambda: tr("Print receipt"), kind="primary", icon="print", key="Ctrl+P")
        self.again = Button(lambda: tr("Next person, same service"), icon="plus", key="Ctrl+Enter")
        self.case = Button(lambda: tr("Open the case"), icon="forms")
        self.list = Button(lambda: tr("Other service"), kind="quiet", icon="arrow-left", key="Esc")
        self.preview = Preview(name=lambda: tr("Receipt"))
        self._lay_out()
        self.print.clicked.connect(self.print_receipt)
        self.again.clicked.connect(self.start_again)
        self.case.clicked.connect(lambda: self.case_wanted.emit(str(self._result.get("id", ""))))
        self.list.clicked.connect(self.closed)
        self.setFocusProxy(self.print)

    def _lay_out(self) -> None:
        head = row(Picture("check-circle", "green", 36), spacing=12)
        head.addWidget(self.title, 1)
        left = column(head, 4, self.number, self.facts, self._kept, 8, spacing=6, margins=(20, 16, 20, 16))
        for button in (self.print, self.again, self.case, self.list):
            left.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
        left.addStretch(1)
        self._card = Card(column(self.preview, margins=(12, 8, 12, 8)))
        page = row(spacing=20, margins=(24, 14, 24, 12))
        page.addWidget(Card(left), 1)
        page.addWidget(self._card, 1)
        self.setLayout(page)

    def show_result(self, result: Mapping[str, Any]) -> None:
        """What ``forms.finish`` gave; the receipt follows."""
        self._result, self._pdf = result, b""
        self.number.say(shown.plain(result["receipt"]))
        self.facts.say(self._fact_words)
        self.preview.clear()
        self.print.setEnabled(False)
        self._desk.run("forms.receipt_pdf", id=result["id"], then=self._show_receipt)

    def _show_receipt(self, made: Mapping[str, Any]) -> None:
        self._pdf = b64decode(made["base64"])
        self.preview.show_pdf(self._pdf)
        self.print.setEnabled(True)

    def _fact_words(self) -> str:
        if not self._result:
            return ""
        fee, due = shown.riel(self._result["fee"]), shown.date(self._result["due"])
        who = words.person(self._result["person"], language())
        return "\n".join((who, text(self._result["title"]), tr("Fee {fee} · ready by {day}", fee=fee, day=due)))

    def print_receipt(self) -> None:
        """To the printer; counted when its pages were handed over."""
        if self._pdf:
            id = str(self._result["id"])
            print_pdf(self, self._pdf, lambda _pages: self._desk.run("forms.note_given", what="printed", record=id))

    def start_again(self) -> None:
        self.again_wanted.emit(str(self._result.get("form", "")), str(self._result.get("service", "")))

    def retranslate(self) -> None:
        self.facts.say(self._fact_words)
        if self._result:
            self.number.say(shown.plain(self._result["receipt"]))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        elif event.key() == Qt.Key.Key_P and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.print_receipt()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._card.setVisible(self.width() >= theme.scaled(720))
