"""What admins decide about single ops: accepted, sent back, asked for once more; quarantined: released, merged, set aside, taken up.

A decision is written down with its reason and its author and goes to the laptop as a sealed notice; the op itself is never
changed. A released op and what hangs on it take their place at the end of the order of acceptance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sync.errors import Refused
from sync.hub import acts, branches
from sync.hub.downward import notify
from sync.hub.storage import Row, Tx
from sync.inbox import MORE

KIND: Final = "sync.review"
ACT: Final = "sync.decision"
DECISIONS: Final = ("accepted", "sent_back", "send_again", "released", "merged", "rejected", "reopened")
_WITH_REASON: Final = frozenset(DECISIONS) - {"accepted", "merged"}
_OF_BRANCHES: Final = {
    "released": branches.release, "merged": branches.merge, "rejected": branches.set_aside, "reopened": branches.take_up,
}  # fmt: skip
MOST_REASON: Final = 2_000  # characters


def decide(
    tx: Tx, op: bytes, decision: str, reason: str, admin: str, now_ms: int, *, seen: int | None = None, more: Sequence[bytes] = (),
) -> None:  # fmt: skip
    """Write down a decision about ``op`` and tell its laptop; twice the same from one open page is once.

    ``seen``: the :func:`clock` of the page on which it was decided. ``more``: ops of the same laptop that the same is decided
    about, at most :data:`sync.inbox.MOST`; the laptop hears of all in one notice. Refused HB-141 not in a releasable quarantine,
    HB-142 no reason, HB-265 somebody has decided about it since, HB-266 the reason is too long.
    """
    reason = sound(reason)
    if decision not in DECISIONS:
        raise ValueError(f"no decision {decision!r}")
    if decision in _WITH_REASON and not reason:
        raise Refused("HB-142")
    if seen is not None and done(tx, {op: decision}, reason, admin, seen):
        return
    found = tx.one(
        "SELECT hash, device, seq, label FROM op WHERE hash = :op ORDER BY CASE WHEN label = 'pending' THEN 1 ELSE 0 END",
        {"op": op},
    )
    if found is None:
        raise Refused("HB-141")
    if decision in _OF_BRANCHES:
        _OF_BRANCHES[decision](tx, found)
    for one in (op, *more):
        tx.execute(
            "INSERT INTO decision (op, decision, reason, admin, made_ms) VALUES (:op, :decision, :reason, :admin, :now)",
            {"op": one, "decision": decision, "reason": reason, "admin": admin, "now": now_ms},
        )
    others = {MORE: list(more)} if more else {}
    acts.record(tx, ACT, {"op": op, "decision": decision, "reason": reason, "admin": admin, **others}, now_ms)
    notify(tx, found["device"], op, KIND, {"decision": decision, "reason": reason, **others}, now_ms)


def sound(reason: str) -> str:
    """A reason without spaces around it. Refused HB-266 when it is too long: half a reason is none."""
    reason = reason.strip()
    if len(reason) > MOST_REASON:
        raise Refused("HB-266", most=MOST_REASON)
    return reason


def clock(tx: Tx) -> int:
    """The number of the newest decision: a page remembers it, and what it asks for is held against what came since."""
    return int(tx.query("SELECT coalesce(max(idx), 0) AS last FROM decision")[0]["last"])


def done(tx: Tx, wanted: Mapping[bytes, str], reason: str, admin: str, seen: int) -> bool:
    """Whether just this (op → decision) was decided since ``seen`` by the same person: a double click, or the page before.

    Refused HB-265: something else was decided about one of these ops since.
    """
    since = [
        row
        for row in tx.query(
            "SELECT op, decision, reason, admin FROM decision WHERE idx > :seen ORDER BY idx", {"seen": seen}
        )
        if bytes(row["op"]) in wanted
    ]
    for row in since:
        if (wanted[bytes(row["op"])], reason, admin) != (row["decision"], row["reason"], row["admin"]):
            raise Refused("HB-265", admin=row["admin"])
    return bool(since)


def of_op(tx: Tx, op: bytes) -> list[Row]:
    """The decisions about one op, oldest first."""
    return tx.query("SELECT decision, reason, admin, made_ms FROM decision WHERE op = :op ORDER BY idx", {"op": op})
