"""The tree of ops: which op follows which, and what label that gives it. The only place that labels stored ops.

An op's place in its device's chain is counted from the chain itself; the number that a batch claims is believed only until
its parent is here. Else a revoked device could slip below its cut-off by claiming low numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from sync import ops
from sync.batch import Batch
from sync.hub import labels
from sync.hub.storage import Row, Tx

_IN_CHAIN: Final = (labels.ACCEPTED, labels.SCHEMA)  # an op whose place among its siblings is taken


def straight_on(tx: Tx, batch: Batch, known: Sequence[bool]) -> list[str] | None:
    """The labels of a batch that simply goes on where its device stopped, as nearly all do; None: the tree must be walked.

    Nothing of the device may wait and nothing may stand at or after the batch's first place: then every op is new and has
    no sibling.
    """
    device = _device(tx, batch.device_id)
    if device is None:
        return None
    values = {"d": batch.device_id, "first": batch.first_seq}
    if tx.one("SELECT 1 AS yes FROM op WHERE device = :d AND label = 'pending' AND label <> 'accepted' LIMIT 1", values):
        return None
    if tx.one("SELECT 1 AS yes FROM op WHERE device = :d AND seq >= :first LIMIT 1", values):
        return None
    above = _above(tx, batch.prev, device)
    if above is None or above["seq"] != batch.first_seq - 1:
        return None
    found: list[str] = []
    reached = above["label"]
    for op, knows in zip(batch.ops, known, strict=True):
        reached = labels.label(
            labels.Situation(
                parent=reached, enrolled=True, sibling_accepted=False, after_cutoff=_after_cutoff(device, op.seq), known=knows
            )
        )
        found.append(reached)
    return found


def settle(tx: Tx, parents: Iterable[bytes]) -> None:
    """Label every waiting op that hangs on ``parents``, and then what hangs on those, down to the leaves of the tree."""
    waiting = list(parents)
    while waiting:
        parent = waiting.pop()
        for child in tx.query(
            "SELECT hash, device, known FROM op WHERE parent = :parent AND label = :pending ORDER BY hash",
            {"parent": parent, "pending": labels.PENDING},
        ):
            reached, seq = _label(tx, parent, child)
            if reached != labels.PENDING:
                give(tx, child["hash"], reached, seq)
                waiting.append(child["hash"])


def give(tx: Tx, op: bytes, label: str, seq: int) -> None:
    """Write the label and the true place of an op."""
    tx.execute("UPDATE op SET label = :label, seq = :seq WHERE hash = :hash", {"label": label, "seq": seq, "hash": op})
    if label == labels.ACCEPTED:
        accept(tx, [op])


def accept(tx: Tx, hashes: Sequence[bytes]) -> None:
    """Give ops their place in the order in which projections see them; once and for all."""
    tx.execute_many("INSERT INTO accepted (hash) VALUES (:hash) ON CONFLICT (hash) DO NOTHING", [{"hash": op} for op in hashes])


def learn(tx: Tx, kinds: Iterable[str]) -> int:
    """Ops of kinds that a newly installed module knows leave their quarantine; how many."""
    learned = 0
    for kind in sorted(kinds):
        values = {"kind": kind, "schema": labels.SCHEMA, "accepted": labels.ACCEPTED}
        of_kind = "kind = :kind AND label = :schema AND label <> 'accepted'"
        waiting = tx.query(f"SELECT hash FROM op WHERE {of_kind} ORDER BY batch, place", values)
        tx.execute("UPDATE op SET known = 1 WHERE kind = :kind AND label <> 'accepted'", values)
        tx.execute(f"UPDATE op SET label = :accepted WHERE {of_kind}", values)
        accept(tx, [row["hash"] for row in waiting])
        learned += len(waiting)
    return learned


def _label(tx: Tx, parent: bytes, child: Row) -> tuple[str, int]:
    device = _device(tx, child["device"])
    above = _above(tx, parent, device) if device else None
    if device is None or above is None:
        return labels.PENDING, 0
    sibling = tx.one(
        "SELECT 1 AS yes FROM op WHERE parent = :parent AND hash <> :hash AND label IN (:accepted, :schema) LIMIT 1",
        {"parent": parent, "hash": child["hash"], "accepted": _IN_CHAIN[0], "schema": _IN_CHAIN[1]},
    )
    seq = int(above["seq"]) + 1
    reached = labels.label(
        labels.Situation(
            parent=above["label"], enrolled=True, sibling_accepted=sibling is not None, after_cutoff=_after_cutoff(device, seq),
            known=bool(child["known"]),
        )
    )  # fmt: skip
    return reached, seq


def _device(tx: Tx, device: bytes) -> Row | None:
    return tx.one("SELECT device, sign_public, revoked_ms, cutoff_seq FROM device WHERE device = :d", {"d": device})


def _above(tx: Tx, parent: bytes, device: Row) -> Row | None:
    """Label and place of the op before; a device's genesis counts as accepted at place 0."""
    if parent == ops.genesis(device["sign_public"]):
        return {"label": labels.ACCEPTED, "seq": 0}
    return tx.one("SELECT label, seq FROM op WHERE hash = :hash AND device = :d", {"hash": parent, "d": device["device"]})


def _after_cutoff(device: Row, seq: int) -> bool:
    return device["revoked_ms"] is not None and seq > (device["cutoff_seq"] or 0)
