"""Unfinished work: durable at once, sealed to its officer, no op. What is discarded stays thirty days in the bin."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from sync import ballast
from sync.cipher import folder
from sync.limits import DAY_MS
from sync.wrapping import unwrap, wrap

if TYPE_CHECKING:
    from sync.store import Connection, Row

BIN_DAYS: Final = 30

Draft = dict[str, Any]  # id, subject, title, body, updated_ms


def save(
    conn: Connection,
    officer: str,
    draft_key: bytes,
    id: str,
    subject: str,
    title: str,
    body: Mapping[str, Any],
    wall_ms: int,
) -> None:
    """Write the draft ``id`` of ``officer`` (hex); one in the bin comes back. LookupError if it is another's.

    Known SY-105: a new one is not begun when the disk has too little room.
    """
    if conn.execute("SELECT 1 FROM draft WHERE id = ?", (id,)).fetchone() is None:
        ballast.check(folder(conn))
    head = _seal(draft_key, [subject, title], id, "head")
    data = _seal(draft_key, dict(body), id, "body")
    done = conn.execute(
        "INSERT INTO draft(id, officer, head, body, updated_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT(id) DO UPDATE SET"
        " head = excluded.head, body = excluded.body, updated_ms = excluded.updated_ms, discarded_ms = NULL"
        " WHERE officer = excluded.officer",
        (id, officer, head, data, wall_ms),
    )
    if done.rowcount == 0:
        raise LookupError(id)


def get(conn: Connection, officer: str, draft_key: bytes, id: str) -> Draft | None:
    """The draft, unless it is another officer's or in the bin."""
    row = conn.execute(
        "SELECT * FROM draft WHERE id = ? AND officer = ? AND discarded_ms IS NULL", (id, officer)
    ).fetchone()
    return _draft(row, draft_key) if row else None


def list_(conn: Connection, officer: str, draft_key: bytes, prefix: str = "") -> list[Draft]:
    """This officer's drafts whose subject starts with ``prefix``, newest first."""
    rows = conn.execute(
        "SELECT * FROM draft WHERE officer = ? AND discarded_ms IS NULL ORDER BY updated_ms DESC, id DESC", (officer,)
    )
    return [_draft(row, draft_key) for row in rows if _head(row, draft_key)[0].startswith(prefix)]


def discard(conn: Connection, officer: str, id: str, wall_ms: int) -> None:
    """Put the draft into the bin."""
    conn.execute(
        "UPDATE draft SET discarded_ms = ? WHERE id = ? AND officer = ? AND discarded_ms IS NULL",
        (wall_ms, id, officer),
    )


def restore(conn: Connection, officer: str, id: str) -> None:
    """Take the draft out of the bin."""
    conn.execute("UPDATE draft SET discarded_ms = NULL WHERE id = ? AND officer = ?", (id, officer))


def bin_(conn: Connection, officer: str, draft_key: bytes) -> list[Draft]:
    """What this officer's bin holds, last discarded first."""
    rows = conn.execute(
        "SELECT * FROM draft WHERE officer = ? AND discarded_ms IS NOT NULL ORDER BY discarded_ms DESC", (officer,)
    )
    return [_draft(row, draft_key) for row in rows]


def empty_bin(conn: Connection, wall_ms: int) -> int:
    """Delete what was discarded more than thirty days ago; returns how many."""
    return conn.execute("DELETE FROM draft WHERE discarded_ms < ?", (wall_ms - BIN_DAYS * DAY_MS,)).rowcount


def _draft(row: Row, draft_key: bytes) -> Draft:
    subject, title = _head(row, draft_key)
    body = json.loads(unwrap(draft_key, row["body"], _about(row["id"], "body")))
    return {"id": row["id"], "subject": subject, "title": title, "body": body, "updated_ms": row["updated_ms"]}


def _head(row: Row, draft_key: bytes) -> tuple[str, str]:
    subject, title = json.loads(unwrap(draft_key, row["head"], _about(row["id"], "head")))
    return subject, title


def _seal(draft_key: bytes, value: Any, id: str, part: str) -> bytes:
    return wrap(draft_key, json.dumps(value, ensure_ascii=False).encode(), _about(id, part))


def _about(id: str, part: str) -> bytes:
    return f"sala/draft/v1 {part} {id}".encode()
