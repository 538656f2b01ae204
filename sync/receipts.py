"""Receipts: signed, offline-verifiable proof that a batch is a leaf of the hub's log; the alarm when a hub goes back.

A receipt is a tlog-proof whose ``extra`` is the leaf itself. Only a verified receipt moves the state of a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from sync import merkle, notes
from sync.batch import Batch
from sync.cbor import Malformed
from sync.errors import Known
from sync.limits import MAX_SEQ
from sync.notes import Checkpoint, NoteKey

LEAF_SIZE: Final = 32 + 16 + 8 + 8 + 8 + 1


class State(IntEnum):
    """How the hub labelled the batch at ingest. Everything that is stored is receipted, whatever its label."""

    ACCEPTED = 0
    PENDING = 1
    FORK = 2
    REVOKED = 3
    SCHEMA = 4
    OFFICER = 5


QUARANTINED: Final = frozenset({State.FORK, State.REVOKED, State.SCHEMA, State.OFFICER})


@dataclass(frozen=True, slots=True)
class Leaf:
    """One entry of the hub's log: which ops of which device were stored when."""

    batch_hash: bytes
    device_id: bytes
    first_seq: int
    last_seq: int
    received_ms: int
    state: State

    def data(self) -> bytes:
        """The 73 bytes that the tree hashes."""
        numbers = b"".join(number.to_bytes(8, "big") for number in (self.first_seq, self.last_seq, self.received_ms))
        return self.batch_hash + self.device_id + numbers + bytes([self.state])


@dataclass(frozen=True, slots=True)
class Receipt:
    """A verified receipt."""

    leaf: Leaf
    index: int
    checkpoint: Checkpoint
    text: str


def read_leaf(data: bytes) -> Leaf:
    """The leaf of 73 bytes."""
    if len(data) != LEAF_SIZE or data[-1] not in set(State):
        raise Malformed("receipt: leaf")
    first, last, received = (int.from_bytes(data[start : start + 8], "big") for start in (48, 56, 64))
    if not 0 < first <= last <= MAX_SEQ or received > MAX_SEQ:
        raise Malformed("receipt: leaf")
    return Leaf(data[:32], data[32:48], first, last, received, State(data[-1]))


def issue(leaf: Leaf, index: int, hashes: Sequence[bytes], note: str) -> str:
    """The receipt of ``leaf``, ``hashes`` being its inclusion proof under the signed checkpoint ``note``."""
    return notes.Proof(index, list(hashes), note, leaf.data()).text()


def verify(text: str, log: NoteKey) -> Receipt:
    """The receipt that ``text`` is: signature of the log's checkpoint and inclusion of the leaf hold."""
    proof = notes.read_proof(text)
    leaf = read_leaf(proof.extra)
    checkpoint = notes.read_checkpoint(proof.note, log)
    hashed = merkle.leaf_hash(proof.extra)
    if not merkle.included(hashed, proof.index, checkpoint.size, proof.hashes, checkpoint.root):
        raise Malformed("receipt: not included")
    return Receipt(leaf, proof.index, checkpoint, text)


def note_of(receipt: Receipt) -> str:
    """The signed checkpoint of a receipt, as text."""
    return notes.read_proof(receipt.text).note


def belongs(receipt: Receipt, batch: Batch) -> bool:
    """Whether ``receipt`` is about ``batch``."""
    leaf = receipt.leaf
    return (leaf.batch_hash, leaf.device_id, leaf.first_seq, leaf.last_seq) == (
        batch.hash, batch.device_id, batch.first_seq, batch.last_seq,
    )  # fmt: skip


def require_advance(known: Checkpoint | None, new: Checkpoint, proof: Sequence[bytes]) -> None:
    """Refuse (``SY-320``) unless ``new`` extends ``known``: a smaller, older or different log is a hub rollback.

    ``proof`` is the consistency proof, lowest first; empty for equal sizes. The log of a new epoch starts afresh.
    """
    if known is None or (new.name == known.name and new.epoch > known.epoch):
        return
    if (new.name, new.epoch) != (known.name, known.epoch) or not merkle.consistent(
        known.size, new.size, known.root, new.root, proof
    ):
        raise Known("SY-320", known=known.size, new=new.size)
