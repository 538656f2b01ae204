"""What becomes of a quarantined branch: released whole, merged op by op, set aside, taken up again.

Setting aside changes no label: the ops stay stored, receipted and provable, they are only no longer asked about. So it can be taken
back at any time. Releasing cannot: what was accepted has been counted, shown and answered.
"""

from __future__ import annotations

from typing import Final

from sync.errors import Refused
from sync.hub import labels, tree
from sync.hub.storage import Row, Tx

RELEASABLE: Final = frozenset({labels.FORK, labels.REVOKED, labels.OFFICER})


def release(tx: Tx, op: Row) -> None:
    """Accept a quarantined op and the ops behind it that were quarantined for the same cause. Refused HB-141: not in quarantine."""
    for one in _branch(tx, op):
        _accept(tx, one, op["device"])


def merge(tx: Tx, op: Row) -> None:
    """Accept this one op of a branch; those around it stay as they are. Refused HB-141."""
    _accept(tx, _branch(tx, op)[0], op["device"])


def set_aside(tx: Tx, op: Row) -> None:
    """Ask no more about a quarantined op and those behind it. Refused HB-141: not in quarantine."""
    for one in _branch(tx, op):
        tx.execute(
            "INSERT INTO set_aside (op, device) VALUES (:op, :device) ON CONFLICT DO NOTHING",
            {"op": one, "device": op["device"]},
        )


def take_up(tx: Tx, op: Row) -> None:
    """Ask again about an op that was set aside, and about those behind it. Refused HB-207: it was not."""
    touched = sum(_forget(tx, one, op["device"]) for one in _branch(tx, op))
    if not touched:
        raise Refused("HB-207")


def is_aside(tx: Tx, op: bytes, device: bytes) -> bool:
    """Whether nobody is asked about this op any more."""
    return tx.one("SELECT 1 AS yes FROM set_aside WHERE op = :op AND device = :d", {"op": op, "d": device}) is not None


def _accept(tx: Tx, op: bytes, device: bytes) -> None:
    row = tx.query("SELECT seq, known FROM op WHERE hash = :op AND device = :d", {"op": op, "d": device})[0]
    tree.give(tx, op, device, labels.ACCEPTED if row["known"] else labels.SCHEMA, row["seq"])
    _forget(tx, op, device)


def _forget(tx: Tx, op: bytes, device: bytes) -> int:
    return tx.execute("DELETE FROM set_aside WHERE op = :op AND device = :d", {"op": op, "d": device})


def _branch(tx: Tx, op: Row) -> list[bytes]:
    """The op and what hangs behind it with the same label, nearest first. Refused HB-141: it is not in quarantine."""
    if op["label"] not in RELEASABLE:
        raise Refused("HB-141")
    found, waiting = [], [bytes(op["hash"])]
    while waiting:
        current = waiting.pop()
        found.append(current)
        children = tx.query(
            """SELECT hash FROM op WHERE parent = :hash AND device = :device AND label = :label AND label <> 'accepted'
               ORDER BY hash""",
            {"hash": current, "device": op["device"], "label": op["label"]},
        )
        waiting += [bytes(child["hash"]) for child in children]
    return found
