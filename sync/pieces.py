"""Pieces of attachments on their way to the hub: only those that an op names; drafts' attachments stay here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sync.limits import MAX_HAVE

if TYPE_CHECKING:
    from sync.store import Connection


def waiting(conn: Connection) -> list[tuple[bytes, str, bytes]]:
    """What is still to be sent of attachments that ops name, oldest first: (hash, manifest or chunk, blob)."""
    rows = conn.execute(
        """SELECT attached.blob AS hash, 'manifest' AS kind, attached.blob AS blob, attached.seq AS seq, -1 AS n
           FROM attached WHERE attached.sent_ms IS NULL
           UNION ALL
           SELECT chunk.hash, 'chunk', chunk.blob, attached.seq, chunk.n FROM attached
           JOIN chunk ON chunk.blob = attached.blob WHERE chunk.state = 'waiting' ORDER BY seq, n"""
    )
    return [(row["hash"], row["kind"], row["blob"]) for row in rows.fetchall()]


def sent(conn: Connection, name: bytes, kind: str, now_ms: int) -> None:
    """The hub has said that it holds the piece ``name``."""
    if kind == "manifest":
        conn.execute("UPDATE attached SET sent_ms = ? WHERE blob = ?", (now_ms, name))
    else:
        conn.execute("UPDATE chunk SET state = 'sent' WHERE hash = ?", (name,))


def offers(conn: Connection) -> list[bytes]:
    """The newest pieces that were sent, to ask whether the hub still has them."""
    rows = conn.execute(
        """SELECT hash FROM (
               SELECT chunk.hash AS hash, attached.seq AS seq FROM attached JOIN chunk ON chunk.blob = attached.blob
               WHERE chunk.state = 'sent'
               UNION ALL SELECT blob, seq FROM attached WHERE sent_ms IS NOT NULL)
           ORDER BY seq DESC LIMIT ?""",
        (MAX_HAVE,),
    )
    return [row["hash"] for row in rows.fetchall()]


def lost(conn: Connection, names: Sequence[bytes]) -> None:
    """The hub lacks ``names``: they go once more."""
    conn.executemany("UPDATE chunk SET state = 'waiting' WHERE hash = ?", [(name,) for name in names])
    conn.executemany("UPDATE attached SET sent_ms = NULL WHERE blob = ?", [(name,) for name in names])
