"""The forms page: catalogue and list under two tabs, a case beside the list, the capture page and the finished receipt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from desktop.kit import theme
from desktop.kit.desk import Desk
from desktop.kit.layout import column, holder, row
from desktop.kit.page import Page
from desktop.kit.stack import Stack
from desktop.kit.tabs import Tabs
from i18n.catalog import tr
from i18n.errors import SalaError
from modules.contract import Changed
from modules.forms.view.capture import CaptureView
from modules.forms.view.case import CasePane
from modules.forms.view.finished import FinishedView
from modules.forms.view.services import ServicesView
from modules.forms.view.submissions import SubmissionsView

KINDS = frozenset({"forms.submission", "forms.correction", "forms.withdrawal"})


class FormsPage(Page):
    """Targets: "new" (the catalogue), "list", or the id of a draft or of a submission."""

    title = {"km": "ទម្រង់", "en": "Forms"}

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._discarded = ""
        self.tabs = Tabs(
            (("new", {"km": "សេវា", "en": "Services"}), ("list", {"km": "ពាក្យស្នើសុំ", "en": "Submissions"})),
            name=lambda: tr("Forms"),
        )
        self.services = ServicesView(desk)
        self.submissions = SubmissionsView(desk)
        self.case = CasePane(desk)
        self.case.setVisible(False)
        self.capture = CaptureView(desk)
        self.finished = FinishedView(desk)
        beside = row(spacing=16)
        beside.addWidget(self.submissions, 3)
        beside.addWidget(self.case, 2)
        self._lists = Stack()
        self._lists.addWidget(self.services)
        self._lists.addWidget(holder(beside))
        front = column(self.tabs, spacing=10, margins=(24, 14, 24, 12))
        front.addWidget(self._lists, 1)
        self._views = Stack()
        for view in (holder(front), self.capture, self.finished):
            self._views.addWidget(view)
        self.setLayout(column(self._views, spacing=0))
        self._connect()

    def _connect(self) -> None:
        self.tabs.chosen.connect(self._show_tab)
        self.services.start_wanted.connect(self.start)
        self.services.draft_wanted.connect(self._go)
        self.submissions.wanted.connect(self._open_case)
        self.submissions.new_wanted.connect(lambda: self._go("new"))
        self.case.edit_wanted.connect(self._go)
        self.case.closed.connect(self._close_case)
        self.capture.done.connect(self._done)
        self.capture.closed.connect(lambda: self._go("new"))
        self.capture.discarded.connect(self._was_discarded)
        self.capture.retitled.connect(self.retitled)
        self.finished.again_wanted.connect(self.start)
        self.finished.case_wanted.connect(self._go)
        self.finished.closed.connect(lambda: self._go("new"))

    def _go(self, target: str) -> None:
        """Through the window, so that its title follows."""
        self.desk.open("forms", target)

    # What the window asks

    def page_title(self) -> str:
        at = self._views.currentWidget()
        if at is self.capture and (title := self.capture.title()):
            return title
        return super().page_title()

    def open_target(self, target: str) -> None:
        """Show the catalogue, the list, a draft or a case."""
        if self._views.currentWidget() is self.capture and (
            self.capture.sheet is None or self.capture.sheet.draft != target
        ):
            self.capture.close_draft()
        if target in ("new", "list"):
            self._show_front(target)
        elif self.capture.sheet is None or self.capture.sheet.draft != target:
            self._open_record(target)

    def refresh(self, change: Changed | None = None) -> None:
        if change is None or change.kinds & KINDS or change.origin == "sync":
            self.submissions.reload()
        if self.case.case is not None and (
            change is None or change.origin == "sync" or self.case.case["id"] in change.ids
        ):
            self.case.reload()  # reading is noted in the audit log: only when this case may have changed
        self._read_drafts()

    def primary(self) -> None:
        """Ctrl+Enter: finish the draft; on the receipt, the next person; in the catalogue, start."""
        at = self._views.currentWidget()
        if at is self.capture:
            self.capture.finish_now()
        elif at is self.finished:
            self.finished.start_again()
        elif self.tabs.current() == "new":
            self.services.start()

    def leave(self) -> None:
        if self._views.currentWidget() is self.capture:
            self.capture.leave()

    def find(self) -> None:  # type: ignore[override]  # Qt's own static find() looks up window numbers
        """Ctrl+F: the search line of what is in front."""
        if self._views.currentIndex() == 0:
            at = self.services.search if self.tabs.current() == "new" else self.submissions.filter
            at.setFocus(Qt.FocusReason.ShortcutFocusReason)
            at.selectAll()

    def undo(self) -> str | None:
        """Ctrl+Z: a discarded draft comes back."""
        if not self._discarded:
            return None
        draft, self._discarded = self._discarded, ""
        self.desk.run("forms.restore", draft=draft, then=lambda _kept: self._go(draft))
        return tr("discarding the draft")

    def retranslate(self) -> None:
        self.capture.retranslate()
        self.case.retranslate()
        self.finished.retranslate()

    def setFocus(self, reason: Qt.FocusReason = Qt.FocusReason.OtherFocusReason) -> None:
        """The focus goes to where one types first."""
        at = self._views.currentWidget()
        if at is self.capture and self.capture.sheet is not None:
            return  # the capture page has put it where the work stopped
        if at is self.finished:
            self.finished.setFocus(reason)
        else:
            (self.services if self.tabs.current() == "new" else self.submissions).setFocus(reason)

    # Moving between the views

    def _show_front(self, tab: str) -> None:
        self.tabs.choose(tab)
        self._views.setCurrentIndex(0)
        self._show_tab(tab)

    def _show_tab(self, tab: str) -> None:
        self._lists.setCurrentIndex(0 if tab == "new" else 1)
        if tab == "list":
            self.submissions.reload()
        self._read_drafts()
        self.setFocus()

    def _read_drafts(self) -> None:
        self.desk.run("forms.drafts", then=self._show_drafts)

    def _show_drafts(self, answer: Mapping[str, Any]) -> None:
        self.services.show_drafts(answer["drafts"])

    def start(self, form: str, service: str) -> None:
        """A new draft, opened at its first question."""
        self._discarded = ""
        self.desk.run("forms.start", form=form, service=service, then=lambda made: self._go(made["draft"]))

    def _open_record(self, id: str) -> None:
        """A draft if there is one of that id, else a submission."""
        try:
            opened = self.desk.run_now("forms.draft", draft=id)
        except SalaError as error:
            if error.code == "FM-010":
                self._show_front("list")
                self._open_case(id)
            else:
                self.desk.show_error(error)
            return
        self._views.setCurrentWidget(self.capture)
        self.capture.open(opened)

    def _open_case(self, id: str) -> None:
        self.case.open(id)
        self.case.setVisible(True)
        self._fit()

    def _close_case(self) -> None:
        self.case.case = None
        self.case.setVisible(False)
        self._fit()
        self.submissions.table.setFocus(Qt.FocusReason.OtherFocusReason)

    def _done(self, result: dict[str, Any]) -> None:
        if "changed" in result:  # a correction: back to the case, which shows it
            self.desk.show_note(tr("Correction recorded: {receipt}", receipt=result["receipt"]))
            self._go(result["id"])
            return
        self._views.setCurrentWidget(self.finished)
        self.finished.show_result(result)
        self.finished.setFocus(Qt.FocusReason.OtherFocusReason)

    def _was_discarded(self, draft: str) -> None:
        self._discarded = draft
        self.desk.show_note(tr("Draft discarded; Ctrl+Z brings it back"))
        self._go("new")

    # Room and keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and not self.case.isHidden() and self.tabs.current() == "list":
            self._close_case()
        else:
            super().keyPressEvent(event)

    def retheme(self) -> None:
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """List and case beside each other where there is room for both, else the case alone."""
        both = self.width() >= theme.scaled(1150)
        self.submissions.setVisible(both or self.case.isHidden())
        self.submissions.make_room(beside_a_case=both and not self.case.isHidden())
