"""One certificate of the register: what it states, its history, and what may be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.kit import shown
from desktop.kit.button import Button, IconButton
from desktop.kit.desk import Desk
from desktop.kit.layout import Rule, Scroll, Wrapped, column, holder, row
from desktop.kit.states import STATES, Chip
from desktop.kit.wrap import Label
from i18n.catalog import text, tr
from i18n.dates import short_moment
from modules.certificates.view import looks, outputs
from modules.certificates.view.reason import Reason
from modules.certificates.view.verdict import Facts

_KINDS = {
    "certificates.issued": {"km": "បានចេញ", "en": "Issued"},
    "certificates.status": {"km": "ស្ថានភាពបានផ្លាស់ប្តូរ", "en": "Status changed"},
}


class Detail(QWidget):
    """``closed`` · ``changed`` after any deed · ``replace(id)``."""

    closed = Signal()
    changed = Signal()
    replace = Signal(str)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._id, self._number = "", ""
        self.number = Label("", size="heading", bold=True)
        self.state = Chip()
        self.sync = Chip("waiting")
        self.why = Label("", size="note", tone="soft", wrap=True)
        self.close_it = IconButton("close", lambda: tr("Close"), key="")
        self.print = Button(lambda: tr("Print"), icon="print", small=True)
        self.save = Button(lambda: tr("Save as PDF"), icon="file", small=True)
        self.revoke = Button(lambda: tr("Revoke"), icon="ban", small=True)
        self.suspend = Button(lambda: tr("Suspend"), icon="pause", small=True)
        self.reinstate = Button(lambda: tr("Reinstate"), icon="play", small=True)
        self.successor = Button(lambda: tr("Replace"), icon="redo", small=True)
        self.reason = Reason()
        self.facts = Facts()
        self.history = column(spacing=6)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        head = row(self.number, None, self.close_it, spacing=8)
        chips = Wrapped(self.state, self.sync, spacing=8)
        verbs = QWidget()
        verbs.setLayout(
            Wrapped(self.print, self.save, self.successor, self.suspend, self.reinstate, self.revoke, spacing=8)
        )
        past = column(Label(lambda: tr("History"), size="label", bold=True), self.history, spacing=6)
        content = column(self.reason, self.facts, past, None, spacing=14, margins=(0, 4, 8, 4))
        keeper = QWidget()
        keeper.setLayout(chips)
        self.setLayout(column(head, keeper, self.why, verbs, Rule(), Scroll(holder(content)), spacing=8))

    def _connect(self) -> None:
        self.close_it.clicked.connect(self.closed)
        self.print.clicked.connect(lambda: outputs.print_sheet(self, self._desk, self._id, self.changed.emit))
        self.save.clicked.connect(
            lambda: outputs.save_sheet(self, self._desk, self._id, self._number, self.changed.emit)
        )
        self.revoke.clicked.connect(lambda: self.reason.ask("revoke", self._number))
        self.suspend.clicked.connect(lambda: self.reason.ask("suspend", self._number))
        self.reinstate.clicked.connect(lambda: self.reason.ask("reinstate", self._number))
        self.successor.clicked.connect(lambda: self.replace.emit(self._id))
        self.reason.given.connect(self._do)
        for keys, call in (("Ctrl+P", self.print.click), ("Ctrl+S", self.save.click), ("Esc", self._escape)):
            shortcut = QShortcut(QKeySequence(keys), self, call)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)

    def _escape(self) -> None:
        if self.reason.isVisible():
            self.reason.hide()
        else:
            self.closed.emit()

    def setFocus(self, reason: Qt.FocusReason = Qt.FocusReason.OtherFocusReason) -> None:
        self.print.setFocus(reason)

    def id(self) -> str:
        """Of the certificate that is shown."""
        return self._id

    def show_certificate(self, id: str) -> None:
        """Read and show certificate ``id``."""
        if id != self._id:
            self.reason.hide()
        self._id = id
        self.read()

    def read(self) -> None:
        """Read the same certificate again."""
        if self._id:
            asked = self._id
            self._desk.run("certificates.show", then=lambda found: self._take(asked, found), id=asked)

    def _take(self, asked: str, found: Mapping[str, Any]) -> None:
        if asked != self._id:
            return
        self._id, self._number = found["id"], found["number"]
        self.number.say(lambda: looks.digits(found["number"]))
        self.state.show_state(looks.state_key(found["state"]))
        self.sync.show_state(found["sync"] if found["sync"] in STATES else "waiting")
        words = found["reason_words"]
        self.why.say(lambda: f"{tr('Reason')}: {text(words)}" if words else "")
        self.why.setVisible(bool(words) and found["status"] != "valid")
        status = found["status"]
        self.revoke.setVisible(status != "revoked")
        self.suspend.setVisible(status == "valid")
        self.reinstate.setVisible(status == "suspended")
        self.facts.show_certificate(found["certificate"])
        self._show_history(found)

    def _show_history(self, found: Mapping[str, Any]) -> None:
        box = self.history
        assert isinstance(box, QVBoxLayout)
        while (item := box.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        events = [
            (event["wall_ms"], _KINDS.get(event["kind"], event["kind"]), shown.doubt(event["clock"]))
            for event in found["history"]
        ]
        for event in found["printed"]:
            words = {"km": f"បោះពុម្ព ច្បាប់ទី{event['copy']}", "en": f"Printed, copy {event['copy']}"}
            events.append((event["printed_ms"], words, event["officer_name"]))
        for when, words, who in sorted(events, key=lambda event: event[0]):
            parts = lambda w=when, t=words, o=who: " · ".join(  # noqa: E731
                part
                for part in (shown.plain(short_moment(w)), looks.digits(text(t)) if isinstance(t, Mapping) else t, o)
                if part
            )
            box.addWidget(Label(parts, size="note", wrap=True))

    def _do(self, verb: str, reason: str) -> None:
        def done(result: Mapping[str, Any]) -> None:
            self.reason.hide()
            words = {
                "revoked": tr("Certificate {number} is revoked", number=result["number"]),
                "suspended": tr("Certificate {number} is suspended", number=result["number"]),
                "valid": tr("Certificate {number} is in force again", number=result["number"]),
            }
            self._desk.show_note(words[result["status"]])
            self.changed.emit()

        self._desk.run(f"certificates.{verb}", then=done, id=self._id, reason=reason)
