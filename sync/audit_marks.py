"""Checkpoints of the audit log that left as ops, and the centre's cosignatures that came back for them.

A mark keeps the state of the log's tree after so many rows: its root, the hash of its last row and the complete subtrees
(peaks, largest first). So the next checkpoint can prove that the log only grew, and verification can begin behind rows that
were purged. ``note`` is the centre's cosignature (C2SP ``cosignature/v1``) over the checkpoint.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sync import audit, cbor, merkle, notes
from sync.cbor import Malformed

if TYPE_CHECKING:
    from sync.clock import Clock
    from sync.notes import NoteKey
    from sync.store import Connection

ORIGIN: Final = "sala.audit"  # of a device's audit checkpoint: "sala.audit/<device id>"


@dataclass(frozen=True, slots=True)
class Mark:
    """The log after ``size`` rows."""

    size: int
    root: bytes
    head: bytes  # hash of the last row
    peaks: list[bytes]  # largest first
    note: str  # "" until the centre has cosigned


def text(device_id: bytes, size: int, root: bytes) -> str:
    """The checkpoint that the centre cosigns for a device."""
    return notes.Checkpoint(ORIGIN, 0, size, root).text().replace(f"{ORIGIN}/0", f"{ORIGIN}/{device_id.hex()}", 1)


def make(conn: Connection, clock: Clock) -> dict[str, Any]:
    """Mark the log as it stands; the body of the checkpoint op that carries it, with the proof from the mark before."""
    state, before = audit.checkpoint(conn), newest(conn)
    body = {**state.body(), "after": before.size if before else 0, "proof": proof(conn, before, state.size)}
    row = conn.execute("SELECT hash FROM audit WHERE seq = ?", (state.size,)).fetchone()
    peaks = b"".join(bytes(peak[0]) for peak in conn.execute("SELECT hash FROM audit_peak ORDER BY height DESC"))
    conn.execute(
        """INSERT INTO audit_mark (size, root, head, peaks, made_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING""",
        (state.size, state.root, row["hash"] if row else bytes(32), peaks, clock.wall_ms()),
    )
    return body


def proof(conn: Connection, before: Mark | None, size: int) -> list[bytes]:
    """The proof that the log of ``size`` rows begins with the rows of the mark ``before``."""
    if before is None or before.size == size:
        return []
    kept = dict(zip(peak_ranges(before.size), before.peaks, strict=True))
    rows = conn.execute("SELECT hash FROM audit WHERE seq > ? AND seq <= ? ORDER BY seq", (before.size, size))
    leaves = [merkle.leaf_hash(row["hash"]) for row in rows.fetchall()]
    return [
        kept[lo, hi] if hi <= before.size else merkle.subtree(leaves, lo - before.size, hi - before.size)
        for lo, hi in merkle.consistency_ranges(before.size, size)
    ]


def peak_ranges(size: int) -> list[merkle.Range]:
    """The complete subtrees of a tree of ``size`` leaves, largest first."""
    found, lo = [], 0
    for height in range(size.bit_length() - 1, -1, -1):
        if size >> height & 1:
            found.append((lo, lo + (1 << height)))
            lo += 1 << height
    return found


def newest(conn: Connection) -> Mark | None:
    """The last mark."""
    row = conn.execute("SELECT * FROM audit_mark ORDER BY size DESC LIMIT 1").fetchone()
    return _mark(row) if row else None


def cosigned(conn: Connection) -> Mark | None:
    """The last mark that the centre has cosigned: rows up to there may be purged once they are archived."""
    row = conn.execute("SELECT * FROM audit_mark WHERE note IS NOT NULL ORDER BY size DESC LIMIT 1").fetchone()
    return _mark(row) if row else None


def at(conn: Connection, size: int) -> Mark | None:
    """The mark after ``size`` rows."""
    row = conn.execute("SELECT * FROM audit_mark WHERE size = ?", (size,)).fetchone()
    return _mark(row) if row else None


def every(conn: Connection) -> list[Mark]:
    """All marks, oldest first."""
    return [_mark(row) for row in conn.execute("SELECT * FROM audit_mark ORDER BY size").fetchall()]


def go_back(conn: Connection, device_id: bytes, place: int, parent: bytes) -> int:
    """Before new keys: keep only marks that the centre has from this copy too; up to which place of ``device_id`` that is.

    Another copy used the key from the op at ``place`` on, behind the op ``parent``. Checkpoints of this copy from there on are
    put aside at the centre, so the log goes on from the last one that both copies share.
    """
    rows = conn.execute(
        "SELECT seq, bytes FROM op WHERE form = 'sync' AND kind = ? AND device = ?", (audit.CHECKPOINT_KIND, device_id)
    ).fetchall()
    sizes = {row["seq"]: cbor.decode(row["bytes"])[10]["size"] for row in rows}
    before = conn.execute("SELECT hash FROM op_line WHERE seq = ? AND device = ?", (place - 1, device_id)).fetchone()
    last = place - 1
    if before is not None and before["hash"] != parent:  # parted earlier than the centre can know yet
        sure = cosigned(conn)
        last = max((seq for seq, size in sizes.items() if sure is not None and size <= sure.size), default=0)
    shared = {size for seq, size in sizes.items() if seq <= last}
    for size in sizes.values():
        if size not in shared:
            conn.execute("DELETE FROM audit_mark WHERE size = ?", (size,))
    return last


def missing(conn: Connection) -> bool:
    """Whether the newest mark still lacks the centre's cosignature."""
    last = newest(conn)
    return last is not None and not last.note


def take(conn: Connection, device_id: bytes, note: str, log: NoteKey) -> Mark:
    """Keep the centre's cosignature of one of our marks. Malformed: it is not about a mark of this laptop, or not the centre's."""
    found, _ = notes.split(note)
    lines = found.split("\n")
    size = notes.number(lines[1]) if len(lines) == 4 else -1
    mark = at(conn, size)
    if mark is None or found != text(device_id, size, mark.root) or notes.cosigned_by(note, log) is None:
        raise Malformed("audit: cosignature")
    conn.execute("UPDATE audit_mark SET note = ? WHERE size = ?", (note, size))
    return Mark(mark.size, mark.root, mark.head, mark.peaks, note)


def _mark(row: Any) -> Mark:
    peaks = [row["peaks"][start : start + 32] for start in range(0, len(row["peaks"]), 32)]
    return Mark(row["size"], row["root"], row["head"], peaks, row["note"] or "")
