"""Two laptops with one key, as the hub sees it: the branches, the evidence, and numbers that both have given out.

A row of ``fork`` is the root of a branch that was put aside because another op after the same parent is the chain's next.
Nothing is decided here: admins release, merge or reject (:mod:`sync.hub.decisions`); the laptop that made the branch becomes
a laptop of its own by itself (:mod:`sync.hub.rekeying`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from sync.hub import labels, raws, stored
from sync.hub.storage import Row, Tx
from sync.succession import Evidence

if TYPE_CHECKING:
    from sync.hub.centre import Centre

MOST_SHOWN: Final = 500  # ops of one branch on a page
MOST_LISTED: Final = 200


def listing(tx: Tx) -> list[Row]:
    """Every fork, the newest first: device, office, number, seq, root ``op`` and ``sibling``, how many ops of the branch still
    wait (``waiting``, 0: decided), when its first op was received, and how many laptops the copies became (``successors``)."""
    return tx.query(
        """SELECT f.op, f.device, f.seq, f.parent, f.sibling, d.office, d.number, b.received_ms,
               (SELECT count(*) FROM device n WHERE n.predecessor = f.device) AS successors,
               (SELECT count(*) FROM op w WHERE w.device = f.device AND w.label = 'q:fork' AND w.label <> 'accepted' AND w.seq >= f.seq)
                   AS waiting
           FROM fork f JOIN device d ON d.device = f.device JOIN op o ON o.hash = f.op AND o.device = f.device
           JOIN batch b ON b.idx = o.batch
           ORDER BY b.received_ms DESC, f.op LIMIT :most""",
        {"most": MOST_LISTED},
    )


def of_device(tx: Tx, device: bytes) -> list[Row]:
    """The forks of one device key, oldest place first."""
    return tx.query(
        "SELECT op, device, parent, seq, sibling FROM fork WHERE device = :d ORDER BY seq, op LIMIT :most",
        {"d": device, "most": MOST_LISTED},
    )


def one(tx: Tx, op: bytes) -> Row | None:
    """The fork whose branch begins with ``op``."""
    return tx.one("SELECT op, device, parent, seq, sibling FROM fork WHERE op = :op", {"op": op})


def view(centre: Centre, tx: Tx, op: bytes) -> dict[str, list[Row]] | None:
    """Both branches side by side: ``{"left": the chain's, "right": the one put aside}``, oldest op first, at most 500 each.

    Rows: hash, seq, kind, wall_ms, received_ms, officer, label, ``clash`` (the op shares a number with an accepted one).
    """
    fork = one(tx, op)
    if fork is None:
        return None
    shared = set(clashes(centre, tx, op))
    right = list(branch(tx, fork["device"], fork["op"]))
    return {
        "left": [_shown(row, set()) for row in branch(tx, fork["device"], fork["sibling"])],
        "right": [_shown(row, shared) for row in right],
    }


def _shown(row: Row, shared: set[bytes]) -> Row:
    names = ("hash", "seq", "kind", "wall_ms", "received_ms", "officer", "label")
    return {**{name: row[name] for name in names}, "clash": row["hash"] in shared}


def branch(tx: Tx, device: bytes, root: bytes, most: int = MOST_SHOWN) -> Iterator[Row]:
    """The op ``root`` of ``device`` and what follows it, up to ``most`` ops; where it forks again, the part that counts."""
    following: Row | None = tx.one(_OP + " WHERE o.hash = :hash AND o.device = :d", {"hash": root, "d": device})
    while following is not None and most:
        yield following
        most -= 1
        following = tx.one(
            _OP + " WHERE o.parent = :parent AND o.device = :d AND o.seq = :seq ORDER BY o.label, o.hash LIMIT 1",
            {"parent": following["hash"], "d": device, "seq": following["seq"] + 1},
        )


_OP: Final = """SELECT o.hash, o.seq, o.kind, o.wall_ms, o.officer, o.label, o.batch, o.place, b.received_ms
    FROM op o JOIN batch b ON b.idx = o.batch"""


# --- numbers that both copies have given out


def clashes(centre: Centre, tx: Tx, op: bytes) -> list[bytes]:
    """Ops of the branch from ``op`` on that carry a number which an accepted op of the same laptop carries already.

    What must not be shared stands in the manifests: ``[[kind]] unique = ["number"]``. Such an op is never accepted: its
    office makes the paper again under a number of its own. Sealed bodies cannot be compared here.
    """
    fork = one(tx, op)
    unique = {kind["name"]: kind["unique"] for m in centre.manifests for kind in m.get("kind", ()) if "unique" in kind}
    if fork is None or not unique:
        return []
    aside = [row for row in branch(tx, fork["device"], op, 1 << 30) if row["kind"] in unique]
    if not aside:
        return []
    marks = {name: f":k{i}" for i, name in enumerate(sorted(unique))}
    taken: dict[tuple[str, str, Any], bytes] = {}
    rows = tx.query(
        _OP + f" WHERE o.device = :d AND o.seq >= :seq AND o.label = 'accepted' AND o.kind IN ({', '.join(marks.values())})"
        " ORDER BY o.seq, o.hash",
        {"d": fork["device"], "seq": fork["seq"], **{mark[1:]: name for name, mark in marks.items()}},
    )  # fmt: skip
    for row in rows:
        for key in _numbers(tx, row, unique):
            taken[key] = row["hash"]
    return [
        row["hash"]
        for row in aside
        if any(taken.get(key, row["hash"]) != row["hash"] for key in _numbers(tx, row, unique))
    ]


def _numbers(tx: Tx, row: Row, unique: Mapping[str, list[str]]) -> list[tuple[str, str, Any]]:
    fields = stored.read(_raw(tx, row["batch"]), {row["place"]})[row["place"]]
    body = fields.body if isinstance(fields.body, dict) else {}
    return [
        (row["kind"], name, body[name]) for name in unique[row["kind"]] if isinstance(body.get(name), str | int | bytes)
    ]


# --- evidence


def evidence(tx: Tx, fork: Row, now_ms: int) -> Evidence:
    """What proves ``fork``."""
    batches = tuple(_batch_of(tx, fork["device"], fork[name]) for name in ("sibling", "op"))
    return Evidence(device_id=fork["device"], seq=fork["seq"], parent=fork["parent"], batches=batches, hub_ms=now_ms)


def behind(tx: Tx, device: bytes, seq: int, now_ms: int) -> Evidence | None:
    """What proves that ``device``'s key was used beyond ``seq``: the accepted op after it; None when there is none."""
    row = tx.one(
        f"""SELECT hash, parent, seq FROM op WHERE device = :d AND seq = :seq AND label IN ('{labels.ACCEPTED}', '{labels.SCHEMA}')
            ORDER BY hash LIMIT 1""",
        {"d": device, "seq": seq + 1},
    )
    if row is None:
        return None
    return Evidence(
        device_id=device, seq=row["seq"], parent=row["parent"], batches=(_batch_of(tx, device, row["hash"]),),
        hub_ms=now_ms,
    )  # fmt: skip


def _batch_of(tx: Tx, device: bytes, op: bytes) -> bytes:
    row = tx.query("SELECT batch FROM op WHERE hash = :op AND device = :d", {"op": op, "d": device})[0]
    return _raw(tx, row["batch"])


def _raw(tx: Tx, idx: int) -> bytes:
    return raws.of(tx, idx)
