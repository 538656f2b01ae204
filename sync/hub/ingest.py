"""Taking a batch (SYNC §14.2): verify and parse outside, then everything that is stored in one transaction, then the receipt.

Uniqueness is the database's (``ON CONFLICT``), never check-then-insert: the same batch any number of times, the same op in
any number of batches, over any line and in any order, leave the same state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256

from sync import batch as batches
from sync import ops, receipts
from sync.cbor import Malformed
from sync.clock import Clock
from sync.errors import Refused
from sync.failpoint import failpoint
from sync.hub import labels
from sync.hub.log import Log
from sync.hub.storage import Row, Storage, Tx
from sync.limits import MAX_BATCH, MAX_CHUNK
from sync.receipts import Leaf, State

_STATES = {
    labels.ACCEPTED: State.ACCEPTED,
    labels.PENDING: State.PENDING,
    labels.FORK: State.FORK,
    labels.REVOKED: State.REVOKED,
    labels.SCHEMA: State.SCHEMA,
}
_WORST = (labels.REVOKED, labels.FORK, labels.PENDING, labels.SCHEMA, labels.ACCEPTED)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a batch: its receipt, whether it was here before, how many of its ops were new, its worst label."""

    receipt: str
    again: bool
    new_ops: int
    label: str


class Ingest:
    """The one way in, for the network, for the courier and for a relay."""

    def __init__(self, storage: Storage, log: Log, clock: Clock, knows: Callable[[str], bool]) -> None:
        self._storage = storage
        self._log = log
        self._clock = clock
        self._knows = knows

    def take(self, data: bytes, expected: bytes | None = None, *, via: str = "line") -> Taken:
        """Store the batch of ``data`` and return when it is durable.

        ``expected`` is the hash that the sender named. Refused HB-110: not a batch, altered or cut off; nothing of it is
        stored but its hash and the reason, so that the console can name it.
        """
        digest = sha256(data).digest()
        found = self._storage.read(lambda tx: stored(tx, digest))
        if found is not None:
            return Taken(found["receipt"], True, 0, _label_of(found))
        try:
            if expected is not None and digest != expected:
                raise Malformed("batch: not the bytes that were named")
            batch = batches.parse(data)
        except Malformed as error:
            self._note_refused(digest, error.reason, via)
            raise Refused("HB-110", reason=error.reason) from None
        failpoint("hub:received")
        taken = self._storage.write(lambda tx: self._store(tx, batch, via))
        failpoint("hub:stored")
        found = self._storage.read(lambda tx: stored(tx, digest))
        if found is None:
            raise Malformed("batch: stored and not there")
        return Taken(found["receipt"], taken is None, taken or 0, _label_of(found))

    def _note_refused(self, digest: bytes, reason: str, via: str) -> None:
        now = self._clock.wall_ms()

        def note(tx: Tx) -> None:
            tx.execute(
                "INSERT INTO refused (hash, reason, via, received_ms) VALUES (:hash, :reason, :via, :now)",
                {"hash": digest, "reason": reason, "via": via, "now": now},
            )
            tx.execute("DELETE FROM refused WHERE idx <= (SELECT max(idx) FROM refused) - 1000")  # hostile senders fill nothing

        self._storage.write(note)

    def _store(self, tx: Tx, batch: batches.Batch, via: str) -> int | None:
        """Everything about one batch; the number of ops that are new, or None when the batch came twice at once."""
        now = self._clock.wall_ms()
        inserted = tx.execute(
            """INSERT INTO batch (hash, device, device_public, first_seq, n, received_ms, app_version, via, new_ops, raw)
               VALUES (:hash, :device, :public, :first, :n, :now, :version, :via, 0, :raw) ON CONFLICT (hash) DO NOTHING""",
            {
                "hash": batch.hash, "device": batch.device_id, "public": batch.device_public, "first": batch.first_seq,
                "n": len(batch.ops), "now": now, "version": batch.app_version, "via": via, "raw": batch.data,
            },
        )  # fmt: skip
        if not inserted:
            return None
        index = int(_must(tx.one("SELECT idx FROM batch WHERE hash = :hash", {"hash": batch.hash}))["idx"])
        fresh = tx.execute_many(
            """INSERT INTO op (hash, parent, device, seq, op_id, kind, form, def_hash, wall_ms, officer, batch, place, label, known)
               VALUES (:hash, :parent, :device, :seq, :op_id, :kind, :form, :def_hash, :wall, :officer, :batch, :place, :label, :known)
               ON CONFLICT (hash) DO NOTHING""",
            [
                {
                    "hash": op.hash, "parent": op.parent, "device": batch.device_id, "seq": op.seq, "op_id": op.fields.op_id,
                    "kind": op.fields.kind, "form": op.fields.form, "def_hash": op.fields.def_hash, "wall": op.fields.wall_ms,
                    "officer": op.fields.officer, "batch": index, "place": place, "label": labels.PENDING,
                    "known": self._knows(op.fields.kind),
                }
                for place, op in enumerate(batch.ops)
            ],
        )  # fmt: skip
        tx.execute("UPDATE batch SET new_ops = :n WHERE idx = :idx", {"n": fresh, "idx": index})
        settle(tx, [batch.prev])
        worst = _worst(tx, index, [op.hash for op in batch.ops])
        self._log.append(
            tx, Leaf(batch.hash, batch.device_id, batch.first_seq, batch.last_seq, now, _STATES[worst]), index
        )
        tx.execute(
            "UPDATE device SET last_seen_ms = :now, head_seq = max(head_seq, :head) WHERE device = :device",
            {"now": now, "head": batch.last_seq, "device": batch.device_id},
        )
        return fresh

    def take_chunk(self, data: bytes, expected: bytes, put: Callable[[bytes, bytes], None], *, device: str = "") -> bool:
        """Store one encrypted piece of an attachment under its hash; True when it is new. Refused HB-111."""
        if len(data) > MAX_CHUNK or sha256(data).digest() != expected:
            raise Refused("HB-111")
        put(expected, data)
        now = self._clock.wall_ms()
        return bool(
            self._storage.write(
                lambda tx: tx.execute(
                    """INSERT INTO chunk (hash, size, device, received_ms) VALUES (:hash, :size, :device, :now)
                       ON CONFLICT (hash) DO NOTHING""",
                    {"hash": expected, "size": len(data), "device": device, "now": now},
                )
            )
        )


def too_big(size: int) -> bool:
    """Whether a body of ``size`` bytes cannot be a batch: asked while reading, before anything is parsed."""
    return size > MAX_BATCH


def stored(tx: Tx, digest: bytes) -> Row | None:
    """The stored batch of that hash with its receipt."""
    return tx.one(
        """SELECT b.idx, b.hash, l.receipt, l.data FROM batch b JOIN leaf l ON l.batch = b.idx
           WHERE b.hash = :hash AND l.receipt IS NOT NULL""",
        {"hash": digest},
    )


def settle(tx: Tx, parents: Iterable[bytes]) -> None:
    """Label every waiting op that hangs on ``parents``, and then what hangs on those, down to the leaves of the tree."""
    waiting = list(parents)
    while waiting:
        parent = waiting.pop()
        for child in tx.query(
            "SELECT hash, device, seq, label, known FROM op WHERE parent = :parent AND label = :pending ORDER BY hash",
            {"parent": parent, "pending": labels.PENDING},
        ):
            reached = _label(tx, parent, child)
            if reached != labels.PENDING:
                _give(tx, child["hash"], reached)
                waiting.append(child["hash"])


def _give(tx: Tx, op: bytes, label: str) -> None:
    tx.execute("UPDATE op SET label = :label WHERE hash = :hash", {"label": label, "hash": op})
    if label == labels.ACCEPTED:
        tx.execute("INSERT INTO accepted (hash) VALUES (:hash) ON CONFLICT (hash) DO NOTHING", {"hash": op})


def _label(tx: Tx, parent: bytes, child: Row) -> str:
    device = tx.one("SELECT sign_public, revoked_ms, cutoff_seq FROM device WHERE device = :d", {"d": child["device"]})
    above = tx.one("SELECT label FROM op WHERE hash = :hash AND device = :d", {"hash": parent, "d": child["device"]})
    reached = above["label"] if above else None
    if reached is None and device is not None and parent == ops.genesis(device["sign_public"]):
        reached = labels.ACCEPTED
    sibling = tx.one(
        "SELECT 1 AS yes FROM op WHERE parent = :parent AND hash <> :hash AND label IN ('accepted', 'q:schema') LIMIT 1",
        {"parent": parent, "hash": child["hash"]},
    )
    revoked = device is not None and device["revoked_ms"] is not None
    return labels.label(
        labels.Situation(
            parent=reached,
            enrolled=device is not None,
            sibling_accepted=sibling is not None,
            after_cutoff=revoked and child["seq"] > (_must(device)["cutoff_seq"] or 0),
            known=bool(child["known"]),
        )
    )


def _worst(tx: Tx, batch: int, hashes: list[bytes]) -> str:
    """The label that the receipt names: the worst of the batch's ops, also of those that came in another batch before."""
    found = {str(row["label"]) for row in tx.query("SELECT DISTINCT label FROM op WHERE batch = :batch", {"batch": batch})}
    for digest in () if found else hashes:
        row = tx.one("SELECT label FROM op WHERE hash = :hash", {"hash": digest})
        found.add(str(_must(row)["label"]))
    return next(label for label in _WORST if label in found)


def _label_of(row: Row) -> str:
    state = receipts.read_leaf(row["data"]).state
    return next(label for label, value in _STATES.items() if value is state)


def _must(row: Row | None) -> Row:
    if row is None:
        raise Malformed("hub: a row that was just written is not there")
    return row
