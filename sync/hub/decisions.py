"""What admins decide about single ops: accepted, sent back, asked for once more; quarantined: released, merged, set aside, taken up.

A decision is written down with its reason and its author and goes to the laptop as a sealed notice; the op itself is never
changed. A released op and what hangs on it take their place at the end of the order of acceptance.
"""

from __future__ import annotations

from typing import Final

from sync.errors import Refused
from sync.hub import acts, branches
from sync.hub.downward import notify
from sync.hub.storage import Row, Tx

KIND: Final = "sync.review"
ACT: Final = "sync.decision"
DECISIONS: Final = ("accepted", "sent_back", "send_again", "released", "merged", "rejected", "reopened")
_WITH_REASON: Final = frozenset(DECISIONS) - {"accepted", "merged"}
_OF_BRANCHES: Final = {
    "released": branches.release, "merged": branches.merge, "rejected": branches.set_aside, "reopened": branches.take_up,
}  # fmt: skip
MOST_REASON: Final = 2_000  # characters


def decide(tx: Tx, op: bytes, decision: str, reason: str, admin: str, now_ms: int) -> None:
    """Write down a decision about ``op`` and tell its laptop. Refused HB-141 not in a releasable quarantine, HB-142 no reason."""
    reason = reason.strip()[:MOST_REASON]
    if decision not in DECISIONS:
        raise ValueError(f"no decision {decision!r}")
    if decision in _WITH_REASON and not reason:
        raise Refused("HB-142")
    found = tx.one(
        "SELECT hash, device, seq, label FROM op WHERE hash = :op ORDER BY CASE WHEN label = 'pending' THEN 1 ELSE 0 END",
        {"op": op},
    )
    if found is None:
        raise Refused("HB-141")
    if decision in _OF_BRANCHES:
        _OF_BRANCHES[decision](tx, found)
    tx.execute(
        "INSERT INTO decision (op, decision, reason, admin, made_ms) VALUES (:op, :decision, :reason, :admin, :now)",
        {"op": op, "decision": decision, "reason": reason, "admin": admin, "now": now_ms},
    )
    acts.record(tx, ACT, {"op": op, "decision": decision, "reason": reason, "admin": admin}, now_ms)
    notify(tx, found["device"], op, KIND, {"decision": decision, "reason": reason}, now_ms)


def of_op(tx: Tx, op: bytes) -> list[Row]:
    """The decisions about one op, oldest first."""
    return tx.query("SELECT decision, reason, admin, made_ms FROM decision WHERE op = :op ORDER BY idx", {"op": op})
