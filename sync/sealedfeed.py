"""What an agency's desk reads of the hub: batches with bodies that are sealed to it, as laptops signed them.

The desk believes nothing of the hub that is not signed: the batch proves its laptop, the certificate its office, the receipt its
place in the log. Only which ops of a batch count (the accepted ones, not those in quarantine) is the hub's plain word. Pages go
by the order of acceptance, so that what is released late still comes; a batch comes again when more of it was accepted.

| call (signed request of a desk) | answer |
|---|---|
| ``GET /v1/sealed?after=N`` | :class:`Page` of batches behind place N; 403 for a laptop that is no desk |
| ``GET /v1/sealed/piece/<sha256>`` | one manifest or chunk of an attachment |
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sync import batch, cbor, devices, receipts, sealing
from sync.cbor import Malformed
from sync.limits import MAX_BATCH, MAX_MESSAGE, MAX_OPS, MAX_RECEIPT, MAX_SEQ, MIB
from sync.ops import OpFields, SealedRef

if TYPE_CHECKING:
    from nacl.public import PrivateKey

    from sync.notes import NoteKey

MAX_PAGE: Final = 8 * MIB  # bytes of one answer
_MAX_ITEMS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Item:
    """One batch with what proves where it comes from, and the places of those of its ops that were accepted."""

    batch: bytes
    certificate: bytes
    receipt: str
    places: Sequence[int]


@dataclass(frozen=True, slots=True)
class Page:
    """Batches behind a place in the order of acceptance. ``next``: ask from there; ``more``: at once."""

    items: Sequence[Item]
    next: int
    more: bool

    def encode(self) -> bytes:
        rows = [[item.batch, item.certificate, item.receipt, list(item.places)] for item in self.items]
        return cbor.encode({1: self.next, 2: int(self.more), 3: rows})


def read_page(data: bytes) -> Page:
    """The page of ``data``; its items are not verified yet."""
    if len(data) > MAX_PAGE:
        raise Malformed("sealed: too big")
    match cbor.decode(data):
        case {1: int(after), 2: 0 | 1 as more, 3: list(rows), **others} if (
            not others and 0 <= after <= MAX_SEQ and len(rows) <= _MAX_ITEMS
        ):
            return Page([_read_item(row) for row in rows], after, more == 1)
    raise Malformed("sealed: page")


def _read_item(value: Any) -> Item:
    match value:
        case [bytes(data), bytes(certificate), str(receipt), list(places)] if (
            len(data) <= MAX_BATCH and len(certificate) <= MAX_MESSAGE and len(receipt) <= MAX_RECEIPT
            and len(places) <= MAX_OPS and all(type(place) is int and 0 <= place < MAX_OPS for place in places)
        ):  # fmt: skip
            return Item(data, certificate, receipt, places)
    raise Malformed("sealed: item")


@dataclass(frozen=True, slots=True)
class OpenedOp:
    """One accepted op whose body the desk could open."""

    hash: bytes
    seq: int
    fields: OpFields
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Opened:
    """A verified batch with the ops that this desk can read."""

    batch: bytes  # its hash
    device: bytes
    office: str
    number: int  # the laptop's within its office
    received_ms: int
    ops: Sequence[OpenedOp]
    sealed: int  # accepted ops that none of the desk's keys opens


def open_item(
    item: Item, keys: Iterable[PrivateKey], signers: Callable[[str], Sequence[bytes]], log: NoteKey
) -> Opened:  # fmt: skip
    """Verify ``item`` and open what ``keys`` can. ``signers``: who certifies laptops of an office, by its code.

    Malformed when anything does not hold; Known SY-310 for a forged receipt.
    """
    found = batch.parse(item.batch)
    signer = devices.certifier(item.certificate, signers(devices.office_of(item.certificate)))
    if signer is None:
        raise Malformed("sealed: certified by nobody who may")
    certificate = devices.read_certificate(item.certificate, signer)
    if certificate.device_id != found.device_id:
        raise Malformed("sealed: certificate of another laptop")
    receipt = receipts.verify(item.receipt, log)
    if not receipts.belongs(receipt, found):
        raise Malformed("sealed: receipt of another batch")
    bodies: dict[bytes, Any] = {}
    for key in keys:
        bodies |= sealing.open_bodies(found, key)
    accepted = [op for place, op in enumerate(found.ops) if place in set(item.places)]
    ops = [
        OpenedOp(op.hash, op.seq, op.fields, bodies[op.hash])
        for op in accepted
        if isinstance(bodies.get(op.hash), dict)
    ]
    sealed = sum(isinstance(op.fields.body, SealedRef) and op.hash not in bodies for op in accepted)
    received_ms = receipt.leaf.received_ms
    return Opened(found.hash, found.device_id, certificate.office, certificate.number, received_ms, ops, sealed)
