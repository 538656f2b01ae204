"""The other laptops of the office: paired by code, told over the local network, seen at a glance."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication, QHideEvent
from PySide6.QtWidgets import QWidget

from desktop.bridge import Bridge
from desktop.kit import shown
from desktop.kit.banner import Banner
from desktop.kit.button import Button
from desktop.kit.layout import Beside, Wrapped, column, holder, row
from desktop.kit.wrap import Label
from desktop.shell.codes_in import CodesIn
from desktop.shell.qrview import QrView
from desktop.shell.settings_parts import Pane
from i18n.catalog import tr
from i18n.errors import SalaError

INVITATION = "SALA:P1:"


class OfficePane(Pane):
    """Wait, visit, and who is paired."""

    _heard = Signal(object)  # what a meeting brought; emitted on the listener's thread
    _strangers = Signal()

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self._waiting: Any = None
        self._make_wait()
        self._make_visit()
        self.list = column(spacing=0)
        self.block(
            lambda: tr("Laptops of this office"),
            lambda: tr(
                "Each holds the others' records too, and carries them on to the centre, whichever meets it first."
            ),
            self.list,
        )
        self.end()
        self._heard.connect(self._met)
        self._strangers.connect(self._too_many)
        bridge.sync_ended.connect(self._ended)

    # Wait

    def _make_wait(self) -> None:
        self.wait = Button(lambda: tr("Show the code and wait"), icon="qr", kind="primary")
        self.stop = Button(lambda: tr("Stop waiting"))
        self.copy = Button(lambda: tr("Copy the code as text"), icon="copy", kind="quiet")
        self.view = QrView()
        self.view.show_texts([])
        self.where = Label("", size="note", tone="soft", wrap=True)
        self.wait_told = Banner()
        self.wait.clicked.connect(self.begin)
        self.stop.clicked.connect(self.close_ear)
        self.copy.clicked.connect(self._copy)
        self.block(
            lambda: tr("This laptop waits"),
            lambda: tr(
                "Both laptops on the same Wi-Fi or cable. Whoever reads this code within ten minutes is paired for good; "
                "only laptops of this office can be. This laptop listens only while the code is shown."
            ),
            column(
                Wrapped(self.wait, self.stop, self.copy, spacing=8), row(self.view, None), self.where, self.wait_told, spacing=12
            ),
        )  # fmt: skip
        self._show_waiting()

    def begin(self) -> None:
        """Listen, and show the code that leads here."""
        from modules import replicate

        session = self.bridge.session
        self.close_ear()
        self.bridge.work(
            lambda: replicate.wait(session, self._heard.emit, self._strangers.emit),
            then=self._waits,
            failed=self._cannot,
        )

    def _waits(self, waiting: Any) -> None:
        self._waiting = waiting
        self._show_waiting()
        self.view.setFocus()

    def _cannot(self, error: SalaError) -> None:
        self.wait_told.show_error(error)

    def close_ear(self) -> None:
        """Stop listening."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.close()
        self._show_waiting()

    def _show_waiting(self) -> None:
        waiting = self._waiting
        self.view.show_texts([waiting.text] if waiting else [])
        for widget in (self.stop, self.copy, self.where):
            widget.setVisible(waiting is not None)
        self.wait.setVisible(waiting is None)
        address = waiting.addresses[0] if waiting else ""
        self.where.say(lambda: tr("Listening at {address}", address=address))

    def _copy(self) -> None:
        if self._waiting is not None:
            QGuiApplication.clipboard().setText(self._waiting.text)

    def _met(self, met: dict[str, Any]) -> None:
        number, taken = shown.plain(str(met["number"])), shown.number(int(met["taken"]))
        self.wait_told.show_words(
            "good", lambda: tr("Laptop {number} was here. New records from it: {taken}", number=number, taken=taken)
        )
        self.refresh()

    def _too_many(self) -> None:
        self.close_ear()
        self.wait_told.show_words(
            "warning",
            lambda: tr("Somebody tried wrong codes again and again. This laptop no longer listens."),
            lambda: tr("Nothing was given. Show a fresh code when the other laptop is ready."),
        )

    def hideEvent(self, event: QHideEvent) -> None:
        self.close_ear()
        super().hideEvent(event)

    # Visit

    def _make_visit(self) -> None:
        self.codes = CodesIn(
            self.bridge, {"km": "ស្កេនកូដរបស់កុំព្យូទ័រម្ខាងទៀត", "en": "Scan the other laptop's code here"},
            wants=lambda text: text.strip().upper().startswith(INVITATION),
        )  # fmt: skip
        self.visit_told = Banner()
        self.codes.failed.connect(self.visit_told.show_error)
        self.codes.read.connect(lambda texts: self.visit(texts[0]))
        self.block(
            lambda: tr("Go to the laptop that waits"),
            lambda: tr("Read the code that it shows: a photograph, its text, or a scanner."),
            column(self.codes, self.visit_told, spacing=12),
        )

    def visit(self, invitation: str) -> None:
        """Exchange with the laptop that shows ``invitation``."""
        self.visit_told.show_words("info", lambda: tr("Talking with the other laptop…"))
        self.bridge.meet(invitation)

    def _ended(self, report: dict[str, Any] | None, error: SalaError | None) -> None:
        if not self.isVisible() or self.bridge.by_line:
            return
        if error is not None:
            self.visit_told.show_error(error)
        elif report is not None and "rounds" in report:
            number, taken = shown.plain(str(report["number"])), shown.number(int(report["taken"]))
            self.visit_told.show_words(
                "good",
                lambda: tr("Exchanged with laptop {number}. New records from it: {taken}", number=number, taken=taken),
            )
        self.refresh()

    # Who is paired

    def refresh(self) -> None:
        from modules import carry

        session = self.bridge.session
        self.bridge.work(lambda: carry.colleagues(session), then=self._show)

    def _show(self, found: list[dict[str, Any]]) -> None:
        while item := self.list.takeAt(0):
            if widget := item.widget():
                widget.deleteLater()
        for one in found:
            self.list.addWidget(self._line(one))
        if not found:
            self.list.addWidget(Label(lambda: tr("No other laptop is paired yet."), tone="soft", wrap=True))

    def _line(self, one: dict[str, Any]) -> QWidget:
        number, now_ms = shown.plain(str(one["number"])), self.bridge.session.clock.wall_ms()

        def words() -> str:
            when = shown.moment(int(one["met_ms"]), now_ms) if one["met_ms"] else tr("not yet")
            return tr(
                "Last met: {when} · its records here: {ops} · not yet at the centre: {waiting}",
                when=when, ops=shown.number(int(one["ops"])), waiting=shown.number(int(one["waiting"])),
            )  # fmt: skip

        name = Label(lambda: tr("Laptop {number}", number=number), bold=True)
        left = holder(column(name, Label(words, size="note", tone="soft", wrap=True), spacing=0))
        part = Button(lambda: tr("Part"), small=True)
        part.setToolTip(tr("Nothing more is given or taken; what came stays."))
        part.clicked.connect(lambda: self._part(one["device"]))
        return holder(column(Beside(left, part), margins=(0, 6, 0, 8)))

    def _part(self, device: str) -> None:
        from modules import carry

        session = self.bridge.session
        self.bridge.work(lambda: carry.part(session, device), then=lambda _: self.refresh())
