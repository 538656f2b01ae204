"""One sync run, in the order of the protocol: enrol, publications, have/want, receipts, batches, chunks, the hub's log.

Every step may be repeated and may be the last one: what was done is in the database. One stuck batch never holds up another,
and a step that fails leaves the steps after it their turn as long as the line stands.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from sync import (
    checkpoints,
    cutting,
    delivery,
    enrol,
    leases,
    notes,
    office,
    ops,
    outbox,
    pieces,
    publications,
    receipts,
    wire,
)
from sync.cbor import Malformed
from sync.errors import Known, SalaError
from sync.failpoint import failpoint
from sync.limits import FILL_WAIT_MS, MAX_MESSAGE, MAX_RECEIPT
from sync.lockfile import locked
from sync.marks import GOODPUT, LAST_RUN, RECEIPT_CURSOR, ROLLBACK, RUN_NEXT, RUN_TRIES, mark, set_mark
from sync.transport import Cancelled, Transport, backoff_ms, target_size
from sync.version import VERSION

if TYPE_CHECKING:
    from sync.keys import Unlocked
    from sync.notes import Checkpoint
    from sync.office import Centre
    from sync.receipts import Receipt
    from sync.store import Connection

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]  # what, done, total
LOCK: Final = "sync.lock"
_GIVE_UP_AFTER: Final = 3  # batches in a row that the line fails: the line is gone
_BATCH_REFUSALS: Final = {413: "SY-358", 422: "SY-357"}
_REFUSALS: Final = {403: "SY-345", 404: "SY-346", 409: "SY-347", 410: "SY-348"}


@dataclass(slots=True)
class Report:
    """What one run did. ``problems``: ``{"step", "code", "values"}`` each; nothing is lost by any of them."""

    url: str = ""
    enrolled: bool = False
    cancelled: bool = False
    batches_cut: int = 0
    batches_sent: int = 0
    batches_received: int = 0  # receipts that turned a batch green
    batches_lost: int = 0  # the hub no longer held them; they go again
    quarantined: int = 0  # received, but waiting for a decision of an admin
    chunks_sent: int = 0
    publications: list[str] = field(default_factory=list)
    bytes_up: int = 0
    bytes_down: int = 0
    waiting: int = 0  # ops that still are only here
    problems: list[dict[str, Any]] = field(default_factory=list)


def due(conn: Connection, now_ms: int) -> bool:
    """Whether an automatic run should start now: the wait after failures is over and there is a reason to go."""
    waiting = cutting.uncut(conn)
    waited = waiting.ops > 0 and now_ms - waiting.oldest_ms >= FILL_WAIT_MS
    filled = waiting.bytes >= 4 * target_size(mark(conn, GOODPUT))
    queued = any(batch.next_try_ms <= now_ms for batch in delivery.pending(conn))
    stale = now_ms - mark(conn, LAST_RUN) >= 15 * FILL_WAIT_MS
    return now_ms >= mark(conn, RUN_NEXT) and (waited or filled or queued or stale)


def run(
    unlocked: Unlocked, transport: Transport | None = None, *, progress: Progress | None = None,
    cancel: Callable[[], bool] = lambda: False,
) -> Report:  # fmt: skip
    """One run over the line. Known: SY-352 another run goes on; SY-350, SY-353, SY-355 no hub: everything stays here."""
    with locked(unlocked.home / LOCK):
        return _Run(unlocked, progress or (lambda *_: None), cancel).over(transport)


class _Run:
    """The state of one run."""

    def __init__(self, unlocked: Unlocked, progress: Progress, cancel: Callable[[], bool]) -> None:
        self.unlocked, self.store, self.clock = unlocked, unlocked.store, unlocked.store.clock
        self.progress, self.cancel = progress, cancel
        self.report = Report()
        self.largest: Checkpoint | None = None
        self.largest_note = ""

    def over(self, transport: Transport | None) -> Report:
        centre = self.store.read(office.centre)
        if centre is None:
            raise Known("SY-303")
        self.centre: Centre = centre
        self.line = transport or Transport(centre.urls, self.unlocked.device, cancel=self.cancel)
        self.line.goodput = self.store.read(lambda conn: mark(conn, GOODPUT))
        self.progress("connect", 0, 1)
        try:
            with self.line:
                self._steps()
        except Cancelled:
            self.report.cancelled = True
        except Known as error:
            self._later(error)
            if error.code != "SY-354":
                raise
            self._problem("line", error)
        finally:
            self._finish()
        return self.report

    def _steps(self) -> None:
        self.report.url = self.line.url
        for name, step in (
            ("enrol", self._enrol), ("leases", self._ask_leases), ("publications", self._publications),
            ("have", self._have), ("receipts", self._receipts), ("cut", self._cut), ("batches", self._batches),
            ("chunks", self._chunks), ("log", self._log),
        ):  # fmt: skip
            if self.cancel():
                raise Cancelled
            with self._step(name):
                step()
        self.store.write(self._reached)

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        """A step that goes wrong is told and left; a line that breaks or a busy hub ends the run."""
        try:
            yield
        except SalaError as error:
            if error.code in ("SY-350", "SY-353", "SY-354"):
                raise
            self._problem(name, error)

    def _problem(self, step: str, error: SalaError) -> None:
        log.warning("sync step %s: %s", step, error.code)
        values = {name: str(value) for name, value in error.values.items()}
        self.report.problems.append({"step": step, "code": error.code, "values": values})

    # --- steps

    def _enrol(self) -> None:
        request = self.store.read(enrol.request)
        if request is not None:
            self.progress("enrol", 0, 1)
            answer = self.line.call("POST", "/v1/enrol", request)
            if answer.status in _REFUSALS:
                raise Known(_REFUSALS[answer.status])
            _require(answer.status, 200, 201)
            self.store.write(lambda conn: enrol.accept(conn, self.clock, answer.body))
        self.report.enrolled = self.store.read(enrol.certificate) is not None

    def _ask_leases(self) -> None:
        if not self.report.enrolled:
            return
        for resource in self.store.read(lambda conn: leases.running_out(conn, self.clock.wall_ms())):
            answer = self.line.call("POST", f"/v1/leases/{quote(resource, safe='')}", signed=True)
            _require(answer.status, 200, 202)

    def _publications(self) -> None:
        found = publications.refresh(self.unlocked, self.line, progress=self.progress, cancel=self.cancel)
        self.report.publications += found.taken
        if "SY-341" in found.refused.values():  # the centre published anew while we were reading: read that
            found = publications.refresh(self.unlocked, self.line, progress=self.progress, cancel=self.cancel)
            self.report.publications += found.taken
        for name, code in found.refused.items():
            self._problem("publications", Known(code, name=name))
        if found.code not in ("", "SY-341"):
            self._problem("publications", Known(found.code))

    def _have(self) -> None:
        """Ask what the hub lacks. After a new epoch, or a log that went back, everything is offered."""
        if not self.report.enrolled:
            return
        shown = notes.read_checkpoint(self.line.note.decode("utf-8", "replace"), self.centre.log)
        known = self.store.read(checkpoints.newest)
        everything = self.store.write(lambda conn: delivery.new_epoch(conn, shown.epoch)) and known is not None
        everything = everything or bool(self.store.read(lambda conn: mark(conn, ROLLBACK)))
        offered = self.store.read(lambda conn: delivery.offers(conn, everything=everything))
        answers = [self._offer(page) for page in delivery.pages(offered)]
        if all(answers):
            self.store.write(lambda conn: set_mark(conn, ROLLBACK, 0))
        elif not everything:
            for page in delivery.pages(self.store.read(lambda conn: delivery.offers(conn, everything=True))):
                self._offer(page)

    def _offer(self, page: Sequence[bytes]) -> bool:
        """One page of have/want; False when the hub's log went back."""

        def work(conn: Connection) -> wire.Have:
            head = conn.execute("SELECT seq, hash FROM op ORDER BY seq DESC LIMIT 1").fetchone()
            known = checkpoints.newest(conn)
            base = mark(conn, ops.chain_base(self.unlocked.device.device_id))
            return wire.Have(
                page, pieces.offers(conn), head["seq"] - base if head else 0, head["hash"] if head else bytes(32),
                known.epoch if known else 0, known.size if known else 0,
            )  # fmt: skip

        answer = self.line.call("POST", "/v1/have", self.store.read(work).encode(), signed=True)
        _require(answer.status, 200)
        missing = wire.read_missing(answer.body)
        status = wire.read_status(missing.status, self.centre.log.public)
        if status.device_id != self.unlocked.device.device_id:
            raise Malformed("wire: status of another device")
        sound = self._advance("have", missing.note, missing.proof)

        def keep(conn: Connection) -> int:
            lost = delivery.lost(conn, self.clock, missing.batches)
            delivery.take_status(conn, status, self.clock)
            pieces.lost(conn, missing.chunks)
            failpoint("have:before-commit")
            return lost

        self.report.batches_lost += self.store.write(keep)
        for worry in self.store.read(lambda conn: delivery.worries(conn, status)):
            self._problem("have", worry)
        return sound

    def _advance(self, step: str, note: str, proof: Sequence[bytes]) -> bool:
        """Take a newer checkpoint of the hub's log; False, and told, when the hub went back."""
        now = self.clock.wall_ms()
        try:
            self.store.write(lambda conn: checkpoints.advance(conn, note, self.centre.log, proof, now))
        except Known as error:
            if error.code != "SY-320":
                raise
            self.store.write(self._went_back)
            self._problem(step, error)
            return False
        return True

    def _went_back(self, conn: Connection) -> None:
        set_mark(conn, ROLLBACK, self.clock.wall_ms())
        set_mark(conn, RECEIPT_CURSOR, 0)

    def _receipts(self) -> None:
        more = self.report.enrolled
        while more:
            cursor = self.store.read(lambda conn: mark(conn, RECEIPT_CURSOR))
            answer = self.line.call("GET", f"/v1/receipts?after={cursor}", signed=True, limit=16 * MAX_MESSAGE)
            _require(answer.status, 200)
            found = wire.read_receipts(answer.body)
            more = found.more and found.next > cursor

            def work(conn: Connection, found: wire.Receipts = found) -> None:
                for text in found.texts:
                    self._take(delivery.received(conn, text, self.centre.log))
                outbox.settle(conn)
                set_mark(conn, RECEIPT_CURSOR, found.next)

            self.store.write(work)

    def _cut(self) -> None:
        while not self.cancel():
            target = target_size(self.line.goodput)
            made = cutting.cut(self.unlocked, VERSION, target=target)
            if made is None:
                return
            self.report.batches_cut += 1

    def _batches(self) -> None:
        waiting = self.store.read(delivery.pending)
        failures, done = 0, 0
        while waiting:
            batch = waiting.pop(0)
            self.progress("batches", done, done + len(waiting) + 1)
            done += 1
            code = self._send(batch.hash)
            if code is None:
                failures = 0
                continue
            if code == "SY-350":
                failures += 1
                self.line.slowed()
                self._problem("batches", Known(code))
            fail = partial(delivery.failed, clock=self.clock, hash_=batch.hash, code=code)
            self.store.write(fail)
            if failures >= min(_GIVE_UP_AFTER, done + len(waiting)):
                raise Known("SY-350")
            if code == "SY-358":
                waiting = [other for other in self.store.read(delivery.pending) if other.hash != batch.hash]
        self.store.write(outbox.settle)

    def _send(self, hash_: bytes) -> str | None:
        """Send one batch and take its receipt; the code of what went wrong, else None. A busy hub ends the run."""

        def begin(conn: Connection) -> bytes:
            delivery.sent(conn, hash_, self.clock)
            return delivery.data(conn, hash_)

        data = self.store.write(begin)
        failpoint("send:before-put")
        try:
            answer = self.line.put(f"/v1/batches/{hash_.hex()}", data, limit=MAX_RECEIPT)
        except Known as error:
            if error.code == "SY-354":
                raise
            return error.code
        failpoint("send:after-put")
        if answer.status not in (200, 201):
            code = _BATCH_REFUSALS.get(answer.status, "SY-351")
            reason = answer.body[:200].decode("utf-8", "replace")
            self._problem("batches", Known(code, status=answer.status, reason=reason))
            return code
        self.report.batches_sent += 1
        text = answer.body.decode("utf-8", "replace")
        try:
            found = self.store.write(lambda conn: delivery.received(conn, text, self.centre.log))
            if found is None or found[0].leaf.batch_hash != hash_:
                raise Known("SY-360")
        except Known as error:
            if error.code not in ("SY-310", "SY-360"):
                raise
            self._problem("batches", Known("SY-360"))
            return "SY-360"
        self._take(found)
        return None

    def _take(self, found: tuple[Receipt, bool] | None) -> None:
        if found is None:
            return
        receipt, new = found
        self.report.batches_received += new
        self.report.quarantined += new and receipt.leaf.state in receipts.QUARANTINED
        shown = receipt.checkpoint
        if self.largest is None or (shown.epoch, shown.size) > (self.largest.epoch, self.largest.size):
            self.largest, self.largest_note = shown, notes.read_proof(receipt.text).note

    def _chunks(self) -> None:
        todo = self.store.read(pieces.waiting)
        for done, (name, kind, blob) in enumerate(todo):
            self.progress("chunks", done, len(todo))
            data = self.unlocked.blobs.manifest(blob.hex()) if kind == "manifest" else self.unlocked.blobs.chunk(name)
            answer = self.line.put(f"/v1/chunks/{name.hex()}", data)
            _require(answer.status, 200, 201)
            self.store.write(partial(pieces.sent, name=name, kind=kind, now_ms=self.clock.wall_ms()))
            self.report.chunks_sent += 1

    def _log(self) -> None:
        """The newest checkpoint seen in receipts must extend the one that is known: else the hub went back."""
        new, known = self.largest, self.store.read(checkpoints.newest)
        if new is None or (known is not None and (known.epoch, known.size) >= (new.epoch, new.size)):
            return
        proof: Sequence[bytes] = ()
        if known is not None and known.epoch == new.epoch and known.size > 0:
            path = f"/v1/log/consistency?epoch={new.epoch}&old={known.size}&new={new.size}"
            answer = self.line.call("GET", path)
            _require(answer.status, 200)
            proof = notes.read_hash_lines(answer.body.decode("ascii", "replace"))
        self._advance("log", self.largest_note, proof)

    # --- before and after

    def _reached(self, conn: Connection) -> None:
        set_mark(conn, LAST_RUN, self.clock.wall_ms())
        set_mark(conn, RUN_TRIES, 0)
        set_mark(conn, RUN_NEXT, 0)

    def _later(self, error: Known) -> None:
        """Say when the next automatic run may start: never gives up, never all at once."""

        def work(conn: Connection) -> None:
            tries = mark(conn, RUN_TRIES) + 1
            asked = error.values.get("wait_s")
            wait = asked * 1000 if isinstance(asked, int) and asked > 0 else backoff_ms(tries)
            set_mark(conn, RUN_TRIES, tries)
            set_mark(conn, RUN_NEXT, self.clock.wall_ms() + wait)

        self.store.write(work)

    def _finish(self) -> None:
        self.report.bytes_up, self.report.bytes_down = self.line.bytes_up, self.line.bytes_down
        self.store.write(lambda conn: set_mark(conn, GOODPUT, self.line.goodput))
        summary = self.store.read(outbox.summary)
        self.report.waiting = summary.waiting + summary.sending
        self.progress("done", 1, 1)


def _require(status: int, *wanted: int) -> None:
    if status not in wanted:
        raise Known("SY-351", status=status)
