"""The way without a network: hand batches to a stick or to QR codes, and take what comes back. Same bytes as online.

A courier is untrusted: any subset, any order, any number of times does no harm, and only a verified receipt turns a record
green. What was handed over shows as on its way until then. A file may be sealed to the next hop. Between laptops of one
office the same files carry ops across, and one laptop carries the other's batches on to the hub.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sync import (
    colleagues,
    couriers,
    cutting,
    delivery,
    enrol,
    foreign,
    giving,
    office,
    outbox,
    pieces,
    readmission,
    rekey,
    sticks,
    volume,
)
from sync.batch import LEVEL_METERED
from sync.errors import Known, Refused
from sync.exchange import LOCK, Progress
from sync.limits import MAX_COURIER, MAX_QR, MAX_TARGET
from sync.lockfile import locked
from sync.taking import Taken, Taking
from sync.transport import Cancelled
from sync.version import VERSION
from sync.volume import Object

if TYPE_CHECKING:
    from sync.delivery import Pending
    from sync.keys import Unlocked
    from sync.store import Connection

__all__ = ["Handed", "Taken", "enrolment", "export", "import_", "import_bytes", "outbox_bytes"]

_PER_OBJECT = 256  # bytes that a head costs at most


@dataclass(slots=True)
class Handed:
    """What was written onto the stick."""

    files: list[str] = field(default_factory=list)
    batches: int = 0
    chunks: int = 0
    bytes: int = 0
    enrolment: bool = False  # the request to enrol this laptop is in it
    colleagues: int = 0  # other laptops of the office that find something for them in it
    carried_on: int = 0  # batches of colleagues that go on to the hub with it
    sealed_to: str = ""  # the next hop, when only that can read the files
    cancelled: bool = False  # the person stopped it: nothing was left on the stick
    waiting: int = 0  # ops that no receipt covers yet


def export(
    unlocked: Unlocked, folder: Path, *, progress: Progress | None = None, cancel: Callable[[], bool] = lambda: False,
    seal: str = "", limit: int = MAX_COURIER,
) -> Handed:  # fmt: skip
    """Write all that the hub and colleagues may lack into ``folder``; it is marked as handed over once it reads back.

    ``seal``: name of the next hop, for which the files are sealed. Refused SY-450 for an unknown one. Known: SY-352 a run
    goes on, SY-370 stick full, SY-371 not writable, SY-373 the stick does not keep data, SY-441 too little room, seen before.
    """
    with locked(unlocked.home / LOCK):
        return _Export(unlocked, progress or (lambda *_: None), cancel).write(folder, seal, limit)


class _Export:
    """The state of one export."""

    def __init__(self, unlocked: Unlocked, progress: Progress, cancel: Callable[[], bool]) -> None:
        self.unlocked, self.store, self.clock = unlocked, unlocked.store, unlocked.store.clock
        self.progress, self.cancel, self.report = progress, cancel, Handed()
        if self.store.read(office.centre) is None:
            raise Known("SY-303")
        while cutting.cut(unlocked, VERSION, target=MAX_TARGET, level=LEVEL_METERED) is not None:
            pass
        self.batches: list[Pending] = self.store.read(delivery.pending)
        self.foreign = self.store.read(foreign.to_carry)
        self.chunks, self.last_seq = self.store.read(lambda conn: (pieces.waiting(conn), sticks.reach(conn)))
        self.small_only = False

    def write(self, folder: Path, seal: str, limit: int) -> Handed:
        hop = [self.store.read(lambda conn: couriers.hop(conn, seal))] if seal else []
        volume.require_room(folder, self._size())
        moment = datetime.fromtimestamp(self.clock.wall_ms() / 1000, UTC)
        stem = f"sala-{self.unlocked.device.device_id.hex()[:8]}-{moment:%Y%m%d-%H%M%S}"
        report = self.report
        try:
            paths = volume.write(folder, stem, self._objects(), limit=limit, seal=hop)
        except Cancelled:
            return Handed(cancelled=True, waiting=waiting(self.unlocked))
        report.files = [str(path) for path in paths]
        report.bytes, report.batches, report.sealed_to = volume.size(paths), len(self.batches), seal

        def keep(conn: Connection) -> None:
            hashes = [batch.hash for batch in self.batches]
            delivery.carried(conn, hashes, self.clock)
            sticks.note(
                conn, folder=folder, files=paths, hop=seal, written_ms=self.clock.wall_ms(), size=report.bytes,
                batches=hashes, chunks=report.chunks, last_seq=self.last_seq,
            )  # fmt: skip

        self.store.write(keep)
        report.waiting = waiting(self.unlocked)
        self.progress("done", 1, 1)
        return report

    def _size(self) -> int:
        """Bytes that will be written at most: what is to be packed, with its heads and seals."""
        chunk = self.store.read(pieces.size)
        objects = len(self.batches) + len(self.foreign) + len(self.chunks) + 8
        whole = sum(b.size for b in self.batches) + sum(size for _, size in self.foreign) + chunk
        return (whole + objects * _PER_OBJECT) * 9 // 8 + (1 << 20)

    def _objects(self) -> Iterator[Object]:
        unlocked, store = self.unlocked, self.store
        request = store.read(enrol.request)
        if request is not None:
            self.report.enrolment = True
            yield Object("enrol", store.read(_slot).hex(), request)
        successor = store.read(rekey.request)
        if successor is not None:
            self.report.enrolment = True
            yield Object("rekey", unlocked.device.device_id.hex(), successor)
        certificates = store.read(readmission.shown)
        if certificates is not None:
            yield Object("readmit", unlocked.device.device_id.hex(), certificates)
        yield from giving.introduction(unlocked)
        for said in store.write(partial(delivery.statements, unlocked, small=self.small_only)):
            yield Object("have", unlocked.device.device_id.hex(), said)
        for done, batch in enumerate(self.batches):
            self._step("batches", done, len(self.batches))
            yield Object("batch", batch.hash.hex(), store.read(partial(delivery.data, hash_=batch.hash)))
        for hash_, _ in self.foreign:
            self._step("batches", 0, 0)
            self.report.carried_on += 1
            yield Object("batch", hash_.hex(), store.read(partial(foreign.data, hash_=hash_)))
        packed = {batch.hash for batch in self.batches} | {name for name, _, _ in self.chunks}
        for colleague in store.read(colleagues.present):
            self.report.colleagues += 1
            for one in giving.to(unlocked, colleague, packed=packed):
                self._step("office", 0, 0)
                yield one
        for done, (name, kind, blob) in enumerate(self.chunks):
            self._step("chunks", done, len(self.chunks))
            try:
                data = unlocked.blobs.manifest(blob.hex()) if kind == "manifest" else unlocked.blobs.chunk(name)
            except Known as error:  # one damaged piece of an attachment must not keep all the rest here
                code = error.code
                store.write(lambda conn, name=name, code=code: pieces.failed(conn, self.clock, name, code))  # type: ignore[misc]
                continue
            self.report.chunks += 1
            yield Object("chunk", name.hex(), data)

    def _step(self, what: str, done: int, total: int) -> None:
        if self.cancel():
            raise Cancelled
        self.progress(what, done, total)

    def small(self) -> bytes:
        """What fits into QR codes: batches, oldest first, without attachments."""
        room, taken = MAX_QR * 3 // 4, []
        for batch in self.batches:
            room -= batch.size + _PER_OBJECT
            if room < 0:
                break
            taken.append(batch)
        if self.batches and not taken:
            raise Refused("SY-451")
        self.batches, self.foreign, self.chunks, self.small_only = taken, [], [], True
        data = volume.pack(self._to_hub())
        self.store.write(partial(delivery.carried, hashes=[batch.hash for batch in taken], clock=self.clock))
        return data

    def _to_hub(self) -> Iterator[Object]:
        for one in self._objects():
            if one.type in ("enrol", "have", "batch"):
                yield one


def outbox_bytes(unlocked: Unlocked) -> bytes:
    """The outbox as one small courier file for QR codes: as many of the oldest batches as fit. Refused SY-451: none does."""
    with locked(unlocked.home / LOCK):
        return _Export(unlocked, lambda *_: None, lambda: False).small()


def enrolment(unlocked: Unlocked) -> bytes | None:
    """The request to enrol this laptop as a small courier file; None when the centre has answered it."""

    def read(conn: Connection) -> bytes | None:
        request = enrol.request(conn)
        return None if request is None else volume.pack([Object("enrol", _slot(conn).hex(), request)])

    return unlocked.store.read(read)


def _slot(conn: Connection) -> bytes:
    return bytes(conn.execute("SELECT slot FROM office").fetchone()["slot"])


def waiting(unlocked: Unlocked) -> int:
    """Ops that no receipt covers."""
    summary = unlocked.store.read(outbox.summary)
    return summary.waiting + summary.sending


def import_(
    unlocked: Unlocked, path: Path, *, progress: Progress | None = None, cancel: Callable[[], bool] = lambda: False
) -> Taken:
    """Take what is for this laptop from a courier file, or from every one in a folder. May be repeated at will.

    Known: SY-352 a run goes on, SY-371 unreadable, SY-372 not a courier file (when ``path`` is one file), SY-374 none
    there, SY-440 sealed to somebody else (when ``path`` is one file).
    """
    with locked(unlocked.home / LOCK):
        files = volume.find(path)
        taking = Taking(unlocked, progress or (lambda *_: None), cancel)
        for done, file in enumerate(files):
            taking.progress("files", done, len(files))
            taking.one(file.name, file, alone=files == [path])
        return taking.end()


def import_bytes(unlocked: Unlocked, data: bytes, name: str = "QR") -> Taken:
    """Take a courier file that came as bytes: from QR codes, or from a colleague over the LAN. As :func:`import_`."""
    with locked(unlocked.home / LOCK):
        taking = Taking(unlocked, lambda *_: None, lambda: False)
        taking.one(name, data, alone=True)
        return taking.end()
