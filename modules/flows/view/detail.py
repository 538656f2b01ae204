"""One flow: its cards on the left; beside them a dry run on a past case, or its runs with why each went as it did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QEvent, Signal
from PySide6.QtWidgets import QComboBox, QWidget

from desktop.kit import shown, theme
from desktop.kit.banner import Banner
from desktop.kit.button import Button
from desktop.kit.card import Card
from desktop.kit.desk import Desk
from desktop.kit.empty import Empty
from desktop.kit.fields import LineField
from desktop.kit.layout import Scroll, column, holder, row
from desktop.kit.rows import Column, Deliver
from desktop.kit.states import Chip
from desktop.kit.table import Table
from desktop.kit.tabs import Tabs
from desktop.kit.wrap import Label
from i18n.catalog import text, tr
from i18n.dates import short_moment
from i18n.errors import SalaError
from modules import permissions
from modules.flows.view import looks
from modules.flows.view.cards import Cards

SAMPLE = "sample"


class FlowView(QWidget):
    """``closed()``: back to the list."""

    closed = Signal()

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._flow: Mapping[str, Any] = {}
        self._run = ""
        self.back = Button(lambda: tr("Back to the list"), icon="arrow-left", small=True, key="Esc")
        self.state = Chip("flow.off")
        self.switch = Button(lambda: tr("Switch on"), kind="primary", icon="play", key="Ctrl+Enter")
        self.banner = Banner()
        self.summary = Label("", size="note", tone="soft", wrap=True)
        self.cards = Cards()
        self.values: dict[str, LineField] = {}
        self._values = column(spacing=8)
        self.tabs = Tabs(
            [("dry", lambda: tr("Dry run")), ("runs", lambda: tr("Runs"))], name=lambda: tr("Beside the flow")
        )
        self.cases = QComboBox()
        self.try_it = Button(lambda: tr("Try it"), icon="eye", small=True)
        self.verdict = Label("", size="note", tone="soft", wrap=True)
        self.outcome = Cards()
        self.runs = Table(
            [
                Column("label", {"km": "អំពី", "en": "About"}),
                Column(
                    "started_ms",
                    {"km": "ពេលវេលា", "en": "Time"},
                    135,
                    kind="soft",
                    show=lambda ms: shown.plain(short_moment(ms)),
                ),
                Column("look", {"km": "លទ្ធផល", "en": "Outcome"}, 115, kind="state"),
            ],
            name={"km": "ដំណើរការ", "en": "Runs"},
        )
        self.no_runs = Empty(
            "history",
            lambda: tr("It has not run yet"),
            lambda: tr("Each run is listed here with every step and its reason."),
        )
        self.again = Button(lambda: tr("Continue this run"), icon="play", small=True)
        self.story = Cards()
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        head = row(self.back, 8, self.state, None, self.switch, spacing=10)
        left = column(self.summary, self.cards, self._values, None, spacing=12, margins=(0, 0, 10, 0))
        choose = row(spacing=10)
        choose.addWidget(self.cases, 1)
        choose.addWidget(self.try_it)
        dry = column(
            choose, self.verdict, Scroll(holder(column(self.outcome, None, margins=(0, 0, 10, 0)))), spacing=10
        )
        story = column(self.again, Scroll(holder(column(self.story, None, margins=(0, 0, 10, 0)))), spacing=8)
        past = column(spacing=10)
        self._runs = Card(column(self.runs, self.no_runs, margins=(1, 2, 1, 2)))
        past.addWidget(self._runs, 1)
        past.addLayout(story, 3)
        self._dry, self._past = holder(dry), holder(past)
        right = column(self.tabs, self._dry, self._past, spacing=10)
        body = row(spacing=20)
        body.addWidget(Scroll(holder(left)), 1)
        body.addLayout(right, 1)
        page = column(head, self.banner, spacing=10)
        page.addLayout(body, 1)
        self.setLayout(page)
        self.no_runs.hide()
        self._past.hide()
        self.again.hide()
        self.retheme()

    def _connect(self) -> None:
        self.back.clicked.connect(self.closed)
        self.switch.clicked.connect(self.primary)
        self.tabs.chosen.connect(self._choose)
        self.try_it.clicked.connect(self.dry_run)
        self.runs.chosen.connect(self._show_run)
        self.again.clicked.connect(self._resume)

    def retheme(self) -> None:
        self.cases.setFont(theme.font("body"))
        self.cases.setFixedHeight(theme.height("row"))
        self._runs.setMaximumHeight(4 * theme.height("row") + 80)

    # --- what is shown

    def open(self, flow: str) -> None:
        """Show ``flow``."""
        self.banner.close_banner()
        self._run = ""
        self._desk.run("flows.show", then=self._show, flow=flow)
        self._choose("dry")
        self.tabs.choose("dry")
        self.verdict.say(lambda: tr("Choose a case and try it: you see what would happen, and nothing is kept."))
        self.outcome.hide()

    def read(self) -> None:
        """Read the same flow and its runs again."""
        if self._flow:
            self._desk.run("flows.show", then=self._show, flow=self._flow["id"])

    def title(self) -> str:
        return text(self._flow["title"]) if self._flow else ""

    def _show(self, flow: Mapping[str, Any]) -> None:
        self._flow = flow
        self.summary.say(dict(flow["summary"]))
        self.cards.show_flow(flow)
        self.state.show_state(looks.run_key("on" if flow["enabled"] else "off"))
        on = flow["enabled"]
        self.switch.say((lambda: tr("Switch off")) if on else (lambda: tr("Switch on")), icon="pause" if on else "play")
        self.switch.set_kind("normal" if on else "primary")
        self.switch.setEnabled(self._may())
        self.tabs.set_count("runs", flow["runs"])
        self._show_values(flow)
        self._desk.run("flows.events", then=self._show_cases, flow=flow["id"])
        self._read_runs()

    def _may(self) -> bool:
        return "settings.office" in permissions.ROLES.get(self._desk.officer().role, frozenset())

    def _show_values(self, flow: Mapping[str, Any]) -> None:
        """What the flow leaves to the office."""
        if set(self.values) != {setting["name"] for setting in flow["settings"]}:
            while (item := self._values.takeAt(0)) is not None:
                if (widget := item.widget()) is not None:
                    widget.hide()
                    widget.deleteLater()
            self.values = {}
            for setting in flow["settings"]:
                field = LineField(dict(setting["title"]), longest=500)
                field.left.connect(lambda name=setting["name"]: self._set(name))
                self.values[setting["name"]] = field
                self._values.addWidget(field)
        for setting in flow["settings"]:
            field = self.values[setting["name"]]
            if not field.isAncestorOf(self.focusWidget() or self):
                field.set_value(setting["value"])
            field.set_locked(not self._may())

    def _set(self, name: str) -> None:
        value = self.values[name].value()
        kept = next(setting["value"] for setting in self._flow["settings"] if setting["name"] == name)
        if value and value != kept:
            self._desk.run(
                "flows.configure", then=lambda _flow: self._desk.show_note(tr("Kept")), failed=self._refused,
                flow=self._flow["id"], settings={name: value},
            )  # fmt: skip

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.cases.setItemText(self.cases.findData(SAMPLE), tr("An example, no real case"))
            self.cases.setAccessibleName(tr("Case to try the flow on"))
        super().changeEvent(event)

    # --- dry run

    def _show_cases(self, found: Mapping[str, Any]) -> None:
        chosen = self.cases.currentData()
        self.cases.clear()
        for event in found["events"]:
            when = shown.plain(short_moment(event["wall_ms"]))
            self.cases.addItem(f"{event['label'] or event['subject']} · {when}", event["id"])
        self.cases.addItem(tr("An example, no real case"), SAMPLE)
        place = self.cases.findData(chosen)
        self.cases.setCurrentIndex(max(place, 0))
        self.cases.setAccessibleName(tr("Case to try the flow on"))

    def dry_run(self) -> None:
        """Try the flow on the chosen case; nothing is kept."""
        self.try_it.setEnabled(False)
        self._desk.run(
            "flows.dry_run",
            then=self._show_trial,
            failed=self._refused,
            flow=self._flow["id"],
            on=self.cases.currentData() or SAMPLE,
        )

    def _show_trial(self, trial: Mapping[str, Any]) -> None:
        self.try_it.setEnabled(True)
        described = trial["mode"] == "description"
        self.verdict.say(
            (lambda: tr("Described with made-up data; nothing was called."))
            if described
            else (lambda: tr("Everything was done and taken back again: nothing of it is kept, no number is used."))
        )
        self.outcome.show_run(self._flow["trigger_title"] or trial["label"], trial["why"], trial["steps"])
        self.outcome.show()

    # --- runs

    def _choose(self, tab: str) -> None:
        self._dry.setVisible(tab == "dry")
        self._past.setVisible(tab == "runs")
        if tab == "runs":
            self._read_runs()

    def _read_runs(self) -> None:
        flow = self._flow.get("id")
        if flow is None:
            return

        def done(found: Mapping[str, Any]) -> None:
            total = found["total"]
            self.runs.setVisible(total > 0)
            self.no_runs.setVisible(total == 0)
            self.story.setVisible(total > 0)
            self.runs.show(total, lambda first, count, deliver: self._fetch(flow, first, count, deliver))
            if total:
                self.runs.choose_row(0)

        self._desk.run("flows.runs", then=done, flow=flow, limit=1)

    def _fetch(self, flow: str, first: int, count: int, deliver: Deliver) -> None:
        def done(found: Mapping[str, Any]) -> None:
            deliver([{**one, "look": looks.run_key(one["state"])} for one in found["rows"]])

        self._desk.run("flows.runs", then=done, flow=flow, offset=first, limit=count)

    def _show_run(self, run: str) -> None:
        if run:
            self._run = run
            self._desk.run("flows.show_run", then=self._tell, run=run)

    def _tell(self, run: Mapping[str, Any]) -> None:
        if run["id"] == self._run:
            self.story.show_run(
                lambda: f"{run['label']} · {shown.plain(short_moment(run['started_ms']))}", run["why"], run["steps"]
            )
            self.again.setVisible(run["state"] == "stopped")

    def _resume(self) -> None:
        def done(run: Mapping[str, Any]) -> None:
            self._tell(run)
            self._desk.show_note(
                tr("The run went on to its end") if run["state"] == "done" else tr("The run stopped again")
            )

        self._desk.run("flows.resume", then=done, failed=self._refused, run=self._run)

    # --- deeds

    def primary(self) -> None:
        """Switch the flow on or off."""
        if not self._may():
            self.banner.show_words("info", lambda: tr("The chief or the IT officer switches flows."))
            return
        on = self._flow.get("enabled")

        def done(flow: Mapping[str, Any]) -> None:
            self._show(flow)
            self._desk.show_note(tr("The flow is on") if flow["enabled"] else tr("The flow is off"))

        self._desk.run(
            "flows.disable" if on else "flows.enable", then=done, failed=self._refused, flow=self._flow["id"]
        )

    def _refused(self, error: SalaError) -> None:
        self.try_it.setEnabled(True)
        self.banner.show_error(error)
