"""One finished case: what was said, what was attached, what was changed by whom, where it is; receipt, correction, withdrawal."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from desktop.kit import shown
from desktop.kit.banner import Banner
from desktop.kit.button import Button, IconButton
from desktop.kit.card import Card
from desktop.kit.desk import Desk
from desktop.kit.fields import LineField
from desktop.kit.files import save_file
from desktop.kit.layout import Rule, Scroll, Wrapped, column, holder, row
from desktop.kit.preview import Preview
from desktop.kit.printing import print_pdf
from desktop.kit.stack import Stack
from desktop.kit.states import Chip
from desktop.kit.wrap import Label
from i18n.catalog import text, tr
from modules.forms.view.answers import Answers


class CasePane(Card):
    """``edit_wanted(draft)`` when a correction was opened, ``closed`` when the pane is not wanted any more."""

    edit_wanted = Signal(str)
    closed = Signal()

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        self._desk = desk
        self.case: Mapping[str, Any] | None = None
        self._wanted = ""  # the case that was opened last
        self._receipt = Label("", size="heading", bold=True)
        self._chip = Chip()
        self._close = IconButton("close", lambda: tr("Close this case"))
        self._service = Label("", size="body", bold=True, wrap=True)
        self._facts = Label("", size="note", tone="soft", wrap=True)
        self.print = Button(lambda: tr("Print receipt"), icon="print", small=True)
        self.save = Button(lambda: tr("Receipt as PDF"), icon="file", small=True)
        self.correct = Button(lambda: tr("Correct"), icon="pencil", small=True)
        self.withdraw = Button(lambda: tr("Withdraw"), icon="ban", small=True)
        self.reason = LineField(lambda: tr("Why is it withdrawn?"), longest=300)
        self.confirm = Button(lambda: tr("Withdraw for good"), kind="danger", small=True)
        self._keep = Button(lambda: tr("Keep it"), kind="quiet", small=True)
        self._withdrawing = holder(column(self.reason, row(None, self._keep, self.confirm), spacing=6))
        self._withdrawing.setVisible(False)
        self.review = Banner()
        self._answers = Answers()
        self._answers.file_wanted.connect(self._show_file)
        self._preview = Preview(name=lambda: tr("Attachment"))
        self._back = Button(lambda: tr("Back to the case"), kind="quiet", icon="arrow-left", small=True)
        self._stack = Stack()
        self._stack.addWidget(Scroll(self._answers))
        self._stack.addWidget(holder(column(row(self._back, None), self._preview, spacing=4)))
        head = row(self._receipt, self._chip, None, self._close, spacing=12)
        self._deeds = holder(Wrapped(self.print, self.save, self.correct, self.withdraw, spacing=8))
        page = column(
            head,
            self._service,
            self._facts,
            self.review,
            self._deeds,
            self._withdrawing,
            Rule(),
            spacing=6,
            margins=(16, 8, 12, 10),
        )
        page.addWidget(self._stack, 1)
        super().__init__(page, parent=parent)
        self._connect()

    def _connect(self) -> None:
        self._close.clicked.connect(self.closed)
        self.print.clicked.connect(self.print_receipt)
        self.save.clicked.connect(self.save_receipt)
        self.correct.clicked.connect(self.start_correction)
        self.withdraw.clicked.connect(lambda: self._ask_withdrawal(asked=True))
        self._keep.clicked.connect(lambda: self._ask_withdrawal(asked=False))
        self.confirm.clicked.connect(self.withdraw_now)
        self.reason.on_enter = self.withdraw_now
        self._back.clicked.connect(lambda: self._stack.setCurrentIndex(0))

    def open(self, id: str) -> None:
        """Read the case (an event of the audit log) and show it."""
        self._wanted = id
        self._desk.run("forms.show", id=id, then=self._show)

    def reload(self) -> None:
        """The case changed: a receipt came from the centre, or it was corrected."""
        if self._wanted:
            self.open(self._wanted)

    def _show(self, case: Mapping[str, Any]) -> None:
        if case["id"] != self._wanted:  # another one was opened meanwhile
            return
        if self.case is None or self.case["id"] != case["id"]:
            self._stack.setCurrentIndex(0)
            self._ask_withdrawal(asked=False)
        self.case = case
        self.retranslate()
        self._answers.show_case(case)
        self._chip.show_state(case["shown_state"])
        open_ = case["state"] != "withdrawn"
        self.correct.setVisible(open_)
        self.withdraw.setVisible(open_)

    def retranslate(self) -> None:
        """Words that are made of data."""
        if self.case is None:
            return
        case = self.case
        self._receipt.say(shown.plain(case["receipt"]))
        self._service.say(case["title"])
        self._facts.say(self._fact_words)
        self._say_review(case)
        self._answers.retranslate()
        self.setAccessibleName(f"{case['receipt']} {text(case['title'])}")

    def _say_review(self, case: Mapping[str, Any]) -> None:
        """What the centre decided about the case, with its reason."""
        reason = str(case["review_reason"])
        if case["review"] == "sent_back" and case["state"] != "withdrawn":
            self.review.show_words(
                "warning", lambda: tr("Sent back by the centre: “{reason}”", reason=reason),
                lambda: tr("Correct the case and finish it again: the correction goes to the centre by itself."),
            )  # fmt: skip
        elif case["review"] == "send_again":
            self.review.show_words(
                "info", lambda: tr("The centre asks for this case once more: “{reason}”", reason=reason),
                lambda: tr("Nothing to do: it is sent again by itself."),
            )  # fmt: skip
        else:
            self.review.close_banner()

    def _fact_words(self) -> str:
        if self.case is None:
            return ""
        return " · ".join((
            shown.riel(self.case["fee"]),
            tr("received {day}", day=shown.date(self.case["received"])),
            tr("Due {day}", day=shown.date(self.case["due"])),
            tr("by {officer}", officer=self.case["officer_name"]),
        ))  # fmt: skip

    # Receipt

    def print_receipt(self) -> None:
        """The receipt to the printer; it counts as a copy when its pages were handed over."""
        if self.case is not None:
            id = str(self.case["id"])
            self._desk.run("forms.receipt_pdf", id=id, then=lambda made: self._print(id, b64decode(made["base64"])))

    def _print(self, id: str, pdf: bytes) -> None:
        print_pdf(self, pdf, lambda _pages: self._desk.run("forms.note_given", what="printed", record=id))

    def save_receipt(self) -> None:
        """The receipt as a file, where the person wants it."""
        if self.case is not None:
            id, name = str(self.case["id"]), f"{self.case['receipt']}.pdf"
            save_file(self, lambda: tr("Receipt as PDF"), name, lambda path: self._save(id, path))

    def _save(self, id: str, path: Path) -> None:
        self._desk.run(
            "forms.receipt",
            id=id,
            out=str(path),
            then=lambda _made: self._desk.show_note(tr("Written: {file}", file=path.name)),
        )

    # Attachments

    def _show_file(self, file: Mapping[str, Any]) -> None:
        if self.case is not None:
            self._desk.run(
                "forms.attachment", id=self.case["id"], blob=file["blob"],
                then=lambda made: self._preview_file(file, b64decode(made["base64"])),
            )  # fmt: skip

    def _preview_file(self, file: Mapping[str, Any], data: bytes) -> None:
        pdf = file["media"] == "application/pdf"
        if self._preview.show_pdf(data) if pdf else self._preview.show_image(data):
            self._stack.setCurrentIndex(1)
            self._back.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self._desk.show_note(tr("This file cannot be shown."))

    # Changes

    def start_correction(self) -> None:
        """Open the answers for correcting: a draft, so that nothing typed is lost."""
        if self.case is not None:
            self._desk.run("forms.edit", id=self.case["id"], then=lambda made: self.edit_wanted.emit(made["draft"]))

    def _ask_withdrawal(self, *, asked: bool) -> None:
        self._withdrawing.setVisible(asked)
        self._deeds.setVisible(not asked)
        if asked:
            self.reason.set_value(None)
            self.reason.setFocus(Qt.FocusReason.OtherFocusReason)

    def withdraw_now(self) -> None:
        """Withdraw with the reason that stands in the line; without one it is asked for again."""
        if self.case is None:
            return
        if not self.reason.text():
            self.reason.set_error(tr("Write why."))
            self.reason.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        self._desk.run("forms.withdraw", id=self.case["id"], reason=self.reason.text(), then=self._withdrawn)

    def _withdrawn(self, made: Mapping[str, Any]) -> None:
        self._ask_withdrawal(asked=False)
        self._desk.show_note(tr("Withdrawn: {receipt}", receipt=made["receipt"]))
        self.reload()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() != Qt.Key.Key_Escape:
            super().keyPressEvent(event)
        elif self._stack.currentIndex() == 1:
            self._stack.setCurrentIndex(0)
        elif self._withdrawing.isVisible():
            self._ask_withdrawal(asked=False)
        else:
            self.closed.emit()
