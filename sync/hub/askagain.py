"""Asking a laptop for a whole batch once more: its bytes were lost or damaged in the storage, or its attachments never came whole.

The laptop is told (decision ``send_again``) of each op that has attachments, which brings those, a hundred in one notice; any
one op brings the whole batch. What comes again is known by its hash and counted once; bytes that were gone are put back
(:mod:`sync.hub.ingest`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sync import batch as batches
from sync.errors import Known, Refused
from sync.hub import acts, decisions, raws
from sync.hub.storage import Row, Tx
from sync.inbox import MOST

DECISION: Final = "send_again"


@dataclass(frozen=True, slots=True)
class Batch:
    """What can be asked for. ``ops``: those to name; ``attached``: how many of the batch have attachments; ``gone``: the storage
    has lost its bytes, or they were altered there."""

    row: Row
    ops: list[bytes]
    attached: int
    gone: bool


def find(tx: Tx, idx: int) -> Batch:
    """The batch with that number. Refused HB-267: no such batch, or nobody there to ask."""
    row = tx.one(
        """SELECT b.idx, b.hash, b.raw, b.device, b.via, b.n, b.first_seq, b.received_ms, d.office, d.number, d.revoked_ms,
               f.name_km, f.name_en
           FROM batch b LEFT JOIN device d ON d.device = b.device LEFT JOIN office f ON f.code = d.office WHERE b.idx = :idx""",
        {"idx": idx},
    )
    if row is None or row["via"] == acts.VIA or row["office"] is None or row["revoked_ms"] is not None:
        raise Refused("HB-267", batch=idx)
    try:
        parsed = batches.parse(raws.whole(tx, row)).ops
    except Known as error:
        if error.code != "HB-167":
            raise
        stored = tx.query("SELECT hash FROM op WHERE batch = :idx ORDER BY place LIMIT 1", {"idx": idx})
        if not stored:
            raise Refused("HB-267", batch=idx) from error
        return Batch(row, [bytes(stored[0]["hash"])], 0, gone=True)
    attached = [op.hash for op in parsed if op.fields.attach]
    return Batch(row, attached or [parsed[0].hash], len(attached), gone=False)


def ask(tx: Tx, idx: int, reason: str, admin: str, now_ms: int, *, seen: int | None = None) -> Batch:
    """Ask for it; twice from one open page is once. Refused HB-267, HB-142 no reason, HB-265, HB-266 as :func:`decisions.decide`."""
    found = find(tx, idx)
    reason = decisions.sound(reason)
    if not reason:
        raise Refused("HB-142")
    if seen is None or not decisions.done(tx, dict.fromkeys(found.ops, DECISION), reason, admin, seen):
        for start in range(
            0, len(found.ops), 1 + MOST
        ):  # the largest batch takes 50 of the 500 notices that a laptop is told
            first, *more = found.ops[start : start + 1 + MOST]
            decisions.decide(tx, first, DECISION, reason, admin, now_ms, more=more)
    return found


def asked(tx: Tx, idx: int) -> Row | None:
    """When, by whom and why records of this batch were asked for last; None: never."""
    return tx.one(
        """SELECT d.made_ms, d.admin, d.reason FROM decision d JOIN op o ON o.hash = d.op
           WHERE o.batch = :idx AND d.decision = :again ORDER BY d.idx DESC LIMIT 1""",
        {"idx": idx, "again": DECISION},
    )
