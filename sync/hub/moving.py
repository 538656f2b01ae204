"""Moving raw bytes from the database and from files into the object storage, and checking that all of them are where they should be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from sync.errors import Known
from sync.hub import acts, chunks, raws
from sync.hub.centre import Centre
from sync.hub.objects import Folder
from sync.hub.storage import Row

_PAGE: Final = 100
_INSIDE: Final = """SELECT idx, hash, raw FROM batch WHERE idx > :after AND size > 0 AND length(raw) > 0 AND via <> :own
    ORDER BY idx LIMIT :limit"""
_EMPTIED: Final = "UPDATE batch SET raw = :nothing WHERE idx = :idx"


@dataclass(slots=True)
class Found:
    """What was read or moved. ``faults``: what is gone or damaged, in words."""

    batches: int = 0
    chunks: int = 0
    faults: list[str] = field(default_factory=list)


def check(centre: Centre) -> Found:
    """Read everything once. Known HB-166 when the storage does not answer."""
    found = Found()
    for row in _pages(centre, "SELECT idx, hash, raw FROM batch WHERE idx > :after ORDER BY idx LIMIT :limit"):
        found.batches += 1
        try:
            sound = sha256(centre.storage.read(lambda tx, r=row: raws.whole(tx, r))).digest() == row["hash"]  # type: ignore[misc]
        except Known as error:
            _require_fault(error)
            sound = False
        if not sound:
            found.faults.append(f"batch {row['hash'].hex()}")
    for row in _pages(centre, "SELECT idx, hash FROM chunk WHERE idx > :after ORDER BY idx LIMIT :limit"):
        found.chunks += 1
        try:
            centre.places.chunks.get(row["hash"])
        except Known as error:
            _require_fault(error)
            found.faults.append(f"chunk {row['hash'].hex()}")
    return found


def move(centre: Centre) -> Found:
    """Put into the object storage what is not there yet; a row or a file is emptied only after its bytes were read back."""
    place, files = centre.places.batches, Folder(centre.folder)
    if place is None:
        raise ValueError("this hub has no object storage")
    moved = Found()
    for row in _pages(centre, _INSIDE):
        place.put(row["hash"], row["raw"])
        place.get(row["hash"])
        centre.storage.write(lambda tx, r=row: tx.execute(_EMPTIED, {"nothing": b"", "idx": r["idx"]}))  # type: ignore[misc]
        moved.batches += 1
    for row in _pages(centre, "SELECT idx, hash FROM chunk WHERE idx > :after ORDER BY idx LIMIT :limit"):
        if files.exists(row["hash"]):
            centre.places.chunks.put(row["hash"], files.get(row["hash"]))
            centre.places.chunks.get(row["hash"])
            chunks.path(centre.folder, row["hash"]).unlink()
            moved.chunks += 1
    return moved


def put_back(centre: Centre, digest: bytes, data: bytes) -> bool:
    """Heal the object storage: the bytes of a stored batch that it has lost or altered and that have just come again."""
    place = centre.places.batches
    if place is None:
        return False
    inside = centre.storage.read(
        lambda tx: tx.query("SELECT length(raw) AS n FROM batch WHERE hash = :h", {"h": digest})
    )
    if not inside or inside[0]["n"]:
        return False
    try:
        place.get(digest)
    except Known as error:
        if error.code != "HB-167":  # one that does not answer says nothing about what lies in it
            return False
        place.put(digest, data)
        return True
    return False


def _pages(centre: Centre, sql: str) -> Iterator[Row]:
    after = 0
    while rows := centre.storage.read(
        lambda tx, a=after: tx.query(sql, {"after": a, "limit": _PAGE, "own": acts.VIA})  # type: ignore[misc]
    ):
        yield from rows
        after = rows[-1]["idx"]


def _require_fault(error: Known) -> None:
    """A storage that does not answer says nothing about what lies in it."""
    if error.code != "HB-167":
        raise error
