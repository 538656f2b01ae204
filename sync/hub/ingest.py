"""Taking a batch (SYNC §14.2): verify and parse outside, then everything that is stored in one transaction, then the receipt.

Uniqueness is the database's (``ON CONFLICT``), never check-then-insert: the same batch any number of times, the same op in
any number of batches, over any line and in any order, leave the same state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
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
from sync.hub.storage import Row, Storage, Tx, listed
from sync.hub.turns import Turns
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
class Kept:
    """A batch that got its rows: how many of its ops were new, its worst label, and where its receipt stands after the commit."""

    index: int
    new_ops: int
    label: str
    receipts: dict[int, str]


@dataclass(frozen=True, slots=True)
class _Placed:
    """A stored batch with its number, how many of its ops were new, and the labels that its ops have now."""

    batch: Batch
    index: int
    new_ops: int
    labels: set[str]

    @property
    def label(self) -> str:
        return next(label for label in _WORST if label in self.labels)


class Ingest:
    """The one way in, for the network and for the courier."""

    def __init__(self, storage: Storage, log: Log, clock: Clock, knows: Callable[[str], bool], keys: HubKeys) -> None:
        self._storage = storage
        self._keys = keys
        self._log = log
        self.clock = clock
        self._knows = knows
        self.turns = Turns()

    def take(self, data: bytes, expected: bytes | None = None, *, via: str = "line", file: str = "") -> Taken:
        """Store the batch of ``data`` and return when it is durable.

        ``expected`` is the hash that the sender named, ``file`` the stick's file. Refused HB-110: not a batch, altered or cut
        off; it counts for nothing, and what is known of it is kept for a person (:mod:`sync.hub.suspects`).
        """
        digest = sha256(data).digest()
        found = self._storage.ask(_STORED, {"hash": digest})
        if found:
            return _taken(found[0])
        try:
            if expected is not None and digest != expected:
                raise Malformed("batch: not the bytes that were named")
            with self.turns.checking():
                batch = batches.parse(data)
        except Malformed as error:
            self.refuse(data, error.reason, via=via, file=file)
            raise Refused("HB-110", reason=error.reason) from None
        failpoint("hub:received")
        if self._storage.objects is not None:
            self._storage.objects.put(digest, data)  # durable before the database says that it is here
        kept = self._storage.write_together(self._store, (batch, via))
        failpoint("hub:stored")
        if kept is None:  # it came twice at once
            return _taken(self._storage.ask(_STORED, {"hash": digest})[0])
        return Taken(kept.receipts[kept.index], False, kept.new_ops, kept.label)

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

    def _store(self, tx: Tx, came: Sequence[tuple[Batch, str]]) -> list[Kept | None]:
        """Everything about batches (each with the way it came), behind what the centre did before; None: it is here already."""
        with self.turns.storing():
            self.sign_acts(tx)
            return self.keep(tx, came, self.clock.wall_ms(), elsewhere=self._storage.objects is not None)

    def sign_acts(self, tx: Tx) -> None:
        """Put what the centre did into the log: before every other entry, and before every commit."""
        for data in acts.pending(tx, self._keys, self.clock.wall_ms()):
            self.keep(tx, [(batches.parse(data), acts.VIA)], self.clock.wall_ms())

    def keep(
        self, tx: Tx, came: Sequence[tuple[Batch, str]], now: int, *, elsewhere: bool = False
    ) -> list[Kept | None]:
        """The rows of batches that came at ``now``, each with its way; None for one that is here already. ``elsewhere``: their bytes
        lie in the object storage already."""
        ways = {batch.hash: via for batch, via in reversed(came)}
        numbers = _write(tx, came, now, elsewhere=elsewhere)
        new = {batch.hash: batch for batch, _ in came if batch.hash in numbers}
        placed = [
            one
            for together in _rounds(list(new.values()))
            for one in self._place(tx, together, numbers, ways)
        ]  # fmt: skip
        failpoint("hub:in-transaction")
        if placed:
            self._log.append(tx, [(_leaf(one, now), one.index) for one in placed])
            sums = [(one.batch.device_id, one.new_ops) for one in placed if ways[one.batch.hash] != acts.VIA]
            tally.count(tx, sums, now)
        kept = {one.batch.hash: Kept(one.index, one.new_ops, one.label, tx.receipts) for one in placed}
        return [kept.pop(batch.hash, None) for batch, _ in came]

    def _place(
        self, tx: Tx, together: Sequence[Batch], numbers: Mapping[bytes, int], ways: Mapping[bytes, str]
    ) -> list[_Placed]:  # fmt: skip
        """Store the ops of batches of different devices and label them."""
        own = [batch for batch in together if ways[batch.hash] == acts.VIA]
        sent = [batch for batch in together if ways[batch.hash] != acts.VIA]
        known = [[self._knows(op.fields.kind) for op in batch.ops] for batch in sent]
        straight = tree.straight_on(tx, sent, known) if sent else []
        sure: list[_Placed] = []
        rows: list[Row] = []
        rest: list[_Placed] = []
        for batch, knows, given in zip(sent, known, straight, strict=True):
            index = numbers[batch.hash]
            if given is None or given[0] == labels.PENDING:
                rest.append(_one(tx, batch, index, knows, given))
            else:
                rows += _rows(batch, index, knows, given)
                sure.append(_Placed(batch, index, len(batch.ops), set(given)))
        tx.add("op", rows)
        if sure:
            tree.accept_batches(tx, [one.index for one in sure])
        for batch in own:  # projections read what offices did
            always = [labels.ACCEPTED] * len(batch.ops)
            rest.append(_one(tx, batch, numbers[batch.hash], [True] * len(batch.ops), always))
        return sorted(sure + rest, key=lambda one: one.index)


def _write(tx: Tx, came: Sequence[tuple[Batch, str]], now: int, *, elsewhere: bool) -> dict[bytes, int]:
    """Store the batches that are not here yet; their numbers."""
    names, values = listed("h", [batch.hash for batch, _ in came])
    here = {row["hash"] for row in tx.query(f"SELECT hash FROM batch WHERE hash IN {names}", values)}
    rows = {
        batch.hash: {
            "hash": batch.hash, "device": batch.device_id, "device_public": batch.device_public, "first_seq": batch.first_seq,
            "n": len(batch.ops), "received_ms": now, "app_version": batch.app_version, "via": via, "new_ops": len(batch.ops),
            "raw": b"" if elsewhere else batch.data, "wall_ms": batch.ops[0].fields.wall_ms, "size": len(batch.data),
        }
        for batch, via in reversed(came) if batch.hash not in here
    }  # fmt: skip
    tx.add("batch", list(reversed(rows.values())))
    found = tx.query(f"SELECT idx, hash FROM batch WHERE hash IN {names}", values) if rows else []
    return {row["hash"]: int(row["idx"]) for row in found if row["hash"] in rows}


def _rounds(waiting: list[Batch]) -> Iterator[list[Batch]]:
    """Batches that can be labelled together: one of each device at a time, and one on which labels of others hang alone."""
    alone = {batch.hash for batch in waiting if tree.moves(batch)}
    while waiting:
        if waiting[0].hash in alone:
            yield waiting[:1]
            waiting = waiting[1:]
            continue
        together: list[Batch] = []
        later: list[Batch] = []
        devices: set[bytes] = set()
        for batch in waiting:
            (later if batch.device_id in devices or batch.hash in alone else together).append(batch)
            devices.add(batch.device_id)
        yield together
        waiting = later


def _rows(batch: Batch, index: int, known: Sequence[bool], given: Sequence[str]) -> list[Row]:
    """The rows of the ops of a batch."""
    return [
        {
            "hash": op.hash, "parent": op.parent, "device": batch.device_id, "seq": op.seq, "op_id": op.fields.op_id,
            "kind": op.fields.kind, "form": op.fields.form, "def_hash": op.fields.def_hash, "wall_ms": op.fields.wall_ms,
            "officer": op.fields.officer, "batch": index, "place": place, "label": label, "known": knows,
        }
        for place, (op, label, knows) in enumerate(zip(batch.ops, given, known, strict=True))
    ]  # fmt: skip


def _one(tx: Tx, batch: Batch, index: int, known: Sequence[bool], given: Sequence[str] | None) -> _Placed:
    """Store a batch whose ops may be here already; without ``given`` labels the tree is walked."""
    fresh = tx.execute_many(_OP, _rows(batch, index, known, given or [labels.PENDING] * len(batch.ops)))
    if fresh != len(batch.ops):
        tx.execute("UPDATE batch SET new_ops = :n WHERE idx = :idx", {"n": fresh, "idx": index})
    if given is not None:
        return _Placed(batch, index, fresh, set(given))
    tree.settle(tx, [op.parent for op in batch.ops])  # some of them may have come before, in another batch
    reached = {str(tx.query(_LABEL, {"hash": op.hash, "device": batch.device_id})[0]["label"]) for op in batch.ops}
    return _Placed(batch, index, fresh, reached)


def _leaf(one: _Placed, now: int) -> Leaf:
    batch = one.batch
    return Leaf(batch.hash, batch.device_id, batch.first_seq, batch.last_seq, now, STATES[one.label])


_COLUMNS: Final = (
    "hash", "parent", "device", "seq", "op_id", "kind", "form", "def_hash", "wall_ms", "officer", "batch", "place", "label", "known"
)  # fmt: skip
_OP: Final = f"INSERT INTO op ({', '.join(_COLUMNS)}) VALUES ({', '.join(f':{name}' for name in _COLUMNS)}) ON CONFLICT DO NOTHING"
_LABEL: Final = "SELECT label FROM op WHERE hash = :hash AND device = :device"
_STORED: Final = """SELECT l.receipt, l.data FROM batch b JOIN leaf l ON l.batch = b.idx
    WHERE b.hash = :hash AND l.receipt IS NOT NULL"""


def _taken(row: Row) -> Taken:
    """A batch that was here before."""
    state = receipts.read_leaf(row["data"]).state
    return Taken(row["receipt"], True, 0, next(name for name, value in STATES.items() if value is state))
