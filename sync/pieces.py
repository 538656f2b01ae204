"""Pieces of attachments on their way to the hub: only those that an op names; drafts' attachments stay here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from sync.limits import MAX_HAVE
from sync.transport import LONGEST_MS, backoff_ms

if TYPE_CHECKING:
    from sync.clock import Clock
    from sync.store import Connection

_SLOWLY_MS: Final = 60_000  # a piece that the hub does not take is offered again no sooner


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


def due(conn: Connection, now_ms: int, most: int) -> list[tuple[bytes, str, bytes]]:
    """The first ``most`` of :func:`waiting` whose next try has come."""
    rows = conn.execute(
        """SELECT * FROM (
               SELECT attached.blob AS hash, 'manifest' AS kind, attached.blob AS blob, attached.seq AS seq, -1 AS n
               FROM attached WHERE attached.sent_ms IS NULL
               UNION ALL
               SELECT chunk.hash, 'chunk', chunk.blob, attached.seq, chunk.n FROM attached
               JOIN chunk ON chunk.blob = attached.blob WHERE chunk.state = 'waiting') AS piece
           WHERE NOT EXISTS (SELECT 1 FROM piece_trouble AS t WHERE t.hash = piece.hash
               AND t.next_try_ms > :now AND t.next_try_ms <= :now + :longest)
           ORDER BY seq, n LIMIT :most""",
        {"now": now_ms, "longest": LONGEST_MS, "most": most},
    )
    return [(row["hash"], row["kind"], row["blob"]) for row in rows.fetchall()]


def count(conn: Connection) -> int:
    """How many pieces still are to be sent, in trouble or not."""
    row = conn.execute(
        """SELECT (SELECT count(*) FROM attached WHERE sent_ms IS NULL)
                + (SELECT count(*) FROM chunk JOIN attached ON attached.blob = chunk.blob WHERE state = 'waiting') AS n"""
    ).fetchone()
    return int(row["n"])


def failed(conn: Connection, clock: Clock, name: bytes, code: str) -> None:
    """The piece ``name`` was not taken, or cannot be read here: it is tried again slowly, the others go on."""
    conn.execute(
        """INSERT INTO piece_trouble (hash, tries, next_try_ms, code) VALUES (?, 1, 0, ?)
           ON CONFLICT (hash) DO UPDATE SET tries = tries + 1, code = excluded.code""",
        (name, code),
    )
    tries = conn.execute("SELECT tries FROM piece_trouble WHERE hash = ?", (name,)).fetchone()["tries"]
    wait = max(_SLOWLY_MS, backoff_ms(tries))
    conn.execute("UPDATE piece_trouble SET next_try_ms = ? WHERE hash = ?", (clock.wall_ms() + wait, name))


def wake(conn: Connection) -> None:
    """Every piece in trouble may be tried now."""
    conn.execute("UPDATE piece_trouble SET next_try_ms = 0")


def in_trouble(conn: Connection) -> list[dict[str, Any]]:
    """Pieces that were not taken: ``{"piece", "record", "tries", "next_try_ms", "code"}``, oldest record first."""
    rows = conn.execute(
        """SELECT t.hash, t.tries, t.next_try_ms, t.code, op.record, op.hash AS op FROM piece_trouble AS t
           LEFT JOIN chunk ON chunk.hash = t.hash
           LEFT JOIN attached ON attached.blob = coalesce(chunk.blob, t.hash)
           LEFT JOIN op ON op.seq = attached.seq ORDER BY attached.seq, t.hash LIMIT 100"""
    )
    return [
        {
            "piece": row["hash"].hex(), "op": row["op"].hex() if row["op"] else "", "record": row["record"] or "",
            "tries": row["tries"], "next_try_ms": row["next_try_ms"], "code": row["code"],
        }
        for row in rows.fetchall()
    ]  # fmt: skip


def sent(conn: Connection, name: bytes, kind: str, now_ms: int) -> None:
    """The hub has said that it holds the piece ``name``."""
    conn.execute("DELETE FROM piece_trouble WHERE hash = ?", (name,))
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
