"""The service catalogue: type part of a name, see fee, days and papers, Enter starts. Unfinished work stands above it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from desktop.kit import shown, theme
from desktop.kit.button import Button
from desktop.kit.card import ActionCard, Card
from desktop.kit.desk import Desk
from desktop.kit.empty import Empty
from desktop.kit.field import Line
from desktop.kit.icons import Picture
from desktop.kit.layout import Rule, Scroll, column, holder, row
from desktop.kit.rows import Column
from desktop.kit.table import Table
from desktop.kit.timers import single_shot
from desktop.kit.wrap import Label, Words
from i18n.catalog import text, tr
from modules.forms.view.side import bullet, clear, days_words

MOST_DRAFTS = 3


class DraftCard(ActionCard):
    """One draft to go on with: what and who, how far, when."""

    def __init__(self, draft: Mapping[str, Any]) -> None:
        self._draft = draft
        title = Label(draft["title"], size="label", bold=True)
        title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        words = column(title, Label(self._how_far, size="small", tone="soft"), spacing=0)
        line = row(Picture("pencil", "blue", 20), spacing=12, margins=(14, 6, 14, 6))
        line.addLayout(words, 1)
        line.addWidget(Label(lambda: shown.time(draft["saved_ms"]), size="note", tone="soft"))
        line.addWidget(Label(lambda: tr("Continue"), size="label", tone="blue", bold=True))
        super().__init__(line, name=self._name)

    def _how_far(self) -> str:
        if self._draft.get("corrects"):
            return tr("Correction, not recorded yet")
        return tr(
            "Draft, {answered} of {of} answers",
            answered=shown.number(self._draft["answered"]),
            of=shown.number(self._draft["of"]),
        )

    def _name(self) -> str:
        return f"{tr('Continue')}: {text(self._draft['title'])}, {self._how_far()}"


class ServiceCard(Card):
    """Everything about the chosen service, and the button that starts it."""

    start_wanted = Signal()

    def __init__(self) -> None:
        self._service: Mapping[str, Any] | None = None
        self._sector = Label("", size="small", tone="soft", wrap=True)
        self._title = Label("", size="heading", bold=True, wrap=True)
        self._second = Label("", size="note", tone="soft", wrap=True)
        self._fee = Label(self._amount, size="display", bold=True)
        self._unit = Label("", size="small", tone="soft", wrap=True)
        self._unsure = Label(
            lambda: tr("Indicative amount: check the price table"), size="small", tone="amber", wrap=True
        )
        self._terms = Label(self._term, size="note", wrap=True)
        self._papers: QVBoxLayout = column(spacing=2)
        self._legal = Label("", size="small", tone="soft", wrap=True)
        self.start = Button(lambda: tr("Start"), kind="primary", key="Enter")
        money = row(self._fee, spacing=8)
        money.addWidget(self._unit, 1, Qt.AlignmentFlag.AlignVCenter)
        content = column(
            self._sector, self._title, self._second, money, self._unsure, self._terms, Rule(),
            Label(lambda: tr("Documents"), size="label", bold=True), self._papers, 4, self._legal, None,
            spacing=3, margins=(16, 12, 12, 8),
        )  # fmt: skip
        foot = row(None, self.start, margins=(12, 0, 12, 12))
        layout = column(spacing=6)
        layout.addWidget(Scroll(holder(content)), 1)
        layout.addLayout(foot)
        super().__init__(layout)
        self.start.clicked.connect(self.start_wanted)

    def show_service(self, service: Mapping[str, Any] | None) -> None:
        self._service = service
        self.setEnabled(service is not None)
        if service is None:
            return
        self._sector.say(service["sector_title"])
        self._title.say(lambda: text(service["title"]))
        self._second.say(lambda: service["title"]["en" if text(service["title"]) == service["title"]["km"] else "km"])
        self._fee.say(self._amount)
        self._unit.say(service["unit"])
        self._unsure.setVisible(not service["published"])
        self._terms.say(self._term)
        self._legal.say(service["legal"]["title"])
        clear(self._papers)
        for paper in service["documents"]:
            self._papers.addWidget(bullet(paper))

    def _amount(self) -> str:
        return shown.riel(self._service["fee"]) if self._service else ""

    def _term(self) -> str:
        if self._service is None:
            return ""
        return tr(
            "{days} at most · valid: {validity}",
            days=days_words(self._service["days"]),
            validity=text(self._service["validity"]),
        )


class ServicesView(QWidget):
    """``start_wanted(form, service)`` and ``draft_wanted(draft)``. The search line has the focus first."""

    start_wanted = Signal(str, str)
    draft_wanted = Signal(str)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._rows: list[Mapping[str, Any]] = []
        self._offered: list[Mapping[str, Any]] = []
        self.search = Line(icon="search")
        self.search.installEventFilter(self)
        self._soon = single_shot(self, 60, self._look)
        self.search.textChanged.connect(lambda: self._soon.start())
        self._drafts: QVBoxLayout = column(spacing=6)
        self.table = Table(_COLUMNS, name=lambda: tr("Services"))
        self.table.chosen.connect(self._chosen)
        self.table.opened.connect(lambda _id: self.start())
        self.card = ServiceCard()
        self.card.start_wanted.connect(self.start)
        self._nothing = Empty(
            "search", lambda: tr("No such service"), lambda: tr("Type another part of its name, or its number.")
        )
        self._nothing.setVisible(False)
        self._list = Card(column(self.table, self._nothing, margins=(4, 4, 4, 4)))
        body = row(spacing=16)
        body.addWidget(self._list, 1)
        body.addWidget(self.card)
        page = column(self.search, self._drafts, spacing=10)
        page.addLayout(body, 1)
        self.setLayout(page)
        self.setFocusProxy(self.search)
        self.retranslate()
        self._look()

    # Search

    def _look(self) -> None:
        self._desk.run("forms.services", query=self.search.plain()[:200], then=self._show)

    def _show(self, answer: Mapping[str, Any]) -> None:
        self._rows = list(answer["services"])
        self.table.show_records(self._rows)
        self.table.setVisible(bool(self._rows))
        self._nothing.setVisible(not self._rows)
        if self._rows:
            self.table.choose_row(0)
        else:
            self.card.show_service(None)

    def current(self) -> Mapping[str, Any] | None:
        """The chosen service."""
        at = self.table.currentIndex().row()
        return self._rows[at] if 0 <= at < len(self._rows) else None

    def _chosen(self, _id: str) -> None:
        self.card.show_service(self.current())

    def start(self) -> None:
        """Begin a draft of the chosen service."""
        if self._soon.isActive():  # typed and entered faster than the list could follow
            self._soon.stop()
            self._show(self._desk.run_now("forms.services", query=self.search.plain()[:200]))
        if (service := self.current()) is not None:
            self.start_wanted.emit(service["form"], service["id"])

    # Drafts

    def show_drafts(self, drafts: Sequence[Mapping[str, Any]]) -> None:
        """Unfinished work of this officer, newest first. What has not changed stays, and keeps the focus."""
        worth = [draft for draft in drafts if not draft.get("empty")][:MOST_DRAFTS]
        if worth == self._offered:
            return
        self._offered = worth
        clear(self._drafts)
        for draft in worth:
            card = DraftCard(draft)
            card.pressed.connect(lambda id=draft["draft"]: self.draft_wanted.emit(id))
            self._drafts.addWidget(card)

    # Keys, language, room

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.search and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 8, Qt.Key.Key_PageUp: -8}.get(
                Qt.Key(event.key())
            )
            if step and self._rows:
                at = self.table.currentIndex().row()
                self.table.choose_row(min(len(self._rows) - 1, max(0, at + step)))
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
                self.start()
                return True
            if event.key() == Qt.Key.Key_Escape and self.search.text():
                self.search.clear()
                return True
        return super().eventFilter(watched, event)

    def retranslate(self) -> None:
        words = tr("Type part of a service's name, or its number")
        self.search.setPlaceholderText(words)
        self.search.setAccessibleName(words)
        self.card.show_service(self.current())

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def retheme(self) -> None:
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.card.setVisible(self.width() >= theme.scaled(700))
        self.card.setFixedWidth(theme.scaled(340 if self.width() >= theme.scaled(1100) else 288))


def _title(value: Any) -> str:
    return text(value)


def _number(value: Any) -> str:
    return shown.plain(value)


_SERVICE: Words = {"km": "សេវា", "en": "Service"}
_COLUMNS = (
    Column("number", {"km": "ល.រ", "en": "No."}, 52, kind="soft", show=_number),
    Column("title", _SERVICE, show=_title),
    Column("fee", {"km": "ថ្លៃសេវា", "en": "Fee"}, 100, kind="number", show=shown.riel),
    Column("days", {"km": "រយៈពេល", "en": "Time"}, 136, kind="soft", show=days_words),
)
