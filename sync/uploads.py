"""What a run sends: records first, then attachments piece by piece. One item in trouble never holds up another.

A newly finished record goes before the next piece of an attachment. A batch that the hub cannot read is split, so that only
the op that is in its way stays behind; a piece that it does not take waits alone. Both are offered again, slowly, for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from sync import cutting, delivery, line, notes, outbox, pieces, receipts, relayed
from sync.cbor import Malformed
from sync.client import NO_LINE
from sync.errors import Known, SalaError
from sync.failpoint import failpoint
from sync.limits import MAX_HAVE, MAX_RECEIPT
from sync.transport import GONE, target_size
from sync.version import VERSION

if TYPE_CHECKING:
    from sync.delivery import Pending
    from sync.exchange import Progress, Report
    from sync.keys import Unlocked
    from sync.notes import Checkpoint, NoteKey
    from sync.receipts import Receipt
    from sync.store import Connection
    from sync.transport import Transport

UNREADABLE: Final = "SY-357"
TOO_LARGE: Final = "SY-358"
BUSY: Final = "SY-354"

_GIVE_UP_AFTER: Final = 3  # items in a row that the line fails: the line is gone
_REFUSES_ALL: Final = 6  # batches in a row that the hub cannot read: it is not one op that is in its way
_BATCH_REFUSALS: Final = {413: TOO_LARGE, 422: UNREADABLE}
_PAGE: Final = 64  # pieces read from the database, and asked for, at a time
_ROUND: Final = 250  # of those sent before, asked for in every run; more when there is doubt


class Uploads:
    """The uploads of one run. ``asked``: a person waits for it, so that nothing is left for a later try."""

    def __init__(
        self, unlocked: Unlocked, connection: Transport, log: NoteKey, report: Report, settings: line.Settings, *,
        asked: bool, progress: Progress, cancel: Callable[[], bool], problem: Callable[[str, SalaError], None],
        lacking: Callable[[Sequence[bytes]], int],
    ) -> None:  # fmt: skip
        self._unlocked, self._store, self._clock = unlocked, unlocked.store, unlocked.store.clock
        self._line, self._log, self._report, self._settings = connection, log, report, settings
        self._asked, self._progress, self._cancel, self._problem = asked, progress, cancel, problem
        self._lacking = lacking  # asks the hub which pieces it lacks, and how many
        self._known = set[bytes]()  # pieces that it was asked for in this run
        self._question: list[bytes] = []  # of those sent before, the last ones that it was asked for
        self.largest: Checkpoint | None = None  # the newest checkpoint that a receipt showed
        self.largest_note = ""

    # --- records

    def cut(self) -> None:
        """Freeze what waits, in the size that the line is worth."""
        while not self._cancel():
            target = target_size(self._line.goodput)
            if cutting.cut(self._unlocked, VERSION, target=target, level=self._settings.level()) is None:
                return
            self._report.batches_cut += 1

    def batches(self, *, again: bool = True) -> None:
        """Send what is due, oldest first. ``again`` False: leave alone what is in trouble even if a person asked."""
        due = partial(self._due, everything=self._asked and again)
        waiting, tried = due(), set[bytes]()
        failures = refusals = done = 0
        while waiting:
            batch = waiting.pop(0)
            tried.add(batch.hash)
            self._progress("batches", done, done + len(waiting) + 1)
            done += 1
            code = self._send(batch.hash)
            if code is None:
                failures = refusals = 0
                continue
            refusals += code == UNREADABLE
            if code == NO_LINE:
                failures += 1
                self._line.slowed()
                self._problem("batches", Known(code))
            split = refusals <= _REFUSES_ALL
            self._store.write(partial(delivery.failed, clock=self._clock, hash_=batch.hash, code=code, split=split))
            if failures >= min(_GIVE_UP_AFTER, done + len(waiting)):
                raise Known(NO_LINE)
            if code in (
                UNREADABLE,
                TOO_LARGE,
            ):  # the parts of a split batch go last: first both halves, then their halves
                known = tried | {other.hash for other in waiting}
                waiting += [part for part in due() if part.hash not in known]
        self._store.write(outbox.settle)

    def _due(self, *, everything: bool) -> list[Pending]:
        now = self._clock.wall_ms()
        waiting = self._store.read(delivery.pending)
        return [one for one in waiting if (everything or one.due(now)) and not (one.handed and self._line.relay)]

    def _send(self, hash_: bytes) -> str | None:
        """Send one batch and take its receipt; the code of what went wrong with it, else None. No line at all ends the run."""

        def begin(conn: Connection) -> bytes:
            delivery.sent(conn, hash_, self._clock)
            return delivery.data(conn, hash_)

        data = self._store.write(begin)
        failpoint("send:before-put")
        try:
            answer = self._line.put(f"/v1/batches/{hash_.hex()}", data, limit=MAX_RECEIPT)
        except Known as error:
            if error.code == BUSY or error.code in GONE - {NO_LINE}:
                raise
            return error.code
        failpoint("send:after-put")
        if answer.status == 202:
            return self._handed(hash_, answer.body)
        if answer.status not in (200, 201):
            code = _BATCH_REFUSALS.get(answer.status, "SY-351")
            reason = answer.body[:200].decode("utf-8", "replace")
            self._problem("batches", Known(code, status=answer.status, reason=reason))
            return code
        self._report.batches_sent += 1
        text = answer.body.decode("utf-8", "replace")
        try:
            found = self._store.write(lambda conn: delivery.received(conn, text, self._log))
            if found is None or found[0].leaf.batch_hash != hash_:
                raise Known("SY-360")
        except Known as error:
            if error.code not in ("SY-310", "SY-360"):
                raise
            self._problem("batches", Known("SY-360"))
            return "SY-360"
        self.take(found)
        return None

    def _handed(self, hash_: bytes, body: bytes) -> str | None:
        """A relay has stored the batch and signed for it: it is on its way, and no more than that."""
        note = body.decode("utf-8", "replace")
        try:
            self._store.write(lambda conn: relayed.take_handed(conn, hash_, note))
        except Malformed:
            self._problem("batches", Known("SY-482", relay=self._line.relay))
            return "SY-482"
        self._report.batches_sent += 1
        self._report.batches_handed += 1
        return None

    def take(self, found: tuple[Receipt, bool] | None) -> None:
        """Count a verified receipt and remember the newest checkpoint among them."""
        if found is None:
            return
        receipt, new = found
        self._report.batches_received += new
        self._report.quarantined += new and receipt.leaf.state in receipts.QUARANTINED
        shown = receipt.checkpoint
        if self.largest is None or (shown.epoch, shown.size) > (self.largest.epoch, self.largest.size):
            self.largest, self.largest_note = shown, notes.read_proof(receipt.text).note

    # --- attachments

    def attachments(self) -> None:
        """Send pieces, own ones first, as long as the hours allow; records that are finished meanwhile go in between.

        Before a piece goes the hub is asked whether it has it: a colleague may have brought it, or the answer was cut off.
        When none waits any more it is asked for some that it was sent before, and for all of them while there is doubt.
        """
        if self._asked:
            self._store.write(pieces.wake)
        done = failures = 0
        while self._may_go():
            try:
                page = self._lacked()
                if not page and not self._sent_before():
                    return
            except Known as error:
                if error.code != NO_LINE:
                    raise
                failures = self._line_failed(failures)
                continue
            left = done + self._store.read(pieces.count)
            for name, kind, blob in page:
                if not self._may_go():
                    return
                self._records_first()
                self._progress("chunks", done, left)
                code = self._send_piece(name, kind, blob)
                if code == NO_LINE:
                    failures = self._line_failed(failures)
                    self._known.discard(name)  # it may have arrived: only the answer was lost
                    break
                failures = 0
                done += 1
                if code is not None:
                    self._store.write(partial(pieces.failed, clock=self._clock, name=name, code=code))

    def _may_go(self) -> bool:
        return not self._cancel() and line.attachments_may_go(self._settings, self._clock.wall_ms())

    def _line_failed(self, failures: int) -> int:
        """One failure more; Known when the line is gone."""
        self._line.slowed()
        if failures + 1 >= _GIVE_UP_AFTER:
            raise Known(NO_LINE)
        return failures + 1

    def _lacked(self) -> list[pieces.Piece]:
        """The next pieces that are due, without those that the hub says it has."""
        while page := self._due_pieces():
            names = self._store.read(partial(pieces.unsure, names=[name for name, _, _ in page]))
            names = [name for name in names if name not in self._known]
            if not names:
                return page
            self._lacking(names)
            self._known.update(names)
        return []

    def _due_pieces(self) -> list[pieces.Piece]:
        now = self._clock.wall_ms()
        return self._store.read(lambda conn: pieces.due(conn, now, _PAGE))

    def _sent_before(self) -> bool:
        """Ask for pieces that were sent in earlier runs; whether it is worth going on: some were lost, or there is doubt."""
        relay = self._line.relay
        doubted = self._store.read(pieces.doubted)
        most = min(MAX_HAVE, max(_ROUND, target_size(self._line.goodput) // 34)) if doubted else _ROUND
        names = self._store.read(lambda conn: pieces.unasked(conn, most, relay))
        if not names or names == self._question:
            return False
        self._question = names
        self._progress("have", 0, len(names))
        lost = self._lacking(names)
        self._report.chunks_lost += lost
        return bool(lost) or doubted

    def _records_first(self) -> None:
        if self._store.read(cutting.uncut).ops:
            self.cut()
            self.batches(again=False)

    def _send_piece(self, name: bytes, kind: str, blob: bytes) -> str | None:
        """Send one piece; the code of what went wrong with it, else None."""
        try:
            data = self._unlocked.blobs.manifest(blob.hex()) if kind == "manifest" else self._unlocked.blobs.chunk(name)
        except (LookupError, Known) as error:
            code = error.code if isinstance(error, Known) else "SY-141"
            self._problem("chunks", Known(code))
            return code
        try:
            answer = self._line.put(f"/v1/chunks/{name.hex()}", data)
        except Known as error:
            if error.code == BUSY or error.code in GONE - {NO_LINE}:
                raise
            return error.code
        failpoint("chunk:after-put")
        if answer.status not in (200, 201):
            self._problem("chunks", Known("SY-428", status=answer.status))
            return "SY-428"
        now, relay = self._clock.wall_ms(), self._line.relay
        own = self._store.read(lambda conn: pieces.own(conn, name))
        self._store.write(lambda conn: pieces.sent(conn, name, now, relay))
        failpoint("chunk:sent")
        self._report.chunks_sent += 1
        self._report.chunks_carried += not own
        return None
