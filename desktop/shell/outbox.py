"""The outbox: every piece of work from "saved here" to "accepted", by line or by stick; one stuck item blocks nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QProgressBar, QSizePolicy, QStackedWidget, QWidget

from desktop.bridge import Bridge
from desktop.kit import shown
from desktop.kit.banner import Banner
from desktop.kit.button import Button
from desktop.kit.card import Card
from desktop.kit.empty import Empty
from desktop.kit.files import choose_folder
from desktop.kit.layout import Beside, Wrapped, column, holder, row
from desktop.kit.page import Page
from desktop.kit.rows import Column
from desktop.kit.table import Table
from desktop.kit.tabs import Tabs
from desktop.kit.wrap import Label
from desktop.shell import outbox_rows
from i18n.catalog import text, tr
from i18n.errors import SalaError, explain

if TYPE_CHECKING:
    from modules.contract import Changed

GONE = frozenset(  # the line's fault, not the item's
    {"SY-350", "SY-353", "SY-354", "SY-420", "SY-421", "SY-422", "SY-423", "SY-424"}
)
_OF_TAB = {"waiting": ("waiting",), "sending": ("sending",), "received": ("received", "stable")}


class OutboxPage(Page):
    """Targets: waiting, received, line."""

    title = {"km": "ប្រអប់ផ្ញើ", "en": "Outbox"}

    def __init__(self, desk: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.bridge = desk
        self._summary: Any = None
        self._outlook: Any = None
        self._rows: dict[str, dict[str, Any]] = {}
        self.send = Button(lambda: tr("Send and receive now"), kind="primary", key="Ctrl Enter", icon="sync")
        self.export = Button(lambda: tr("To USB…"), icon="usb")
        self.take = Button(lambda: tr("From USB…"), icon="usb")
        self.carry = Button(lambda: tr("QR, sticks, other laptops…"), kind="quiet")
        self.carry.clicked.connect(lambda: self.desk.open("carry"))
        self.export.setToolTip(tr("Write what the centre does not have yet onto a stick"))
        self.take.setToolTip(tr("Take receipts and news of the centre from a stick"))
        self.words = Label(self._state_words, tone="soft", wrap=True)
        self.handed = Label("", size="note", tone="amber", wrap=True)
        self.handed.setVisible(False)
        self.banner = Banner()
        self.tabs = Tabs(
            (
                ("waiting", lambda: tr("Waiting here")),
                ("sending", lambda: tr("On the way")),
                ("received", lambda: tr("Received by the centre")),
                ("decided", lambda: tr("Decided by the centre")),
            ),
            name=lambda: tr("State"),
        )
        self.table = Table(
            (
                Column("title", lambda: tr("Work"), show=self._title_words),
                Column("kind", lambda: tr("Kind"), 160, kind="soft", show=self._kind_words, spare=True),
                Column("officer", lambda: tr("Officer"), 110, kind="soft", spare=True),
                Column("wall_ms", lambda: tr("Saved"), 126, kind="soft", show=self._time_words, spare=True),
                Column("state", lambda: tr("State"), 168, kind="state"),
            ),
            name=self.title,
        )
        self.reason = Label("", size="note", tone="amber", wrap=True)
        self.empty = Empty("outbox", self._empty_title, self._empty_teach)
        self.list = QStackedWidget()
        self.list.addWidget(Card(column(self.table, margins=(1, 6, 1, 6))))
        self.list.addWidget(Card(column(self.empty)))
        self.list.setMinimumHeight(180)
        self._make_progress()
        self._lay_out()
        self._connect()

    def _make_progress(self) -> None:
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.step = Label("", bold=True)
        self.amount = Label("", size="note", tone="soft")
        self.stop = Button(lambda: tr("Stop"), small=True)
        head = row(self.step, None, self.amount, self.stop, spacing=12)
        self.progress = Card(column(head, self.bar, spacing=6, margins=(16, 10, 12, 12)), fill="blue_soft", line="")
        self.progress.setVisible(False)

    def _lay_out(self) -> None:
        self.words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        top = Beside(self.words, holder(Wrapped(self.carry, self.take, self.export, self.send, spacing=8)))
        lower = column(self.tabs, self.list, self.reason, spacing=8)
        lower.setStretch(1, 1)
        page = column(top, self.handed, self.progress, self.banner, lower, spacing=12, margins=(24, 16, 24, 12))
        page.setStretch(4, 1)
        self.setLayout(page)
        self.reason.setVisible(False)

    def _connect(self) -> None:
        self.send.clicked.connect(self.primary)
        self.export.clicked.connect(self._export)
        self.take.clicked.connect(self._import)
        self.stop.clicked.connect(self._stop)
        self.tabs.chosen.connect(lambda _id: self._read_rows())
        self.table.opened.connect(self._open)
        self.table.chosen.connect(self._show_reason)
        bridge = self.bridge
        bridge.sync_began.connect(self._began)
        bridge.sync_progress.connect(self._went_on)
        bridge.sync_ended.connect(self._ended)

    # What is shown

    def refresh(self, change: Changed | None = None) -> None:  # noqa: ARG002  # any change may add an op
        self.bridge.outbox_summary(self._show_summary)
        self.bridge.outlook(self._show_outlook)
        self._read_rows()

    def open_target(self, target: str) -> None:
        if target in ("waiting", "received"):
            self.tabs.choose(target)
        elif target == "line":
            self._say_last_run()

    def primary(self) -> None:
        self.bridge.sync_now()

    def _show_outlook(self, outlook: Any) -> None:
        self._outlook = outlook
        self.words.say(self._state_words)

    def _show_summary(self, summary: Any) -> None:
        self._summary = summary
        self.words.say(self._state_words)
        self.handed.say(self._handed_words)
        self.handed.setVisible(bool(summary.handed))
        self.tabs.set_count("waiting", summary.waiting)
        self.tabs.set_count("sending", summary.sending)
        self.tabs.set_count("received", summary.received + summary.stable)
        stuck = [item for item in (*summary.stuck, *summary.pieces) if item["code"] not in GONE]
        if stuck and self.banner.isHidden():
            self._say_stuck(stuck)

    def _say_stuck(self, stuck: list[dict[str, Any]]) -> None:
        """Some items were not taken: how many, why the first, and when it is tried again."""
        first, now_ms = stuck[0], self.bridge.session.clock.wall_ms()

        def why() -> str:
            again = max(now_ms, int(first["next_try_ms"]))
            when = tr("Next try by itself at {time}.", time=shown.moment(again, now_ms))
            return f"{outbox_rows.why(first['code'])} {when} ({first['code']})"

        count = shown.number(len(stuck))
        one = len(stuck) == 1
        self.banner.show_words(
            "warning",
            lambda: (
                tr("One packet did not get through; all others go on.")
                if one
                else tr("{count} packets did not get through; all others go on.", count=count)
            ),
            why,
        )

    def _state_words(self) -> str:
        summary = self._summary
        if summary is None:
            return ""
        now_ms = self.bridge.session.clock.wall_ms()
        if summary.waiting + summary.sending == 0 and summary.chunks:
            pieces = tr(
                "The records are received; {count} pieces of scans still are to be sent.",
                count=shown.number(summary.chunks),
            )
            return f"{pieces} {self._next_try_words(now_ms)}".strip()
        if summary.waiting + summary.sending == 0:
            if summary.last_received_ms is None:
                return tr("Nothing to send yet. What you finish appears here.")
            return tr(
                "The centre has everything. It last received at {time}.",
                time=shown.moment(summary.last_received_ms, now_ms),
            )
        if summary.oldest_waiting_ms is None:
            return tr("{count} on the way.", count=shown.number(summary.sending))
        words = tr(
            "{count} wait here, the oldest since {time}.",
            count=shown.number(summary.waiting + summary.sending),
            time=shown.moment(summary.oldest_waiting_ms, now_ms),
        )
        return f"{words} {self._next_try_words(now_ms)}".strip()

    def _handed_words(self) -> str:
        """What a province's relay holds: on its way, not yet at the centre."""
        now_ms = self.bridge.session.clock.wall_ms()
        return " ".join(
            tr(
                "{count} are with the province ({name}) since {time}; they turn green when the centre has answered.",
                count=shown.number(one["ops"]), name=one["relay"], time=shown.moment(one["since_ms"], now_ms),
            )
            for one in (self._summary.handed if self._summary else ())
        )  # fmt: skip

    def _next_try_words(self, now_ms: int) -> str:
        """When it is tried again, while it must wait."""
        outlook = self._outlook
        if outlook is None:
            return ""
        if outlook.next_try_ms > now_ms:
            return tr("Next try by itself at {time}.", time=shown.moment(outlook.next_try_ms, now_ms))
        if outlook.scans_from_ms > now_ms:
            return tr("Scans wait until {time}.", time=shown.moment(outlook.scans_from_ms, now_ms))
        return ""

    def _read_rows(self) -> None:
        tab = self.tabs.current()
        store = self.bridge.session.store

        def read() -> list[dict[str, Any]]:
            if tab == "decided":
                return store.read(outbox_rows.decisions)
            return store.read(lambda conn: outbox_rows.read(conn, _OF_TAB[tab]))

        self.bridge.work(read, then=lambda rows: self._show_rows(tab, rows))

    def _show_rows(self, tab: str, rows: list[dict[str, Any]]) -> None:
        if tab != self.tabs.current():
            return
        kept = self.table.current_id()
        self._rows = {row["id"]: row for row in rows}
        self.table.show_records(rows)
        self.list.setCurrentIndex(0 if rows else 1)
        if rows and kept:
            self.table.choose(kept)
        self.empty.title.say(self._empty_title)
        self.empty.teach.say(self._empty_teach)
        self._show_reason(self.table.current_id())

    def _title_words(self, value: Any) -> str:
        return str(value) if value else tr("Without a title")

    def _kind_words(self, value: Any) -> str:
        kind = self.bridge.session.kinds().get(str(value))
        return text(kind.title) if kind is not None else str(value)

    def _time_words(self, value: Any) -> str:
        return shown.moment(int(value), self.bridge.session.clock.wall_ms())

    def _empty_title(self) -> str:
        return {
            "waiting": tr("Nothing waits here"),
            "sending": tr("Nothing is on the way"),
            "received": tr("The centre has received nothing yet"),
            "decided": tr("The centre has decided nothing yet"),
        }[self.tabs.current()]

    def _empty_teach(self) -> str:
        return {
            "waiting": tr("What you finish waits here until there is a line or a stick. It is safe on this laptop."),
            "sending": tr("Here is what was sent or lies on a stick until the centre's receipt comes back."),
            "received": tr("When the centre has something, its signed receipt is kept here as a proof."),
            "decided": tr("Here the centre's answers appear: accepted, or sent back with the reason."),
        }[self.tabs.current()]

    def _show_reason(self, id: str) -> None:
        row = self._rows.get(id, {})
        note, trouble = row.get("note", ""), row.get("trouble", "")
        self.reason.say(lambda: tr("Reason of the centre: {reason}", reason=note) if note else self._trouble_words(row))
        self.reason.setVisible(bool(note or trouble))

    def _trouble_words(self, row: dict[str, Any]) -> str:
        """Why this piece of work is not through yet, and when it is tried again."""
        if not row.get("trouble"):
            return ""
        now_ms = self.bridge.session.clock.wall_ms()
        again = max(now_ms, int(row["next_try_ms"]))
        when = tr("Next try by itself at {time}.", time=shown.moment(again, now_ms))
        return f"{outbox_rows.why(row['trouble'])} {when} ({row['trouble']})"

    def _open(self, id: str) -> None:
        if found := self._rows.get(id):
            self.desk.open(str(found["kind"]).partition(".")[0], str(found["record"]))

    # Sending

    def _export(self) -> None:
        choose_folder(self, lambda: tr("Choose the stick"), self.bridge.export_usb)

    def _import(self) -> None:
        choose_folder(self, lambda: tr("Choose the stick"), self._take_from)

    def _take_from(self, folder: Path) -> None:
        self.bridge.import_usb(folder)

    def _began(self) -> None:
        if self.bridge.asked:
            self.banner.close_banner()
        self.bar.setRange(0, 0)
        self.step.say(lambda: tr("Looking for the centre…"))
        self.amount.say("")
        self.stop.setEnabled(True)
        self.progress.setVisible(True)
        for button in (self.send, self.export, self.take):
            button.setEnabled(False)

    def _went_on(self, what: str, done: int, total: int) -> None:
        self.step.say(lambda: outbox_rows.step_words(what))
        self.bar.setRange(0, max(0, total))
        self.bar.setValue(min(done, total))
        self.bar.setAccessibleName(outbox_rows.step_words(what))
        self.amount.say(f"{shown.number(done)} / {shown.number(total)}" if total > 1 else "")

    def _stop(self) -> None:
        self.stop.setEnabled(False)
        self.bridge.cancel_sync()

    def _ended(self, report: dict[str, Any] | None, error: SalaError | None) -> None:
        self.progress.setVisible(False)
        for button in (self.send, self.export, self.take):
            button.setEnabled(True)
        if error is not None and self.bridge.asked:
            self.banner.show_error(error)
        elif report is not None and (self.bridge.asked or report.get("problems")):
            self._say_report(report)
        self.refresh(None)

    def _say_report(self, report: dict[str, Any]) -> None:
        problems = report.get("problems") or []
        if problems:
            first = problems[0]
            words = explain(SalaError(first["code"], **dict(first.get("values") or {})))
            self.banner.show_words("warning", words.what, f"{words.kept} {words.next} ({words.code})")
            return
        if report.get("cancelled"):
            self.banner.show_words("info", lambda: tr("Stopped. What has arrived stays; the rest waits."))
        elif isinstance(report.get("files"), list):
            self._say_written(report["files"])
        elif "receipts" in report:
            receipts = int(report["receipts"])
            self.banner.show_words(
                "good", lambda: tr("Taken from the stick. New receipts: {count}", count=shown.number(receipts))
            )
        elif report.get("batches_sent") or report.get("batches_received"):
            self.banner.show_words("good", lambda: tr("The centre has received everything that was sent."))
        else:
            self.banner.show_words("good", lambda: tr("Nothing new on either side."))

    def _say_written(self, files: list[str]) -> None:
        names = ", ".join(Path(name).name for name in files)
        if names:
            self.banner.show_words("good", lambda: tr("Written to the stick: {name}", name=names))
        else:
            self.banner.show_words("good", lambda: tr("Nothing new on either side."))

    def _say_last_run(self) -> None:
        last = self.bridge.last_sync
        if self.bridge.syncing():
            return
        if last is None:
            self.banner.show_words("info", lambda: tr("The line has not been tried since you unlocked."))
        elif last[1] is not None:
            self.banner.show_error(last[1])

    def retranslate(self) -> None:
        self.words.say(self._state_words)
        self.export.setToolTip(tr("Write what the centre does not have yet onto a stick"))
        self.take.setToolTip(tr("Take receipts and news of the centre from a stick"))
        self.empty.title.say(self._empty_title)
        self.empty.teach.say(self._empty_teach)
        if self.table.rows.rowCount():
            self.table.rows.retranslate()
