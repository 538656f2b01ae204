"""Laptops' audit logs, as far as the centre has seen them: every checkpoint that comes must go on from the one before.

The centre cosigns (C2SP ``cosignature/v1``, by the key of its log) a checkpoint that provably extends the last good one of that
laptop, and no other: a log that shrank or was rewritten shows on the console, and the laptop gets no new cosignature.

A laptop that took new keys, because a copy of it was at work, goes on with the same log: its first checkpoint must go on from the
last one that both copies share. Who its predecessor is, the enrolment proved; how far they share, its own first op says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from sync import audit, audit_marks, merkle, notes, rekey
from sync.hub.storage import Row, Tx
from sync.limits import MAX_PROOF, MAX_SEQ

if TYPE_CHECKING:
    from sync.hub.log import Log

SOUND: Final = "sound"
SMALLER: Final = "smaller"  # the log is shorter than it was: rows were cut off, or an older copy of it was put back
OTHER: Final = "other"  # not the log that the centre cosigned before
_MOST_KEYS: Final = 64  # of one laptop, one after the other


class Audit:
    """The projection of audit checkpoints."""

    name = "audit"
    version = 2
    kinds = frozenset({audit.CHECKPOINT_KIND, rekey.KIND})

    def tables(self) -> Sequence[str]:
        return (
            """CREATE TABLE p_audit_mark (
                device TEXT NOT NULL, seq INTEGER NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, received_ms INTEGER NOT NULL,
                verdict TEXT NOT NULL, PRIMARY KEY (device, seq))""",
            "CREATE TABLE p_audit_line (device TEXT PRIMARY KEY, predecessor TEXT NOT NULL, seq INTEGER NOT NULL)",
        )

    def apply(self, tx: Any, op: Any, received_ms: int) -> None:
        if op.predecessor:
            tx.execute(
                """INSERT INTO p_audit_line (device, predecessor, seq) VALUES (:device, :before, :seq)
                   ON CONFLICT DO NOTHING""",
                {"device": op.device, "before": op.predecessor, "seq": _shared(op)},
            )
        if op.kind == rekey.KIND:
            return
        said = _read(op.body)
        verdict = OTHER if said is None else _verdict(last(tx, op.device) or _inherited(tx, op.device), said)
        size, root = said[:2] if said else (0, b"")
        tx.execute(
            """INSERT INTO p_audit_mark (device, seq, size, root, received_ms, verdict)
               VALUES (:device, :seq, :size, :root, :now, :verdict) ON CONFLICT DO NOTHING""",
            {
                "device": op.device, "seq": op.seq, "size": size, "root": root, "now": received_ms, "verdict": verdict,
            },
        )  # fmt: skip


def last(tx: Any, device: str, until: int = MAX_SEQ) -> Row | None:
    """The last good checkpoint of a laptop (its id in hex) among its ops up to ``until``, None before the first."""
    rows: list[Row] = tx.query(
        """SELECT size, root, received_ms FROM p_audit_mark WHERE device = :d AND verdict = 'sound' AND seq <= :until
           ORDER BY seq DESC LIMIT 1""",
        {"d": device, "until": until},
    )
    return rows[0] if rows else None


def _inherited(tx: Any, device: str) -> Row | None:
    """The last good checkpoint under the laptop's former keys, as far as this copy of it has made them too."""
    for _ in range(_MOST_KEYS):
        rows = tx.query("SELECT predecessor, seq FROM p_audit_line WHERE device = :d", {"d": device})
        if not rows:
            return None
        device = rows[0]["predecessor"]
        found = last(tx, device, rows[0]["seq"])
        if found is not None:
            return found
    return None


def note(tx: Tx, log: Log, device: bytes) -> str | None:
    """The centre's cosignature of a laptop's newest good checkpoint; the same bytes as long as that is the newest."""
    found = last(tx, device.hex())
    if found is None:
        return None
    text = audit_marks.text(device, found["size"], found["root"])
    return f"{text}\n{notes.cosignature_line(text, log.name, log.key, found['received_ms'] // 1000)}"


def listing(tx: Tx, office: str = "") -> list[Row]:
    """Every laptop's newest checkpoint, worst verdict first: device, office, number, size, received_ms, verdict."""
    marks = {
        row["device"]: row
        for row in tx.query(
            """SELECT m.device, m.size, m.received_ms, m.verdict FROM p_audit_mark m
               JOIN (SELECT device, max(seq) AS seq FROM p_audit_mark GROUP BY device) newest
                   ON newest.device = m.device AND newest.seq = m.seq"""
        )
    }
    laptops = tx.query(
        """SELECT device, office, number FROM device WHERE :office = '' OR office = :office ORDER BY office, number, device""",
        {"office": office},
    )
    found = [{**marks[one["device"].hex()], **one} for one in laptops if one["device"].hex() in marks]
    return sorted(found, key=lambda row: row["verdict"] == SOUND)


def _shared(op: Any) -> int:
    """Up to which op of its predecessor's a laptop says, with its first op, that it has the same; all of them when it does not."""
    match op.body:
        case {"shared": int(seq)} if op.kind == rekey.KIND and 0 <= seq <= MAX_SEQ:
            return seq
    return MAX_SEQ


def _read(body: Any) -> tuple[int, bytes, int, list[bytes]] | None:
    """Size, root, the size that the proof starts from, and the proof; None when that is no checkpoint."""
    match body:
        case {"size": int(size), "root": bytes(root), **more} if 0 <= size <= MAX_SEQ and len(root) == 32:
            match more.get("after", 0), more.get("proof", []):
                case int(after), list(proof) if len(proof) <= MAX_PROOF and all(
                    isinstance(one, bytes) for one in proof
                ):
                    return size, root, after, proof
    return None


def _verdict(before: Row | None, said: tuple[int, bytes, int, list[bytes]]) -> str:
    size, root, after, proof = said
    if before is None:
        return SOUND
    if size < before["size"]:
        return SMALLER
    if (size, root) == (before["size"], before["root"]):
        return SOUND
    proved = after == before["size"] and merkle.consistent(after, size, before["root"], root, proof)
    return SOUND if proved else OTHER
