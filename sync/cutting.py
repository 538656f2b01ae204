"""Cutting: freezes waiting ops into a signed batch.

Every retry of a batch is byte-identical; only a batch that a bad line cannot carry is cut again, smaller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from nacl.signing import SigningKey

from sync import audit, batch, checkpoints, enrol, ops, sealing
from sync.batch import LEVEL_ONLINE, Author
from sync.failpoint import failpoint
from sync.limits import MAX_AUTHORS, MAX_OPS, MAX_RAW, MAX_TARGET
from sync.marks import mark

if TYPE_CHECKING:
    from sync.clock import Clock
    from sync.keys import Unlocked
    from sync.store import Connection

_RATIO: Final = 4  # ops shrink at least so much in a batch of some size; a first guess, corrected after building


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


def cut(
    conn: Connection, unlocked: Unlocked, clock: Clock, app_version: str, *, target: int = MAX_TARGET,
    level: int = LEVEL_ONLINE,
) -> bytes | None:  # fmt: skip
    """Freeze waiting ops into a batch of about ``target`` bytes, inside the caller's transaction; returns its hash.

    None when nothing waits. The audit log's state goes along as an op, and the officer signs the head.
    """
    if not uncut(conn).ops:
        return None
    for record, body in enrol.undeclared(conn):
        _append(conn, unlocked, clock, "sync.officer", record, body)
    _append(conn, unlocked, clock, audit.CHECKPOINT_KIND, "", audit.checkpoint(conn).body())
    sign_head(conn, unlocked)
    first = conn.execute("SELECT coalesce(max(last_seq), 0) + 1 AS first FROM batch").fetchone()["first"]
    return _freeze(conn, unlocked, clock, app_version, first, None, target, level)


def _append(conn: Connection, unlocked: Unlocked, clock: Clock, kind: str, record: str, body: dict[str, Any]) -> None:
    ops.append(conn, unlocked, clock, kind=kind, record=record, form="sync", def_hash=None, body=body, sealed=False)


def recut(conn: Connection, unlocked: Unlocked, clock: Clock, app_version: str, hash_: bytes) -> list[bytes]:
    """Cut the ops of the batch ``hash_`` again into batches of at most half its size; returns their hashes.

    The hub drops doubles by op hash, so it does no harm if the large one arrives after all.
    """
    old = conn.execute("SELECT first_seq, last_seq, size FROM batch WHERE hash = ?", (hash_,)).fetchone()
    conn.execute("UPDATE batch SET state = 'recut', bytes = x'' WHERE hash = ?", (hash_,))
    made, first = [], old["first_seq"]
    while first <= old["last_seq"]:
        made.append(_freeze(conn, unlocked, clock, app_version, first, old["last_seq"], old["size"] // 2, LEVEL_ONLINE))
        first = conn.execute("SELECT last_seq FROM batch WHERE hash = ?", (made[-1],)).fetchone()["last_seq"] + 1
    return made


def recut_range(conn: Connection, unlocked: Unlocked, clock: Clock, app_version: str, first: int, last: int) -> None:
    """Cut the ops ``first`` … ``last`` once more: their batches' bytes are gone, and a hub has lost them."""
    while first <= last:
        made = _freeze(conn, unlocked, clock, app_version, first, last, MAX_TARGET, LEVEL_ONLINE)
        first = conn.execute("SELECT last_seq FROM batch WHERE hash = ?", (made,)).fetchone()["last_seq"] + 1


def _freeze(
    conn: Connection, unlocked: Unlocked, clock: Clock, app_version: str, first: int, last: int | None, target: int,
    level: int,
) -> bytes:  # fmt: skip
    rows = _rows(conn, first, last, target * _RATIO)
    data = _build(conn, unlocked, app_version, rows, level)
    while len(data) > target and len(rows) > 1:
        rows = rows[: max(1, min(len(rows) - 1, len(rows) * target // len(data)))]
        data = _build(conn, unlocked, app_version, rows, level)
    made = batch.parse(data).hash  # what the hub would refuse must not be frozen
    failpoint("cut:before-insert")
    conn.execute(
        """INSERT INTO batch (hash, first_seq, last_seq, bytes, size, state, cut_ms)
           VALUES (?, ?, ?, ?, ?, 'cut', ?) ON CONFLICT (hash) DO UPDATE SET bytes = excluded.bytes, state = 'cut'""",
        (made, rows[0]["seq"], rows[-1]["seq"], data, len(data), clock.wall_ms()),
    )
    failpoint("cut:before-commit")
    return made


def _rows(conn: Connection, first: int, last: int | None, room: int) -> list[Any]:
    """Consecutive ops from ``first`` on, of one device, at least one, up to ``room`` unpacked bytes."""
    rows: list[Any] = []
    size = 0
    cursor = conn.execute(
        """SELECT seq, prev, hash, bytes, body, def_hash, sealed_to, device FROM op WHERE seq BETWEEN ? AND ?
           ORDER BY seq LIMIT ?""",
        (first, last if last is not None else first + MAX_OPS - 1, MAX_OPS),
    )
    for row in cursor:
        size += len(row["bytes"]) + len(row["body"] or b"")
        if rows and (size > min(room, MAX_RAW // 2) or row["device"] != rows[0]["device"]):
            break
        rows.append(row)
    return rows


def _build(conn: Connection, unlocked: Unlocked, app_version: str, rows: Sequence[Any], level: int) -> bytes:
    device = rows[0]["device"]
    known = checkpoints.newest(conn)
    first = rows[0]["seq"] - mark(conn, ops.chain_base(device))
    groups, recipients = _groups(conn, rows, first, level)
    return batch.build(
        _device_key(conn, unlocked, device), first_seq=first, prev=rows[0]["prev"], ops=[row["bytes"] for row in rows],
        groups=groups, recipients=recipients, authors=_authors(conn, rows[0]["seq"], rows[-1]["seq"]),
        app_version=app_version, level=level, seen=(known.size, known.root) if known else checkpoints.NONE_SEEN,
    )  # fmt: skip


def _device_key(conn: Connection, unlocked: Unlocked, device: bytes) -> SigningKey:
    """The key of the device that made the ops: this one's, or the one that it had before it was re-keyed."""
    if device == unlocked.device.device_id:
        return unlocked.device.sign
    row = conn.execute("SELECT sign FROM identity WHERE device_id = ?", (device,)).fetchone()
    return SigningKey(row["sign"])


def _groups(conn: Connection, rows: Sequence[Any], first: int, level: int) -> tuple[list[bytes], list[bytes]]:
    """The sealed groups of ``rows``, one per form definition and agency, and the key ids of all who can open one."""
    bodies: dict[tuple[bytes, bytes], list[bytes]] = {}
    for row in rows:
        if row["sealed_to"] is not None:
            bodies.setdefault((row["def_hash"], row["sealed_to"]), []).append(row["body"])
    if not bodies:
        return [], []
    keys = _recipients(conn)
    groups = [
        sealing.seal_group(
            device_id=rows[0]["device"], first_seq=first, def_hash=def_hash,
            seed=ops.seed(conn, rows[0]["device"], agency), bodies=texts, recipients=keys[agency], level=level,
        )
        for (def_hash, agency), texts in sorted(bodies.items())
    ]  # fmt: skip
    return groups, sorted({sealing.key_id(key) for _, agency in bodies for key in keys[agency]})


def _recipients(conn: Connection) -> dict[bytes, list[bytes]]:
    """Agency key id → public keys that open its groups: the agency's and the province's recovery key."""
    rows = conn.execute("SELECT public, recovery FROM seal_key").fetchall()
    return {sealing.key_id(row["public"]): [row["public"], row["recovery"]] for row in rows}


def _authors(conn: Connection, first: int, last: int) -> list[Author]:
    rows = conn.execute(
        """SELECT officer, max(seq) AS seq, signature FROM author WHERE seq BETWEEN ? AND ? GROUP BY officer
           ORDER BY officer LIMIT ?""",
        (first, last, MAX_AUTHORS),
    )
    return [Author(row["officer"], row["seq"] - first, row["signature"]) for row in rows.fetchall()]
