"""One submission at the agency's desk: who, from where, every answer in words, its scans; accept it or send it back."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QGridLayout, QLayout, QSizePolicy, QWidget

from desktop.kit import shown, theme
from desktop.kit.button import Button, IconButton
from desktop.kit.card import Card
from desktop.kit.desk import Desk
from desktop.kit.fields import NoteField
from desktop.kit.layout import Rule, Scroll, Wrapped, column, holder, row
from desktop.kit.preview import Preview
from desktop.kit.stack import Stack
from desktop.kit.states import Chip
from desktop.kit.wrap import Label
from i18n.catalog import text, tr
from i18n.dates import moment

LABEL_WIDTH = 150  # pixels at 100 % of the questions' column


class Submission(Card):
    """``closed`` when it is not wanted any more."""

    closed = Signal()

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        self._desk = desk
        self._op = ""
        self._shown: Mapping[str, Any] | None = None
        self._receipt = Label("", size="heading", bold=True)
        self._chip = Chip()
        self._close = IconButton("close", lambda: tr("Close"))
        self._title = Label("", bold=True, wrap=True)
        self._facts = Label("", size="note", tone="soft", wrap=True)
        self._told = Label("", size="note", tone="amber", wrap=True)
        self.accept = Button(lambda: tr("Accept"), icon="check-circle", small=True)
        self.send_back = Button(lambda: tr("Send back"), icon="undo", small=True)
        self.reason = NoteField(lambda: tr("What must the office do?"), lines=2, longest=2_000)
        self.confirm = Button(lambda: tr("Send back to the office"), kind="primary", small=True)
        self._keep = Button(lambda: tr("Not now"), kind="quiet", small=True)
        self._asking = holder(column(self.reason, row(None, self._keep, self.confirm), spacing=6))
        self._asking.hide()
        self._answers = column(spacing=4, margins=(0, 4, 8, 8))
        self._preview = Preview(name=lambda: tr("Attachment"))
        self._back = Button(lambda: tr("Back to the answers"), kind="quiet", icon="arrow-left", small=True)
        self._stack = Stack()
        self._stack.addWidget(Scroll(holder(self._answers)))
        self._stack.addWidget(holder(column(row(self._back, None), self._preview, spacing=4)))
        head = row(self._receipt, self._chip, None, self._close, spacing=12)
        deeds = holder(Wrapped(self.accept, self.send_back, spacing=8))
        page = column(
            head, self._title, self._facts, deeds, self._asking, self._told, Rule(), spacing=6, margins=(16, 8, 12, 10)
        )
        page.addWidget(self._stack, 1)
        super().__init__(page, parent=parent)
        self._connect()

    def _connect(self) -> None:
        self._close.clicked.connect(self.closed)
        self.accept.clicked.connect(lambda: self._decide("accepted", ""))
        self.send_back.clicked.connect(lambda: self._ask(asked=True))
        self._keep.clicked.connect(lambda: self._ask(asked=False))
        self.confirm.clicked.connect(self._send_back)
        self._back.clicked.connect(lambda: self._stack.setCurrentIndex(0))
        shortcut = QShortcut(QKeySequence("Esc"), self, self.closed.emit)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)

    def open(self, op: str) -> None:
        """Read a submission (an event of the audit log) and show it."""
        self._op = op
        self._desk.run("agency.show", then=lambda found: self._take(op, found), op=op)

    def reload(self) -> None:
        """It was corrected, withdrawn or decided about."""
        if self._op:
            self.open(self._op)

    def _take(self, op: str, found: Mapping[str, Any]) -> None:
        if op != self._op:
            return
        if self._shown is None or self._shown["op"] != op:
            self._stack.setCurrentIndex(0)
            self._ask(asked=False)
        self._shown = found
        self.retranslate()

    def retranslate(self) -> None:
        """Everything that is made of data, in the present language."""
        found = self._shown
        if found is None:
            return
        self._receipt.say(shown.plain(found["receipt"]))
        self._chip.show_state("desk.new" if found["state"] == "new" else found["state"])
        self._title.say(found["title"] if found["known"] else lambda: tr("A form that this program does not carry"))
        self._facts.say(self._fact_words)
        self._told.setVisible(bool(found["reason"]))
        self._told.say(lambda: tr("Told the office: {reason}", reason=found["reason"]))
        open_ = found["state"] != "withdrawn"
        self.accept.setEnabled(open_ and found["state"] != "accepted")
        self.send_back.setEnabled(open_)
        self._list_answers(found)
        self.setAccessibleName(f"{found['receipt']} {text(found['title'])}")

    def _fact_words(self) -> str:
        if self._shown is None:
            return ""
        day = shown.date(moment(self._shown["received_ms"]).date().isoformat())
        return " · ".join((
            tr("Office {code}, laptop {number}", code=shown.plain(self._shown["office"]), number=shown.number(self._shown["laptop"])),
            tr("received {day}", day=day),
        ))  # fmt: skip

    # --- answers

    def _list_answers(self, found: Mapping[str, Any]) -> None:
        _clear(self._answers)
        section: Any = None
        for line in found["rows"]:
            if line["section"] != section:
                section = line["section"]
                if text(section):
                    self._answers.addWidget(Label(dict(section), size="label", bold=True))
            self._answers.addWidget(self._answer(line))
        for change in found["changes"]:
            words = change["body"].get("reason", "")
            kind = (
                tr("Corrected: {reason}", reason=words)
                if change["kind"] == "correction"
                else tr("Withdrawn: {reason}", reason=words)
            )
            self._answers.addWidget(Label(kind, size="note", tone="soft", wrap=True))
        self._answers.addStretch(1)

    def _answer(self, line: Mapping[str, Any]) -> QWidget:
        """A question and what was said, on one line; both wrap."""
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setColumnStretch(1, 1)
        name = Label(dict(line["label"]), size="note", tone="soft", wrap=True)
        name.setFixedWidth(theme.scaled(LABEL_WIDTH))
        grid.addWidget(name, 0, 0, Qt.AlignmentFlag.AlignTop)
        if not line["files"]:
            said = Label(dict(line["value"]), size="note", wrap=True)
            policy = said.sizePolicy()  # keeps that its height follows its width
            policy.setHorizontalPolicy(QSizePolicy.Policy.Expanding)
            said.setSizePolicy(policy)
            grid.addWidget(said, 0, 1)
        for place, file in enumerate(line["files"]):
            kind = "file" if file["media"] == "application/pdf" else "image"
            button = Button(file["name"], kind="quiet", icon=kind, small=True)
            button.setToolTip(tr("Show {file}", file=file["name"]))
            button.clicked.connect(lambda _on=False, file=file: self._show_file(file))
            grid.addWidget(holder(row(button, None)), place, 1)
        return holder(grid)

    def _show_file(self, file: Mapping[str, Any]) -> None:
        self._desk.show_note(tr("Fetching {file} from the centre …", file=file["name"]))

        def done(found: Mapping[str, Any]) -> None:
            data = b64decode(found["base64"])
            if file["media"] == "application/pdf":
                self._preview.show_pdf(data)
            else:
                self._preview.show_image(data)
            self._stack.setCurrentIndex(1)
            self._back.setFocus()

        self._desk.run("agency.attachment", then=done, op=self._op, blob=file["blob"])

    # --- deciding

    def _ask(self, *, asked: bool) -> None:
        self._asking.setVisible(asked)
        if asked:
            self.reason.set_value(None)
            self.reason.area.setFocus()

    def _send_back(self) -> None:
        reason = self.reason.value()
        if not reason:
            self.reason.set_error(tr("Say what the office must do."))
            self.reason.area.setFocus()
            return
        self._decide("sent_back", reason)

    def _decide(self, decision: str, reason: str) -> None:
        def done(_: Any) -> None:
            self._ask(asked=False)
            self._close.setFocus()  # what had it is hidden now
            self._desk.show_note(tr("Decided. The office hears it with the next contact."))
            self.reload()

        self._desk.run("agency.decide", then=done, op=self._op, decision=decision, reason=reason)


def _clear(layout: QLayout) -> None:
    while (item := layout.takeAt(0)) is not None:
        if (old := item.widget()) is not None:
            old.hide()
            old.deleteLater()
