"""Carries out what agencies decided at their desks: the laptop that made the record hears it, as from an admin.

A decision of a laptop that is no desk is not carried out and says so; each is carried out once, whatever is rebuilt.
"""

from __future__ import annotations

import json
from typing import Final

from sync.hub import agency, decisions, dispatch
from sync.hub.storage import Storage, Tx

KIND: Final = "agency.review"
_MOST: Final = 200  # of one transaction


def perform(storage: Storage, now_ms: int) -> int:
    """Carry out what waits; how many decisions that was."""
    done = 0
    while storage.read(_waiting):
        done += storage.write(lambda tx: _some(tx, now_ms))
    return done


def _waiting(tx: Tx) -> bool:
    return (
        tx.one("SELECT 1 AS yes FROM effect WHERE kind = :kind AND state = 'waiting' LIMIT 1", {"kind": KIND})
        is not None
    )


def _some(tx: Tx, now_ms: int) -> int:
    rows = tx.query(
        "SELECT id, payload FROM effect WHERE kind = :kind AND state = 'waiting' ORDER BY changed_ms, id LIMIT :most",
        {"kind": KIND, "most": _MOST},
    )
    for row in rows:
        note, failed = _one(tx, json.loads(row["payload"]), now_ms)
        dispatch.finish(tx, row["id"], admin="", note=note, now_ms=now_ms, failed=failed)
    return len(rows)


def _one(tx: Tx, asked: dict[str, str], now_ms: int) -> tuple[str, bool]:
    """What became of one decision: a word, and whether it failed."""
    op, device, desk = (bytes.fromhex(asked[name]) for name in ("op", "device", "desk"))
    if not agency.is_desk(tx, desk):
        return "not a desk", True
    found = tx.one("SELECT label FROM op WHERE hash = :op AND device = :device", {"op": op, "device": device})
    if found is None or found["label"] != "accepted":
        return "no such record", True
    decisions.decide(tx, op, asked["decision"], asked["reason"], "", now_ms)
    return "told", False
