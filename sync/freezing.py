"""The bytes of a batch from ops of the log: gathered in one look at the database, built without it, kept by one insert.

Building compresses and seals and may take a second, so it does not happen inside a transaction where that can be helped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from nacl.signing import SigningKey

from sync import batch, checkpoints, ops, sealing
from sync.batch import LEVEL_METERED, LEVEL_ONLINE, Author
from sync.failpoint import failpoint
from sync.ids import key_id
from sync.limits import KIB, MAX_AUTHORS, MAX_OPS, MAX_RAW
from sync.marks import mark

if TYPE_CHECKING:
    from sync.store import Connection

_RATIO: Final = 4  # ops shrink at least so much in a batch of some size; a first guess, corrected after building
_SLOW_UP_TO: Final = 512 * KIB  # unpacked bytes that the slow, small level is worth: a quarter of a second


@dataclass(frozen=True, slots=True)
class Draft:
    """Consecutive ops of one device and all that a batch of them needs."""

    rows: Sequence[Any]
    base: int  # place before the first op of the device's chain
    key: SigningKey
    seen: tuple[int, bytes]
    authors: Sequence[Author]  # index: the op's place in the log
    recipients: Mapping[bytes, Sequence[bytes]]  # agency's key id → public keys that open its groups
    seeds: Mapping[bytes, bytes]  # agency's key id → secret of this device's commitments


@dataclass(frozen=True, slots=True)
class Frozen:
    """The bytes of a batch over the places ``first`` … ``last`` of the log."""

    first: int
    last: int
    data: bytes


def gather(conn: Connection, first: int, last: int | None, target: int) -> Draft | None:
    """What a batch of about ``target`` bytes from the place ``first`` on (up to ``last``) takes; None when nothing is there."""
    rows = _rows(conn, first, last, target * _RATIO)
    if not rows:
        return None
    device = rows[0]["device"]
    known = checkpoints.newest(conn)
    identity = conn.execute("SELECT sign FROM identity WHERE device_id = ?", (device,)).fetchone()
    keys = conn.execute("SELECT public, recovery FROM seal_key").fetchall()
    agencies = {row["sealed_to"] for row in rows if row["sealed_to"] is not None}
    return Draft(
        rows=rows, base=mark(conn, ops.chain_base(device)), key=SigningKey(identity["sign"]),
        seen=(known.size, known.root) if known else checkpoints.NONE_SEEN,
        authors=_authors(conn, rows[0]["seq"], rows[-1]["seq"]),
        recipients={key_id(row["public"]): [row["public"], row["recovery"]] for row in keys},
        seeds={agency: ops.seed(conn, device, agency) for agency in agencies},
    )  # fmt: skip


def build(draft: Draft, app_version: str, target: int, level: int | None = None) -> Frozen:
    """The batch of as many of the draft's ops as fit into ``target`` bytes, at least one."""
    rows = draft.rows
    data = _build(draft, rows, app_version, level)
    while len(data) > target and len(rows) > 1:
        rows = rows[: max(1, min(len(rows) - 1, len(rows) * target // len(data)))]
        data = _build(draft, rows, app_version, level)
    batch.parse(data)  # what the hub would refuse must not be frozen
    return Frozen(rows[0]["seq"], rows[-1]["seq"], data)


def keep(conn: Connection, frozen: Frozen, now_ms: int) -> bytes:
    """Freeze: from now on every retry sends exactly these bytes. Returns the batch's hash."""
    made = sha256(frozen.data).digest()
    failpoint("cut:before-insert")
    conn.execute(
        """INSERT INTO batch (hash, first_seq, last_seq, bytes, size, state, cut_ms)
           VALUES (?, ?, ?, ?, ?, 'cut', ?) ON CONFLICT (hash) DO UPDATE SET bytes = excluded.bytes, state = 'cut'""",
        (made, frozen.first, frozen.last, frozen.data, len(frozen.data), now_ms),
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


def _authors(conn: Connection, first: int, last: int) -> list[Author]:
    rows = conn.execute(
        "SELECT officer, seq, signature FROM author WHERE seq BETWEEN ? AND ? ORDER BY officer, seq", (first, last)
    )
    return [Author(row["officer"], row["seq"], row["signature"]) for row in rows.fetchall()]


def _build(draft: Draft, rows: Sequence[Any], app_version: str, level: int | None) -> bytes:
    size = sum(len(row["bytes"]) + len(row["body"] or b"") for row in rows)
    level = level or (LEVEL_METERED if size <= _SLOW_UP_TO else LEVEL_ONLINE)
    first, last = rows[0]["seq"], rows[-1]["seq"]
    newest = {author.officer: author for author in draft.authors if author.index <= last}
    authors = [Author(one.officer, one.index - first, one.signature) for one in newest.values()]
    groups, recipients = _groups(draft, rows, level)
    return batch.build(
        draft.key, first_seq=first - draft.base, prev=rows[0]["prev"], ops=[row["bytes"] for row in rows], groups=groups,
        recipients=recipients, authors=authors[:MAX_AUTHORS], app_version=app_version, level=level, seen=draft.seen,
    )  # fmt: skip


def _groups(draft: Draft, rows: Sequence[Any], level: int) -> tuple[list[bytes], list[bytes]]:
    """The sealed groups of ``rows``, one per form definition and agency, and the key ids of all who can open one."""
    bodies: dict[tuple[bytes, bytes], list[bytes]] = {}
    for row in rows:
        if row["sealed_to"] is not None:
            bodies.setdefault((row["def_hash"], row["sealed_to"]), []).append(row["body"])
    groups = [
        sealing.seal_group(
            device_id=rows[0]["device"], first_seq=rows[0]["seq"] - draft.base, def_hash=def_hash,
            seed=draft.seeds[agency], bodies=texts, recipients=draft.recipients[agency], level=level,
        )
        for (def_hash, agency), texts in sorted(bodies.items())
    ]  # fmt: skip
    return groups, sorted({key_id(key) for _, agency in bodies for key in draft.recipients[agency]})
