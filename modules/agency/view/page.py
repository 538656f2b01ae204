"""The desk: what offices sealed to the agency, newest first; one of them beside the list; the agency's key."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QWidget

from desktop.kit import shown, theme
from desktop.kit.button import Button
from desktop.kit.card import Card
from desktop.kit.desk import Desk
from desktop.kit.empty import Empty
from desktop.kit.field import Line
from desktop.kit.files import open_file, save_file
from desktop.kit.layout import column, holder, row
from desktop.kit.page import Page
from desktop.kit.rows import Deliver
from desktop.kit.states import STATES, State
from desktop.kit.table import Column, Table
from desktop.kit.tabs import Tabs
from desktop.kit.timers import single_shot
from i18n.catalog import tr
from i18n.dates import moment
from modules.agency.view.submission import Submission
from modules.contract import Changed, Refused

SEARCH_MS = 180
SEARCH_WIDTH = 200
DETAIL_FROM = 1100  # pixels at 100 %: below that an open submission takes the place of the list

STATES.setdefault("desk.new", State("receive", "blue", "blue_soft", {"km": "ថ្មី", "en": "new"}))


def state_key(state: str) -> str:
    """The kit's word for a submission's state."""
    return "desk.new" if state == "new" else state


class AgencyPage(Page):
    """``open_target``: the op of a submission."""

    title = {"km": "តុទីភ្នាក់ងារ", "en": "Agency desk"}

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.states = Tabs(
            [
                ("", lambda: tr("All")),
                ("new", {"km": "ថ្មី", "en": "New"}),
                ("accepted", {"km": "បានទទួលយក", "en": "Accepted"}),
                ("sent_back", {"km": "បានបញ្ជូនត្រឡប់", "en": "Sent back"}),
            ],
            name={"km": "ស្ថានភាព", "en": "State"},
        )
        self.search = Line(icon="search", hint="Ctrl+F")
        self.fetch = Button(lambda: tr("Read what is new"), icon="sync", small=True)
        self.stick = Button(lambda: tr("Read from USB"), icon="usb", small=True)
        self.save = Button(lambda: tr("Save for Excel"), icon="table", small=True)
        self.table = Table(
            [
                Column("receipt", {"km": "លេខបង្កាន់ដៃ", "en": "Receipt"}, 150),
                Column("person", {"km": "អ្នកដាក់ពាក្យ", "en": "Applicant"}),
                Column("office", {"km": "ការិយាល័យ", "en": "Office"}, 110, kind="soft"),
                Column("received_ms", {"km": "មជ្ឈមណ្ឌលបានទទួល", "en": "Received"}, 150, kind="soft", show=_day),
                Column("look", {"km": "ស្ថានភាព", "en": "State"}, 160, kind="state"),
            ],
            name={"km": "ពាក្យស្នើសុំ", "en": "Submissions"},
        )
        self.keyless = Empty(
            "key",
            lambda: tr("This desk has no key yet"),
            lambda: tr(
                "Offices seal answers to the agency. Add the agency's private key (the file agency.key); it is kept "
                "encrypted on this laptop only."
            ),
            action=lambda: tr("Add the agency's key"),
        )
        self.empty = Empty(
            "receive",
            lambda: tr("Nothing on the desk yet"),
            lambda: tr("Press Read what is new, or read a stick that the centre has written."),
        )
        self.nothing = Empty("search", lambda: tr("Nothing found"), lambda: tr("Try a name or a receipt number."))
        self.detail = Submission(desk)
        self._asked_before: dict[str, Any] | None = None
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        self.search.setFixedWidth(theme.scaled(SEARCH_WIDTH))
        self._tools = holder(row(self.states, None, self.search, self.fetch, self.stick, self.save, spacing=12))
        self._list = Card(column(self.table, self.empty, self.nothing, margins=(1, 4, 1, 4)))
        body = row(spacing=16)
        body.addWidget(self._list, 3)
        body.addWidget(self.detail, 2)
        page = column(self._tools, self.keyless, spacing=12, margins=(24, 12, 24, 12))
        page.addLayout(body, 1)
        self.setLayout(page)
        for part in (self.detail, self.keyless, self.empty, self.nothing):
            part.hide()

    def _connect(self) -> None:
        self._soon = single_shot(self, SEARCH_MS, self.read)
        self.search.textChanged.connect(lambda _: self._soon.start())
        self.search.returnPressed.connect(self.table.setFocus)
        self.states.chosen.connect(lambda _: self.read())
        self.table.opened.connect(self.open_submission)
        self.table.chosen.connect(self._chosen)
        self.detail.closed.connect(self.close_submission)
        self.fetch.clicked.connect(self._fetch_now)
        self.stick.clicked.connect(self._read_stick)
        self.save.clicked.connect(self._save_table)
        self.keyless.acted.connect(self._choose_key)

    # --- the list

    def _asked(self) -> dict[str, Any]:
        return {"text": self.search.plain(), "state": self.states.current()}

    def read(self) -> None:
        """Read again what is here; without a key only the way to one is shown."""
        self.desk.run("agency.keys", then=self._take_keys)

    def _take_keys(self, found: Mapping[str, Any]) -> None:
        has_key = bool(found["keys"])
        self.keyless.setVisible(not has_key)
        self._tools.setVisible(has_key)
        self._list.setVisible(has_key)
        if has_key:
            asked = self._asked()
            self.desk.run("agency.list", then=lambda result: self._take(asked, result), limit=1, **asked)

    def _take(self, asked: Mapping[str, Any], result: Mapping[str, Any]) -> None:
        if asked != self._asked():
            return  # the person has typed on
        total, plain = int(result["total"]), not asked["text"] and not asked["state"]
        for state in ("new", "accepted", "sent_back"):
            self.states.set_count(state, int(result["counts"].get(state, 0)))
        self.table.setVisible(total > 0)
        self.empty.setVisible(total == 0 and plain)
        self.save.setEnabled(total > 0)
        self.nothing.setVisible(total == 0 and not plain)
        self._fit()
        if asked == self._asked_before:
            self.table.rows.refresh(total)
            return
        self._asked_before = dict(asked)
        self.table.show(total, lambda first, count, deliver: self._page(asked, first, count, deliver))

    def _page(self, asked: Mapping[str, Any], first: int, count: int, deliver: Deliver) -> None:
        def done(result: Mapping[str, Any]) -> None:
            deliver([{**line, "look": state_key(line["state"])} for line in result["rows"]])

        self.desk.run("agency.list", then=done, offset=first, limit=count, **asked)

    # --- bringing in

    def _fetch_now(self) -> None:
        self.fetch.setEnabled(False)
        self.desk.run("agency.fetch", then=self._brought, failed=self._not_brought)

    def _read_stick(self) -> None:
        open_file(self, lambda: tr("Read from USB"), ("*.salabatch",), self._take_stick)

    def _take_stick(self, path: Path) -> None:
        self.desk.run("agency.take_stick", then=self._brought, path=str(path))

    def _brought(self, report: Mapping[str, Any]) -> None:
        self.fetch.setEnabled(True)
        self.desk.show_note(tr("{n} new on the desk", n=report["new"]))
        if report["problems"]:
            self.desk.show_error(Refused("AG-009", n=report["problems"]))
        self.read()

    def _not_brought(self, error: Any) -> None:
        self.fetch.setEnabled(True)
        self.desk.show_error(error)

    def _choose_key(self) -> None:
        open_file(self, lambda: tr("Add the agency's key"), ("*.key",), self.add_key)

    def add_key(self, path: Path) -> None:
        """Take the agency's private key out of a file."""
        try:
            with path.open("rb") as file:
                text = file.read(200).decode("ascii", "replace")
        except OSError:
            text = ""
        self.desk.run("agency.add_key", then=lambda _: self.read(), text=text)

    # --- one submission

    def open_submission(self, op: str) -> None:
        """Show one beside the list (instead of it where there is no room)."""
        self.detail.open(op)
        self.detail.show()
        self._fit()
        self.table.choose(op)
        self.detail.accept.setFocus()

    def close_submission(self) -> None:
        self.detail.hide()
        self._fit()
        self.table.setFocus()

    def _chosen(self, op: str) -> None:
        if op and self.detail.isVisible() and self._list.isVisible():
            self.detail.open(op)

    def _fit(self) -> None:
        room, beside = self.width() >= theme.scaled(DETAIL_FROM), not self.detail.isHidden()
        if self.keyless.isHidden():
            self._list.setVisible(room or not beside)
            self._tools.setVisible(room or not beside)
        names = ("receipt", "person", "look") if beside else ("receipt", "person", "office", "received_ms", "look")
        self.table.show_columns(*names)

    # --- the shell's side

    def refresh(self, change: Changed | None = None) -> None:
        if change is None or {"agency.review", "forms.submission", "sync"} & change.kinds:
            self.read()
            if change is not None and not self.detail.isHidden():
                self.detail.reload()

    def open_target(self, target: str) -> None:
        if target:
            self.open_submission(target)

    def primary(self) -> None:
        if not self.detail.isHidden():
            self.detail.accept.click()

    def retranslate(self) -> None:
        self.detail.retranslate()

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        self._fit()

    def _save_table(self) -> None:
        """Every submission as a file for Excel."""

        def write(path: Path) -> None:
            def done(_made: object) -> None:
                self.desk.show_note(tr("Written: {file}", file=path.name))

            self.desk.run("agency.export", then=done, out=str(path))

        save_file(self, lambda: tr("Save for Excel"), f"{tr('submissions')}.csv", write)


def _day(wall_ms: int) -> str:
    return shown.date(moment(wall_ms).date().isoformat())
