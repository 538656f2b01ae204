"""The desk: what offices sealed to the agency, newest first; one of them beside the list; the agency's key."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QWidget

from desktop.kit import shown, theme
from desktop.kit.button import Button
from desktop.kit.desk import Desk
from desktop.kit.empty import Empty
from desktop.kit.field import Line
from desktop.kit.files import open_file, save_file
from desktop.kit.found import SIDE, BesideList, FoundList
from desktop.kit.layout import Beside, column, holder, row
from desktop.kit.page import Page
from desktop.kit.rows import Record
from desktop.kit.states import STATES, State
from desktop.kit.table import Column, Table
from desktop.kit.tabs import Tabs
from i18n.catalog import tr
from i18n.dates import moment
from modules.agency.view.submission import Submission
from modules.contract import Changed, Refused

SEARCH_WIDTH = 200
STATES_WIDTH = 420  # of the four states on one line

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
        self.list = FoundList(
            desk, "agency.list", self.table, asked=self._asked, look=_look, empty=self.empty, nothing=self.nothing
        )
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        self.search.setFixedWidth(theme.scaled(SEARCH_WIDTH))
        deeds = holder(row(self.search, self.fetch, self.stick, self.save, None, spacing=12))
        tools = Beside(self.states, deeds, least=STATES_WIDTH, spacing=8)
        self.body = BesideList(
            self.list, self.detail, show=self.detail.open, start=self.detail.accept, around=(tools,),
            beside=("receipt", "person", "look"),
        )  # fmt: skip
        page = column(tools, self.keyless, spacing=12, margins=(SIDE, 12, SIDE, 12))
        page.addWidget(self.body, 1)
        self.setLayout(page)
        self.keyless.hide()

    def _connect(self) -> None:
        self.list.follow(self.search, self.states)
        self.list.arrived.connect(self._arrived)
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
        self.body.offer(has_key)
        if has_key:
            self.list.read()

    def _arrived(self, answer: Mapping[str, Any]) -> None:
        for state in ("new", "accepted", "sent_back"):
            self.states.set_count(state, int(answer["counts"].get(state, 0)))
        self.save.setEnabled(int(answer["total"]) > 0)

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
        self.body.open_record(op)

    def close_submission(self) -> None:
        self.body.close_record()

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

    def _save_table(self) -> None:
        """Every submission as a file for Excel."""

        def write(path: Path) -> None:
            def done(_made: object) -> None:
                self.desk.show_note(tr("Written: {file}", file=path.name))

            self.desk.run("agency.export", then=done, out=str(path))

        save_file(self, lambda: tr("Save for Excel"), f"{tr('submissions')}.csv", write)


def _day(wall_ms: int) -> str:
    return shown.date(moment(wall_ms).date().isoformat())


def _look(submission: Record) -> Record:
    return {**submission, "look": state_key(submission["state"])}
