"""Cutting: freezes waiting ops into a signed batch.

Every retry of a batch is byte-identical; only a batch that a bad line cannot carry is cut again, smaller.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sync import audit, audit_marks, freezing, identity, ops
from sync.limits import MAX_TARGET

if TYPE_CHECKING:
    from sync.clock import Clock
    from sync.keys import Unlocked
    from sync.store import Connection


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is not yet cut."""

    ops: int
    bytes: int  # unpacked, so well above what a batch of them would weigh
    oldest_ms: int


def uncut(conn: Connection) -> Waiting:
    """The ops after the last batch."""
    row = conn.execute(
        """SELECT count(*) AS n, coalesce(sum(length(bytes) + coalesce(length(body), 0)), 0) AS size,
                  coalesce(min(created_ms), 0) AS oldest
           FROM op WHERE seq > (SELECT coalesce(max(last_seq), 0) FROM batch)"""
    ).fetchone()
    return Waiting(row["n"], row["size"], row["oldest"])


def sign_head(conn: Connection, unlocked: Unlocked) -> None:
    """The officer who is unlocked signs the newest op and, through the chain, all before it: before every lock."""
    head = conn.execute("SELECT seq, hash FROM op ORDER BY seq DESC LIMIT 1").fetchone()
    if head is None:
        return
    signature = unlocked.officer_key.sign(ops.author_message(head["hash"])).signature
    conn.execute(
        "INSERT INTO author (officer, seq, signature) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (bytes.fromhex(unlocked.officer.id), head["seq"], signature),
    )


def cut(unlocked: Unlocked, app_version: str, *, target: int = MAX_TARGET, level: int | None = None) -> bytes | None:
    """Freeze waiting ops into a batch of about ``target`` bytes; returns its hash, None when nothing waits.

    The audit log's state and the keys of new officers go along as ops, and the officer signs the head. Only one caller at
    a time: whoever holds the exchange's lock. ``level`` None: small and slow for what is small, else fast.
    """
    store, clock = unlocked.store, unlocked.store.clock
    first = store.write(lambda conn: _prepare(conn, unlocked, clock))
    draft = store.read(lambda conn: freezing.gather(conn, first, None, target)) if first else None
    if draft is None:
        return None
    frozen = freezing.build(draft, app_version, target, level)
    return store.write(lambda conn: freezing.keep(conn, frozen, clock.wall_ms()))


def _prepare(conn: Connection, unlocked: Unlocked, clock: Clock) -> int:
    """The ops of the program itself, and the signature; the place of the first op to be cut, 0 when nothing waits."""
    if not uncut(conn).ops:
        return 0
    for record, body in identity.undeclared(conn):
        _append(conn, unlocked, clock, "sync.officer", record, body)
    _append(conn, unlocked, clock, audit.CHECKPOINT_KIND, "", audit_marks.make(conn, clock))
    sign_head(conn, unlocked)
    return int(conn.execute("SELECT coalesce(max(last_seq), 0) + 1 AS first FROM batch").fetchone()["first"])


def _append(conn: Connection, unlocked: Unlocked, clock: Clock, kind: str, record: str, body: dict[str, Any]) -> None:
    ops.append(conn, unlocked, clock, kind=kind, record=record, form="sync", def_hash=None, body=body, sealed=False)


def recut(conn: Connection, clock: Clock, app_version: str, hash_: bytes) -> list[bytes]:
    """Cut the ops of the batch ``hash_`` again into batches of at most half its size; returns their hashes.

    The hub drops doubles by op hash, so it does no harm if the large one arrives after all.
    """
    old = conn.execute("SELECT first_seq, last_seq, size FROM batch WHERE hash = ?", (hash_,)).fetchone()
    conn.execute("UPDATE batch SET state = 'recut', bytes = x'' WHERE hash = ?", (hash_,))
    return recut_range(conn, clock, app_version, old["first_seq"], old["last_seq"], old["size"] // 2)


def recut_range(
    conn: Connection, clock: Clock, app_version: str, first: int, last: int, target: int = MAX_TARGET
) -> list[bytes]:
    """Cut the ops at the places ``first`` … ``last`` once more, into batches of about ``target`` bytes."""
    made: list[bytes] = []
    while draft := freezing.gather(conn, first, last, target):
        frozen = freezing.build(draft, app_version, target)
        made.append(freezing.keep(conn, frozen, clock.wall_ms()))
        first = frozen.last + 1
    return made
