"""The way without a network: hand batches to a stick, and take receipts and publications from one. Same bytes as online.

A courier is untrusted: any subset, any order, any number of times does no harm, and only a verified receipt turns a record
green. What was handed over shows as on its way until then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sync import checkpoints, cutting, delivery, enrol, notes, office, ops, outbox, pieces, publications, volume, wire
from sync.batch import LEVEL_METERED
from sync.errors import Known, SalaError
from sync.exchange import LOCK, Progress
from sync.limits import MAX_HAVE, MAX_TARGET
from sync.lockfile import locked
from sync.marks import ROLLBACK, mark, set_mark
from sync.receipts import QUARANTINED
from sync.version import VERSION
from sync.volume import Object, Volume, VolumeSource

if TYPE_CHECKING:
    from sync.keys import Unlocked
    from sync.office import Centre
    from sync.store import Connection


@dataclass(slots=True)
class Handed:
    """What was written onto the stick."""

    files: list[str] = field(default_factory=list)
    batches: int = 0
    chunks: int = 0
    bytes: int = 0
    enrolment: bool = False  # the request to enrol this laptop is in it
    waiting: int = 0  # ops that no receipt covers yet


@dataclass(slots=True)
class Taken:
    """What a stick brought. ``problems``: ``{"file", "code", "values"}`` each; nothing is lost by any of them."""

    files: int = 0
    receipts: int = 0  # batches of this laptop that turned green
    batches_lost: int = 0  # the hub says that it lacks them; they go again
    quarantined: int = 0
    enrolled: bool = False
    publications: list[str] = field(default_factory=list)
    damaged: int = 0  # objects that did not match their hash
    cut_off: int = 0  # files whose end is missing
    waiting: int = 0
    problems: list[dict[str, Any]] = field(default_factory=list)


def export(unlocked: Unlocked, folder: Path, *, progress: Progress | None = None) -> Handed:
    """Write all that the hub may lack into ``folder``; it is marked as handed over once it reads back.

    Known: SY-352 a run goes on, SY-370 stick full, SY-371 not writable, SY-373 the stick does not keep data.
    """
    with locked(unlocked.home / LOCK):
        return _export(unlocked, folder, progress or (lambda *_: None))


def _export(unlocked: Unlocked, folder: Path, progress: Progress) -> Handed:
    store, clock, report = unlocked.store, unlocked.store.clock, Handed()
    if store.read(office.centre) is None:
        raise Known("SY-303")
    while cutting.cut(unlocked, VERSION, target=MAX_TARGET, level=LEVEL_METERED) is not None:
        pass
    batches = store.read(delivery.pending)
    chunks = store.read(pieces.waiting)

    def objects() -> Iterator[Object]:
        request = store.read(enrol.request)
        if request is not None:
            report.enrolment = True
            yield Object("enrol", store.read(_slot).hex(), request)
        yield Object("have", unlocked.device.device_id.hex(), store.read(partial(_have, unlocked)))
        for done, batch in enumerate(batches):
            progress("batches", done, len(batches))
            yield Object("batch", batch.hash.hex(), store.read(partial(delivery.data, hash_=batch.hash)))
        for done, (name, kind, blob) in enumerate(chunks):
            progress("chunks", done, len(chunks))
            data = unlocked.blobs.manifest(blob.hex()) if kind == "manifest" else unlocked.blobs.chunk(name)
            yield Object("chunk", name.hex(), data)

    moment = datetime.fromtimestamp(clock.wall_ms() / 1000, UTC)
    stem = f"sala-{unlocked.device.device_id.hex()[:8]}-{moment:%Y%m%d-%H%M%S}"
    paths = volume.write(folder, stem, objects())
    store.write(partial(delivery.carried, hashes=[batch.hash for batch in batches], clock=clock))
    report.files = [str(path) for path in paths]
    report.bytes = sum(path.stat().st_size for path in paths)
    report.batches, report.chunks = len(batches), len(chunks)
    report.waiting = _waiting(unlocked)
    progress("done", 1, 1)
    return report


def _slot(conn: Connection) -> bytes:
    return bytes(conn.execute("SELECT slot FROM office").fetchone()["slot"])


def _have(unlocked: Unlocked, conn: Connection) -> bytes:
    """So that the centre can answer with what it lacks and with the proof that its log only grew."""
    head = conn.execute("SELECT seq, hash FROM op ORDER BY seq DESC LIMIT 1").fetchone()
    known = checkpoints.newest(conn)
    base = mark(conn, ops.chain_base(unlocked.device.device_id))
    return wire.Have(
        delivery.offers(conn, everything=False)[-MAX_HAVE:], pieces.offers(conn), head["seq"] - base if head else 0,
        head["hash"] if head else bytes(32), known.epoch if known else 0, known.size if known else 0,
    ).encode()  # fmt: skip


def import_(unlocked: Unlocked, path: Path, *, progress: Progress | None = None) -> Taken:
    """Take what is for this laptop from a courier file, or from every one in a folder. May be repeated at will.

    Known: SY-352 a run goes on, SY-371 unreadable, SY-372 not a courier file (when ``path`` is one file), SY-374 none there.
    """
    with locked(unlocked.home / LOCK):
        return _Import(unlocked, progress or (lambda *_: None)).take(path)


class _Import:
    """The state of one import."""

    def __init__(self, unlocked: Unlocked, progress: Progress) -> None:
        self.unlocked, self.store, self.clock = unlocked, unlocked.store, unlocked.store.clock
        self.progress, self.report = progress, Taken()

    def take(self, path: Path) -> Taken:
        centre = self.store.read(office.centre)
        if centre is None:
            raise Known("SY-303")
        self.centre: Centre = centre
        files = volume.find(path)
        for done, file in enumerate(files):
            self.progress("files", done, len(files))
            try:
                with Volume(file) as found:
                    self._one(file.name, found)
            except Known as error:
                if files == [path]:
                    raise
                self._problem(file.name, error)
        self.report.enrolled = self.store.read(enrol.certificate) is not None
        self.report.waiting = _waiting(self.unlocked)
        self.progress("done", 1, 1)
        return self.report

    def _one(self, name: str, found: Volume) -> None:
        self.report.files += 1
        device = self.unlocked.device.device_id.hex()
        for type_, take in (("certificate", self._certificate), ("receipt", self._receipt), ("missing", self._missing)):
            for entry, data in found.of(type_):
                if type_ == "receipt" or entry.name == device:
                    self._guarded(name, partial(take, data))
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

    def _certificate(self, data: bytes) -> None:
        self.store.write(lambda conn: enrol.accept(conn, self.clock, data))

    def _receipt(self, data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        found = self.store.write(lambda conn: delivery.received(conn, text, self.centre.log))
        if found is not None:
            receipt, new = found
            self.report.receipts += new
            self.report.quarantined += new and receipt.leaf.state in QUARANTINED

    def _missing(self, data: bytes) -> None:
        missing = wire.read_missing(data)
        status = wire.read_status(missing.status, self.centre.log.public)
        if status.device_id != self.unlocked.device.device_id:
            return
        checkpoint = notes.read_checkpoint(missing.note, self.centre.log)

        def work(conn: Connection) -> int:
            known = checkpoints.newest(conn)
            if known and (checkpoint.epoch, checkpoint.size) < (known.epoch, known.size):
                return 0  # an older stick: what came by line since then is newer
            checkpoints.advance(conn, missing.note, self.centre.log, missing.proof, self.clock.wall_ms())
            delivery.new_epoch(conn, checkpoint.epoch)
            lost = delivery.lost(conn, self.clock, missing.batches)
            pieces.lost(conn, missing.chunks)
            delivery.take_status(conn, status, self.clock)
            return lost

        for worry in self.store.read(lambda conn: delivery.worries(conn, status)):
            self._problem("missing", worry)
        try:
            self.report.batches_lost += self.store.write(work)
        except Known as error:
            if error.code == "SY-320":
                self.store.write(lambda conn: set_mark(conn, ROLLBACK, self.clock.wall_ms()))
            raise

    def _publications(self, name: str, found: Volume) -> None:
        if not any(entry.type == "metadata" for entry in found.entries):
            return
        taken = publications.refresh(self.unlocked, VolumeSource(found), progress=self.progress)
        self.report.publications += taken.taken
        for target, code in taken.refused.items():
            self._problem(name, Known(code, name=target))
        if taken.code not in ("", "SY-341"):
            self._problem(name, Known(taken.code))


def _waiting(unlocked: Unlocked) -> int:
    summary = unlocked.store.read(outbox.summary)
    return summary.waiting + summary.sending
