"""The way without a network, hub side: take what a stick brings, and write receipts and publications back beside it.

Same bytes and same code path as online. Any subset, any order, any number of times; a damaged object costs only itself. What
came sealed goes home sealed. A few QR codes carry the same file (:func:`take_bytes`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from nacl.public import PrivateKey

from sync import devices, piecenote, succession, volume, wire
from sync.cbor import Malformed
from sync.errors import Known, Refused, SalaError
from sync.hub import answers, audits, couriers, enrolment, epochs, evidence, moving, readmission, rekeying, relays
from sync.hub.centre import Centre
from sync.hub.storage import Tx
from sync.limits import MAX_BATCH, MAX_CHUNK, MAX_MESSAGE, MAX_RECEIPT
from sync.volume import Entry, Object, Volume

STEM: Final = "sala-centre"  # of the files that go back


@dataclass(slots=True)
class Taken:
    """What a stick brought. ``problems``: ``{"file", "object", "code"}`` each; the laptop still has what was refused."""

    files: int = 0
    batches: int = 0  # that were not here yet
    again: int = 0  # that were
    new_ops: int = 0
    chunks: int = 0
    enrolled: int = 0
    damaged: int = 0  # objects that did not match their hash
    cut_off: int = 0  # files whose end is missing
    back: list[str] = field(default_factory=list)  # the files to carry home
    problems: list[dict[str, str]] = field(default_factory=list)


def take(centre: Centre, path: Path, *, back: Path | None = None) -> Taken:
    """Take the courier file at ``path``, or every one in that folder; the answers go into ``back`` (default: beside them).

    Known: SY-371 unreadable or not writable, SY-372 not a courier file, SY-440 sealed to somebody else (both when ``path`` is
    one file), SY-374 none there.
    """
    return _Import(centre).take(path, back or (path if path.is_dir() else path.parent))


def take_bytes(centre: Centre, data: bytes, name: str = "QR") -> tuple[Taken, bytes | None]:
    """Take a courier file that came as bytes, from QR codes: the report, and the answer as a small file without publications.

    The answer is None when there is nothing to say. Known: SY-372 not a courier file, SY-440 sealed to somebody else.
    """
    work = _Import(centre)
    with Volume(data, [work.key]) as found:
        work.one(name, found)
    centre.settle()
    answer = list(work.answers(work.reply, publications=False))
    return work.report, volume.pack(answer) if answer else None


@dataclass(slots=True)
class _Reply:
    """What goes home to those who brought some files."""

    receipts: dict[str, str] = field(default_factory=dict)  # batch hash → receipt
    certificates: dict[str, bytes] = field(default_factory=dict)  # device → certificate
    haves: dict[str, list[wire.Have]] = field(default_factory=dict)  # device → what it has, in lists
    pieces: dict[bytes, None] = field(default_factory=dict)  # of attachments, stored now or before
    relays: dict[str, Sequence[bytes]] = field(default_factory=dict)  # relay → laptops that it serves

    def __bool__(self) -> bool:
        return bool(self.receipts or self.certificates or self.haves or self.pieces or self.relays)

    def devices(self) -> set[str]:
        return set(self.certificates) | set(self.haves)

    def served(self) -> set[str]:
        """Whose own publications go along."""
        return self.devices() | {device.hex() for some in self.relays.values() for device in some}


def take_sealed(centre: Centre, files: Iterable[Path], private: PrivateKey) -> Taken:
    """Take files that were sealed to the agency or to recovery: what a withdrawn laptop has put aside. Nothing goes home.

    Refused SY-406: a file is not sealed to ``private``, or is none. Known SY-371 unreadable.
    """
    taking = _Import(centre)
    for file in files:
        try:
            with Volume(file, [private]) as found:
                taking.one(file.name, found)
        except Known as error:
            if error.code in ("SY-372", "SY-440"):
                raise Refused("SY-406", file=file.name) from error
            raise
    centre.settle()
    return taking.report


class _Import:
    """The state of one import."""

    def __init__(self, centre: Centre) -> None:
        self.centre, self.report = centre, Taken()
        self.file = ""  # whose objects are being taken
        self.key = couriers.private(centre.keys)
        self.open = _Reply()  # to everybody whose file came open
        self.sealed: list[_Reply] = []  # one for each file that came sealed: it goes home sealed
        self.reply = self.open

    def take(self, path: Path, back: Path) -> Taken:
        files = [
            file for file in volume.find(path) if not file.name.startswith(STEM)
        ]  # our own answers may lie there still
        if not files:
            raise Known("SY-374")
        for file in files:
            try:
                with Volume(file, [self.key]) as found:
                    self.one(file.name, found)
            except Known as error:
                if files == [path]:
                    raise
                self._problem(file.name, "", error)
        self.centre.settle()
        self.report.back = [str(file) for file in self._write(back)]
        return self.report

    def _write(self, back: Path) -> list[Path]:
        moment = datetime.fromtimestamp(self.centre.clock.wall_ms() / 1000, UTC)
        stem = f"{STEM}-{moment:%Y%m%d-%H%M%S}"
        written = volume.write(back, stem, self.answers(self.open)) if self.open else []
        for reply in self.sealed:
            for device in sorted(reply.devices()):
                public = self.centre.storage.read(partial(_seal_key, device=bytes.fromhex(device)))
                if public is not None:  # a laptop that was never enrolled gets its answer when it is
                    written += volume.write(back, f"{stem}-{device[:8]}", self.answers(reply), seal=[public])
        return written

    def one(self, name: str, found: Volume) -> None:
        """Take one file."""
        self.report.files += 1
        self.file = name
        self.reply = self.open
        if found.sealed:
            self.reply = _Reply()
            self.sealed.append(self.reply)
        for type_, limit, step in (
            ("enrol", MAX_MESSAGE, self._enrol),
            ("readmit", MAX_MESSAGE, self._readmit),
            ("rekey", succession.MAX_REQUEST, self._rekey),
            ("receipt", MAX_RECEIPT, self._receipt),
            ("batch", MAX_BATCH, self._batch),
            ("chunk", MAX_CHUNK, self._chunk),
            ("have", MAX_MESSAGE, self._have),
            ("relay", MAX_MESSAGE, self._relay),
        ):
            for entry in found.entries:
                if entry.type != type_:
                    continue
                data = found.read(entry) if entry.length <= limit else None
                if data is None:
                    if type_ == "batch" and entry.length <= limit:
                        self.centre.ingest.refuse(found.raw(entry), "damaged on the way", via="courier", file=name)
                    self._problem(
                        name,
                        f"{type_} {entry.name[:16]}",
                        Known("HB-111" if type_ == "chunk" else "HB-110", reason="damaged"),
                    )
                    continue
                try:
                    step(entry, data)
                except SalaError as error:
                    self._problem(name, f"{type_} {entry.name[:16]}", error)
        self.report.damaged += found.damaged
        self.report.cut_off += not found.whole

    def _problem(self, file: str, what: str, error: SalaError) -> None:
        self.report.problems.append({"file": file, "object": what, "code": error.code})

    def _enrol(self, _: Entry, data: bytes) -> None:
        request, signed, mac = devices.read_request(data)
        now = self.centre.clock.wall_ms()
        answer = self.centre.storage.write(lambda tx: enrolment.enrol(tx, self.centre.keys, request, signed, mac, now))
        if answer.certificate is None:
            raise Known(answer.code)
        self.report.enrolled += answer.status == 201
        self.reply.certificates[request.device_id.hex()] = answer.certificate

    def _rekey(self, entry: Entry, data: bytes) -> None:
        answer = self.centre.storage.write(lambda tx: rekeying.succeed(self.centre, tx, data))
        if answer.certificate is None:
            raise Known(answer.code)
        self.report.enrolled += answer.status == 201
        self.reply.certificates[_device(entry.name).hex()] = answer.certificate

    def _receipt(self, _: Entry, data: bytes) -> None:
        """A receipt that this hub gave before an older copy of it was put back."""
        evidence.take(self.centre, [data.decode("utf-8", "replace")])

    def _batch(self, entry: Entry, data: bytes) -> None:
        taken = self.centre.ingest.take(data, _hash(entry.name), via="courier", file=self.file)
        if taken.again:
            moving.put_back(self.centre, _hash(entry.name), data)
        self.report.again += taken.again
        self.report.batches += not taken.again
        self.report.new_ops += taken.new_ops
        self.reply.receipts[entry.name] = taken.receipt

    def _chunk(self, entry: Entry, data: bytes) -> None:
        self.report.chunks += self.centre.ingest.take_chunk(data, _hash(entry.name), self.centre.put_chunk)
        self.reply.pieces[_hash(entry.name)] = None

    def _readmit(self, _: Entry, data: bytes) -> None:
        self.centre.storage.write(lambda tx: readmission.readmit(self.centre, tx, data))

    def _have(self, entry: Entry, data: bytes) -> None:
        self.reply.haves.setdefault(_device(entry.name).hex(), []).append(wire.read_have(data))

    def _relay(self, _: Entry, data: bytes) -> None:
        now = self.centre.clock.wall_ms()
        name, said = self.centre.storage.write(lambda tx: relays.met(tx, data, now))
        self.reply.relays[name] = said.devices

    # --- the way back

    def answers(self, reply: _Reply, *, publications: bool = True) -> Iterator[Object]:
        """What ``reply`` says, and with it everything that its laptops may lack of the publications."""
        for device, certificate in reply.certificates.items():
            yield Object("certificate", device, certificate)
        for batch, receipt in reply.receipts.items():
            now = self.centre.storage.read(partial(answers.present, log=self.centre.log, receipt=receipt))
            yield Object("receipt", batch, now.encode())
        for device, haves in reply.haves.items():
            have = haves[-1]
            for one in haves:
                yield Object(
                    "missing", device, self.centre.storage.read(partial(self._missing, device=device, have=one))
                )
            note = self.centre.storage.read(partial(audits.note, log=self.centre.log, device=bytes.fromhex(device)))
            if note is not None:
                yield Object("audit", device, note.encode())
            for proof in self.centre.storage.write(partial(self._forks, device=device, have=have)):
                yield Object("fork", device, proof)
        if publications:  # pieces of attachments come on sticks only, and relays get nothing else
            yield from self._pieces(list(reply.pieces))
            yield from self._words(reply)
        own = {f"{folder}/{device}.cbor" for folder in ("leases", "inbox") for device in reply.served()}
        for name, path in self.centre.repository.files() if publications else ():
            folder, _, rest = name.partition("/")
            index = rest.startswith("app/") and rest.endswith(
                ".index.cbor"
            )  # the pieces of a program come when they are wanted
            if (
                folder == "metadata"
                or index
                or not rest.startswith(("leases/", "inbox/", "app/"))
                or _plain(rest) in own
            ):
                yield Object(folder.removesuffix("s") if folder == "targets" else folder, rest, path.read_bytes())

    def _pieces(self, names: list[bytes]) -> Iterator[Object]:
        """That they are here: said after what is lacking, so never older than that."""
        log, now = self.centre.log, self.centre.clock.wall_ms()
        for start in range(0, len(names), piecenote.MOST):
            some = names[start : start + piecenote.MOST]
            note = piecenote.say(piecenote.Held(log.epoch, now, some), log.note_key, self.centre.keys.log)
            yield Object("pieces", some[0].hex(), note.encode())

    def _words(self, reply: _Reply) -> Iterator[Object]:
        """How the log stands now, for whoever hears of the centre by sticks alone; and what relays tell their laptops."""
        log = self.centre.log
        for life in self.centre.storage.read(lambda tx: epochs.descent(tx, log.note_key, log.epoch)):
            yield Object("life", life.split("\n", 2)[1], life.encode())
        yield Object("checkpoint", "newest", self.centre.storage.read(log.latest).encode())
        for name, laptops in reply.relays.items():
            said = self.centre.storage.read(partial(relays.words, self.centre, devices=laptops))
            yield Object("words", name, relays.encode_words(said))

    def _forks(self, tx: Tx, *, device: str, have: wire.Have) -> list[bytes]:
        return rekeying.open_evidence(self.centre, tx, bytes.fromhex(device), have.head_hash, have.head_seq)

    def _missing(self, tx: Tx, *, device: str, have: wire.Have) -> bytes:
        return answers.missing(self.centre, tx, bytes.fromhex(device), have).encode()


def _seal_key(tx: Tx, *, device: bytes) -> bytes | None:
    row = tx.one("SELECT seal_public FROM device WHERE device = :d", {"d": device})
    return None if row is None else bytes(row["seal_public"])


def _plain(path: str) -> str:
    """The name of a target without the hash before its last part."""
    head, slash, tail = path.rpartition("/")
    return f"{head}{slash}{tail.partition('.')[2]}"


def _hash(name: str) -> bytes:
    return _named(name, 32)


def _device(name: str) -> bytes:
    return _named(name, 16)


def _named(name: str, size: int) -> bytes:
    """The bytes that an object's name says."""
    try:
        found = bytes.fromhex(name)
    except ValueError:
        found = b""
    if len(found) != size:
        raise Malformed("volume: name")
    return found
