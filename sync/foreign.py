"""The ops of colleagues, kept apart from this laptop's own log: verified batches, opened bodies, receipts for them.

A batch is taken as its laptop signed it and stays byte for byte, so that any laptop may carry it on to the hub. Bodies that
are sealed to the agency come in a box for this laptop and are held against the op's commitment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from sync import batch, cbor, colleagues, foreign_files, ops, receipts
from sync.cbor import Malformed
from sync.errors import Known, Refused
from sync.failpoint import failpoint
from sync.limits import MAX_OP, MAX_OPS, MAX_RAW
from sync.ops import OpFields, SealedRef

if TYPE_CHECKING:
    from sync.batch import Batch
    from sync.clock import Clock
    from sync.notes import NoteKey
    from sync.store import Connection

_LEVEL: Final = 10


@dataclass(frozen=True, slots=True)
class ForeignOp:
    """One op of a colleague, its body open. ``number``: the laptop's within the office."""

    hash: str
    device: bytes
    number: int
    seq: int
    fields: OpFields
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Body:
    """A sealed op's body with the salt that proves it."""

    op: bytes
    salt: bytes
    body: bytes


# --- batches


def take_batch(conn: Connection, clock: Clock, data: bytes) -> int:
    """Keep a colleague's batch and its ops; returns how many ops are new. The same again changes nothing.

    Refused SY-447 when its laptop is no colleague, or was revoked before; Malformed when anything of it does not hold; Known SY-449 when it
    contradicts what the same laptop signed before: two laptops are at work with one key.
    """
    found = batch.parse(data)
    if not colleagues.counts(conn, found.device_id, found.last_seq):
        raise Refused("SY-447")
    _require_chain(conn, found)
    conn.execute(
        """INSERT INTO foreign_batch (hash, device, first_seq, last_seq, bytes, taken_ms) VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT (hash) DO NOTHING""",
        (found.hash, found.device_id, found.first_seq, found.last_seq, data, clock.wall_ms()),
    )
    failpoint("foreign:batch")
    new = 0
    for op in found.ops:
        new += conn.execute(
            """INSERT INTO foreign_op (device, seq, hash, bytes, kind, body) VALUES (?, ?, ?, ?, ?, ?)
               ON CONFLICT DO NOTHING""",
            (found.device_id, op.seq, op.hash, op.data, op.fields.kind, _plain(op.fields)),
        ).rowcount
        if isinstance(op.fields.body, dict):
            foreign_files.expect(conn, found.device_id, op.fields.body)
    colleagues.met(conn, found.device_id, clock.wall_ms())
    failpoint("foreign:ops")
    return new


def _plain(fields: OpFields) -> bytes | None:
    return None if isinstance(fields.body, SealedRef) else cbor.encode(fields.body)


def _require_chain(conn: Connection, found: Batch) -> None:
    """What is known of the same laptop must agree: before, inside and behind the batch."""
    rows = conn.execute(
        "SELECT seq, hash, bytes FROM foreign_op WHERE device = ? AND seq BETWEEN ? AND ?",
        (found.device_id, found.first_seq - 1, found.last_seq + 1),
    )
    known = {row["seq"]: row for row in rows.fetchall()}
    made = {op.seq: op.hash for op in found.ops}
    for seq, row in known.items():
        if seq < found.first_seq:
            sound = row["hash"] == found.prev
        elif seq > found.last_seq:
            sound = ops.op_hash(found.last, row["bytes"]) == row["hash"]
        else:
            sound = made[seq] == row["hash"]
        if not sound:
            raise Known("SY-449", seq=seq)
    if found.first_seq == 1 and found.prev != ops.genesis(found.device_public):
        raise Malformed("batch: genesis")


# --- bodies


def seal_bodies(bodies: Sequence[Body], seal_public: bytes) -> bytes:
    """``bodies`` in a box that only the laptop with ``seal_public`` opens."""
    plain = cbor.encode([[one.op, one.salt, one.body] for one in bodies])
    return SealedBox(PublicKey(seal_public)).encrypt(cbor.zip_bytes(plain, _LEVEL))


def open_bodies(data: bytes, key: PrivateKey) -> list[Body]:
    """The bodies of a box for this laptop. Malformed when it is not for ``key`` or was altered."""
    try:
        plain, rest = cbor.unzip(SealedBox(key).decrypt(data), MAX_RAW)
    except CryptoError:
        raise Malformed("bodies: cannot be opened") from None
    value = cbor.decode(plain)
    if rest or not isinstance(value, list) or len(value) > MAX_OPS:
        raise Malformed("bodies: list")
    return [_read_body(item) for item in value]


def _read_body(value: Any) -> Body:
    match value:
        case [bytes(op), bytes(salt), bytes(body)] if (len(op), len(salt)) == (32, 16) and len(body) <= MAX_OP:
            return Body(op, salt, body)
    raise Malformed("bodies: entry")


def take_bodies(conn: Connection, bodies: Sequence[Body]) -> int:
    """Keep each body whose op is here and whose commitment it fulfils; returns how many are new.

    Malformed for one that is not what its op committed to: then none of them is kept.
    """
    new = 0
    for one in bodies:
        row = conn.execute("SELECT bytes, body, device FROM foreign_op WHERE hash = ?", (one.op,)).fetchone()
        if row is None or row["body"] is not None:
            continue
        ref = ops.read_fields(cbor.decode(row["bytes"])).body
        if not isinstance(ref, SealedRef) or not ops.commitment_holds(ref.commitment, one.salt, one.body):
            raise Malformed("bodies: commitment")
        body = cbor.decode(one.body)
        if not isinstance(body, dict):
            raise Malformed("bodies: no map")
        conn.execute("UPDATE foreign_op SET salt = ?, body = ? WHERE hash = ?", (one.salt, one.body, one.op))
        foreign_files.expect(conn, row["device"], body)
        new += 1
    failpoint("foreign:bodies")
    return new


# --- receipts


def received(conn: Connection, text: str, log: NoteKey) -> bool:
    """Note a verified receipt for a colleague's batch; True when it is new. False also when no such batch is here.

    Known: SY-310 forged, SY-360 it misstates what the batch holds.
    """
    found = receipts.verify(text, log)
    leaf = found.leaf
    row = conn.execute(
        "SELECT device, first_seq, last_seq, receipt FROM foreign_batch WHERE hash = ?", (leaf.batch_hash,)
    ).fetchone()
    if row is None:
        return False
    if (row["device"], row["first_seq"], row["last_seq"]) != (leaf.device_id, leaf.first_seq, leaf.last_seq):
        raise Known("SY-360")
    conn.execute("UPDATE foreign_batch SET receipt = ? WHERE hash = ?", (text, leaf.batch_hash))
    return row["receipt"] is None


def handed(conn: Connection, hash_: bytes, relay: str) -> None:
    """The province's ``relay`` has signed for a colleague's batch; "": it has lost it since."""
    conn.execute("UPDATE foreign_batch SET handed_to = ? WHERE hash = ?", (relay, hash_))


def to_carry(conn: Connection, *, beside: str = "") -> list[tuple[bytes, int]]:
    """Hash and size of colleagues' batches that no receipt covers, oldest first: this laptop carries them on to the hub.

    ``beside``: without those that the relay of that name holds already.
    """
    rows = conn.execute(
        """SELECT hash, length(bytes) AS size FROM foreign_batch WHERE receipt IS NULL AND (:relay = '' OR handed_to <> :relay)
           ORDER BY taken_ms, device, first_seq""",
        {"relay": beside},
    )
    return [(row["hash"], row["size"]) for row in rows.fetchall()]


def data(conn: Connection, hash_: bytes) -> bytes:
    """A colleague's batch as it was signed."""
    return bytes(conn.execute("SELECT bytes FROM foreign_batch WHERE hash = ?", (hash_,)).fetchone()["bytes"])


# --- what modules make of them


def unapplied(conn: Connection, kinds: Sequence[str], limit: int = 500) -> list[ForeignOp]:
    """Ops of ``kinds`` that no module has taken yet and whose body is open, in each laptop's order."""
    marks = ", ".join("?" * len(kinds))
    rows = conn.execute(
        f"""SELECT o.*, c.number FROM foreign_op AS o JOIN colleague AS c ON c.device = o.device
            WHERE o.applied_ms IS NULL AND o.body IS NOT NULL AND o.kind IN ({marks})
            ORDER BY o.device, o.seq LIMIT ?""",
        (*kinds, limit),
    )
    return [
        ForeignOp(
            row["hash"].hex(), row["device"], row["number"], row["seq"], ops.read_fields(cbor.decode(row["bytes"])),
            cbor.decode(row["body"]),
        )
        for row in rows.fetchall()
    ]  # fmt: skip


def applied(conn: Connection, op: str, record: str, now_ms: int) -> None:
    """A module has made ``record`` of the op."""
    conn.execute("UPDATE foreign_op SET applied_ms = ?, record = ? WHERE hash = ?", (now_ms, record, bytes.fromhex(op)))


def officer_name(conn: Connection, device: bytes, officer: bytes) -> str:
    """What an officer of the laptop ``device`` is called: it said so itself, in its own signed ops; "" when it has not."""
    rows = conn.execute(
        "SELECT bytes FROM foreign_op WHERE kind = 'sync.officer' AND device = ? ORDER BY seq DESC", (device,)
    )
    for row in rows.fetchall():
        body = ops.read_fields(cbor.decode(row["bytes"])).body
        if isinstance(body, dict) and body.get("officer") == officer.hex():
            return str(body.get("name", ""))[:200]
    return ""


def history(conn: Connection, record: str) -> list[dict[str, Any]]:
    """The ops of colleagues about ``record``, in the form of :func:`sync.outbox.history`."""
    rows = conn.execute(
        """SELECT o.hash, o.kind, o.bytes, EXISTS (SELECT 1 FROM foreign_batch AS b WHERE b.device = o.device
               AND b.first_seq <= o.seq AND b.last_seq >= o.seq AND b.receipt IS NOT NULL) AS here
           FROM foreign_op AS o WHERE o.record = ? ORDER BY o.device, o.seq""",
        (record,),
    )
    found = []
    for row in rows.fetchall():
        fields = ops.read_fields(cbor.decode(row["bytes"]))
        found.append(
            {
                "op": row["hash"].hex(), "kind": row["kind"], "officer": fields.officer.hex(), "wall_ms": fields.wall_ms,
                "state": "received" if row["here"] else "waiting", "received_ms": None,
            }
        )  # fmt: skip
    return found
