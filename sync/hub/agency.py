"""Agency desks: laptops that may read what is sealed to the agency, and the feed they read. The hub can open none of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sync import volume
from sync.errors import Refused
from sync.hub import acts, raws
from sync.hub.storage import Row, Tx
from sync.limits import MIB
from sync.sealedfeed import Item, Page
from sync.volume import Object

if TYPE_CHECKING:
    from sync.hub.centre import Centre

_PAGE: Final = 2 * MIB  # bytes of batches in one answer; one batch more may begin below it
_ROWS: Final = 5_000  # ops of one answer
STEM: Final = "sala-agency"


def allow(tx: Tx, device: bytes, by: str, now_ms: int) -> None:
    """Make an enrolled laptop a desk. Refused HB-240: not enrolled, or revoked."""
    row = tx.one("SELECT revoked_ms FROM device WHERE device = :d", {"d": device})
    if row is None or row["revoked_ms"] is not None:
        raise Refused("HB-240", device=device.hex())
    tx.execute(
        "INSERT INTO desk (device, added_ms, added_by) VALUES (:d, :now, :by) ON CONFLICT (device) DO NOTHING",
        {"d": device, "now": now_ms, "by": by},
    )
    acts.record(tx, "sync.desk", {"device": device, "allowed": True, "admin": by}, now_ms, [("desk", "device", device)])


def end(tx: Tx, device: bytes, by: str, now_ms: int) -> None:
    """A laptop is a desk no longer. Refused HB-241: it was none."""
    if not tx.execute("DELETE FROM desk WHERE device = :d", {"d": device}):
        raise Refused("HB-241", device=device.hex())
    acts.record(
        tx, "sync.desk", {"device": device, "allowed": False, "admin": by}, now_ms, [("desk", "device", device)]
    )


def desks(tx: Tx) -> list[Row]:
    """Every desk: ``{"device", "office", "name_km", "name_en", "number", "added_ms", "added_by"}``."""
    return tx.query(
        """SELECT k.device, d.office, f.name_km, f.name_en, d.number, k.added_ms, k.added_by FROM desk k
           JOIN device d ON d.device = k.device JOIN office f ON f.code = d.office ORDER BY d.office, d.number, k.device"""
    )


def is_desk(tx: Tx, device: bytes) -> bool:
    """Whether a laptop may read sealed batches now: allowed, and not revoked."""
    return bool(
        tx.one(
            """SELECT 1 AS yes FROM desk k JOIN device d ON d.device = k.device
               WHERE k.device = :d AND d.revoked_ms IS NULL""",
            {"d": device},
        )
    )


def sealed_kinds(centre: Centre) -> list[str]:
    """The kinds whose bodies the hub cannot read."""
    return sorted(kind["name"] for found in centre.manifests for kind in found.get("kind", ()) if kind.get("sealed"))


def page(centre: Centre, tx: Tx, after: int) -> Page:
    """The next batches with sealed ops that were accepted behind place ``after``."""
    kinds = {f"k{n}": kind for n, kind in enumerate(sealed_kinds(centre))}
    rows = tx.query(
        f"""SELECT a.idx, o.batch, o.place FROM accepted a JOIN op o ON o.id = a.op AND o.wall_ms = a.wall_ms
            WHERE a.idx > :after AND o.kind IN ({", ".join(f":{name}" for name in kinds)}) ORDER BY a.idx LIMIT :most""",
        {**kinds, "after": after, "most": _ROWS},
    )
    last = rows[-1]["idx"] if len(rows) == _ROWS else _end(tx)
    places: dict[int, list[int]] = {}
    size, reached = 0, after
    for row in rows:
        if row["batch"] not in places:
            if size >= _PAGE:
                return Page(_items(tx, places), reached, more=True)
            places[row["batch"]] = []
            size += tx.query("SELECT size FROM batch WHERE idx = :idx", {"idx": row["batch"]})[0]["size"]
        places[row["batch"]].append(row["place"])
        reached = row["idx"]
    return Page(_items(tx, places), max(after, last), more=len(rows) == _ROWS)


def export(centre: Centre, folder: Path, after: int = 0) -> tuple[list[Path], int]:
    """The same for a desk without a line: courier files of pages in ``folder``, and the place to go on from."""
    last = after

    def objects() -> Iterator[Object]:
        nonlocal last
        more = True
        while more:
            found = centre.storage.read(lambda tx, n=last: page(centre, tx, n))  # type: ignore[misc]
            if found.items:
                yield Object("sealed", f"{last}-{found.next}", found.encode())
            last, more = found.next, found.more

    return volume.write(folder, STEM, objects()), last


def piece(centre: Centre, tx: Tx, digest: bytes) -> bytes | None:
    """One piece of an attachment, as encrypted as it came; None: it is not here."""
    if tx.one("SELECT 1 AS yes FROM chunk WHERE hash = :hash", {"hash": digest}) is None:
        return None
    return centre.places.chunks.get(digest)


def _items(tx: Tx, places: Mapping[int, Sequence[int]]) -> list[Item]:
    found = []
    for number, at in places.items():
        row = tx.query(
            """SELECT b.raw, b.hash, d.certificate, l.receipt FROM batch b JOIN device d ON d.device = b.device
               JOIN leaf l ON l.batch = b.idx WHERE b.idx = :idx""",
            {"idx": number},
        )[0]
        found.append(Item(raws.whole(tx, row), bytes(row["certificate"]), row["receipt"], at))
    return found


def _end(tx: Tx) -> int:
    return int(tx.query("SELECT coalesce(max(idx), 0) AS last FROM accepted")[0]["last"])
