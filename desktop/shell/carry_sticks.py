"""Sticks: written, read, and which of them hold what that the centre still lacks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QProgressBar, QWidget

from desktop.bridge import Bridge
from desktop.kit import shown
from desktop.kit.banner import Banner
from desktop.kit.button import Button
from desktop.kit.card import Card
from desktop.kit.choices import ChoiceField, Option
from desktop.kit.files import choose_folder
from desktop.kit.layout import Wrapped, column, holder, row
from desktop.kit.wrap import Label
from desktop.shell import outbox_rows
from desktop.shell.settings_parts import Pane
from i18n.catalog import tr
from i18n.errors import SalaError, explain

OPEN = "-"  # the choice: not sealed


class SticksPane(Pane):
    """To a stick, from a stick, and the list of what was written."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.strangers: list[dict[str, Any]] = []
        self.write = Button(lambda: tr("To USB…"), icon="usb", kind="primary")
        self.take = Button(lambda: tr("From USB…"), icon="usb")
        self._hops: list[str] = []
        self.seal = _choice([])
        self._seal_room = column(self.seal, spacing=0)
        self.seal.hide()
        self._make_progress()
        self.told = Banner()
        self.pair = Button("", icon="plus")
        self.pair.clicked.connect(self._pair)
        self.pair.hide()
        self.write.clicked.connect(self._export)
        self.take.clicked.connect(self._import)
        self.block(
            lambda: tr("USB stick"),
            lambda: tr(
                "A stick carries what waits here to the centre and to the other laptops of the office, and brings back receipts and "
                "news. It is read again after writing. Any stick, in any order, as often as you like: nothing is counted twice."
            ),
            column(
                self._seal_room, Wrapped(self.write, self.take, spacing=8), self.progress, self.told, row(self.pair, None), spacing=12
            ),
        )  # fmt: skip
        self.list = column(spacing=0)
        self.block(
            lambda: tr("What is on which stick"),
            lambda: tr("A stick may be emptied when the centre has received everything on it."),
            self.list,
        )
        self.end()
        bridge.sync_began.connect(self._began)
        bridge.sync_progress.connect(self._went_on)
        bridge.sync_ended.connect(self._ended)

    def _make_progress(self) -> None:
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.step = Label("", bold=True)
        self.stop = Button(lambda: tr("Stop"), small=True)
        self.stop.clicked.connect(self._stop)
        head = row(self.step, None, self.stop, spacing=12)
        self.progress = Card(column(head, self.bar, spacing=6, margins=(16, 10, 12, 12)), fill="blue_soft", line="")
        self.progress.setVisible(False)

    # What is shown

    def refresh(self) -> None:
        from modules import carry

        session = self.bridge.session
        self.bridge.work(lambda: (carry.hops(session), carry.sticks(session)), then=self._show)

    def _show(self, found: tuple[list[str], list[dict[str, Any]]]) -> None:
        hops, sticks = found
        if hops != self._hops:
            self._hops = hops
            self._seal_room.removeWidget(self.seal)
            self.seal.deleteLater()
            self.seal = _choice(hops)
            self._seal_room.addWidget(self.seal)
        while item := self.list.takeAt(0):
            if widget := item.widget():
                widget.deleteLater()
        for stick in sticks[:20]:
            self.list.addWidget(_line(stick, self.bridge.session.clock.wall_ms()))
        if not sticks:
            self.list.addWidget(Label(lambda: tr("Nothing was written to a stick yet."), tone="soft", wrap=True))

    # Deeds

    def _export(self) -> None:
        choose_folder(self, lambda: tr("Choose the stick"), self.export_to)

    def export_to(self, folder: Path) -> None:
        """Write onto the stick at ``folder``."""
        chosen = self.seal.value()
        self.bridge.export_usb(folder, "" if chosen in (None, OPEN) else str(chosen))

    def _import(self) -> None:
        choose_folder(self, lambda: tr("Choose the stick"), self.bridge.import_usb)

    def _stop(self) -> None:
        self.stop.setEnabled(False)
        self.bridge.cancel_sync()

    def _pair(self) -> None:
        from modules import replicate

        found, session = self.strangers.pop(0), self.bridge.session
        self.pair.hide()
        self.bridge.work(
            lambda: replicate.pair(session, bytes.fromhex(found["certificate"])),
            then=self._paired,
            failed=self.told.show_error,
        )

    def _paired(self, made: dict[str, Any]) -> None:
        number = shown.plain(str(made["number"]))
        self.told.show_words(
            "good", lambda: tr("Paired with laptop {number}. Take its stick once more.", number=number)
        )

    # Runs

    def _began(self) -> None:
        self.told.close_banner()
        self.bar.setRange(0, 0)
        self.step.say(lambda: tr("Working…"))
        self.stop.setEnabled(True)
        self.progress.setVisible(True)
        for button in (self.write, self.take):
            button.setEnabled(False)

    def _went_on(self, what: str, done: int, total: int) -> None:
        self.step.say(lambda: outbox_rows.step_words(what))
        self.bar.setRange(0, max(0, total))
        self.bar.setValue(min(done, total))
        self.bar.setAccessibleName(outbox_rows.step_words(what))

    def _ended(self, report: dict[str, Any] | None, error: SalaError | None) -> None:
        self.progress.setVisible(False)
        for button in (self.write, self.take):
            button.setEnabled(True)
        if error is not None and self.bridge.asked:
            self.told.show_error(error)
        elif report is not None and self.bridge.asked and not self.bridge.by_line:
            self._say(report)
        self.refresh()

    def _say(self, report: dict[str, Any]) -> None:
        self.strangers = list(report.get("strangers") or [])
        if self.strangers:
            number = shown.plain(str(self.strangers[0]["number"]))
            self.pair.say(lambda: tr("Pair with laptop {number} of this office", number=number))
        self.pair.setVisible(bool(self.strangers))
        if report.get("cancelled"):
            self.told.show_words("info", lambda: tr("Stopped. Nothing half-written is left on the stick."))
        elif report.get("problems"):
            first = report["problems"][0]
            words = explain(SalaError(first["code"], **dict(first.get("values") or {})))
            self.told.show_words("warning", words.what, f"{words.kept} {words.next} ({words.code})")
        elif "sealed_to" in report:
            names = ", ".join(Path(name).name for name in report["files"])
            more = tr("{size} kB, read again and sound.", size=shown.number(-(-int(report["bytes"]) // 1000)))
            self.told.show_words("good", tr("Written to the stick: {name}", name=names), more)
        elif "receipts" in report:
            arrived = int(report["pieces"])
            counts = {name: shown.number(int(report[name])) for name in ("receipts", "office_ops")}
            self.told.show_words(
                "good", tr("Taken from the stick. New receipts: {receipts} · records of the other laptops: {office_ops}", **counts),
                tr("Pieces of scans that have arrived: {count}", count=shown.number(arrived)) if arrived else "",
            )  # fmt: skip


def _choice(hops: list[str]) -> ChoiceField:
    anybody = {"km": "ការិយាល័យ និងមជ្ឈមណ្ឌល", "en": "The office and the centre"}
    made = ChoiceField(
        {"km": "អ្នកណាអាចអានបាន", "en": "Who can read it"},
        [Option(OPEN, anybody), *(Option(name, _hop(name)) for name in hops)],
    )
    made.set_value(OPEN)
    return made


def _hop(name: str) -> dict[str, str]:
    if name == "centre":
        return {"km": "មជ្ឈមណ្ឌលតែប៉ុណ្ណោះ (បិទត្រា)", "en": "Only the centre (sealed)"}
    return {"km": f"{name} តែប៉ុណ្ណោះ (បិទត្រា)", "en": f"Only {name} (sealed)"}


def _line(stick: dict[str, Any], now_ms: int) -> QWidget:
    """One writing: what, when, where, and whether the centre has it by now."""
    left = int(stick["batches"]) - int(stick["received"])

    def words() -> str:
        return tr(
            "{time} · {folder} · {ops} records · {size} kB", time=shown.moment(int(stick["written_ms"]), now_ms),
            folder=stick["folder"], ops=shown.number(int(stick["ops"])), size=shown.number(-(-int(stick["bytes"]) // 1000)),
        )  # fmt: skip

    def state() -> str:
        if stick["done"]:
            return tr("The centre has everything on it")
        if not left:
            return tr("{count} pieces of scans are not received yet", count=shown.number(int(stick["chunks_left"])))
        return tr(
            "{left} of {all} packets are not received yet",
            left=shown.number(left),
            all=shown.number(int(stick["batches"])),
        )

    inner = column(
        Label(", ".join(stick["files"]), bold=True, wrap=True), Label(words, size="note", tone="soft", wrap=True),
        Label(state, size="note", tone="green" if stick["done"] else "amber", wrap=True), spacing=0, margins=(0, 6, 0, 8),
    )  # fmt: skip
    return holder(inner)
