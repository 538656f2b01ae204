"""Pieces of attachments on their way to the hub: only those that an op names; drafts' attachments stay here.

Own ones go first, then those of colleagues that are whole here (the view ``piece``). What was sent is asked for again as long
as it is on this laptop: all of it, page by page, when the hub may have lost something; else a few in every run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from sync.marks import HUB_TIME, PIECES_DOUBTED, PIECES_ROUND, floor, mark, set_mark
from sync.transport import LONGEST_MS, backoff_ms

if TYPE_CHECKING:
    from sync.clock import Clock
    from sync.store import Connection

_WANTED: Final = -1  # in place of a round: a person at the centre asks for the piece
_SLOWLY_MS: Final = 60_000  # a piece that the hub does not take is offered again no sooner

Piece = tuple[bytes, str, bytes]  # hash, manifest or chunk, blob


def waiting(conn: Connection) -> list[Piece]:
    """What is still to be sent, own pieces first, oldest first."""
    rows = conn.execute("SELECT hash, kind, blob FROM piece WHERE state = 'waiting' ORDER BY rank, seq, n")
    return [(row["hash"], row["kind"], row["blob"]) for row in rows.fetchall()]


def due(conn: Connection, now_ms: int, most: int) -> list[Piece]:
    """The first ``most`` of :func:`waiting` whose next try has come."""
    rows = conn.execute(
        """SELECT hash, kind, blob FROM piece
           WHERE state = 'waiting' AND NOT EXISTS (SELECT 1 FROM piece_trouble AS t WHERE t.hash = piece.hash
               AND t.next_try_ms > :now AND t.next_try_ms <= :now + :longest)
           ORDER BY rank, seq, n LIMIT :most""",
        {"now": now_ms, "longest": LONGEST_MS, "most": most},
    )
    return [(row["hash"], row["kind"], row["blob"]) for row in rows.fetchall()]


def count(conn: Connection) -> int:
    """How many pieces still are to be sent, in trouble or not."""
    return int(conn.execute("SELECT count(*) AS n FROM piece WHERE state = 'waiting'").fetchone()["n"])


def waiting_since(conn: Connection) -> list[tuple[int, int, int]]:
    """What still is to be sent, counted: rank (0 own, 1 colleagues'), since which op (0) or time in ms (1), pieces."""
    rows = conn.execute("SELECT rank, seq, count(*) AS n FROM piece WHERE state = 'waiting' GROUP BY rank, seq")
    return [(row["rank"], row["seq"], row["n"]) for row in rows.fetchall()]


def size(conn: Connection) -> int:
    """Bytes of the pieces that still are to be sent, without the manifests."""
    row = conn.execute(
        """SELECT coalesce(sum(chunk.size), 0) AS n FROM piece JOIN chunk ON chunk.hash = piece.hash
           WHERE piece.state = 'waiting' AND piece.kind = 'chunk'"""
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


def own(conn: Connection, name: bytes) -> bool:
    """Whether an op of this laptop names the attachment that ``name`` is a piece of."""
    row = conn.execute("SELECT min(rank) AS rank FROM piece WHERE hash = ?", (name,)).fetchone()
    return bool(row["rank"] == 0)


def waits(conn: Connection, name: bytes, hub_ms: int) -> bool:
    """Whether the piece ``name`` still is to be sent, and nothing doubts the centre's word of ``hub_ms`` that it is there."""
    row = conn.execute(
        """SELECT 1 FROM piece LEFT JOIN piece_asked AS a ON a.hash = piece.hash
           WHERE piece.hash = ? AND piece.state = 'waiting' AND coalesce(a.lacked_ms, 0) <= ?""",
        (name, hub_ms),
    ).fetchone()
    return row is not None


def sent(conn: Connection, name: bytes, now_ms: int, relay: str = "") -> None:
    """The hub has said that it holds the piece ``name``, or ``relay`` has."""
    conn.execute("DELETE FROM piece_trouble WHERE hash = ?", (name,))
    conn.execute("UPDATE chunk SET state = 'sent' WHERE hash = ? AND state = 'waiting'", (name,))
    for table, key in (("attached", "blob"), ("foreign_blob", "id")):
        conn.execute(f"UPDATE {table} SET sent_ms = ? WHERE {key} = ? AND sent_ms IS NULL", (now_ms, name))
    conn.execute(
        """INSERT INTO piece_asked (hash, round, relay) VALUES (?, ?, ?)
           ON CONFLICT (hash) DO UPDATE SET round = excluded.round, relay = excluded.relay""",
        (name, mark(conn, PIECES_ROUND), relay),
    )


def lost(conn: Connection, names: Sequence[bytes], hub_ms: int = 0) -> None:
    """The hub lacks ``names``, as it said at ``hub_ms`` of its clock: they go once more, and no older word of it counts."""
    for name in names:
        conn.execute("UPDATE chunk SET state = 'waiting' WHERE hash = ?", (name,))
        conn.execute("UPDATE attached SET sent_ms = NULL WHERE blob = ?", (name,))
        conn.execute("UPDATE foreign_blob SET sent_ms = NULL WHERE id = ?", (name,))
    conn.executemany(
        """INSERT INTO piece_asked (hash, round, lacked_ms) VALUES (?, 0, ?)
           ON CONFLICT (hash) DO UPDATE SET lacked_ms = max(lacked_ms, excluded.lacked_ms)""",
        [(name, hub_ms) for name in names if hub_ms],
    )


def wanted(conn: Connection, names: Sequence[bytes]) -> None:
    """A person at the centre asks for ``names`` once more: they go whatever the hub believes to have."""
    lost(conn, names, floor(conn, HUB_TIME) + 1)
    conn.executemany("UPDATE piece_asked SET round = ? WHERE hash = ?", [(_WANTED, name) for name in names])


def unsure(conn: Connection, names: Sequence[bytes]) -> list[bytes]:
    """Those of ``names`` that are worth a question before they go."""
    asked_for = {row["hash"] for row in conn.execute("SELECT hash FROM piece_asked WHERE round = ?", (_WANTED,))}
    return [name for name in names if name not in asked_for]


# --- have/want of what was sent


def begin_round(conn: Connection) -> None:
    """A run begins: what is asked from now on was asked in it."""
    set_mark(conn, PIECES_ROUND, mark(conn, PIECES_ROUND) + 1)


def doubt(conn: Connection) -> None:
    """The hub was put back from a copy, or its log went back: it is to be asked for every piece that it ever took."""
    begin_round(conn)
    set_mark(conn, PIECES_DOUBTED, mark(conn, PIECES_ROUND))


def doubted(conn: Connection) -> bool:
    """Whether pieces are left that were not asked for since the last :func:`doubt`."""
    row = conn.execute(
        """SELECT 1 FROM piece LEFT JOIN piece_asked AS a ON a.hash = piece.hash
           WHERE piece.state IN ('sent', 'held') AND coalesce(a.round, 0) < ? LIMIT 1""",
        (mark(conn, PIECES_DOUBTED),),
    ).fetchone()
    return row is not None


def unasked(conn: Connection, most: int, relay: str = "") -> list[bytes]:
    """What was sent and not asked for in this run, longest ago first; at a ``relay`` what it took itself and what is in doubt.

    Whatever a relay lacks of that goes to the centre by it: it does not know what the centre has.
    """
    rows = conn.execute(
        """SELECT DISTINCT piece.hash, coalesce(a.round, 0) AS round FROM piece
           LEFT JOIN piece_asked AS a ON a.hash = piece.hash
           WHERE piece.state IN ('sent', 'held') AND coalesce(a.round, 0) < :now
               AND (:relay = '' OR a.relay = :relay OR coalesce(a.round, 0) < :doubted)
           ORDER BY 2, 1 LIMIT :most""",
        {"now": mark(conn, PIECES_ROUND), "relay": relay, "doubted": mark(conn, PIECES_DOUBTED), "most": most},
    )
    return [row["hash"] for row in rows.fetchall()]


def answered(
    conn: Connection, names: Sequence[bytes], lacking: Sequence[bytes], now_ms: int, *, relay: str = "", hub_ms: int = 0
) -> None:
    """Of ``names`` the hub (at ``hub_ms`` of its clock), or ``relay``, lacks those; it holds the others, whoever brought them."""
    missing = set(lacking)
    lost(conn, [name for name in names if name in missing], hub_ms)
    for name in names:
        if name not in missing:
            sent(conn, name, now_ms, relay)


def on_a_stick(conn: Connection) -> list[bytes]:
    """Everything that was sent: a stick has room for the whole question, and nobody knows when its answer comes."""
    return [row["hash"] for row in conn.execute("SELECT DISTINCT hash FROM piece WHERE state IN ('sent', 'held')")]
