"""A batch of the sealed feed as the desk of an agency opens it: it believes what is signed and opens what its keys open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from nacl.public import PrivateKey
from nacl.signing import SigningKey

from sync import batch, devices, merkle, notes, receipts, sealedfeed
from sync.cbor import Malformed
from sync.devices import Certificate
from sync.errors import Known
from sync.limits import MAX_MESSAGE
from sync.notes import Checkpoint, NoteKey
from sync.receipts import Leaf, State
from sync.sealedfeed import Item, Opened
from tests.sync.samples import NOW, Desk

SIGNER, LOG = SigningKey(b"\x11" * 32), SigningKey(b"\x12" * 32)
DESK = Desk()
BODIES: list[dict[str, Any]] = [{"name": "សុខ"}, {"name": "ចាន់"}, {"name": "កែវ"}]


def certificate(key: SigningKey = DESK.key, signer: SigningKey = SIGNER) -> bytes:
    public = bytes(key.verify_key)
    said = Certificate(
        device_id=batch.device_id(public), sign_public=public, seal_public=bytes(32), office_public=bytes(32), office="0306", number=2,
        valid_from_ms=NOW,
    )  # fmt: skip
    return devices.issue_certificate(said, signer)


def receipt(data: bytes, key: SigningKey = LOG) -> str:
    found = batch.parse(data)
    leaf = Leaf(found.hash, found.device_id, found.first_seq, found.last_seq, NOW + 5, State.ACCEPTED)
    root = merkle.leaf_hash(leaf.data())
    note = notes.sign(Checkpoint("hub", 1, 1, root).text(), "hub", key)
    return receipts.issue(leaf, 0, merkle.inclusion([root], 0), note)


def item(places: Sequence[int] = (0, 1, 2), *, sealed: bool = True) -> Item:
    data = DESK.batch(BODIES, sealed=sealed)
    return Item(data, certificate(), receipt(data), list(places))


def opened(made: Item, *keys: PrivateKey) -> Opened:
    return sealedfeed.open_item(
        made,
        keys,
        lambda office: [bytes(SIGNER.verify_key)] if office == "0306" else [],
        NoteKey("hub", bytes(LOG.verify_key)),
    )


def test_only_accepted_ops_are_read_and_only_with_a_key() -> None:
    found = opened(item([0, 2]), PrivateKey(b"\x09" * 32), DESK.agency)
    assert [op.body for op in found.ops] == [BODIES[0], BODIES[2]] and found.sealed == 0
    assert (found.office, found.number, found.received_ms) == ("0306", 2, NOW + 5)
    assert (opened(item([])).ops, opened(item([])).sealed) == ([], 0)
    for keys in ((), (PrivateKey(b"\x09" * 32),)):
        blind = opened(item(), *keys)
        assert (blind.ops, blind.sealed) == ([], 3)
    assert opened(item([2, 900]), DESK.agency).ops[0].seq == 3, "a place that the batch has not is nobody's"


def test_what_was_never_sealed_is_not_the_desks() -> None:
    found = opened(item(sealed=False), DESK.agency)
    assert (found.ops, found.sealed) == ([], 0)


def test_every_proof_must_hold_and_be_about_this_batch() -> None:
    made, other = item(), SigningKey(b"\x13" * 32)
    another = DESK.batch(BODIES[:1], sealed=True)
    for wrong in (
        replace(made, batch=b""), replace(made, batch=made.batch[:-1]), replace(made, certificate=b""),
        replace(made, certificate=certificate(other)), replace(made, receipt=receipt(another)), replace(made, receipt=""),
    ):  # fmt: skip
        with pytest.raises(Malformed):
            opened(wrong, DESK.agency)
    for forged in (
        replace(made, certificate=certificate(signer=other)),
        replace(made, receipt=receipt(made.batch, other)),
    ):
        with pytest.raises(Known) as refused:
            opened(forged, DESK.agency)
        assert refused.value.code == "SY-310"


def test_a_page_reads_back_with_its_items_and_no_item_is_larger_than_it_may_be() -> None:
    made = item()
    page = sealedfeed.Page([made, item([1])], 7, more=False)
    assert sealedfeed.read_page(page.encode()) == page
    for wrong in (
        replace(made, places=[-1]),
        replace(made, places=[1 << 40]),
        replace(made, certificate=bytes(MAX_MESSAGE + 1)),
    ):
        with pytest.raises(Malformed, match="item"):
            sealedfeed.read_page(sealedfeed.Page([wrong], 7, more=False).encode())
