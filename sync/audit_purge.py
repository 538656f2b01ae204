"""Old rows of the audit log are packed away, and only below a size that the centre has cosigned.

The rows go as one piece into the archive, inside the encrypted database: each piece's digest covers the one before it, and the
event that names the digest stands in the log itself. What is left verifies from the cosigned checkpoint on.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from sync import audit, cbor
from sync.failpoint import failpoint
from sync.limits import DAY_MS, MAX_RAW
from sync.marks import AUDIT_PURGED, HUB_TIME, floor, raise_floor

if TYPE_CHECKING:
    from sync.clock import Clock
    from sync.store import Connection

KEPT_DAYS: Final = 400  # rows stay at hand at least so long, by the centre's time
MOST: Final = 5_000  # rows of one piece, unless two checkpoints lie further apart
_PIECE: Final = b"sala/audit-archive/v1\0"
_LEVEL: Final = 19


def archive(conn: Connection, clock: Clock, *, days: int = KEPT_DAYS) -> int:
    """Pack away the oldest rows up to a cosigned checkpoint that is ``days`` old; how many rows, 0 when none may go."""
    purged = floor(conn, AUDIT_PURGED)
    row = conn.execute(
        """SELECT coalesce(max(CASE WHEN size <= :most THEN size END), min(size)) AS size FROM audit_mark
           WHERE note IS NOT NULL AND size > :purged AND made_ms <= :before""",
        {"purged": purged, "most": purged + MOST, "before": floor(conn, HUB_TIME) - days * DAY_MS},
    ).fetchone()
    last = row["size"]
    if last is None:
        return 0
    rows = conn.execute(
        "SELECT seq, hash, event FROM audit WHERE seq BETWEEN ? AND ? ORDER BY seq", (purged + 1, last)
    ).fetchall()
    data = cbor.zip_bytes(cbor.encode([[one["seq"], one["hash"], one["event"]] for one in rows]), _LEVEL)
    before = conn.execute("SELECT digest FROM audit_archive ORDER BY last DESC LIMIT 1").fetchone()
    digest = sha256(_PIECE + (before["digest"] if before else bytes(32)) + data).digest()
    conn.execute(
        "INSERT INTO audit_archive (last, first, digest, bytes) VALUES (?, ?, ?, ?)", (last, purged + 1, digest, data)
    )
    failpoint("audit:archived")
    raise_floor(conn, AUDIT_PURGED, last)
    conn.execute("DELETE FROM audit WHERE seq <= ?", (last,))
    audit.append(conn, clock, {"what": "audit archived", "last": last, "digest": digest.hex()})
    failpoint("audit:purged")
    return len(rows)


def archived(conn: Connection) -> list[list[Any]]:
    """Every row that was packed away: ``[seq, hash, event]``. ValueError when a piece was changed or taken out."""
    found: list[list[Any]] = []
    before = bytes(32)
    for piece in conn.execute("SELECT first, last, digest, bytes FROM audit_archive ORDER BY last").fetchall():
        before = sha256(_PIECE + before + piece["bytes"]).digest()
        if before != piece["digest"] or piece["first"] != len(found) + 1:
            raise ValueError("audit archive: a piece was changed or taken out")
        found += cbor.decode(cbor.unzip(piece["bytes"], MAX_RAW)[0])
    return found
