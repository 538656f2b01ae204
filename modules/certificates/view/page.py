"""The page: check, issue, register."""

from __future__ import annotations

import re

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from desktop.kit.desk import Desk
from desktop.kit.layout import column
from desktop.kit.page import Page
from desktop.kit.tabs import Tabs
from i18n.catalog import text, tr
from modules.certificates.checking import RECHECK
from modules.certificates.view.check import CheckPane
from modules.certificates.view.issue import IssuePane
from modules.certificates.view.pile import Pile
from modules.certificates.view.register import RegisterPane
from modules.contract import Changed

_RECORD = re.compile(r"[0-9a-f]{32}")


class CertificatesPage(Page):
    """``open_target``: check, issue, register, rechecks · ``issue/<submission>`` · a certificate or a draft by its id."""

    title = {"km": "វិញ្ញាបនបត្រ", "en": "Certificates"}

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.tabs = Tabs(
            [
                ("check", lambda: tr("Check")),
                ("issue", lambda: tr("Issue")),
                ("register", lambda: tr("Register")),
            ],
            name=self.title,
        )
        self.check = CheckPane(desk)
        self.issue = IssuePane(desk)
        self.register = RegisterPane(desk)
        self.panes: dict[str, QWidget] = {"check": self.check, "issue": self.issue, "register": self.register}
        self.stack = Pile()
        for pane in self.panes.values():
            self.stack.addWidget(pane)
        self.tabs.chosen.connect(self.choose)
        self.register.replace.connect(self._replace)
        self.issue.registered.connect(self._show_record)
        self.setLayout(column(self.tabs, self.stack, spacing=8, margins=(24, 8, 24, 12)))

    def choose(self, id: str) -> None:
        """Show one of the three panes."""
        moved = self.stack.currentWidget() is not self.panes[id]
        self.tabs.choose(id)
        self.stack.setCurrentWidget(self.panes[id])
        if id == "check":
            self.check.read()
            self.check.scan.setFocus()
        elif id == "issue":
            self.issue.read()
        else:
            self.register.read()
        if moved and self.isVisible():
            self.desk.open("certificates")  # the window's title follows

    # The shell's side

    def setFocus(self, reason: Qt.FocusReason = Qt.FocusReason.OtherFocusReason) -> None:
        """Where typing makes sense: the scanner's line, the search, the first template."""
        starts: dict[str, QWidget] = {"check": self.check.scan, "register": self.register.search}
        if start := starts.get(self.tabs.current()):
            start.setFocus(reason)
        else:
            self.issue.read()

    def page_title(self) -> str:
        words = {
            "check": tr("Check a certificate"),
            "issue": tr("Issue a certificate"),
            "register": tr("Register of certificates"),
        }
        return words[self.tabs.current()] if self.tabs else text(self.title)

    def refresh(self, change: Changed | None = None) -> None:
        if change is None:
            self.choose(self.tabs.current())
            return
        if RECHECK in change.kinds:
            self.check.read()
        if {"certificates.issued", "certificates.status"} & change.kinds and self.tabs.current() == "register":
            self.register.read()

    def open_target(self, target: str) -> None:
        if target in self.panes:
            self.choose(target)
            if target == "check":
                self.check.begin()
            elif target == "issue":
                self.issue.begin()
        elif target == "rechecks":
            self.choose("check")
            self.check.show_waiting()
        elif target.startswith("issue/"):
            self.choose("issue")
            self.issue.begin_from(target.removeprefix("issue/"))
        elif _RECORD.fullmatch(target):
            self.desk.run(
                "certificates.draft", then=self._open_draft, failed=lambda _: self._show_record(target), draft=target
            )

    def _open_draft(self, draft: dict[str, object]) -> None:
        self.choose("issue")
        self.issue.open_draft(draft)

    def _show_record(self, id: str) -> None:
        self.choose("register")
        self.register.open(id)

    def _replace(self, id: str) -> None:
        self.choose("issue")
        self.issue.begin_replacing(id)

    def primary(self) -> None:
        if self.tabs.current() == "check":
            self.check.begin()
        elif self.tabs.current() == "issue":
            self.issue.primary()

    def find(self) -> None:  # type: ignore[override]
        """Ctrl+F: the register's search."""
        self.choose("register")
        self.register.search.setFocus()

    def leave(self) -> None:
        self.issue.keep_now()
