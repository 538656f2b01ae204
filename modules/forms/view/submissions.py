"""The list of submissions: filter by anything a person says, by state; a virtual table; the case opens beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from desktop.kit import shown
from desktop.kit.card import Card
from desktop.kit.desk import Desk
from desktop.kit.empty import Empty
from desktop.kit.field import Line
from desktop.kit.layout import column
from desktop.kit.rows import Column, Deliver
from desktop.kit.table import Table
from desktop.kit.tabs import Tabs
from desktop.kit.timers import single_shot
from i18n.catalog import language, text, tr

PAGE = 100
STATES: Sequence[tuple[str, Mapping[str, str]]] = (
    ("all", {"km": "ទាំងអស់", "en": "All"}),
    ("due", {"km": "ដល់កំណត់", "en": "Due"}),
    ("waiting", {"km": "រង់ចាំផ្ញើ", "en": "Waiting"}),
    ("received", {"km": "មជ្ឈមណ្ឌលបានទទួល", "en": "Received"}),
    ("sent_back", {"km": "បានបញ្ជូនត្រឡប់", "en": "Sent back"}),
    ("withdrawn", {"km": "បានដកវិញ", "en": "Withdrawn"}),
)


class SubmissionsView(QWidget):
    """``wanted(id)`` when a case is to be opened, ``new_wanted`` from the empty list."""

    wanted = Signal(str)
    new_wanted = Signal()

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._first: list[Mapping[str, Any]] = []
        self._asked = 0
        self.filter = Line(icon="search", hint="Ctrl+F")
        self.filter.installEventFilter(self)
        self._soon = single_shot(self, 120, self.reload)
        self.filter.textChanged.connect(lambda: self._soon.start())
        self.tabs = Tabs(STATES, name=lambda: tr("State"))
        self.tabs.chosen.connect(lambda _id: self.reload())
        self.table = Table(_COLUMNS, name=lambda: tr("Submissions"))
        self.table.opened.connect(self.wanted)
        self._empty = Empty("forms", self._empty_title, self._empty_words, action=lambda: tr("New form"), key="Ctrl+N")
        self._empty.acted.connect(self.new_wanted)
        self._empty.setVisible(False)
        card = Card(column(self.table, self._empty, margins=(4, 4, 4, 4)))
        page = column(self.filter, self.tabs, spacing=8)
        page.addWidget(card, 1)
        self.setLayout(page)
        self.setFocusProxy(self.filter)
        self.retranslate()

    def _question(self) -> dict[str, Any]:
        return {"filter": self.filter.plain()[:500], "state": self.tabs.current()}

    def make_room(self, *, beside_a_case: bool) -> None:
        """Beside an open case the list names number, person, service and state."""
        self.table.show_columns(*(("receipt", "who", "title", "state") if beside_a_case else ()))

    def reload(self) -> None:
        """Ask again from the start."""
        self._asked += 1
        asked = self._asked
        self._desk.run("forms.list", limit=PAGE, **self._question(), then=lambda answer: self._show(asked, answer))

    def _show(self, asked: int, answer: Mapping[str, Any]) -> None:
        if asked != self._asked:
            return  # an older question was answered late
        chosen = self.table.current_id()
        self._first = [_record(found) for found in answer["rows"]]
        total = int(answer["total"])
        self.table.show(total, self._fetch)
        self.table.setVisible(total > 0)
        self._empty.setVisible(total == 0)
        if total == 0:
            self._empty.title.say(self._empty_title)
            self._empty.teach.say(self._empty_words)
        elif chosen:
            self.table.choose(chosen)

    def _fetch(self, first: int, count: int, deliver: Deliver) -> None:
        if first == 0 and self._first:
            deliver(self._first[:count])
            return
        self._desk.run(
            "forms.list", offset=first, limit=max(1, count), **self._question(),
            then=lambda answer: deliver([_record(found) for found in answer["rows"]]),
        )  # fmt: skip

    def _filtered(self) -> bool:
        return bool(self.filter.plain()) or self.tabs.current() != "all"

    def _empty_title(self) -> str:
        return tr("Nothing fits") if self._filtered() else tr("No submissions yet")

    def _empty_words(self) -> str:
        if self._filtered():
            return tr("Try a part of the name, the receipt number or the telephone number.")
        return tr("Every application that you finish stands here with its receipt and its state.")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.filter and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() == Qt.Key.Key_Down and self.table.rows.rowCount():
                self.table.setFocus(Qt.FocusReason.TabFocusReason)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
                self._enter()
                return True
        return super().eventFilter(watched, event)

    def _enter(self) -> None:
        """A scanned or typed receipt opens its case; any other text puts the focus on what was found."""
        typed = self.filter.plain()
        if typed.startswith("SALA:") or typed.count("-") == 2:
            self._desk.run("forms.case_by_receipt", text=typed, then=self._scanned)
        elif self.table.rows.rowCount():
            self.table.setFocus(Qt.FocusReason.TabFocusReason)

    def _scanned(self, found: Mapping[str, Any]) -> None:
        self.filter.clear()
        self.wanted.emit(str(found["id"]))

    def retranslate(self) -> None:
        words = tr("Name, number, phone or receipt; a scanner may type here")
        self.filter.setPlaceholderText(words)
        self.filter.setAccessibleName(words)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)


def _record(found: Mapping[str, Any]) -> dict[str, Any]:
    """A row of ``forms.list`` as the table shows it."""
    return {
        **found,
        "state": found["shown_state"],
        "who": (found["person"], found["latin"]),
        "until": (found["due"], found["overdue"], found["days_left"], found["state"]),
    }


def _who(pair: Any) -> str:
    khmer, latin = map(str, pair)
    return (khmer or latin) if language() == "km" else (latin or khmer)


def _until(due: Any) -> str:
    """The due day; in words when it has come and the case is still open."""
    day, overdue, left, state = due
    written = shown.date(day)
    if state == "withdrawn" or left > 0:
        return written
    return tr("{day} · late", day=written) if overdue else tr("{day} · today", day=written)


_COLUMNS = (
    Column("receipt", {"km": "បង្កាន់ដៃ", "en": "Receipt"}, 140, show=shown.plain),
    Column("who", {"km": "អ្នកស្នើសុំ", "en": "Person"}, 170, show=_who),
    Column("title", {"km": "សេវា", "en": "Service"}, kind="soft", show=lambda title: text(title)),
    Column("received", {"km": "បានទទួល", "en": "Received"}, 116, show=shown.date),
    Column("until", {"km": "ថ្ងៃកំណត់", "en": "Due"}, 166, show=_until),
    Column("state", {"km": "ស្ថានភាព", "en": "State"}, 180, kind="state"),
)
