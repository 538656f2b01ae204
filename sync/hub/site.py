"""The second site: raw batches with their receipts, and chunks. That, and the key files, is the whole backup of a hub.

``batches/ab/<hash>.batch`` are the laptops' (and the hub's own) signed bytes, ``batches/ab/<hash>.receipt`` the signed proof
which entry of the log they are and when they came; ``chunks/ab/<hash>`` are encrypted pieces of attachments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from sync import batch as batches
from sync import durable, receipts
from sync.cbor import Malformed
from sync.errors import Known
from sync.hub import epochs, objects
from sync.hub.chunks import FOLDER as CHUNKS
from sync.hub.objects import Bucket
from sync.limits import MAX_BATCH, MAX_CHUNK, MAX_RECEIPT, MAX_SEQ
from sync.notes import NoteKey
from sync.receipts import Leaf, Receipt

BATCHES = "batches"


class Site(Protocol):
    """Where copies lie. Names are paths with forward slashes."""

    def put(self, name: str, data: bytes) -> None:
        """Keep ``data`` there; durable when it returns. Known HB-106, HB-166."""
        ...

    def names(self, prefix: str) -> Iterator[str]: ...
    def read(self, name: str, limit: int) -> bytes | None:
        """The bytes of ``name``; None when it is not there, not readable or longer than ``limit``."""
        ...


@dataclass(frozen=True, slots=True)
class FolderSite:
    """A folder: a disk elsewhere, a share, a mounted bucket."""

    root: Path

    def put(self, name: str, data: bytes) -> None:
        place = self.root / name
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            durable.replace(place, data)
        except OSError as error:
            raise Known("HB-106", file=str(self.root)) from error

    def names(self, prefix: str) -> Iterator[str]:
        for path in sorted((self.root / prefix).glob("*/*")):
            yield path.relative_to(self.root).as_posix()

    def read(self, name: str, limit: int) -> bytes | None:
        try:
            with (self.root / name).open("rb") as file:
                data = file.read(limit + 1)
        except OSError:
            return None
        return data if len(data) <= limit else None


@dataclass(frozen=True, slots=True)
class BucketSite:
    """A bucket of an S3-compatible storage; the keys stand in ``keys/objects.key`` of the hub or in the environment."""

    bucket: Bucket

    def put(self, name: str, data: bytes) -> None:
        self.bucket.put_named(name, data)

    def names(self, prefix: str) -> Iterator[str]:
        yield from self.bucket.named(prefix)

    def read(self, name: str, limit: int) -> bytes | None:
        return self.bucket.get_named(name, limit)


def at(place: str, folder: Path) -> Site:
    """The second site at ``place``: a folder, or ``https://host/bucket``. ``folder``: the hub's, where the storage's keys lie."""
    if place.startswith(("http://", "https://")):
        return BucketSite(objects.second_site(place, folder))
    return FolderSite(Path(place))


def batch_name(digest: bytes) -> str:
    return f"{BATCHES}/{digest.hex()[:2]}/{digest.hex()}.batch"


def receipt_name(digest: bytes) -> str:
    return f"{BATCHES}/{digest.hex()[:2]}/{digest.hex()}.receipt"


def chunk_name(digest: bytes) -> str:
    return f"{CHUNKS}/{digest.hex()[:2]}/{digest.hex()}"


def batch(site: Site, digest: bytes) -> bytes | None:
    """The batch of that hash, whole, or None."""
    data = site.read(batch_name(digest), MAX_BATCH)
    return data if data is not None and sha256(data).digest() == digest else None


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the log, as its signed receipt says."""

    epoch: int
    leaf: Leaf


def entries(site: Site, log: NoteKey) -> tuple[list[Entry], list[bytes]]:
    """The log as far as receipts tell it, and the hashes of all batches.

    The latest life of the log goes back to the one that it began from, up to the entries which it says it shares with that, and
    so on. Behind the first entry without a sound receipt the log is not known; the batches that lie there are not lost, they
    only come in anew.
    """
    found: dict[int, dict[int, Entry]] = {}
    every: list[bytes] = []
    for name in site.names(BATCHES):
        digest = _digest(name)
        if digest is None:
            continue
        every.append(digest)
        receipt = receipt_of(site, digest, log)
        if receipt is not None:
            epoch = receipt.checkpoint.epoch
            found.setdefault(epoch, {})[receipt.index] = Entry(epoch, receipt.leaf)
    chosen: dict[int, Entry] = {}
    epoch, end = max(found, default=0), MAX_SEQ
    while epoch in found:
        chosen |= {index: entry for index, entry in found[epoch].items() if index < end}
        first = min(found[epoch])
        said = _beginning(site, found[epoch][first], log)
        epoch, end = (said.after, min(end, said.size)) if said else (_before(found, epoch), min(end, first))
    line: list[Entry] = []
    while (following := chosen.get(len(line))) is not None:
        line.append(following)
    return line, every


def _beginning(site: Site, entry: Entry, log: NoteKey) -> epochs.Beginning | None:
    """How the life began whose first entry here is ``entry``; None: that entry does not say it."""
    data = batch(site, entry.leaf.batch_hash)
    try:
        for op in batches.parse(data or b"").ops:
            if op.fields.kind == epochs.ACT and isinstance(op.fields.body, dict):
                said = epochs.read(str(op.fields.body.get("note")), log)
                return said if said.after < said.epoch == entry.epoch else None
    except Malformed:
        pass
    return None


def _before(found: Iterable[int], epoch: int) -> int:
    return max((other for other in found if other < epoch), default=0)


def chunks(site: Site) -> Iterator[tuple[bytes, bytes]]:
    """Every whole piece with its hash."""
    for name in site.names(CHUNKS):
        data = site.read(name, MAX_CHUNK)
        if data is not None and sha256(data).hexdigest() == name.rpartition("/")[2]:
            yield sha256(data).digest(), data


def _digest(name: str) -> bytes | None:
    stem, dot, suffix = name.rpartition("/")[2].partition(".")
    try:
        found = bytes.fromhex(stem)
    except ValueError:
        return None
    return found if len(found) == 32 and (dot, suffix) == (".", "batch") else None


def receipt_of(site: Site, digest: bytes, log: NoteKey) -> Receipt | None:
    """The sound receipt of that batch, or None."""
    data = site.read(receipt_name(digest), MAX_RECEIPT)
    try:
        receipt = receipts.verify((data or b"").decode("utf-8"), log)
    except (Malformed, UnicodeDecodeError):
        return None
    return receipt if receipt.leaf.batch_hash == digest else None
