"""Leases: numbers and codes that belong to this device alone, usable without a network.

The centre grants blocks that overlap no other device's. A number that was taken is burnt, come what may.
A block lapses at its time limit by max(local clock, last signed hub time); the hub gives it out again much later.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sync.errors import Refused
from sync.limits import LEASE_REFILL
from sync.marks import HUB_TIME, floor

if TYPE_CHECKING:
    from sync.store import Connection
    from sync.wire import LeaseGrant


@dataclass(frozen=True, slots=True)
class Lease:
    """One allotment on this device; numbers 0 ≤ n < ``used`` are burnt."""

    id: str
    resource: str
    content: dict[str, Any]
    used: int
    size: int
    not_after_ms: int


def install(conn: Connection, grant: LeaseGrant) -> None:
    """Keep ``grant``; one that is here already keeps its burnt numbers and may only live longer.

    A hub that was put back from a copy may give the same numbers once more: those are used up from the beginning.
    """
    content = json.dumps(grant.content, ensure_ascii=False, default=_bytes_as_hex)
    conn.execute(
        """INSERT INTO lease (id, resource, content, size, not_after_ms, used) VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT (id) DO UPDATE SET not_after_ms = max(not_after_ms, excluded.not_after_ms)""",
        (
            grant.id.hex(), grant.resource, content, grant.size, grant.not_after_ms,
            grant.size if _given_before(conn, grant) else 0,
        ),
    )  # fmt: skip


def _given_before(conn: Connection, grant: LeaseGrant) -> bool:
    """Whether another lease holds these numbers."""
    row = conn.execute(
        """SELECT 1 FROM lease WHERE resource = ? AND id <> ? AND json_extract(content, '$.prefix') = ?
           AND json_extract(content, '$.first') = ?""",
        (grant.resource, grant.id.hex(), grant.content.get("prefix"), grant.content.get("first")),
    ).fetchone()
    return row is not None


def _bytes_as_hex(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(type(value).__name__)


def active(conn: Connection, resource: str, now_ms: int) -> list[Lease]:
    """Leases of ``resource`` that are neither used up nor lapsed at ``now_ms``, the one that lapses first first."""
    now = max(now_ms, floor(conn, HUB_TIME))
    rows = conn.execute(
        """SELECT id, resource, content, used, size, not_after_ms FROM lease
           WHERE resource = ? AND used < size AND not_after_ms > ? ORDER BY not_after_ms, id""",
        (resource, now),
    )
    return [_lease(row) for row in rows.fetchall()]


def take(conn: Connection, resource: str, now_ms: int) -> tuple[Lease, int]:
    """Burn and return the next number of ``resource``. Refused SY-301 when every lease is used up or has lapsed."""
    leases = active(conn, resource, now_ms)
    if not leases:
        raise Refused("SY-301", resource=resource)
    lease = leases[0]
    conn.execute("UPDATE lease SET used = used + 1 WHERE id = ?", (lease.id,))
    return Lease(lease.id, resource, lease.content, lease.used + 1, lease.size, lease.not_after_ms), lease.used


def running_out(conn: Connection, now_ms: int) -> Sequence[str]:
    """Resources of which this device once had numbers and has fewer than 50 left: ask the hub for more."""
    resources = [row["resource"] for row in conn.execute("SELECT DISTINCT resource FROM lease ORDER BY resource")]
    return [
        resource
        for resource in resources
        if sum(lease.size - lease.used for lease in active(conn, resource, now_ms)) < LEASE_REFILL
    ]


def _lease(row: Any) -> Lease:
    return Lease(row["id"], row["resource"], json.loads(row["content"]), row["used"], row["size"], row["not_after_ms"])
