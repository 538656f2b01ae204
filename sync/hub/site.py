"""The second site: raw batches with their receipts, and chunks. That, and the key files, is the whole backup of a hub.

``batches/ab/<hash>.batch`` are the laptops' (and the hub's own) signed bytes, ``batches/ab/<hash>.receipt`` the signed proof
which entry of the log they are and when they came; ``chunks/ab/<hash>`` are encrypted pieces of attachments.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from sync import durable, receipts
from sync.cbor import Malformed
from sync.errors import Known
from sync.hub import objects
from sync.hub.chunks import FOLDER as CHUNKS
from sync.hub.objects import Bucket
from sync.limits import MAX_BATCH, MAX_CHUNK, MAX_RECEIPT
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

    Of two lives of the log the later one wins from its first entry on. Behind the first entry without a sound receipt the
    log is not known; the batches that lie there are not lost, they only come in anew.
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
    for epoch in sorted(found):
        first = min(found[epoch])
        chosen = {index: entry for index, entry in chosen.items() if index < first} | found[epoch]
    line: list[Entry] = []
    while (following := chosen.get(len(line))) is not None:
        line.append(following)
    return line, every


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
