"""The console names an officer as a batch's signer only when the signature holds under a key that the laptop has declared."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from nacl.signing import SigningKey

from sync import batch, ops
from sync.batch import Author
from sync.hub import marks
from sync.hub.centre import Centre
from sync.hub.console import records
from sync.hub.storage import Tx
from tests.hub.laptop import OFFICER, Laptop, join

STRANGER = b"s" * 16


@dataclass
class Signed:
    """A batch whose first op declares the officer's key."""

    parsed: batch.Batch
    keys: dict[str, set[bytes]]


@pytest.fixture
def signed(centre: Centre) -> Signed:
    laptop, key = join(centre, Laptop()), SigningKey.generate()
    body = {
        "officer": OFFICER.hex(),
        "name": "សុខ ដារ៉ា",
        "latin": "Sok Dara",
        "role": "receiving",
        "public": bytes(key.verify_key),
    }
    made = [laptop.op(body, "sync.officer"), laptop.op()]
    first = ops.op_hash(laptop.head, made[0])
    second = ops.op_hash(first, made[1])

    def author(officer: bytes, index: int, over: bytes) -> Author:
        return Author(officer, index, key.sign(ops.author_message(over)).signature)

    data = batch.build(
        laptop.sign, first_seq=1, prev=laptop.head, ops=made, app_version="test", level=1,
        authors=[author(OFFICER, 1, second), author(OFFICER, 1, first), author(STRANGER, 1, second)],
    )  # fmt: skip
    centre.ingest.take(data)
    marks.advance(centre.storage)

    def read(tx: Tx) -> dict[str, set[bytes]]:
        row = tx.one("SELECT officers FROM device WHERE device = :d", {"d": laptop.id})
        return records.officer_keys(tx, laptop.id, row["officers"] if row else None)

    return Signed(batch.parse(data), centre.storage.read(read))


def test_a_declared_officer_whose_signature_holds_is_a_signer_and_nobody_else(signed: Signed) -> None:
    """Of three signatures one holds: one is over another op, and one is by somebody of whom no key is known."""
    assert records.signers(signed.parsed, signed.keys) == [OFFICER.hex()]


def test_the_key_of_the_enrolment_alone_makes_nobody_a_signer(signed: Signed) -> None:
    assert records.signers(signed.parsed, {OFFICER.hex(): {bytes(32)}}) == []
    assert records.signers(signed.parsed, {}) == []
