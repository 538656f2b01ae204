"""Official addresses that wait for an online check made elsewhere: what was seen when, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from desktop.kit import shown
from desktop.kit.button import Button
from desktop.kit.card import Card
from desktop.kit.desk import Desk
from desktop.kit.empty import Empty
from desktop.kit.layout import Wrapped, column
from desktop.kit.table import Column, Table
from desktop.kit.wrap import Label
from i18n.catalog import tr
from i18n.dates import short_moment

PAGE = 1_000


class Waiting(QWidget):
    """The list of addresses that were recognised and not checked. ``counted(n)`` after every reading."""

    counted = Signal(int)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self.heading = Label(lambda: tr("Waiting for an online check"), size="heading", bold=True)
        self.teach = Label(
            lambda: tr("When there is a line, scan these papers with a phone at verify.gov.kh and note here what it said."),
            size="note", tone="soft", wrap=True,
        )  # fmt: skip
        self.table = Table(
            [
                Column("ref", {"km": "លេខយោង", "en": "Reference"}),
                Column("seen", {"km": "ចំនួនដង", "en": "Times"}, 90, kind="number"),
                Column("when", {"km": "ឃើញចុងក្រោយ", "en": "Last seen"}, 190, kind="soft"),
            ],
            name={"km": "រង់ចាំពិនិត្យតាមអ៊ីនធឺណិត", "en": "Waiting for an online check"},
        )
        self.genuine = Button(lambda: tr("It was genuine"), icon="check")
        self.not_genuine = Button(lambda: tr("It was not genuine"), icon="ban")
        self.gone = Button(lambda: tr("Could not be checked"), icon="question")
        for button, outcome in ((self.genuine, "genuine"), (self.not_genuine, "not_genuine"), (self.gone, "gone")):
            button.clicked.connect(lambda _=False, outcome=outcome: self._close(outcome))
        self.empty = Empty(
            "check-circle",
            lambda: tr("Nothing waits for an online check"),
            lambda: tr("Addresses of verify.gov.kh that you scan without internet are listed here."),
        )
        self.card = Card(column(self.table, margins=(1, 4, 1, 4)))
        self.verbs = QWidget()
        self.verbs.setLayout(Wrapped(self.genuine, self.not_genuine, self.gone, spacing=12))
        self.setLayout(column(self.heading, self.teach, self.card, self.verbs, self.empty, spacing=10))
        self.table.chosen.connect(self._chosen)
        self._chosen("")

    def read(self) -> None:
        """Read the list again."""
        self._desk.run("certificates.rechecks", then=self._take, limit=PAGE)

    def _take(self, result: Mapping[str, Any]) -> None:
        rows = [
            {**row, "seen": shown.number(row["seen"]), "when": shown.plain(short_moment(row["seen_ms"]))}
            for row in result["rows"]
        ]
        self.table.show_records(rows)
        if rows:
            self.table.choose_row(0)
        for part in (self.card, self.verbs, self.heading, self.teach):
            part.setVisible(bool(rows))
        self.empty.setVisible(not rows)
        self.counted.emit(result["total"])

    def _chosen(self, id: str) -> None:
        for button in (self.genuine, self.not_genuine, self.gone):
            button.setEnabled(bool(id))

    def _close(self, outcome: str) -> None:
        if id := self.table.current_id():
            self._desk.run("certificates.close_recheck", then=lambda _: self.read(), id=id, outcome=outcome)
