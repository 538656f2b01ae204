"""Taking a batch (SYNC §14.2): verify and parse outside, then everything that is stored in one transaction, then the receipt.

Uniqueness is the database's (``ON CONFLICT``), never check-then-insert: the same batch any number of times, the same op in
any number of batches, over any line and in any order, leave the same state.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from sync import batch as batches
from sync import receipts
from sync.batch import Batch
from sync.cbor import Malformed
from sync.clock import Clock
from sync.errors import Refused
from sync.failpoint import failpoint
from sync.hub import acts, labels, suspects, tally, tree
from sync.hub.keys import HubKeys
from sync.hub.log import Log
from sync.hub.storage import Row, Storage, Tx
from sync.limits import MAX_CHUNK
from sync.receipts import Leaf, State

STATES: Final = {
    labels.ACCEPTED: State.ACCEPTED,
    labels.PENDING: State.PENDING,
    labels.FORK: State.FORK,
    labels.REVOKED: State.REVOKED,
    labels.SCHEMA: State.SCHEMA,
    labels.OFFICER: State.OFFICER,
}
_WORST: Final = (labels.REVOKED, labels.FORK, labels.PENDING, labels.OFFICER, labels.SCHEMA, labels.ACCEPTED)
_REFUSALS_KEPT: Final = 1_000


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a batch: its receipt, whether it was here before, how many of its ops were new, its worst label."""

    receipt: str
    again: bool
    new_ops: int
    label: str


@dataclass(frozen=True, slots=True)
class Placed:
    """How many ops of a batch were new, and the labels that its ops have now."""

    fresh: int
    labels: set[str]


class Ingest:
    """The one way in, for the network and for the courier."""

    def __init__(self, storage: Storage, log: Log, clock: Clock, knows: Callable[[str], bool], keys: HubKeys) -> None:
        self._storage = storage
        self._keys = keys
        self._log = log
        self.clock = clock
        self._knows = knows

    def take(self, data: bytes, expected: bytes | None = None, *, via: str = "line", file: str = "") -> Taken:
        """Store the batch of ``data`` and return when it is durable.

        ``expected`` is the hash that the sender named, ``file`` the stick's file. Refused HB-110: not a batch, altered or cut
        off; it counts for nothing, and what is known of it is kept for a person (:mod:`sync.hub.suspects`).
        """
        digest = sha256(data).digest()
        found = self._storage.read(lambda tx: stored(tx, digest))
        if found is not None:
            return _taken(found, again=True)
        try:
            if expected is not None and digest != expected:
                raise Malformed("batch: not the bytes that were named")
            batch = batches.parse(data)
        except Malformed as error:
            self.refuse(data, error.reason, via=via, file=file)
            raise Refused("HB-110", reason=error.reason) from None
        failpoint("hub:received")
        if self._storage.objects is not None:
            self._storage.objects.put(digest, data)  # durable before the database says that it is here
        new = self._storage.write(lambda tx: self._store(tx, batch, via))
        failpoint("hub:stored")
        receipted = self._storage.read(lambda tx: tx.query(_STORED, {"hash": digest}))[0]
        return _taken(receipted, again=not new)

    def take_chunk(self, data: bytes, expected: bytes, put: Callable[[bytes, bytes], None]) -> bool:
        """Store one encrypted piece of an attachment under its hash; True when it is new. Refused HB-111."""
        if len(data) > MAX_CHUNK or sha256(data).digest() != expected:
            raise Refused("HB-111")
        put(expected, data)  # durable before the database says that it is here
        row = {"hash": expected, "size": len(data), "now": self.clock.wall_ms()}
        return bool(
            self._storage.write(
                lambda tx: tx.execute(
                    "INSERT INTO chunk (hash, size, received_ms) VALUES (:hash, :size, :now) ON CONFLICT (hash) DO NOTHING",
                    row,
                )
            )
        )

    # --- inside

    def refuse(self, data: bytes, reason: str, *, via: str, file: str = "") -> None:
        """Write down bytes that are no batch."""
        now = self.clock.wall_ms()
        self._storage.write(
            lambda tx: suspects.note(tx, data, reason=reason, via=via, file=file, now_ms=now, kept=_REFUSALS_KEPT)
        )

    def _store(self, tx: Tx, batch: Batch, via: str) -> bool:
        """Everything about one batch, behind what the centre did before it; False when it came twice at once."""
        self.sign_acts(tx)
        return self.keep(tx, batch, via, self.clock.wall_ms(), elsewhere=self._storage.objects is not None)

    def sign_acts(self, tx: Tx) -> None:
        """Put what the centre did into the log: before every other entry, and before every commit."""
        for data in acts.pending(tx, self._keys, self.clock.wall_ms()):
            self.keep(tx, batches.parse(data), acts.VIA, self.clock.wall_ms())

    def keep(self, tx: Tx, batch: Batch, via: str, now: int, *, elsewhere: bool = False) -> bool:
        """The rows of one batch that came at ``now``; False when it is here already. ``elsewhere``: its bytes lie in the object
        storage already."""
        inserted = tx.one(
            """INSERT INTO batch (hash, device, device_public, first_seq, n, received_ms, app_version, via, new_ops, raw, wall_ms, size)
               VALUES (:hash, :device, :public, :first, :n, :now, :version, :via, :n, :raw, :wall, :size) ON CONFLICT DO NOTHING
               RETURNING idx""",
            {
                "hash": batch.hash, "device": batch.device_id, "public": batch.device_public, "first": batch.first_seq,
                "n": len(batch.ops), "now": now, "version": batch.app_version, "via": via, "raw": b"" if elsewhere else batch.data,
                "wall": batch.ops[0].fields.wall_ms, "size": len(batch.data),
            },
        )  # fmt: skip
        if inserted is None:
            return False
        index = int(inserted["idx"])
        found = self._place(tx, batch, index, via)
        failpoint("hub:in-transaction")
        worst = next(label for label in _WORST if label in found.labels)
        self._log.append(
            tx, Leaf(batch.hash, batch.device_id, batch.first_seq, batch.last_seq, now, STATES[worst]), index
        )
        if via != acts.VIA:
            tally.count(tx, batch.device_id, found.fresh, now)
        return True

    def _place(self, tx: Tx, batch: Batch, index: int, via: str) -> Placed:
        """Store the ops and label them."""
        known = [via == acts.VIA or self._knows(op.fields.kind) for op in batch.ops]
        straight = [labels.ACCEPTED] * len(known) if via == acts.VIA else tree.straight_on(tx, batch, known)
        given = straight or [labels.PENDING] * len(batch.ops)
        fresh = tx.execute_many(
            """INSERT INTO op (hash, parent, device, seq, op_id, kind, form, def_hash, wall_ms, officer, batch, place, label, known)
               VALUES (:hash, :parent, :device, :seq, :op_id, :kind, :form, :def_hash, :wall, :officer, :batch, :place, :label, :known)
               ON CONFLICT DO NOTHING""",
            [
                {
                    "hash": op.hash, "parent": op.parent, "device": batch.device_id, "seq": op.seq, "op_id": op.fields.op_id,
                    "kind": op.fields.kind, "form": op.fields.form, "def_hash": op.fields.def_hash, "wall": op.fields.wall_ms,
                    "officer": op.fields.officer, "batch": index, "place": place, "label": label, "known": knows,
                }
                for place, (op, label, knows) in enumerate(zip(batch.ops, given, known, strict=True))
            ],
        )  # fmt: skip
        if fresh != len(batch.ops):
            tx.execute("UPDATE batch SET new_ops = :n WHERE idx = :idx", {"n": fresh, "idx": index})
        if straight is not None:
            if via != acts.VIA:  # projections read what offices did
                tree.accept_batch(tx, index)
            return Placed(fresh, set(straight))
        tree.settle(tx, [op.parent for op in batch.ops])  # some of them may have come before, in another batch
        return Placed(
            fresh,
            {str(tx.query(_LABEL, {"hash": op.hash, "device": batch.device_id})[0]["label"]) for op in batch.ops},
        )


_LABEL: Final = "SELECT label FROM op WHERE hash = :hash AND device = :device"
_STORED: Final = """SELECT b.new_ops, l.receipt, l.data FROM batch b JOIN leaf l ON l.batch = b.idx
    WHERE b.hash = :hash AND l.receipt IS NOT NULL"""


def stored(tx: Tx, digest: bytes) -> Row | None:
    """The stored batch of that hash with its receipt."""
    return tx.one(_STORED, {"hash": digest})


def _taken(row: Row, *, again: bool) -> Taken:
    state = receipts.read_leaf(row["data"]).state
    return Taken(
        row["receipt"],
        again,
        0 if again else row["new_ops"],
        next(name for name, value in STATES.items() if value is state),
    )
