"""Decisions of the centre about this device's ops, in the centre's order; modules read and apply them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sync.store import Connection
    from sync.wire import Notice


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


def applied(conn: Connection, seq: int, now_ms: int, refused_code: str | None = None) -> None:
    """The decision ``seq`` was taken in, or refused for the reason ``refused_code``."""
    conn.execute("UPDATE inbox SET applied_ms = ?, refused_code = ? WHERE seq = ?", (now_ms, refused_code, seq))
