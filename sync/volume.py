"""The courier file, ``.salabatch``: what travels on a stick, in both directions. Shared by device and hub.

``SALABATCH1\\n``, then a CBOR sequence: for each object its head ``[type, name, SHA-256, length]`` and its bytes (one byte
string); at the end the head ``["end", count, SHA-256 of all before it, 0]`` and an empty byte string. Every object is held
against its own hash when it is read, so damage costs the objects that it hits and, in a cut-off file, those that are missing.

| type | name | way |
|---|---|---|
| ``batch``, ``chunk`` | its SHA-256, hex | to the hub |
| ``enrol`` | slot, hex | to the hub: enrolment request |
| ``have`` | device id, hex | to the hub: :class:`sync.wire.Have` |
| ``receipt`` | batch hash, hex | to the device |
| ``certificate`` | device id, hex | to the device |
| ``missing`` | device id, hex | to the device: :class:`sync.wire.Missing` |
| ``audit`` | device id, hex | to the device: the centre's cosignature of its audit log |
| ``metadata``, ``target`` | file name below ``metadata/`` or ``targets/`` | to the device: publications |
| ``certificate`` | device id, hex | between laptops of one office too: who the sender is (:mod:`sync.colleagues`) |
| ``fork``, ``rekey`` | device id, hex | to the device: proof that a copy is at work; to the hub: the new keys |
| ``held`` | device id, hex | between laptops of one office: how far the sender holds everybody's ops |
| ``readmit`` | device id, hex | to the hub: certificates, for one that forgot them (:mod:`sync.readmission`) |
| ``want`` | device id, hex | between laptops of one office: pieces of attachments that the sender lacks |
| ``bodies`` | batch hash ``/`` receiving device id | between laptops of one office: bodies in a box for one of them |
| ``sealed`` | range of places | to an agency's desk: a page of sealed batches (:mod:`sync.sealedfeed`) |

The whole file may be sealed to the next hop (:mod:`sync.sealedfile`); what is inside is the same.
"""

from __future__ import annotations

import errno
import io
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, cast

from nacl.public import PrivateKey

from sync import cbor, durable, sealedfile
from sync.cbor import Malformed
from sync.errors import Known
from sync.failpoint import failpoint
from sync.limits import MAX_COURIER, MAX_NAME, MAX_OBJECTS, MAX_PUBLICATION, MIB
from sync.sealedfile import Sink

MAGIC: Final = b"SALABATCH1\n"
SUFFIX: Final = ".salabatch"
TYPES: Final = frozenset(
    {
        "batch", "chunk", "enrol", "have", "receipt", "certificate", "missing", "metadata", "target", "held", "bodies", "audit",
        "fork", "rekey", "readmit", "sealed", "want", "pieces", "checkpoint", "life", "relay", "words", "end",
    }
)  # fmt: skip
_HEAD: Final = 1_024  # bytes; no head is longer
_SLICE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Object:
    """One object to be written."""

    type: str
    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """Where one object stands in a volume."""

    type: str
    name: str
    hash: bytes
    length: int
    offset: int


# --- writing


class _Counted:
    """Writes through to ``file`` and hashes what really goes there."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.digest = file, sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return self._file.write(data)


def require_room(folder: Path, needed: int) -> None:
    """Known SY-441, with the numbers, when ``folder`` has no room for ``needed`` bytes; SY-371 when it cannot be asked."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise _cause(error) from error
    if free < needed:
        raise Known("SY-441", needed_mib=-(-needed // MIB), free_mib=free // MIB)


def pack(objects: Iterable[Object], *, seal: Sequence[bytes] = ()) -> bytes:
    """One volume of ``objects`` in memory: what a few QR codes carry."""
    made = io.BytesIO()
    left = _fill(made, None, iter(objects), MAX_COURIER, seal)
    if left is not None:
        raise Malformed("volume: too big for one")
    return made.getvalue()


def write(
    folder: Path, stem: str, objects: Iterable[Object], *, limit: int = MAX_COURIER, seal: Sequence[bytes] = ()
) -> list[Path]:
    """Write ``objects`` into ``folder`` as ``<stem>.salabatch``, in more volumes when ``limit`` bytes are not enough.

    Each volume appears only whole: temporary name, fsync, rename, read back and compared. ``seal``: X25519 keys of
    those for whom every volume is sealed, one of which opens it. Known: SY-370 no room, SY-371 the folder cannot be written, SY-373 it does
    not read back. What was begun is removed then, and also when ``objects`` raises.
    """
    paths: list[Path] = []
    rest = iter(objects)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        following: Object | None = next(rest, None)
        while following is not None or not paths:
            number = f"-{len(paths) + 1}" if paths else ""
            path = folder / f"{stem}{number}{SUFFIX}"
            following = _write_volume(path, following, rest, limit, seal)
            paths.append(path)
    except BaseException as error:
        for path in paths:
            _remove(path)
        if isinstance(error, OSError):
            raise _cause(error) from error
        raise
    return paths


def size(paths: Sequence[Path]) -> int:
    """Bytes of the files ``paths``. Known SY-371: they are gone, as when a stick was pulled out."""
    try:
        return sum(path.stat().st_size for path in paths)
    except OSError as error:
        raise _cause(error) from error


def _remove(path: Path) -> None:
    """Take away what was begun; a stick that was pulled out keeps it, and nobody takes it for whole."""
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _write_volume(
    path: Path, first: Object | None, rest: Iterator[Object], limit: int, seal: Sequence[bytes]
) -> Object | None:
    """One volume; returns the object that no longer fitted, or None."""
    part = path.with_name(path.name + ".part")
    _remove(part)
    try:
        with part.open("xb") as file:  # never through a link that somebody has put there
            counted = _Counted(file)
            left = _fill(counted, first, rest, limit, seal)
            file.flush()
            os.fsync(file.fileno())
            failpoint("courier:written")
            _forget(file.fileno())
        durable.rename(part, path)
        durable.sync_folder(path.parent)
        failpoint("courier:renamed")
        _read_back(path, counted.digest.digest())
    except BaseException:
        _remove(part)
        raise
    return left


def _fill(out: Sink, first: Object | None, rest: Iterator[Object], limit: int, seal: Sequence[bytes]) -> Object | None:
    """Fill one volume up to ``limit`` bytes; the object that no longer fitted, or None."""
    if not seal:
        return _put_objects(out, first, rest, limit)
    sealed = sealedfile.Writer(out, seal)
    left = _put_objects(sealed, first, rest, limit - limit // 7)  # room for padding and seals
    sealed.finish()
    return left


def _put_objects(out: Sink, first: Object | None, rest: Iterator[Object], limit: int) -> Object | None:
    whole = sha256()

    def put(data: bytes) -> None:
        whole.update(data)
        out.write(data)

    put(MAGIC)
    count, size = 0, len(MAGIC)
    current = first if first is not None else next(rest, None)
    while current is not None:
        head = cbor.encode([current.type, current.name, sha256(current.data).digest(), len(current.data)])
        grown = size + len(head) + len(current.data) + 2 * _HEAD
        if count and (grown > limit or count >= MAX_OBJECTS - 1):
            break
        put(head + _byte_head(len(current.data)))
        put(current.data)
        size, count = grown, count + 1
        current = next(rest, None)
    out.write(cbor.encode(["end", str(count), whole.digest(), 0]) + _byte_head(0))
    return current


def _byte_head(length: int) -> bytes:
    """The CBOR head of a byte string of ``length`` bytes."""
    for bound, size, code in ((24, 0, length), (1 << 8, 1, 24), (1 << 16, 2, 25), (1 << 32, 4, 26)):
        if length < bound:
            return bytes([0x40 | code]) + (length.to_bytes(size, "big") if size else b"")
    raise Malformed("volume: object too big")


def _read_back(path: Path, expected: bytes) -> None:
    found = sha256()
    with path.open("rb") as file:
        while piece := file.read(_SLICE):
            found.update(piece)
    if found.digest() != expected:
        _remove(path)
        raise Known("SY-373")


def _forget(handle: int) -> None:
    """Drop the cached pages, where the system can, so that the stick itself is read back."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)


def _cause(error: OSError) -> Known:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return Known("SY-370")
    return Known("SY-371", reason=error.strerror or type(error).__name__)


# --- reading


def find(path: Path) -> list[Path]:
    """The courier files at ``path``: the file itself, or those in a folder, by name. Known SY-374 when there is none."""
    try:
        found = sorted(one for one in path.glob(f"*{SUFFIX}") if one.is_file()) if path.is_dir() else [path]
    except OSError as error:
        raise _cause(error) from error
    if not found:
        raise Known("SY-374")
    return found


class Volume:
    """One courier file, open for reading. ``whole`` is False when its end is cut off or does not fit."""

    def __init__(self, source: Path | bytes, keys: Sequence[PrivateKey] = ()) -> None:
        """``source``: a file, or the bytes of one. ``keys`` open a sealed one.

        Known: SY-371 unreadable, SY-372 not a courier file, SY-440 sealed to a key that is not among ``keys``.
        """
        self.damaged = 0  # objects that were asked for and did not match their hash
        self.sealed = False
        try:
            self._file: BinaryIO = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
        except OSError as error:
            raise _cause(error) from error
        try:
            self._size = self._file.seek(0, os.SEEK_END)
            if self._size > MAX_COURIER + _SLICE:
                raise Known("SY-372")
            self._unseal(keys)
            self._file.seek(0)
            if self._file.read(len(MAGIC)) != MAGIC:
                raise Known("SY-372")
            self.entries, self.whole = self._index()
        except OSError as error:
            self._file.close()
            raise _cause(error) from error
        except BaseException:
            self._file.close()
            raise

    def _unseal(self, keys: Sequence[PrivateKey]) -> None:
        self._file.seek(0)
        if self._file.read(len(sealedfile.MAGIC)) == sealedfile.MAGIC:
            inside = sealedfile.Reader(self._file, self._size, keys)
            self._file, self._size = cast("BinaryIO", inside), inside.size
            self.sealed = True

    def __enter__(self) -> Volume:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def of(self, type_: str) -> Iterator[tuple[Entry, bytes]]:
        """The sound objects of one type, one in memory at a time; damaged ones are counted and passed over."""
        for entry in self.entries:
            if entry.type == type_:
                data = self.read(entry)
                if data is not None:
                    yield entry, data

    def read(self, entry: Entry) -> bytes | None:
        """The bytes of ``entry``, None when they are damaged."""
        data = self.raw(entry)
        if len(data) != entry.length or sha256(data).digest() != entry.hash:
            self.damaged += 1
            return None
        return data

    def raw(self, entry: Entry) -> bytes:
        """What stands at the place of ``entry``, sound or not: for whoever looks into the damage."""
        try:
            self._file.seek(entry.offset)
            return self._file.read(entry.length)
        except OSError:
            return b""

    def _index(self) -> tuple[list[Entry], bool]:
        """The heads, without reading what stands between them."""
        entries: list[Entry] = []
        place = len(MAGIC)
        while len(entries) < MAX_OBJECTS:
            self._file.seek(place)
            try:
                entry = _read_head(self._file.read(_HEAD), place)
            except Malformed:
                return entries, False
            if entry.type == "end":
                return entries, entry.name == str(len(entries)) and self._hash_until(place) == entry.hash
            if entry.offset + entry.length > self._size:
                return entries, False
            entries.append(entry)
            place = entry.offset + entry.length
        return entries, False

    def _hash_until(self, place: int) -> bytes:
        found = sha256()
        self._file.seek(0)
        while place > 0 and (piece := self._file.read(min(_SLICE, place))):
            found.update(piece)
            place -= len(piece)
        return found.digest()


class VolumeSource:
    """The publications in a volume, for :func:`sync.refreshing.refresh`."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self._places = {f"{e.type}/{e.name}": e for e in volume.entries if e.type in ("metadata", "target")}

    def read(self, path: str) -> Iterator[bytes]:
        """``metadata/…`` or ``targets/…``. FileNotFoundError when it is not there or is damaged."""
        entry = self._places.get(path.replace("targets/", "target/", 1) if path.startswith("targets/") else path)
        data = self._volume.read(entry) if entry and entry.length <= MAX_PUBLICATION else None
        if data is None:
            raise FileNotFoundError(path)
        yield data


def _read_head(data: bytes, place: int) -> Entry:
    value, end = cbor.decode_prefix(data)
    match value:
        case [str(type_), str(name), bytes(digest), int(length)] if (
            type_ in TYPES and len(name) <= 4 * MAX_NAME and len(digest) == 32 and 0 <= length <= MAX_COURIER
        ):
            head = _byte_head(length)
            if data[end : end + len(head)] == head:
                return Entry(type_, name, digest, length, place + end + len(head))
    raise Malformed("volume: head")
