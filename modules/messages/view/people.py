"""The recipients: every row of the file, every bad one with all its reasons, and the message of the chosen one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSizePolicy, QSplitter, QWidget

from desktop.kit import shown
from desktop.kit.button import Button
from desktop.kit.card import Card
from desktop.kit.desk import Desk
from desktop.kit.empty import Empty
from desktop.kit.layout import column, holder, row
from desktop.kit.rows import Column, Deliver
from desktop.kit.table import Table
from desktop.kit.tabs import Tabs
from i18n.catalog import language, tr
from i18n.errors import Refused
from i18n.phones import national
from modules.messages.view.bubbles import Bubbles


class People(QWidget):
    """``file_wanted()``: the person chooses a list · ``counted(preview)``: the chosen row's message was counted."""

    file_wanted = Signal()
    counted = Signal(object)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._id, self._revision = "", -1
        self._table: tuple[str, str, int] | None = None  # which rows of which list are shown
        self.choose = Button(lambda: tr("Choose a list"), icon="table", small=True)
        self.tabs = Tabs(
            [("", lambda: tr("All")), ("bad", {"km": "ខុស", "en": "Bad"}), ("good", {"km": "ត្រូវ", "en": "Right"})],
            name={"km": "ជួរដេក", "en": "Rows"},
        )
        self.table = Table(
            [
                Column("row", {"km": "ជួរ", "en": "Row"}, 64, kind="number", show=lambda n: shown.number(n)),
                Column("phone", {"km": "ទូរស័ព្ទ", "en": "Telephone"}, 130, show=_phone),
                Column("segments", {"km": "ផ្នែក", "en": "Parts"}, 64, kind="number", show=lambda n: shown.number(n)),
                Column("says", {"km": "សារ ឬមូលហេតុ", "en": "Message, or what is wrong"}, kind="soft", show=_says),
            ],
            name={"km": "អ្នកទទួល", "en": "Recipients"},
        )
        self.bubbles = Bubbles()
        self.empty = Empty(
            "people", lambda: tr("No recipients yet"),
            lambda: tr("Choose a CSV file: its first line names the columns, one of them is the telephone number."),
            action=lambda: tr("Choose a list"), key="Ctrl+O",
        )  # fmt: skip
        self._lay_out()
        self.choose.clicked.connect(self.file_wanted)
        self.empty.acted.connect(self.file_wanted)
        self.tabs.chosen.connect(lambda _: self._read(again=True))
        self.table.chosen.connect(self._show_row)
        self.clear()

    def _lay_out(self) -> None:
        self._split = QSplitter(Qt.Orientation.Vertical)
        self._split.setChildrenCollapsible(False)
        tools = row(spacing=8)
        tools.addWidget(self.tabs, 1)
        tools.addWidget(self.choose, 0, Qt.AlignmentFlag.AlignTop)
        top = column(tools, spacing=6)
        top.addWidget(Card(column(self.table, margins=(1, 2, 1, 2))), 1)
        self._split.addWidget(holder(top))
        self._split.addWidget(Card(column(self.bubbles, margins=(12, 8, 8, 8))))
        self._split.setStretchFactor(0, 3)
        self._split.setStretchFactor(1, 2)
        self.empty.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)  # as narrow as there is room
        page = column(Card(column(self.empty)), spacing=0)
        page.addWidget(self._split)
        self.setLayout(page)
        self._empty_card = self.empty.parentWidget()

    def clear(self) -> None:
        """No list yet."""
        self._id, self._table, self._revision = "", None, -1
        self._show_empty(True)
        self.bubbles.clear()

    def show_campaign(self, campaign: Mapping[str, Any]) -> None:
        """Show the rows of ``campaign``; nothing is read again when it has not changed."""
        self._show_empty(not campaign["count"])
        self.choose.setVisible(campaign["state"] != "released")
        for name, count in (("", "count"), ("bad", "bad"), ("good", "good")):
            self.tabs.set_count(name, campaign[count])
        table = (campaign["id"], campaign["file"], campaign["count"])
        again = table != self._table
        if again:
            self.tabs.choose("bad" if campaign["bad"] and campaign["state"] == "draft" else "")
        elif campaign["changed_ms"] == self._revision:
            return
        self._id, self._table, self._revision = campaign["id"], table, campaign["changed_ms"]
        self._read(again=again)

    def _show_empty(self, empty: bool) -> None:
        if self._empty_card is not None:
            self._empty_card.setVisible(empty)
        self._split.setVisible(not empty)

    def _read(self, *, again: bool) -> None:
        if not self._id:
            return
        id, only = self._id, self.tabs.current()

        def done(found: Mapping[str, Any]) -> None:
            if (id, only) != (self._id, self.tabs.current()):
                return
            if again:
                self.bubbles.clear()
                self.table.show(
                    found["total"], lambda first, count, deliver: self._fetch(id, only, first, count, deliver)
                )
                if found["total"]:
                    self.table.choose_row(0)
            else:
                self.table.rows.refresh(found["total"])
                if not self.table.currentIndex().isValid() and found["total"]:
                    self.table.choose_row(0)
                self._show_row(self.table.current_id())

        self._desk.run("messages.rows", then=done, id=id, only=only, limit=1)

    def _fetch(self, id: str, only: str, first: int, count: int, deliver: Deliver) -> None:
        def done(found: Mapping[str, Any]) -> None:
            deliver([{**one, "says": one} for one in found["rows"]])  # said in the language of the moment

        self._desk.run("messages.rows", then=done, id=id, only=only, offset=first, limit=count)

    def _show_row(self, number: str) -> None:
        if not number or not self._id:
            return
        id, place = self._id, int(number)

        def done(preview: Mapping[str, Any]) -> None:
            if id == self._id:
                self.bubbles.show_preview(place, preview)
                self.counted.emit(preview)

        self._desk.run("messages.preview", then=done, failed=lambda _error: None, id=id, row=place)


def _says(row: Mapping[str, Any]) -> str:
    """The message of a right row in one line, all reasons of a bad one."""
    if row["problems"]:
        return " · ".join(problem[language()]["what"] for problem in row["problems"])
    return str(row["text"]).replace("\n", " ")


def _phone(e164: str) -> str:
    if not e164.startswith("+"):
        return e164
    try:
        return shown.plain(national(e164))
    except Refused:
        return e164
