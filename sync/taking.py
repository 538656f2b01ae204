"""What a laptop takes from courier files: receipts, publications, its certificate, and the ops of colleagues.

Every object stands on its own: a wrong one is told and costs only itself, in whatever order and however often they come.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sync import (
    audit_marks,
    checkpoints,
    colleagues,
    delivery,
    enrol,
    foreign,
    foreign_files,
    notes,
    office,
    outbox,
    piecenote,
    pieces,
    refreshing,
    rekey,
    sticks,
    succession,
    wire,
)
from sync.errors import Known, Refused, SalaError
from sync.limits import MAX_BATCH, MAX_CHUNK, MAX_MESSAGE, MAX_NOTE
from sync.marks import ROLLBACK, set_mark
from sync.receipts import QUARANTINED
from sync.volume import Entry, Volume, VolumeSource

if TYPE_CHECKING:
    from sync.exchange import Progress
    from sync.keys import Unlocked
    from sync.office import Centre
    from sync.store import Connection


@dataclass(slots=True)
class Taken:
    """What a stick brought. ``problems``: ``{"file", "code", "values"}`` each; nothing is lost by any of them."""

    files: int = 0
    receipts: int = 0  # batches of this laptop that turned green
    batches_lost: int = 0  # the hub says that it lacks them; they go again
    quarantined: int = 0
    pieces: int = 0  # of attachments that waited, and that the centre holds now
    enrolled: bool = False
    rekeyed: bool = False  # a copy of this laptop is at work: it is a laptop of its own now
    publications: list[str] = field(default_factory=list)
    office_ops: int = 0  # ops of colleagues that were not here
    office_files: int = 0  # attachments of colleagues that are whole now
    office_receipts: int = 0  # receipts for colleagues' batches
    strangers: list[dict[str, Any]] = field(default_factory=list)  # laptops of this office that are not paired yet
    damaged: int = 0  # objects that did not match their hash
    cut_off: int = 0  # files whose end is missing
    cancelled: bool = False
    waiting: int = 0
    problems: list[dict[str, Any]] = field(default_factory=list)


class Taking:
    """The state of one import. ``one`` takes a file, ``end`` gives the report."""

    def __init__(self, unlocked: Unlocked, progress: Progress, cancel: Callable[[], bool]) -> None:
        self.unlocked, self.store, self.clock = unlocked, unlocked.store, unlocked.store.clock
        self.progress, self.cancel, self.report = progress, cancel, Taken()
        centre = self.store.read(office.centre)
        if centre is None:
            raise Known("SY-303")
        self.centre: Centre = centre
        self._own = {
            bytes(row["device_id"])
            for row in self.store.read(lambda conn: conn.execute("SELECT device_id FROM identity").fetchall())
        }

    def one(self, name: str, source: Path | bytes, *, alone: bool) -> None:
        """Take the file ``source``. When it is the only one (``alone``), what is wrong with it as a whole is raised."""
        if self.cancel():
            self.report.cancelled = True
            return
        try:
            former = self.store.read(rekey.former)
            with Volume(source, [self.unlocked.device.seal, *(before.seal for before in former)]) as found:
                self._volume(name, found)
        except Known as error:
            if alone:
                raise
            if error.code != "SY-440" or not self.store.read(lambda conn: sticks.wrote(conn, name)):
                self._problem(name, error)

    def end(self) -> Taken:
        self._guarded("", self._left_behind)
        self.report.enrolled = self.store.read(enrol.certificate) is not None
        summary = self.store.read(outbox.summary)
        self.report.waiting = summary.waiting + summary.sending
        self.progress("done", 1, 1)
        return self.report

    def _left_behind(self) -> None:
        self.report.office_files += foreign_files.complete(self.unlocked)

    def _volume(self, name: str, found: Volume) -> None:
        self.report.files += 1
        own = self.unlocked.device.device_id.hex()
        steps: tuple[tuple[str, int, Callable[[Entry], bool], Callable[[Entry, bytes], None]], ...] = (
            ("certificate", MAX_MESSAGE, lambda _: True, self._certificate),
            ("held", MAX_MESSAGE, lambda entry: entry.name != own, self._held),
            ("want", MAX_MESSAGE, lambda entry: entry.name != own, self._want),
            ("batch", MAX_BATCH, self._may_be_foreign, self._batch),
            ("bodies", _MOST_BODIES, lambda entry: entry.name.endswith("/" + own), self._bodies),
            ("chunk", MAX_CHUNK, self._is_lacking, self._chunk),
            ("receipt", MAX_MESSAGE, lambda _: True, self._receipt),
            ("missing", MAX_MESSAGE, lambda entry: entry.name == own, self._missing),
            ("pieces", MAX_NOTE, lambda _: True, self._pieces),
            ("fork", succession.MAX_EVIDENCE, lambda entry: entry.name == own, self._fork),
            ("audit", MAX_NOTE, lambda entry: entry.name == own, self._audit),
        )
        for type_, limit, wanted, take in steps:
            mine = [entry for entry in found.entries if entry.type == type_ and entry.length <= limit and wanted(entry)]
            for done, entry in enumerate(mine):
                if self.cancel():
                    self.report.cancelled = True
                    return
                self.progress(_WORDS[type_], done, len(mine))
                data = found.read(entry)
                if data is not None:
                    self._guarded(name, partial(take, entry, data))
        self.store.write(outbox.settle)
        self._publications(name, found)
        self.report.damaged += found.damaged
        self.report.cut_off += not found.whole

    def _guarded(self, name: str, step: Callable[[], None]) -> None:
        try:
            step()
        except SalaError as error:
            self._problem(name, error)

    def _problem(self, name: str, error: SalaError) -> None:
        values = {key: str(value) for key, value in error.values.items()}
        self.report.problems.append({"file": name, "code": error.code, "values": values})

    # --- from the centre

    def _certificate(self, entry: Entry, data: bytes) -> None:
        if entry.name == self.unlocked.device.device_id.hex():
            self.store.write(lambda conn: enrol.accept(conn, self.clock, data))
            self.store.write(rekey.answered)
            return
        try:
            found = self.store.read(lambda conn: colleagues.read(conn, data))
        except Refused:
            return  # of another centre: none of our business
        if found.office != self.centre.office or found.device_id in self._own:
            return  # a stick may serve many offices
        present = {one.device for one in self.store.read(colleagues.present)}
        if found.device_id not in present:
            self.report.strangers.append(
                {"device": found.device_id.hex(), "number": found.number, "certificate": data.hex()}
            )

    def _audit(self, entry: Entry, data: bytes) -> None:
        """The centre's cosignature of this laptop's audit log; an older stick brings one that is here already."""
        note, device = data.decode("utf-8", "replace"), self.unlocked.device.device_id
        if entry.name != device.hex():
            return  # it may be about the log of the other copy: this laptop has keys of its own since a moment ago
        self.store.write(lambda conn: audit_marks.take(conn, device, note, self.centre.log))

    def _receipt(self, _: Entry, data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        found = self.store.write(lambda conn: delivery.received(conn, text, self.centre.log))
        if found is not None:
            receipt, new = found
            self.report.receipts += new
            self.report.quarantined += new and receipt.leaf.state in QUARANTINED
        else:
            self.report.office_receipts += self.store.write(lambda conn: foreign.received(conn, text, self.centre.log))

    def _missing(self, _: Entry, data: bytes) -> None:
        missing = wire.read_missing(data)
        status = wire.read_status(missing.status, self.centre.log.public)
        if status.device_id != self.unlocked.device.device_id:
            return
        checkpoint = notes.read_checkpoint(missing.note, self.centre.log)

        def work(conn: Connection) -> int:
            known = checkpoints.newest(conn)
            if known and (checkpoint.epoch, checkpoint.size) < (known.epoch, known.size):
                return 0  # an older stick: what came by line since then is newer
            checkpoints.advance_by_stick(conn, missing.note, self.centre.log, missing.proof, self.clock.wall_ms())
            delivery.new_epoch(conn, checkpoint.epoch)
            lost = delivery.lost(conn, self.clock, missing.batches)
            pieces.lost(conn, missing.chunks, status.hub_ms)
            delivery.take_status(conn, status, self.clock, fresh=False)
            return lost

        for worry in self.store.read(lambda conn: delivery.worries(conn, status)):
            self._problem("missing", worry)
        try:
            self.report.batches_lost += self.store.write(work)
        except Known as error:
            if error.code == "SY-320":
                self.store.write(lambda conn: set_mark(conn, ROLLBACK, self.clock.wall_ms()))
            raise

    def _pieces(self, _: Entry, data: bytes) -> None:
        """The centre's word about pieces of attachments, whichever laptop brought them: after :meth:`_missing`, its older word."""
        note, now = data.decode("utf-8", "replace"), self.clock.wall_ms()
        self.report.pieces += self.store.write(lambda conn: piecenote.take(conn, note, self.centre.log, now))

    def _fork(self, _: Entry, data: bytes) -> None:
        if rekey.take(self.unlocked, data):
            self.report.rekeyed = True
            self.report.problems = [problem for problem in self.report.problems if problem["code"] != "SY-321"]

    def _publications(self, name: str, found: Volume) -> None:
        if not any(entry.type == "metadata" for entry in found.entries):
            return
        taken = refreshing.refresh(self.unlocked, VolumeSource(found), progress=self.progress)
        self.report.publications += taken.taken
        for target, code in taken.refused.items():
            self._problem(name, Known(code, name=target))
        if taken.code not in ("", "SY-341"):
            self._problem(name, Known(taken.code))

    # --- from colleagues

    def _held(self, entry: Entry, data: bytes) -> None:
        device = _named(entry.name, 16)
        held = colleagues.read_held(data)

        def work(conn: Connection) -> None:
            if device in {one.device for one in colleagues.present(conn)}:
                colleagues.note_held(conn, device, held)
                colleagues.met(conn, device, self.clock.wall_ms())

        self.store.write(work)

    def _want(self, entry: Entry, data: bytes) -> None:
        device, wanted = _named(entry.name, 16), foreign_files.read(data)

        def work(conn: Connection) -> None:
            if device in {one.device for one in colleagues.present(conn)}:
                foreign_files.asked(conn, device, wanted)

        self.store.write(work)

    def _is_lacking(self, entry: Entry) -> bool:
        name = _named(entry.name, 32)
        return self.store.read(lambda conn: foreign_files.wants(conn, name))

    def _chunk(self, entry: Entry, data: bytes) -> None:
        self.report.office_files += foreign_files.take(self.unlocked, _named(entry.name, 32), data)

    def _may_be_foreign(self, entry: Entry) -> bool:
        """Not one of this laptop's own batches, and not one that is here already."""
        hash_ = _named(entry.name, 32)

        def read(conn: Connection) -> bool:
            here = "SELECT 1 FROM batch WHERE hash = :h UNION ALL SELECT 1 FROM foreign_batch WHERE hash = :h"
            return conn.execute(here, {"h": hash_}).fetchone() is None and bool(colleagues.present(conn))

        return self.store.read(read)

    def _batch(self, _: Entry, data: bytes) -> None:
        try:
            self.report.office_ops += self.store.write(lambda conn: foreign.take_batch(conn, self.clock, data))
        except Refused as error:
            if error.code != "SY-447":  # a stick carries the batches of many laptops; only colleagues' are for us
                raise

    def _bodies(self, _: Entry, data: bytes) -> None:
        bodies = foreign.open_bodies(data, self.unlocked.device.seal)
        self.store.write(lambda conn: foreign.take_bodies(conn, bodies))


_MOST_BODIES: Final = 8 << 20  # bytes of the bodies of one batch
_WORDS: Final = {
    "certificate": "enrol", "held": "office", "want": "office", "batch": "office", "bodies": "office", "chunk": "chunks",
    "receipt": "receipts", "missing": "have", "pieces": "have", "fork": "have", "audit": "receipts",
}  # fmt: skip


def _named(name: str, size: int) -> bytes:
    """The bytes that an object's name says, empty when it says none of ``size`` bytes."""
    try:
        found = bytes.fromhex(name)
    except ValueError:
        return b""
    return found if len(found) == size else b""
