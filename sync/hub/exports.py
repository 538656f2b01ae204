"""Copies of the hub's data for a second site, and of its publications for a folder.

A copy is content-addressed and only grows: a file that is there already and reads back right is left alone. With ``confirm``
laptops hear that a second site has what they sent up to there; until then they keep everything (SYNC §14.4).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sync import durable
from sync.errors import Known
from sync.hub import raws, secondsite, site
from sync.hub.centre import STABLE, Centre
from sync.hub.feeds import looks
from sync.hub.site import Site
from sync.hub.storage import Row, Tx
from sync.limits import MAX_BATCH, MAX_CHUNK, MAX_RECEIPT
from sync.plain import plain

TABLES: Final = ("click", "look")  # kept beside the log; everything else is made from batches (:mod:`sync.hub.whole`)
_PAGE: Final = 100  # batches at a time
_ENTRIES: Final = """SELECT l.idx + 1 AS idx, l.receipt, b.hash, b.raw FROM leaf l JOIN batch b ON b.idx = l.batch
    WHERE l.idx + 1 > :after AND l.receipt IS NOT NULL ORDER BY l.idx LIMIT :limit"""


@dataclass(slots=True)
class Copied:
    """What a backup wrote."""

    batches: int = 0  # written now
    batches_in_all: int = 0
    chunks: int = 0
    bytes: int = 0
    confirmed: bool = False


def backup(centre: Centre, place: Path | Site, *, confirm: bool = False) -> Copied:
    """Copy everything that cannot be made anew to the second site and read it back. Known HB-106, HB-166 when that fails."""
    copied = Copied()
    where = site.FolderSite(place) if isinstance(place, Path) else place
    try:
        last = _batches(centre, where, copied)
        pieces = 0
        bound = centre.storage.write(_last_piece)
        for row in _pages(
            centre, f"SELECT idx, hash FROM chunk WHERE idx > :after AND idx <= {bound} ORDER BY idx LIMIT :limit"
        ):
            pieces = row["idx"]
            data = centre.places.chunks.get(row["hash"])
            copied.chunks += _copy(where, site.chunk_name(row["hash"]), data, MAX_CHUNK, copied)
        centre.storage.write(lambda tx: looks.close(tx, centre.clock.wall_ms(), every=True))
        for table in TABLES:
            where.put(f"state/{table}.jsonl", centre.storage.read(lambda tx, t=table: _dump(tx, t)))  # type: ignore[misc]
    except OSError as error:
        raise Known("HB-106", file=str(place)) from error
    if confirm and last:
        centre.storage.write(lambda tx: _confirm(tx, last))
        centre.storage.write(lambda tx: secondsite.confirm(tx, pieces))
        copied.confirmed = True
    return copied


def publications(centre: Centre, folder: Path) -> dict[str, Any]:
    """Write what is published now as ``metadata/`` and ``targets/``, the timestamp last. Known HB-106 when that fails."""
    files = sorted(centre.repository.files(), key=lambda item: item[0] == "metadata/timestamp.json")
    try:
        for name, source in files:
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            part = place.with_name(f".{place.name}.part")
            shutil.copyfile(source, part)
            durable.sync_file(part)
            part.replace(place)
    except OSError as error:
        raise Known("HB-106", file=str(folder)) from error
    return {"folder": str(folder), "files": len(files)}


def _batches(centre: Centre, where: Site, copied: Copied) -> int:
    """How many entries of the log there were; all of them are copied."""
    last = 0
    for row in _pages(centre, _ENTRIES):
        receipt = row["receipt"].encode()
        copied.batches += _copy(where, site.batch_name(row["hash"]), _raw(centre, row), MAX_BATCH, copied)
        _copy(where, site.receipt_name(row["hash"]), receipt, MAX_RECEIPT, copied)
        copied.batches_in_all += 1
        last = row["idx"]
    return last


def _raw(centre: Centre, row: Row) -> bytes:
    return bytes(row["raw"]) or centre.storage.read(lambda tx: raws.whole(tx, row))


def _pages(centre: Centre, sql: str) -> Iterator[Row]:
    after = 0
    while rows := centre.storage.read(lambda tx, a=after: tx.query(sql, {"after": a, "limit": _PAGE})):  # type: ignore[misc]
        yield from rows
        after = rows[-1]["idx"]


def _copy(where: Site, name: str, data: bytes, limit: int, copied: Copied) -> bool:
    """Write ``data`` unless it stands there whole; True when it was written."""
    if where.read(name, limit) == data:
        return False
    where.put(name, data)
    if where.read(name, limit) != data:
        raise Known("HB-106", file=name)
    copied.bytes += len(data)
    return True


def _dump(tx: Tx, table: str) -> bytes:
    rows = tx.query(f"SELECT * FROM {table} ORDER BY 1, 2")
    return "".join(json.dumps(plain(row), ensure_ascii=False, sort_keys=True) + "\n" for row in rows).encode()


def _last_piece(tx: Tx) -> int:
    """The last piece, asked as a writer: whoever got a smaller number for one has finished by then, in whatever process."""
    return int(tx.query("SELECT coalesce(max(idx), 0) AS last FROM chunk")[0]["last"])


def _confirm(tx: Tx, last: int) -> None:
    tx.execute(
        "INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = :value",
        {"name": STABLE, "value": str(last)},
    )
