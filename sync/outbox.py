"""What of this device the centre holds, and what still waits: states of ops, read from batches and receipts.

| state | meaning |
|---|---|
| ``waiting`` | on this laptop only |
| ``sending`` | handed to the line or to a stick; proves nothing |
| ``received`` | a verified receipt covers it |
| ``stable`` | the hub's second site has a copy too |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sync import pieces
from sync.limits import MAX_OPS
from sync.marks import PRUNABLE, RECEIVED, STABLE, floor, mark, set_mark

if TYPE_CHECKING:
    from sync.store import Connection

STATES: Final = ("waiting", "sending", "received", "stable")

# Batches overlap only where ops were cut again, and none is longer than MAX_OPS: so a bounded look at the index suffices.
_LEVEL = f"""CASE WHEN op.seq <= :stable THEN 3 WHEN op.seq <= :received THEN 2 ELSE coalesce((
    SELECT max(CASE WHEN b.state = 'receipted' THEN 2 WHEN b.sent_ms IS NOT NULL OR b.carried_ms IS NOT NULL THEN 1
               ELSE 0 END)
    FROM batch AS b WHERE b.last_seq BETWEEN op.seq AND op.seq + {MAX_OPS - 1} AND b.first_seq <= op.seq), 0) END"""

_RECEIVED_MS = f"""(SELECT min(r.received_ms) FROM batch AS b JOIN receipt AS r ON r.batch = b.hash
    WHERE b.last_seq BETWEEN op.seq AND op.seq + {MAX_OPS - 1} AND b.first_seq <= op.seq)"""


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts of ops by state, and the items in trouble, of which each is tried again by itself.

    ``stuck``: batches, ``{"batch", "tries", "next_try_ms", "code"}``; ``pieces``: pieces of attachments,
    ``{"piece", "op", "record", "tries", "next_try_ms", "code"}``. ``chunks``: pieces that still are to be sent.
    ``handed``: relays that hold work on its way (:func:`handed`).
    """

    waiting: int
    sending: int
    received: int
    stable: int
    oldest_waiting_ms: int | None
    last_received_ms: int | None
    stuck: list[dict[str, Any]] = field(default_factory=list)
    pieces: list[dict[str, Any]] = field(default_factory=list)
    chunks: int = 0
    handed: list[dict[str, Any]] = field(default_factory=list)


def states(conn: Connection, records: Sequence[str]) -> dict[str, str]:
    """Of each of ``records`` that has ops the state of its least advanced one."""
    found: dict[str, str] = {}
    for start in range(0, len(records), 500):
        part = records[start : start + 500]
        names = {f"r{number}": record for number, record in enumerate(part)}
        rows = conn.execute(
            f"SELECT op.record, min({_LEVEL}) AS level FROM {_line(conn)} AS op WHERE op.record IN ({', '.join(':' + n for n in names)})"
            " GROUP BY op.record",
            {**names, **_marks(conn)},
        )
        found.update((row["record"], STATES[row["level"]]) for row in rows.fetchall())
    return found


def history(conn: Connection, record: str) -> list[dict[str, Any]]:
    """The ops of ``record``, oldest first: ``{"op", "kind", "officer", "wall_ms", "state", "received_ms", "clock"}``.

    ``clock``: "" or why the time is doubted (:mod:`sync.clockwatch`)."""
    rows = conn.execute(
        f"""SELECT op.seq, op.hash, op.kind, op.officer, op.created_ms, op.clock, {_LEVEL} AS level,
                {_RECEIVED_MS} AS received_ms
            FROM op WHERE op.record = :record
            UNION ALL SELECT seq, hash, kind, officer, created_ms, clock, 3, received_ms FROM past WHERE record = :record
            ORDER BY 1""",
        {"record": record, **_marks(conn)},
    )
    return [
        {
            "op": row["hash"].hex(), "kind": row["kind"], "officer": row["officer"], "wall_ms": row["created_ms"],
            "state": STATES[row["level"]], "received_ms": row["received_ms"], "clock": row["clock"],
        }
        for row in rows.fetchall()
    ]  # fmt: skip


def items(conn: Connection, state: str, limit: int = 100) -> list[dict[str, Any]]:
    """Up to ``limit`` ops in ``state``, oldest first: ``{"op", "record", "kind", "officer", "wall_ms"}``.

    The program's own ops are left out: nobody made them.
    """
    level = STATES.index(state)
    rows = conn.execute(
        f"""SELECT op.hash, op.record, op.kind, op.officer, op.created_ms FROM op
            WHERE op.form <> 'sync' AND op.seq > :after AND {_LEVEL} = :level ORDER BY op.seq LIMIT :limit""",
        {"after": _lowest(conn, level), "level": level, "limit": limit, **_marks(conn)},
    )
    return [
        {
            "op": row["hash"].hex(), "record": row["record"], "kind": row["kind"], "officer": row["officer"],
            "wall_ms": row["created_ms"],
        }
        for row in rows.fetchall()
    ]  # fmt: skip


def not_received(conn: Connection, officer: str) -> int:
    """How many ops of ``officer`` (id in hex) stand under no verified receipt yet."""
    row = conn.execute(
        f"SELECT count(*) AS n FROM op WHERE op.officer = :officer AND op.form <> 'sync' AND op.seq > :received AND {_LEVEL} < 2",
        {"officer": officer, **_marks(conn)},
    ).fetchone()
    return int(row["n"])


def summary(conn: Connection) -> Summary:
    """Where everybody's work stands; the program's own ops are not counted."""
    counts = [0, 0, 0, 0]
    for first, last, level in spans(conn):
        own = conn.execute(
            """SELECT (SELECT count(*) FROM op WHERE form = 'sync' AND seq BETWEEN :first AND :last)
                    + (SELECT count(*) FROM past WHERE form = 'sync' AND seq BETWEEN :first AND :last) AS n""",
            {"first": first, "last": last},
        ).fetchone()
        counts[level] += last - first + 1 - own["n"]
    oldest = conn.execute(
        f"SELECT min(op.created_ms) AS ms FROM op WHERE op.form <> 'sync' AND op.seq > :received AND {_LEVEL} < 2",
        _marks(conn),
    ).fetchone()
    latest = conn.execute("SELECT max(received_ms) AS ms FROM receipt").fetchone()
    failed = conn.execute(
        """SELECT hash, tries, next_try_ms, last_error FROM batch
           WHERE state IN ('cut', 'sent') AND last_error IS NOT NULL ORDER BY first_seq LIMIT 100"""
    )
    stuck = [
        {
            "batch": row["hash"].hex(), "tries": row["tries"], "next_try_ms": row["next_try_ms"],
            "code": row["last_error"],
        }
        for row in failed.fetchall()
    ]  # fmt: skip
    waiting, sending, received, stable = counts
    return Summary(
        waiting,
        sending,
        received,
        stable,
        oldest["ms"],
        latest["ms"],
        stuck,
        pieces.in_trouble(conn),
        pieces.count(conn),
        handed=handed(conn),
    )


def handed(conn: Connection) -> list[dict[str, Any]]:
    """Province relays that hold work which the centre has not receipted: ``{"relay", "batches", "ops", "since_ms"}`` each."""
    rows = conn.execute(
        """SELECT handed_to AS relay, count(*) AS batches, min(handed_ms) AS since_ms,
               sum((SELECT count(*) FROM op WHERE op.form <> 'sync' AND op.seq BETWEEN first_seq AND last_seq)) AS ops FROM batch
           WHERE handed_ms IS NOT NULL AND state IN ('cut', 'sent') GROUP BY handed_to ORDER BY handed_to"""
    )
    return [dict(row) for row in rows.fetchall()]


def spans(conn: Connection) -> list[tuple[int, int, int]]:
    """All ops as runs (first seq, last seq, level) in order; level is the place in :data:`STATES`."""
    end = conn.execute("SELECT coalesce(max(seq), 0) AS seq FROM op").fetchone()["seq"]
    stable, received = mark(conn, STABLE), mark(conn, RECEIVED)
    found = [span for span in ((1, stable, 3), (stable + 1, received, 2)) if span[0] <= span[1]]
    rows = conn.execute(
        """SELECT first_seq, last_seq, CASE WHEN state = 'receipted' THEN 2
               WHEN sent_ms IS NOT NULL OR carried_ms IS NOT NULL THEN 1 ELSE 0 END AS level
           FROM batch WHERE last_seq > ?""",
        (received,),
    ).fetchall()
    events = [(received + 1, 0, 1), (end + 1, 0, -1)]
    for row in rows:
        events += [(max(row["first_seq"], received + 1), row["level"], 1), (row["last_seq"] + 1, row["level"], -1)]
    open_, place = [0, 0, 0], received + 1
    for at, level, change in sorted(events):
        if at > place:
            found.append((place, at - 1, 2 if open_[2] else 1 if open_[1] else 0))
            place = at
        open_[level] += change
    return found


def settle(conn: Connection) -> None:
    """Move the marks ``received`` and ``stable`` to where the batches' receipts now reach; they may fall."""
    reached = floor(conn, PRUNABLE)
    rows = conn.execute("SELECT first_seq, last_seq FROM batch WHERE state = 'receipted' ORDER BY first_seq, last_seq")
    for row in rows.fetchall():
        if row["first_seq"] > reached + 1:
            break
        reached = max(reached, row["last_seq"])
    set_mark(conn, RECEIVED, reached)
    set_mark(conn, STABLE, min(mark(conn, STABLE), reached))


def _lowest(conn: Connection, level: int) -> int:
    """No op up to here has ``level``."""
    return (mark(conn, RECEIVED), mark(conn, RECEIVED), mark(conn, STABLE), 0)[level]


def _line(conn: Connection) -> str:
    """Where the ops of a record are looked up: also among those that have left the log, if any has."""
    return "op_line" if floor(conn, PRUNABLE) else "op"


def _marks(conn: Connection) -> dict[str, int]:
    return {"received": mark(conn, RECEIVED), "stable": mark(conn, STABLE)}
