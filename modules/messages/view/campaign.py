"""One campaign on one page: text, recipients, check, approval, hand-over; and one button that names the next step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from desktop.kit import theme
from desktop.kit.banner import Banner
from desktop.kit.button import Button
from desktop.kit.desk import Desk
from desktop.kit.layout import Scroll, column, holder, row
from desktop.kit.states import Chip
from desktop.kit.steps import Steps
from i18n.catalog import tr
from i18n.errors import SalaError
from modules import permissions
from modules.messages.view import looks
from modules.messages.view.people import People
from modules.messages.view.steps import FourEyes, Sums
from modules.messages.view.writing import Writing

LEFT = 400  # pixels at 100 % of the column with the text


class CampaignView(QWidget):
    """``closed()``: back to the list."""

    closed = Signal()

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._campaign: Mapping[str, Any] | None = None
        self._keeping = False
        self._waiting: dict[str, object] | None = None  # edits that came while one was being kept
        self.steps = Steps(
            [
                {"km": "អត្ថបទ", "en": "Text"}, {"km": "អ្នកទទួល", "en": "Recipients"}, {"km": "ពិនិត្យ", "en": "Check"},
                {"km": "អនុម័ត", "en": "Approval"}, {"km": "ប្រគល់", "en": "Hand-over"},
            ]
        )  # fmt: skip
        self.state = Chip()
        self.back = Button(lambda: tr("Back to the list"), icon="arrow-left", small=True, key="Esc")
        self.banner = Banner()
        self.writing = Writing(desk)
        self.sums = Sums()
        self.eyes = FourEyes()
        self.people = People(desk)
        self.go = Button("", kind="primary", key="Ctrl+Enter")
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        content = column(self.writing, self.sums, self.eyes, None, spacing=12, margins=(0, 0, 10, 0))
        left = column(spacing=10)
        left.addWidget(Scroll(holder(content)), 1)
        left.addWidget(self.go)
        self._left = holder(left)
        body = row(spacing=16)
        body.addWidget(self._left)
        body.addWidget(self.people, 1)
        head = row(self.back, 8, spacing=8)
        head.addWidget(self.steps, 1)
        head.addWidget(self.state)
        page = column(head, self.banner, spacing=10)
        page.addLayout(body, 1)
        self.setLayout(page)
        self.retheme()

    def _connect(self) -> None:
        self.back.clicked.connect(self._close)
        self.writing.typed.connect(self.keep)
        self.people.file_wanted.connect(self.choose_file)
        self.people.counted.connect(self.writing.show_count)
        self.sums.leave_out.connect(lambda on: self._edit(leave_out=on))
        self.sums.strip.connect(lambda on: self._edit(strip_breaks=on))
        self.go.clicked.connect(self.primary)
        QShortcut(QKeySequence("Ctrl+O"), self, self.choose_file)

    def retheme(self) -> None:
        self._left.setFixedWidth(
            theme.scaled(LEFT) if self.width() >= theme.scaled(2 * LEFT) else max(300, self.width() // 2 - 8)
        )

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self.retheme()

    # --- what is shown

    def id(self) -> str:
        return str(self._campaign["id"]) if self._campaign else ""

    def begin(self) -> None:
        """A new message; it exists as soon as something is typed."""
        self._campaign = None
        self.banner.close_banner()
        self.writing.clear()
        self.people.clear()
        for card in (self.sums, self.eyes):
            card.hide()
        self.state.show_state("draft")
        self.steps.set_now(0)
        self.go.say(lambda: tr("Choose the recipients"))
        self.go.setEnabled(True)
        self.writing.title.setFocus()

    def open(self, id: str) -> None:
        """Show campaign ``id``."""
        self.banner.close_banner()
        self.back.setFocus()
        self._desk.run("messages.show", then=self._opened, id=id)

    def _opened(self, campaign: Mapping[str, Any]) -> None:
        self._show(campaign, words=True)
        if self.go.isVisible() and self.go.isEnabled() and self.back.hasFocus():
            self.go.setFocus()

    def read(self) -> None:
        """Show the same campaign as it is now; what is being typed stays."""
        if self._campaign and not self._keeping and not self.writing.pending():
            asked = self.id()
            self._desk.run("messages.show", then=lambda campaign: self._take(asked, campaign), id=asked)

    def _take(self, asked: str, campaign: Mapping[str, Any]) -> None:
        if asked == self.id() and not self.writing.pending():
            self._show(campaign, words=False)

    def _show(self, campaign: Mapping[str, Any], *, words: bool) -> None:
        self._campaign = campaign
        self.writing.show_campaign(campaign, words=words)
        self.people.show_campaign(campaign)
        self.sums.show_campaign(campaign)
        self.sums.setVisible(campaign["count"] > 0)
        self.eyes.show_campaign(campaign, mine=self._mine(), may=self._may())
        self.eyes.show()
        self.state.show_state(looks.state_key(campaign))
        self.steps.set_now(_step(campaign))
        self._name_the_step(campaign)

    def _name_the_step(self, campaign: Mapping[str, Any]) -> None:
        state = campaign["state"]
        if state == "draft" and not campaign["count"]:
            self.go.say(lambda: tr("Choose the recipients"))
        elif state == "draft":
            self.go.say(lambda: tr("Choose a corrected list"))
        elif state == "checked":
            self.go.say(lambda: tr("Approve"))
        else:
            self.go.say(lambda: tr("Hand over to the centre"))
        self.go.setVisible(state != "released")
        self.go.setEnabled(state != "checked" or (self._may() and not self._mine()))

    def _mine(self) -> bool:
        return self._campaign is not None and self._campaign["author"] == self._desk.officer().id

    def _may(self) -> bool:
        return "records.approve" in permissions.ROLES.get(self._desk.officer().role, frozenset())

    # --- what is done

    def primary(self) -> None:
        """The next step."""
        state = self._campaign["state"] if self._campaign else "draft"
        if self.writing.pending():
            self.keep()  # what the step is about must be what stands there
            return
        if state == "draft":
            self.choose_file()
        elif state == "checked" and self.go.isEnabled():
            self._step("messages.approve", lambda: tr("The message is approved"))
        elif state == "approved":
            self._step("messages.handover", lambda: tr("Handed over: it goes when there is a line"))

    def _step(self, command: str, words: Callable[[], str]) -> None:
        def done(campaign: Mapping[str, Any]) -> None:
            self._show(campaign, words=False)
            self._desk.show_note(words())

        self._desk.run(command, then=done, failed=self._refused, id=self.id())

    def choose_file(self) -> None:
        from desktop.kit.files import open_file

        if self._campaign and self._campaign["state"] == "released":
            return
        open_file(self, lambda: tr("Choose the list of recipients"), ("*.csv", "*.tsv", "*.txt"), self.take_file)

    def take_file(self, path: Path) -> None:
        """Take the recipients of a file; every bad row is named."""
        self._edit(recipients=str(path))

    def keep(self) -> None:
        """What is typed becomes durable."""
        values = self.writing.values()
        if self._campaign or any(values.values()):
            self._edit()

    def keep_now(self) -> None:
        """The same, before this returns."""
        if self.writing.pending() and (self._campaign or any(self.writing.values().values())):
            self.writing.kept()
            self._campaign = self._desk.run_now("messages.draft", **self._given())

    def _given(self, **changes: object) -> dict[str, object]:
        given: dict[str, object] = {**self.writing.values(), **changes}
        return {**given, "id": self.id()} if self._campaign else given

    def _edit(self, **changes: object) -> None:
        """Keep the text with ``changes``; what comes while that runs waits for its end."""
        if self._keeping:
            self._waiting = {**(self._waiting or {}), **changes}
            return
        if self._campaign and self._campaign["state"] == "released":
            return
        self.writing.kept()
        if self._campaign is None:  # at once, so that a second key finds it: one text, no recipients yet
            self._campaign = self._desk.run_now("messages.draft", **self._given())
        self._keeping = True
        self._desk.run("messages.draft", then=self._kept, failed=self._not_kept, **self._given(**changes))

    def _kept(self, campaign: Mapping[str, Any]) -> None:
        self._keeping = False
        self.banner.close_banner()
        if campaign["id"] == self.id():
            self._show(campaign, words=False)
            if not campaign["count"]:
                self._desk.run("messages.segments", then=self.writing.show_count, text=campaign["template"])
        self._go_on()

    def _not_kept(self, error: SalaError) -> None:
        self._keeping = False
        self._refused(error)
        self._go_on()

    def _go_on(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self._edit(**waiting)

    def _refused(self, error: SalaError) -> None:
        self.banner.show_error(error)

    def _close(self) -> None:
        self.keep_now()
        self.closed.emit()


def _step(campaign: Mapping[str, Any]) -> int:
    """Which step is next: 0 text, 1 recipients, 2 check, 3 approval, 4 hand-over, 5 all done."""
    if not campaign["template"].strip():
        return 0
    if not campaign["count"]:
        return 1
    return {"draft": 2, "checked": 3, "approved": 4, "released": 5}[campaign["state"]]
