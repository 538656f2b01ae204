"""Decisions of the centre about this device's ops, in the centre's order; modules read and apply them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sync.store import Connection
    from sync.wire import Notice

MORE: Final = "more"  # in the body of a decision: ops that it is about besides the one that it names
MOST: Final = 99  # of them
_HASH: Final = re.compile(r"[0-9a-f]{64}")


def receive(conn: Connection, notices: Sequence[Notice], now_ms: int) -> int:
    """Keep ``notices`` that are new; returns how many were."""
    before = conn.total_changes
    for notice in notices:
        conn.execute(
            """INSERT INTO inbox (seq, op, kind, body, received_ms) VALUES (?, ?, ?, ?, ?)
               ON CONFLICT (seq) DO NOTHING""",
            (notice.seq, notice.op, notice.kind, json.dumps(notice.body, ensure_ascii=False, default=_hex), now_ms),
        )
    return conn.total_changes - before


def _hex(value: object) -> str:
    """Bytes in a notice are shown, not understood."""
    return value.hex() if isinstance(value, bytes) else str(value)


def waiting(conn: Connection) -> list[dict[str, Any]]:
    """Decisions that nobody has applied yet, oldest first: ``{"seq", "op", "record", "about", "kind", "body"}``.

    ``about``: the kind of the op that it is about, None when that op is not here.
    """
    rows = conn.execute(
        """SELECT inbox.seq, inbox.op, op.record, op.kind AS about, inbox.kind, inbox.body FROM inbox
           LEFT JOIN op_line AS op ON op.hash = inbox.op WHERE inbox.applied_ms IS NULL ORDER BY inbox.seq"""
    )
    return [
        {
            "seq": row["seq"], "op": row["op"].hex(), "record": row["record"], "about": row["about"],
            "kind": row["kind"], "body": json.loads(row["body"]),
        }
        for row in rows.fetchall()
    ]  # fmt: skip


def ops(op: str, body: Mapping[str, Any]) -> list[str]:
    """The ops (hex) that a decision is about: ``op``, which it names, and those that stand in its body besides."""
    more = body.get(MORE)
    named = [one for one in more if isinstance(one, str) and _HASH.fullmatch(one)] if isinstance(more, list) else []
    return list(dict.fromkeys((op, *named[:MOST])))


def about(conn: Connection, op: str) -> tuple[str, str]:
    """Record and kind of the op ``op`` (hex) as this laptop has it; empty when it is not here."""
    row = conn.execute("SELECT record, kind FROM op_line WHERE hash = ?", (bytes.fromhex(op),)).fetchone()
    return (row["record"], row["kind"]) if row else ("", "")


def applied(conn: Connection, seq: int, now_ms: int, refused_code: str | None = None) -> None:
    """The decision ``seq`` was taken in, or refused for the reason ``refused_code``."""
    conn.execute("UPDATE inbox SET applied_ms = ?, refused_code = ? WHERE seq = ?", (now_ms, refused_code, seq))
