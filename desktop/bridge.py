"""Between the window and an open session: commands run off the GUI thread, news come back as one signal a burst.

The bridge is the ``Desk`` of every page. It holds no widget: the window listens to its signals.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.bursts import Bursts
from desktop.kit.timers import single_shot
from desktop.worker import Worker
from i18n.errors import SalaError
from modules.contract import Changed, Draft, Officer

if TYPE_CHECKING:
    from desktop.network import NetworkWatch
    from modules.session import Session

log = logging.getLogger(__name__)

SHOW_WORKING_MS = 300
FIRST_SYNC_MS = 3_000
CARE_AFTER_MS = 60_000  # the weekly check waits until the morning's first work is under way
LOOK_EVERY_MS = 60_000  # how often it is asked whether a run is due


class Bridge(QObject):
    """One open session as the pages see it. All signals arrive on the GUI thread."""

    changed = Signal(object)  # Changed
    refused = Signal(object)  # SalaError nobody else took
    noted = Signal(str)  # one quiet line
    open_wanted = Signal(str, str)  # page, target
    working = Signal(bool)  # something has run for longer than SHOW_WORKING_MS
    saved = Signal()  # something is durable that was not; see ``saved_ms``
    touched = Signal()  # the person is there: auto-lock begins anew
    session_settings_changed = Signal()  # language, look, digits, idle time
    sync_began = Signal()
    sync_progress = Signal(str, int, int)  # what, done, total
    sync_ended = Signal(object, object)  # report | None, SalaError | None

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.saved_ms: int | None = None  # when something was last made durable here
        self.last_sync: tuple[int, SalaError | None] | None = None  # when, and why not
        self._worker = Worker(2, "sala-desk", self)
        self._sync_worker = Worker(1, "sala-sync", self)
        self._worker.bug.connect(self._broke)
        self._sync_worker.bug.connect(self._broke)
        self._running = 0
        self._show_working = single_shot(self, SHOW_WORKING_MS, lambda: self.working.emit(True))
        self._bursts = Bursts(self)
        self._bursts.told.connect(self._tell)
        self._unsubscribe = session.bus.subscribe(self._bursts.hear)
        self._cancel = threading.Event()
        self._syncing = False
        self._sync_timer = QTimer(self)
        self._sync_timer.setInterval(LOOK_EVERY_MS)
        self._sync_timer.timeout.connect(self._sync_if_due)
        self._wake = single_shot(self, LOOK_EVERY_MS, self._sync_if_due)  # when the wait after a failure is over
        self._network: NetworkWatch | None = None
        self.broken_off = False  # did the last run end without closing the profile?
        self.by_line = False  # does the run that goes on, or went on last, use the line? Else a stick.
        self.asked = False  # did the person ask for the run that goes on or went on last?

    # The desk of the pages

    def run(
        self,
        command: str,
        /,
        *,
        then: Callable[[Any], None] | None = None,
        failed: Callable[[SalaError], None] | None = None,
        **params: object,
    ) -> None:
        def done(result: Any) -> None:
            self._note_saved(command)
            if then is not None:
                then(result)

        self.work(lambda: self.session.commands.run(command, **params), then=done, failed=failed)

    def run_now(self, command: str, /, **params: object) -> Any:
        result = self.session.commands.run(command, **params)
        self._note_saved(command)
        return result

    def open(self, page: str, target: str = "") -> None:
        self.open_wanted.emit(page, target)

    def show_error(self, error: SalaError) -> None:
        self.refused.emit(error)

    def show_note(self, words: str) -> None:
        self.noted.emit(words)

    def officer(self) -> Officer:
        return self.session.officer

    def idle_touch(self) -> None:
        self.touched.emit()

    # What the shell needs besides

    def work(
        self,
        call: Callable[[], Any],
        *,
        then: Callable[[Any], None] | None = None,
        failed: Callable[[SalaError], None] | None = None,
    ) -> None:
        """Run any call off the GUI thread; its refusal becomes a banner unless ``failed`` takes it."""

        def done(result: Any) -> None:
            self._ended()
            if then is not None:
                then(result)

        def not_done(error: Exception) -> None:
            self._ended()
            if not isinstance(error, SalaError):
                self._broke(error)
            elif failed is not None:
                failed(error)
            else:
                self.refused.emit(error)

        self._running += 1
        if self._running == 1:
            self._show_working.start()
        self._worker.run(call, done, not_done)

    def busy(self) -> bool:
        return self._running > 0

    def find_records(self, text: str, then: Callable[[list[dict[str, Any]]], None], limit: int = 12) -> None:
        """Records whose words hold ``text``: ``{"record", "kind", "title"}``, newest first."""
        from sync import search

        store = self.session.store
        self.work(lambda: store.read(lambda connection: search.find(connection, text, (), limit)), then=then)

    def drafts(self, then: Callable[[list[Draft]], None]) -> None:
        """This officer's drafts of every module, newest first."""
        self.work(self._read_drafts, then=then)

    def _read_drafts(self) -> list[Draft]:
        from sync import drafts

        unlocked = self.session.unlocked
        officer, key = unlocked.officer.id, unlocked.draft_key
        rows: Sequence[Any] = self.session.store.read(lambda connection: drafts.list_(connection, officer, key, ""))
        return [Draft(row["id"], row["subject"], row["title"], row["body"], row["updated_ms"]) for row in rows]

    def discard_draft(self, draft: str, then: Callable[[Any], None]) -> None:
        """Into the 30-day bin."""
        from sync import drafts

        session = self.session
        officer, now_ms = session.officer.id, session.clock.wall_ms()
        self.work(
            lambda: session.store.write(lambda connection: drafts.discard(connection, officer, draft, now_ms)),
            then=then,
        )

    def outbox_summary(self, then: Callable[[Any], None]) -> None:
        """``sync.outbox.Summary``."""
        from sync import outbox

        self.work(lambda: self.session.store.read(outbox.summary), then=then)

    # Replication

    def start_sync(self, *, soon: bool = True) -> None:
        """Run replication by itself from now on; the first look a little later, when the window has settled."""
        # httpx would also load its own command line, with click and rich: 6 MiB and 0.2 s that no window needs.
        sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None: "there is no such module"
        from desktop.network import NetworkWatch

        self._sync_timer.start()
        self._network = NetworkWatch(self)
        self._network.changed.connect(self.network_changed)
        if soon:
            QTimer.singleShot(FIRST_SYNC_MS, self, self._sync_if_due)
            QTimer.singleShot(CARE_AFTER_MS, self, self.care_when_due)

    def care_when_due(self) -> None:
        """Once a week, and after an unclean stop, check the whole profile in the background; what is wrong is written into the
        program's log for IT, and told in Settings."""
        from sync import care

        unlocked, broken_off = self.session.unlocked, self.broken_off
        self.broken_off = False

        def check() -> list[str]:
            return care.run(unlocked) if broken_off or care.due(unlocked) else []

        def note(found: list[str]) -> None:
            for fault in found:
                log.error("the weekly check found: %s", fault)

        self.work(check, then=note)

    def network_changed(self) -> None:
        """What waits for the line is tried now: the old failures say nothing about the new network."""
        from sync import runs

        store = self.session.store
        self.work(lambda: store.write(runs.wake), then=lambda _: self._sync_if_due())

    def outlook(self, then: Callable[[Any], None]) -> None:
        """``sync.runs.Outlook``: when it is tried next, and what is wrong with the line."""
        from sync import runs

        store, now_ms = self.session.store, self.session.clock.wall_ms()
        self.work(lambda: store.read(lambda conn: runs.outlook(conn, now_ms)), then=then)

    def _wait_for_next_try(self, outlook: Any) -> None:
        wait_ms = outlook.next_try_ms - self.session.clock.wall_ms()
        if outlook.next_try_ms and wait_ms < LOOK_EVERY_MS and not self._syncing:
            self._wake.start(max(1_000, wait_ms))

    def sync_now(self) -> None:
        """One sync run because the person asked for it; does nothing while one runs."""
        self._sync(asked=True)

    def _sync_if_due(self) -> None:
        """A run by itself, when there is a reason to go and the wait after failures is over."""
        from sync import runs

        store, now_ms = self.session.store, self.session.clock.wall_ms()
        if not self._syncing:
            self.work(
                lambda: store.read(lambda conn: runs.due(conn, now_ms)),
                then=lambda due: self._sync(asked=False) if due else None,
            )

    def _sync(self, *, asked: bool) -> None:
        from modules import replicate

        if not self._syncing:
            self.asked, self.by_line = asked, True
        self._replicate(
            lambda progress: replicate.once(self.session, progress=progress, cancel=self._cancel.is_set, asked=asked)
        )

    def export_usb(self, folder: Path, seal: str = "") -> None:
        """Write courier files into ``folder``; ``seal``: the next hop that alone can read them."""
        from modules import replicate

        self._with_stick()
        stop = self._cancel.is_set
        self._replicate(
            lambda progress: replicate.export(self.session, folder, progress=progress, cancel=stop, seal=seal)
        )

    def import_usb(self, path: Path) -> None:
        """Take a courier file, or a folder of them."""
        from modules import replicate

        self._with_stick()
        stop = self._cancel.is_set
        self._replicate(lambda progress: replicate.import_(self.session, path, progress=progress, cancel=stop))

    def meet(self, invitation: str) -> None:
        """Exchange with the other laptop of the office that shows ``invitation``."""
        from modules import replicate

        self._with_stick()
        stop = self._cancel.is_set
        self._replicate(lambda progress: replicate.meet(self.session, invitation, progress=progress, cancel=stop))

    def _with_stick(self) -> None:
        if not self._syncing:
            self.asked, self.by_line = True, False

    def cancel_sync(self) -> None:
        """Stop at the next step; what has arrived stays."""
        self._cancel.set()

    def syncing(self) -> bool:
        return self._syncing

    def _replicate(self, call: Callable[[Callable[[str, int, int], None]], dict[str, Any]]) -> None:
        if self._syncing:
            return
        self._syncing = True
        self._cancel.clear()
        self.sync_began.emit()
        last_told = 0.0

        def progress(what: str, done: int, total: int) -> None:
            nonlocal last_told
            if (now := time.monotonic()) - last_told > 0.05 or done >= total:
                last_told = now
                self._sync_worker.post(lambda: self.sync_progress.emit(what, done, total))

        self._sync_worker.run(lambda: call(progress), lambda report: self._synced(report, None), self._sync_failed)

    def _sync_failed(self, error: Exception) -> None:
        if isinstance(error, SalaError):
            self._synced(None, error)
        else:
            self._synced(None, None)
            self._broke(error)

    def _synced(self, report: dict[str, Any] | None, error: SalaError | None) -> None:
        self._syncing = False
        if self.by_line:
            self.last_sync = (self.session.clock.wall_ms(), error)
        if error is None and report is not None:
            self._tidy()
        self.sync_ended.emit(report, error)
        if self.by_line and self._sync_timer.isActive():
            self.outlook(self._wait_for_next_try)

    def _tidy(self) -> None:
        """After a good run: let go of a little of what the centre holds twice."""
        from modules import housekeeping

        session, cancel = self.session, self._cancel
        self.work(lambda: housekeeping.tidy(session, cancel=cancel.is_set), failed=lambda _: None)

    # Changes

    def _tell(self, change: Changed) -> None:
        self.saved_ms = self.session.clock.wall_ms()
        self.changed.emit(change)

    def _note_saved(self, command: str) -> None:
        """A writing command is durable when it returns: the strip says when."""
        if self.session.commands.get(command).writes:
            self.saved_ms = self.session.clock.wall_ms()
            self.saved.emit()

    # The end

    def close(self) -> None:
        """Wait for what runs, then lock the profile."""
        self.stop()
        self.finish()

    def stop(self) -> None:
        """On the GUI thread: nothing is begun or delivered any more."""
        self._unsubscribe()
        self._sync_timer.stop()
        self._wake.stop()
        if self._network is not None:
            self._network.stop()
        self._show_working.stop()
        self._bursts.stop()
        self._cancel.set()
        self._sync_worker.silence()
        self._worker.silence()

    def finish(self) -> None:
        """On any thread, after :meth:`stop`: wait for what runs, then lock the profile. May take as long as a step of a sync."""
        self._sync_worker.stop()
        self._worker.stop()
        self.session.close()

    def _ended(self) -> None:
        self._running -= 1
        if self._running == 0:
            self._show_working.stop()
            self.working.emit(False)

    def _broke(self, error: Exception) -> None:
        """A bug: written down for the next start, and said now without its inside."""
        log.error("a bug", exc_info=error)
        from i18n.errors import Known

        self.refused.emit(Known("UI-001", kind=type(error).__name__))
