"""Home = today: what waits for this officer in order of urgency, four first actions, the week in bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from desktop.bridge import Bridge
from desktop.kit import shown, theme
from desktop.kit.card import Card
from desktop.kit.chart import Bars
from desktop.kit.layout import Rule, Scroll, column, holder, row
from desktop.kit.page import Page
from desktop.kit.wrap import Label, Words
from desktop.shell import outbox_rows
from desktop.shell.home_parts import FirstAction, FirstSteps, Line, LineCard, Nothing, words
from desktop.shell.rail import Place
from i18n import dates
from i18n.catalog import language, tr

if TYPE_CHECKING:
    from modules.contract import Changed, Command, Draft

MOST_LINES = 8
FIRST_ACTIONS = 4
CONFLICTS = "forms.conflicts"  # what two laptops of this office changed without seeing each other


class HomePage(Page):
    """Asks every module's ``<id>.today``, and the shell's own: drafts, outbox, conflicts between the laptops of the office."""

    title = {"km": "ថ្ងៃនេះ", "en": "Today"}

    def __init__(self, desk: Bridge, places: Sequence[Place], parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.bridge = desk
        self._places = {place.id: place for place in places}
        self._answers: dict[str, Mapping[str, Any]] = {}
        self._drafts: list[Draft] = []
        self._sent_back: list[dict[str, Any]] = []
        self._waiting = 0
        self._conflicts = 0
        self._told: list[tuple[str, ...]] | None = None  # what the list of waiting lines shows
        self.hello = Label(self._greeting, size="display", bold=True, wrap=True)
        self.day = Label(self._day, size="note", tone="soft", wrap=True)
        self.first = [FirstAction(self._places[id], command) for id, command in self._first_commands()]
        for action in self.first:
            action.pressed.connect(lambda a=action: self.desk.open(a.module, a.command.page or ""))
        self.grid = QGridLayout()
        self.grid.setSpacing(12)
        self.waits = Label(lambda: tr("Waiting for me"), size="heading", bold=True)
        self.lines: QVBoxLayout = column(spacing=0, margins=(4, 4, 4, 4))
        self.list = Card(self.lines)
        self.start = FirstSteps()
        self.chart_words = Label("", size="label", bold=True, wrap=True)
        self.chart = Bars()
        self.week = Card(column(self.chart_words, self.chart, spacing=4, margins=(16, 10, 16, 10)))
        self.figures: QVBoxLayout = column(spacing=12)
        self._lay_out()
        self._place_actions()

    def _lay_out(self) -> None:
        left = column(self.waits, self.list, self.start, None, spacing=8)
        self._side = holder(column(self.week, self.figures, None, spacing=12))
        self._body = row(spacing=16)
        self._body.addLayout(left, 3)
        self._body.addWidget(self._side, 1)
        content = column(
            column(self.hello, self.day, spacing=0), self.grid, self._body, None, spacing=16, margins=(24, 16, 24, 12)
        )
        self.setLayout(column(Scroll(holder(content)), spacing=0))

    def _first_commands(self) -> list[tuple[str, Command]]:
        """The first palette command with a key of every module that has a page, in the order of the rail."""
        found: dict[str, Command] = {}
        commands = self.bridge.session.commands
        for command in self._declared():
            module = command.id.partition(".")[0]
            offered = command.palette and command.page is not None and command.shortcut and module in self._places
            if offered and module not in found and commands.allowed(command.id):
                found[module] = command
        ordered = [(id, found[id]) for id in self._places if id in found]
        return ordered[:FIRST_ACTIONS]

    def _declared(self) -> list[Command]:
        """Commands in the order in which their modules declare them."""
        return [command for module in self.bridge.session.modules.values() for command in module.commands]

    # Words

    def _greeting(self) -> str:
        hour = dates.moment(self.bridge.session.clock.wall_ms()).hour
        officer = self.bridge.session.officer
        name = officer.name if language() == "km" else officer.latin
        if hour < 12:
            return tr("Good morning, {name}", name=name)
        if hour < 17:
            return tr("Good afternoon, {name}", name=name)
        return tr("Good evening, {name}", name=name)

    def _day(self) -> str:
        day = dates.moment(self.bridge.session.clock.wall_ms()).date()
        if language() == "km":
            return f"{dates.lunar_line(day)} · {dates.official_date(day)}"
        return f"{dates.DAYS_EN[day.weekday()]} {dates.official_date(day, 'en')}"

    # What waits

    def refresh(self, change: Changed | None = None) -> None:  # noqa: ARG002  # any change may concern today
        commands = {command.id for command in self.bridge.session.commands.list()}
        for id in self._places:
            if f"{id}.today" in commands and self.bridge.session.commands.allowed(f"{id}.today"):
                self.desk.run(f"{id}.today", then=lambda answer, id=id: self._take(id, answer))  # type: ignore[misc]
        self.bridge.drafts(self._take_drafts)
        self.bridge.outbox_summary(self._take_summary)
        store = self.bridge.session.store
        self.bridge.work(lambda: store.read(outbox_rows.sent_back), then=self._take_sent_back)
        if CONFLICTS in commands and self.bridge.session.commands.allowed(CONFLICTS):
            self.desk.run(CONFLICTS, then=self._take_conflicts)
        self.hello.say(self._greeting)
        self.day.say(self._day)

    def _take(self, module: str, answer: object) -> None:
        self._answers[module] = answer if isinstance(answer, Mapping) else {}
        self._show()

    def _take_drafts(self, drafts: list[Draft]) -> None:
        self._drafts = drafts
        self._show()

    def _take_sent_back(self, rows: list[dict[str, Any]]) -> None:
        self._sent_back = rows
        self._show()

    def _take_conflicts(self, found: Mapping[str, Any]) -> None:
        self._conflicts = int(found["fields"])
        self._show()

    def _take_summary(self, summary: Any) -> None:
        self._waiting = summary.waiting + summary.sending
        self._show()

    def _waiting_lines(self) -> list[Line]:
        lines = [
            self._line(module, item) for module, answer in self._answers.items() for item in answer.get("items", ())
        ]
        now_ms = self.bridge.session.clock.wall_ms()
        for draft in self._drafts:
            module = draft.subject.partition("/")[0]
            if place := self._places.get(module):
                when = shown.moment(draft.updated_ms, now_ms)
                lines.append(
                    Line(
                        place.icon,
                        "blue",
                        draft.title,
                        lambda: tr("Draft"),
                        when,
                        lambda: tr("Continue"),
                        module,
                        draft.id,
                        5,
                    )
                )
        lines += [self._sent_back_line(found, now_ms) for found in self._sent_back]
        if self._conflicts:
            lines.append(self._conflict_line(self._conflicts))
        if self._waiting:
            count = self._waiting
            lines.append(
                Line(
                    "outbox",
                    "blue",
                    lambda: tr("{count} waiting to be sent", count=shown.number(count)),
                    lambda: tr("They are sent by themselves when there is a line, or by USB."),
                    "",
                    lambda: tr("See"),
                    "outbox",
                    "waiting",
                    90,
                )
            )
        return sorted(lines, key=lambda line: line.rank)[:MOST_LINES]

    def _sent_back_line(self, found: Mapping[str, Any], now_ms: int) -> Line:
        title: Words = str(found["title"]) or (lambda: tr("Without a title"))
        reason = str(found["note"])
        note: Words = lambda: tr("Sent back by the centre: “{reason}”", reason=reason)  # noqa: E731
        when = shown.moment(int(found["wall_ms"]), now_ms)
        module = str(found["kind"]).partition(".")[0]
        return Line("undo", "amber", title, note, when, lambda: tr("Correct"), module, str(found["record"]), 30)

    def _conflict_line(self, count: int) -> Line:
        return Line(
            "branch", "amber", lambda: tr("Conflicts between this office's laptops: {count}", count=shown.number(count)),
            lambda: tr("Two laptops changed the same field. Choose which value is right."), "", lambda: tr("Choose"),
            "carry", "conflicts", 2,
        )  # fmt: skip

    def _line(self, module: str, item: Mapping[str, Any]) -> Line:
        return Line(
            str(item.get("icon", "info")), str(item.get("tone", "blue")), words(item.get("title")), words(item.get("note")),
            words(item.get("when")), words(item.get("verb")) or (lambda: tr("Open")), module, str(item.get("target", "")),
            int(item.get("rank", 50)),
        )  # fmt: skip

    def _show(self) -> None:
        lines = self._waiting_lines()
        told = [line.told() for line in lines]
        if told != self._told:  # else whoever stands on a line by keyboard would lose it at every change anywhere
            self._told = told
            self._fill(lines)
        worked = bool(lines) or any(sum(answer.get("week", ())) for answer in self._answers.values())
        self.start.setVisible(not worked)
        self.list.setVisible(worked)
        self.waits.setVisible(worked)
        self._show_side()

    def _fill(self, lines: list[Line]) -> None:
        """New cards; the one that leads to the same place keeps the focus."""
        held = ("", "")
        while (item := self.lines.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                if isinstance(old, LineCard) and old.hasFocus():
                    held = (old.line.page, old.line.target)
                old.deleteLater()
        for number, line in enumerate(lines):
            if number:
                self.lines.addWidget(Rule())
            card = LineCard(line)
            card.pressed.connect(lambda line=line: self.desk.open(line.page, line.target))
            self.lines.addWidget(card)
            if held == (line.page, line.target):
                card.setFocus(Qt.FocusReason.OtherFocusReason)
        if not lines:
            self.lines.addWidget(Nothing())

    def _show_side(self) -> None:
        week = [0] * 7
        for answer in self._answers.values():
            for number, count in enumerate(list(answer.get("week", ()))[-7:]):
                week[number] += int(count)
        for action in self.first:
            action.set_note(words(self._answers.get(action.module, {}).get("note")))
        total = sum(week)
        self.chart_words.say(lambda: tr("This week: {count}", count=shown.number(total)))
        self.chart.show_values(list(zip(self._day_letters(), week, strict=True)), name=lambda: tr("Work of the week"))
        while (item := self.figures.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        figures = [figure for answer in self._answers.values() for figure in answer.get("figures", ())]
        for figure in figures[:2]:
            title = Label(words(figure.get("title")), size="note", tone="soft", wrap=True)
            value = Label(words(figure.get("value")), size="display", bold=True)
            note = Label(words(figure.get("note")), size="small", tone="soft", wrap=True)
            self.figures.addWidget(Card(column(title, value, note, spacing=2, margins=(16, 10, 16, 10))))
        self.week.setVisible(total > 0)
        self._fit()

    def _day_letters(self) -> list[Words]:
        """The seven days up to today, each by its first letters."""
        today = dates.moment(self.bridge.session.clock.wall_ms()).weekday()
        order = [(today + 1 + number) % 7 for number in range(7)]
        return [{"km": _first_cluster(dates.DAYS[day]), "en": dates.DAYS_EN[day][:2]} for day in order]

    # Room

    def _place_actions(self) -> None:
        columns = 4 if self.width() >= theme.scaled(820) else 2
        for number, action in enumerate(self.first):
            action.set_narrow(columns == 4 and self.width() < theme.scaled(1080))
            self.grid.addWidget(action, number // columns, number % columns)
        for number in range(4):
            self.grid.setColumnStretch(number, 1 if number < columns else 0)

    def _fit(self) -> None:
        """The side column only where there is room for it, and something to show."""
        room = self.width() >= theme.scaled(860)
        has = self.week.isVisibleTo(self._side) or self.figures.count() > 0
        self._side.setVisible(room and has)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_actions()
        self._fit()

    def retranslate(self) -> None:
        self._show()

    def retheme(self) -> None:
        self._place_actions()
        self._fit()


def _first_cluster(word: str) -> str:
    from i18n.segment import clusters

    return clusters(word)[0]
