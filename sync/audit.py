"""The tamper-evident log of what was done on this laptop: a hash chain with a Merkle root that leaves in checkpoints.

Row hash = SHA-256("SALA-AUDIT-1" ‖ seq, 8 bytes ‖ hash before ‖ RFC 8785 JSON of the event). Events name people and
records by id only: personal data can be deleted elsewhere without breaking the chain. A checkpoint op carries size and
root to the centre, so that even somebody who recomputes the whole chain is found out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from sync import merkle
from sync.failpoint import failpoint
from sync.marks import AUDIT_PURGED, floor

if TYPE_CHECKING:
    from sync.clock import Clock
    from sync.store import Connection

CHECKPOINT_KIND: Final = "sync.audit_checkpoint"

_ROW: Final = b"SALA-AUDIT-1"
_FINGERPRINT: Final = b"sala/fingerprint/v1\0"
_START: Final = bytes(32)
_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of the log after ``size`` rows."""

    size: int
    root: bytes

    def body(self) -> dict[str, Any]:
        """The body of a checkpoint op."""
        return {"size": self.size, "root": self.root}

    @property
    def fingerprint(self) -> str:
        """12 characters for the daily sheet, without letters that look like digits."""
        number = (
            int.from_bytes(sha256(_FINGERPRINT + self.size.to_bytes(8, "big") + self.root).digest()[:8], "big") >> 4
        )
        return "".join(_CROCKFORD[number >> shift & 31] for shift in range(55, -1, -5))


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What a verification found. ``problem``: a short English phrase, "" when all holds; ``row``: where it shows."""

    ok: bool
    rows: int  # that hold
    root: str  # hex
    fingerprint: str
    problem: str
    row: int


def append(conn: Connection, clock: Clock, event: Mapping[str, Any]) -> None:
    """Add one row. ``event`` is plain JSON data with ``what``; the clock's times are added to it."""
    import rfc8785

    last = conn.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
    seq, before = (last["seq"] + 1, last["hash"]) if last else (1, _START)
    timed = {**event, "at": clock.wall_ms(), "mono": clock.mono_ms(), "boot": clock.boot_id.hex()}
    text = rfc8785.dumps(timed)
    row = _row_hash(seq, before, text)
    failpoint("audit")
    conn.execute("INSERT INTO audit(seq, hash, event) VALUES (?, ?, ?)", (seq, row, text.decode()))
    failpoint("audit")
    _grow(conn, seq, merkle.leaf_hash(row))


def checkpoint(conn: Connection) -> Checkpoint:
    """Size and root of the log as it stands."""
    size = conn.execute("SELECT coalesce(max(seq), 0) FROM audit").fetchone()[0]
    peaks = [bytes(row[0]) for row in conn.execute("SELECT hash FROM audit_peak ORDER BY height")]
    return Checkpoint(size, _fold(peaks))


def fingerprint(conn: Connection) -> str:
    """The 12 characters that stand for the whole log as it is now."""
    return checkpoint(conn).fingerprint


def verify(conn: Connection) -> AuditReport:
    """Recompute every row and compare the root with the log's and with every checkpoint op. Begins behind purged rows."""
    expected = _checkpoints(conn)
    seq, before, peaks = _purged(conn)
    for row in conn.execute("SELECT seq, hash, event FROM audit ORDER BY seq"):
        seq += 1
        if row["seq"] != seq:
            return _report(seq - 1, peaks, "a row is missing", seq)
        if _row_hash(seq, before, row["event"].encode()) != row["hash"]:
            return _report(seq - 1, peaks, "a row was changed or moved", seq)
        before = row["hash"]
        peaks.add(merkle.leaf_hash(before))
        if seq in expected and expected[seq] != peaks.root():
            return _report(seq, peaks, "the log is not the one of an earlier checkpoint", seq)
    if max(expected, default=0) > seq:
        return _report(seq, peaks, "rows at the end are missing", seq + 1)
    if checkpoint(conn) != Checkpoint(seq, peaks.root()):
        return _report(seq, peaks, "rows at the end are missing or were rewritten", seq)
    return _report(seq, peaks)


def _purged(conn: Connection) -> tuple[int, bytes, _Peaks]:
    """The state of the log behind the rows that were purged: their number, the hash of the last, the tree's subtrees."""
    purged = floor(conn, AUDIT_PURGED)
    row = conn.execute("SELECT head, peaks FROM audit_mark WHERE size = ?", (purged,)).fetchone()
    return (purged, row["head"], _Peaks(purged, row["peaks"])) if row else (0, _START, _Peaks())


class _Peaks:
    """The complete subtrees of a growing RFC 6962 tree, smallest last; ``kept`` of the first ``size`` leaves, largest first."""

    def __init__(self, size: int = 0, kept: bytes = b"") -> None:
        heights = [height for height in range(size.bit_length() - 1, -1, -1) if size >> height & 1]
        self._peaks = [(height, kept[32 * n : 32 * n + 32]) for n, height in enumerate(heights)]

    def add(self, leaf: bytes) -> None:
        height = 0
        while self._peaks and self._peaks[-1][0] == height:
            leaf = merkle.node_hash(self._peaks.pop()[1], leaf)
            height += 1
        self._peaks.append((height, leaf))

    def root(self) -> bytes:
        return _fold([peak for _, peak in reversed(self._peaks)])


def _fold(peaks: list[bytes]) -> bytes:
    """The root over complete subtrees, smallest first."""
    if not peaks:
        return merkle.EMPTY_ROOT
    root = peaks[0]
    for peak in peaks[1:]:
        root = merkle.node_hash(peak, root)
    return root


def _grow(conn: Connection, seq: int, leaf: bytes) -> None:
    """Keep the complete subtrees beside the rows: a checkpoint then costs nothing, however long the log is."""
    height, rest = 0, seq - 1
    while rest & 1:
        left = conn.execute("DELETE FROM audit_peak WHERE height = ? RETURNING hash", (height,)).fetchone()
        leaf, height, rest = merkle.node_hash(left[0], leaf), height + 1, rest >> 1
    conn.execute("INSERT INTO audit_peak(height, hash) VALUES (?, ?)", (height, leaf))


def _row_hash(seq: int, before: bytes, event: bytes) -> bytes:
    return sha256(_ROW + seq.to_bytes(8, "big") + before + event).digest()


def _checkpoints(conn: Connection) -> dict[int, bytes]:
    from sync import cbor

    rows = conn.execute("SELECT bytes FROM op WHERE kind = ?", (CHECKPOINT_KIND,))
    bodies = [cbor.decode(row[0])[10] for row in rows]
    return {body["size"]: body["root"] for body in bodies}


def _report(rows: int, peaks: _Peaks, problem: str = "", row: int = 0) -> AuditReport:
    state = Checkpoint(rows, peaks.root())
    return AuditReport(not problem, rows, state.root.hex(), state.fingerprint, problem, row)
