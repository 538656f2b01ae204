"""Records that two laptops changed without seeing each other's change.

Every change names the newest changes that its maker had seen. Two changes of one record, neither of which saw the other, are a
parallel update; when both say something else about the same field, it is a conflict. A later change that saw both ends it: that
happens at the office, field by field (:mod:`modules.merging`). Here it is only noticed and shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sync.hub import raws, stored
from sync.hub.storage import Row, Tx

MOST_SEEN: Final = 500  # changes that are followed back
PARALLEL: Final = "parallel"  # both changes stand beside each other
CONFLICT: Final = "conflict"  # the same field, two values
SEALED: Final = "sealed"  # the hub cannot compare them


def note(tx: Tx, op: int, batch: int, refs: Sequence[bytes]) -> None:
    """The op with the id ``op`` amends the records with the hashes ``refs``."""
    for target in dict.fromkeys(refs):
        tx.execute(
            "INSERT INTO amends (target, op) VALUES (:target, :op) ON CONFLICT DO NOTHING", {"target": target, "op": op}
        )
        if len(refs) == 1 and tx.query("SELECT count(*) AS n FROM amends WHERE target = :t", {"t": target})[0]["n"] > 1:
            tx.execute(
                """INSERT INTO parallel (target, batch, closed) VALUES (:t, :b, NULL)
                   ON CONFLICT (target) DO UPDATE SET batch = :b, closed = NULL""",
                {"t": target, "b": batch},
            )
    if len(refs) > 1:
        _close(tx, op, refs)


def _close(tx: Tx, op: int, refs: Sequence[bytes]) -> None:
    """A change that saw several ends every parallel update all of whose changes it saw."""
    seen, waiting = set(refs), list(refs)
    while waiting and len(seen) < MOST_SEEN:
        for row in tx.query(
            "SELECT a.target FROM amends a JOIN op o ON o.id = a.op WHERE o.hash = :h ORDER BY a.target",
            {"h": waiting.pop()},
        ):
            target = bytes(row["target"])
            changes = tx.query(
                "SELECT o.hash FROM amends a JOIN op o ON o.id = a.op WHERE a.target = :t AND a.op <> :op",
                {"t": target, "op": op},
            )
            if all(bytes(one["hash"]) in seen for one in changes):
                tx.execute(
                    "UPDATE parallel SET closed = :op WHERE target = :t AND closed IS NULL", {"op": op, "t": target}
                )
            if target not in seen:
                seen.add(target)
                waiting.append(target)


def listing(tx: Tx, *, open_only: bool, before: int = 0, limit: int = 50) -> list[Row]:
    """Parallel updates, newest first: target, batch, closed, level, fields, and the ``changes`` with office, laptop and time."""
    rows = tx.query(
        f"""SELECT target, batch, closed FROM parallel WHERE (:before = 0 OR batch < :before) {"AND closed IS NULL" if open_only else ""}
            ORDER BY batch DESC, target LIMIT :limit""",
        {"before": before, "limit": limit},
    )
    return [{**row, **_compared(tx, bytes(row["target"]))} for row in rows]


def count(tx: Tx) -> int:
    """How many are open."""
    return int(tx.query("SELECT count(*) AS n FROM parallel WHERE closed IS NULL")[0]["n"])


def _compared(tx: Tx, target: bytes) -> dict[str, Any]:
    changes = tx.query(
        """SELECT o.id, o.hash, o.kind, o.def_hash, o.seq, o.wall_ms, o.officer, o.batch, o.place, o.device, d.office, d.number, d.officers,
               f.name_km, f.name_en
           FROM amends a JOIN op o ON o.id = a.op LEFT JOIN device d ON d.device = o.device LEFT JOIN office f ON f.code = d.office
           WHERE a.target = :t AND (SELECT count(*) FROM amends b WHERE b.op = a.op) = 1 ORDER BY o.batch, o.place LIMIT 10""",
        {"t": target},
    )
    bodies = [stored.read(raws.of(tx, one["batch"]), {one["place"]})[one["place"]].body for one in changes]
    return {"changes": changes, **level(bodies)}


def level(bodies: Sequence[object]) -> dict[str, Any]:
    """``{"level", "fields"}``: what the changes differ in; ``fields`` of a conflict name → the values."""
    plain = [_values(body) for body in bodies if isinstance(body, dict)]
    if len(plain) < len(bodies) or len(plain) < 2:
        return {"level": SEALED, "fields": {}}
    names = [name for name in plain[0] if any(name in other for other in plain[1:])]
    fields = {name: [found.get(name) for found in plain] for name in names}
    fields = {name: values for name, values in fields.items() if any(value != values[0] for value in values[1:])}
    return {"level": CONFLICT if fields else PARALLEL, "fields": fields}


def _values(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields that a change sets: those below ``values`` or ``changes`` where a module keeps them there."""
    inner = body.get("values", body.get("changes"))
    return inner if isinstance(inner, dict) else body
