"""Laptops' audit logs, as far as the centre has seen them: every checkpoint that comes must go on from the one before.

The centre cosigns (C2SP ``cosignature/v1``, by the key of its log) a checkpoint that provably extends the last good one of that
laptop, and no other: a log that shrank or was rewritten shows on the console, and the laptop gets no new cosignature.

A laptop that took new keys, because a copy of it was at work, goes on with the same log: its first checkpoint must go on from the
last one that both copies share. Who its predecessor is, the enrolment proved; how far they share, its own first op says. However
often keys were taken, the proof goes back through all of them: where the first op under one of them has not come, checkpoints wait
for it and are not cosigned. Whoever says that nothing is shared, although former keys had good checkpoints, begins anew and is
shown as that for good: the centre cannot tell a copy that was made early from somebody who wants to be rid of a log.
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
WAITS: Final = "waits"  # what was said first under a former key has not come: until then nothing is proven
BEGUN: Final = (
    "begun"  # provable from here on, but by its own word it shares nothing with the log under its former keys
)
WRONG: Final = frozenset({SMALLER, OTHER, WAITS})  # not cosigned
_ORDER: Final = (OTHER, SMALLER, WAITS, BEGUN, SOUND)  # the worst first
_MOST_KEYS: Final = 64  # of one laptop, one after the other


class Audit:
    """The projection of audit checkpoints."""

    name = "audit"
    version = 3
    kinds = frozenset({audit.CHECKPOINT_KIND, rekey.KIND})

    def tables(self) -> Sequence[str]:
        return (
            """CREATE TABLE p_audit_mark (
                device TEXT NOT NULL, seq INTEGER NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, received_ms INTEGER NOT NULL,
                verdict TEXT NOT NULL, base INTEGER NOT NULL, proof BLOB NOT NULL, PRIMARY KEY (device, seq))""",
            "CREATE TABLE p_audit_line (device TEXT PRIMARY KEY, predecessor TEXT NOT NULL, seq INTEGER NOT NULL)",
        )

    def apply(self, tx: Any, op: Any, received_ms: int) -> None:
        new = not _heard(tx, op.device)
        if op.predecessor:
            tx.execute(
                """INSERT INTO p_audit_line (device, predecessor, seq) VALUES (:device, :before, :seq)
                   ON CONFLICT DO NOTHING""",
                {"device": op.device, "before": op.predecessor, "seq": _shared(op)},
            )
        if op.kind != rekey.KIND:
            _mark(tx, op, received_ms)
        if new:
            _judge_waiting(tx)


def _mark(tx: Any, op: Any, received_ms: int) -> None:
    """Judge one checkpoint and keep it."""
    said = _read(op.body)
    verdict = OTHER if said is None else _verdict(last(tx, op.device) or _inherited(tx, op.device), said)
    size, root, base, proof = said or (0, b"", 0, [])
    tx.execute(
        """INSERT INTO p_audit_mark (device, seq, size, root, received_ms, verdict, base, proof)
           VALUES (:device, :seq, :size, :root, :now, :verdict, :base, :proof) ON CONFLICT DO NOTHING""",
        {
            "device": op.device, "seq": op.seq, "size": size, "root": root, "now": received_ms, "verdict": verdict,
            "base": base, "proof": b"".join(proof),
        },
    )  # fmt: skip


def last(tx: Any, device: str, until: int = MAX_SEQ) -> Row | None:
    """The last good checkpoint of a laptop (its id in hex) among its ops up to ``until``, None before the first."""
    rows: list[Row] = tx.query(
        """SELECT size, root, received_ms, verdict FROM p_audit_mark
           WHERE device = :d AND verdict IN ('sound', 'begun') AND seq <= :until ORDER BY seq DESC LIMIT 1""",
        {"d": device, "until": until},
    )
    return rows[0] if rows else None


def _inherited(tx: Any, device: str) -> Row:
    """The last good checkpoint under the laptop's former keys, as far as this copy of it has made them too.

    Without one only a ``verdict``: sound for a first log, begun when former keys have good ones all the same, waits while it cannot
    be told.
    """
    first, passed, end = device, set[str](), SOUND
    while device not in passed:
        if len(passed) == _MOST_KEYS:
            return {"verdict": WAITS}
        passed.add(device)
        rows = tx.query("SELECT predecessor, seq FROM p_audit_line WHERE device = :d", {"d": device})
        if not rows:
            return {"verdict": end if device == first or _heard(tx, device) else WAITS}
        device = rows[0]["predecessor"]
        found = last(tx, device, rows[0]["seq"])
        if found is not None:
            return found
        if _waiting(tx, device):
            return {"verdict": WAITS}
        end = BEGUN if last(tx, device) is not None else end
    return {"verdict": end}


def _heard(tx: Any, device: str) -> bool:
    """Whether anything of a key has come that this projection reads."""
    sql = "SELECT 1 AS yes FROM p_audit_mark WHERE device = :d UNION ALL SELECT 1 AS yes FROM p_audit_line WHERE device = :d"
    return bool(tx.query(sql, {"d": device}))


def _waiting(tx: Any, device: str = "") -> list[Row]:
    """The checkpoints that wait, of one key or of all, in each one's order."""
    rows: list[Row] = tx.query(
        """SELECT device, seq, size, root, base, proof FROM p_audit_mark
           WHERE verdict = 'waits' AND (:d = '' OR device = :d) ORDER BY device, seq""",
        {"d": device},
    )
    return rows


def _judge_waiting(tx: Any) -> None:
    """The first op under some key has come: judge again what waits for it, until nothing more can be told."""
    before = -1
    while (left := len(_waiting(tx))) and left != before:
        before = left
        _judge_each(tx)


def _judge_each(tx: Any) -> None:
    for row in _waiting(tx):
        proof = [bytes(row["proof"][at : at + 32]) for at in range(0, len(row["proof"]), 32)]
        before = last(tx, row["device"], row["seq"] - 1) or _inherited(tx, row["device"])
        verdict = _verdict(before, (row["size"], bytes(row["root"]), row["base"], proof))
        tx.execute(
            "UPDATE p_audit_mark SET verdict = :v WHERE device = :d AND seq = :s",
            {"v": verdict, "d": row["device"], "s": row["seq"]},
        )


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
    return sorted(found, key=lambda row: _ORDER.index(row["verdict"]))


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
                    isinstance(one, bytes) and len(one) == 32 for one in proof
                ):
                    return size, root, after, proof
    return None


def _verdict(before: Row, said: tuple[int, bytes, int, list[bytes]]) -> str:
    size, root, after, proof = said
    good = str(before["verdict"])
    if "size" not in before or (size, root) == (before["size"], before["root"]):
        return good
    if size < before["size"]:
        return SMALLER
    proved = after == before["size"] and merkle.consistent(after, size, before["root"], root, proof)
    return good if proved else OTHER
