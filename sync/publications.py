"""What the centre has sent down and this laptop keeps: forms, trust lists, status lists, leases, decisions; and how fresh it is.

Everything here was verified when it came (:mod:`sync.refreshing`). Metadata that has expired only makes what is here *old*: it
never blocks work and never removes anything.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from sync.limits import DAY_MS
from sync.marks import HUB_TIME, floor, mark

if TYPE_CHECKING:
    from sync.store import Connection

CHECKED: Final = "publications.checked"  # mark: ms when the centre's metadata was last verified as current
LONG_OLD_MS: Final = 30 * DAY_MS  # expired for so long: shown in red


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old the centre's word is."""

    checked_ms: int  # 0: never
    expires_ms: int  # 0: unknown
    expired: bool
    long_expired: bool = False


def get(conn: Connection, name: str) -> bytes | None:
    """The newest verified publication ``name``, or None."""
    row = conn.execute("SELECT bytes FROM publication WHERE name = ?", (name,)).fetchone()
    return row["bytes"] if row else None


def names(conn: Connection, prefix: str = "") -> list[str]:
    """The names of publications that start with ``prefix``."""
    rows = conn.execute(
        "SELECT name FROM publication WHERE substr(name, 1, ?) = ? ORDER BY name", (len(prefix), prefix)
    )
    return [row["name"] for row in rows.fetchall()]


def keep(conn: Connection, name: str, data: bytes, version: int, now_ms: int, role: str = "targets") -> None:
    """Store a verified publication that ``role`` has signed; an older version of it gives way, a newer one stays."""
    conn.execute(
        """INSERT INTO publication (name, version, sha256, bytes, received_ms, role) VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT (name) DO UPDATE SET version = excluded.version, sha256 = excluded.sha256, bytes = excluded.bytes,
               received_ms = excluded.received_ms, role = excluded.role
               WHERE excluded.version >= version OR excluded.role <> role""",
        (name, version, sha256(data).digest(), data, now_ms, role),
    )


def keys_of(conn: Connection, role: str) -> list[bytes]:
    """The Ed25519 keys that the newest verified metadata gives to a delegated role; none when there is no such role."""
    top = naming(conn)
    said: dict[str, Any] = (json.loads(top)["signed"].get("delegations") if top else None) or {}
    keys: dict[str, Any] = said.get("keys") or {}
    named = [keyid for one in said.get("roles") or () if one["name"] == role for keyid in one["keyids"]]
    return [public for keyid in named if (public := _ed25519(keys.get(keyid)))]


def _ed25519(key: object) -> bytes | None:
    """The key as python-tuf wrote it; None for one of another kind."""
    match key:
        case {"keytype": "ed25519", "keyval": {"public": str(text)}}:
            try:
                public = bytes.fromhex(text)
            except ValueError:
                return None
            return public if len(public) == 32 else None
    return None


def naming(conn: Connection) -> bytes | None:
    """The newest verified metadata that says who signs what, as it was signed; None before the first."""
    row = conn.execute("SELECT bytes FROM trust WHERE role = 'targets'").fetchone()
    return row["bytes"] if row else None


def freshness(conn: Connection, now_ms: int) -> Freshness:
    """Whether the centre's word is still current at ``now_ms`` (or at the last signed hub time, if that is later)."""
    row = conn.execute("SELECT bytes FROM trust WHERE role = 'timestamp'").fetchone()
    expires_ms = 0
    if row is not None:
        expires = datetime.fromisoformat(json.loads(row["bytes"])["signed"]["expires"])
        expires_ms = int(expires.timestamp() * 1000)
    now_ms = max(now_ms, floor(conn, HUB_TIME))
    return Freshness(mark(conn, CHECKED), expires_ms, now_ms >= expires_ms, now_ms >= expires_ms + LONG_OLD_MS)
