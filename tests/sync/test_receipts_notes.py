"""Receipts and notes: what the log's key did not sign, or the tree does not hold, is no receipt."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from sync import batch, merkle, notes, receipts
from sync.cbor import Malformed
from sync.errors import Known
from sync.limits import MAX_NOTE, MAX_RECEIPT
from sync.notes import Checkpoint, NoteKey
from sync.receipts import Leaf, State
from tests.sync.samples import Desk

LOG = SigningKey(b"\x0a" * 32)
KEY = NoteKey("hub", bytes(LOG.verify_key))
BATCH = batch.parse(Desk().batch([{"a": 1}, {"a": 2}]))
LEAF = Leaf(BATCH.hash, BATCH.device_id, 1, 2, 1_795_000_000_000, State.ACCEPTED)


def receipt(
    index: int = 5, size: int = 9, leaf: Leaf = LEAF, key: SigningKey = LOG, name: str = "hub", epoch: int = 1
) -> str:
    leaves = [merkle.leaf_hash(b"%d" % number) for number in range(size)]
    leaves[index] = merkle.leaf_hash(leaf.data())
    note = notes.sign(Checkpoint(name, epoch, size, merkle.root(leaves)).text(), name, key)
    return receipts.issue(leaf, index, merkle.inclusion(leaves, index), note)


@given(st.integers(0, 40), st.integers(1, 41))
def test_a_receipt_verifies_offline(index: int, size: int) -> None:
    if index < size:
        found = receipts.verify(receipt(index, size), KEY)
        assert (found.leaf, found.index, found.checkpoint.size) == (LEAF, index, size)
        assert notes.read_checkpoint(receipts.note_of(found), KEY) == found.checkpoint
        assert receipts.belongs(found, BATCH)


def test_the_text_is_a_tlog_proof_of_about_half_a_kilobyte() -> None:
    text = receipt()
    lines = text.split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert lines[1].startswith("extra ")
    assert lines[2] == "index 5"
    assert "\nhub/1\n9\n" in text
    assert len(text) < 700


def test_every_changed_character_is_refused() -> None:
    text = receipt()
    for place, character in enumerate(text):
        with pytest.raises(Malformed):
            receipts.verify(text[:place] + ("A" if character != "A" else "B") + text[place + 1 :], KEY)
    for end in range(len(text)):
        with pytest.raises(Malformed):
            receipts.verify(text[:end], KEY)


def test_another_log_is_refused() -> None:
    other = SigningKey(b"\x0b" * 32)
    for text, key in (
        (receipt(key=other), KEY),
        (receipt(name="other"), KEY),
        (receipt(), NoteKey("hub", bytes(other.verify_key))),
    ):
        with pytest.raises(Malformed, match="signature"):
            receipts.verify(text, key)


def test_another_leaf_is_not_included() -> None:
    proof = notes.read_proof(receipt())
    for leaf in (replace(LEAF, batch_hash=bytes(32)), replace(LEAF, received_ms=1), replace(LEAF, state=State.FORK)):
        with pytest.raises(Malformed, match="not included"):
            receipts.verify(replace(proof, extra=leaf.data()).text(), KEY)


def test_a_receipt_of_another_batch_does_not_belong() -> None:
    for leaf in (replace(LEAF, batch_hash=bytes(32)), replace(LEAF, device_id=bytes(16)), replace(LEAF, last_seq=3)):
        assert not receipts.belongs(receipts.verify(receipt(leaf=leaf), KEY), BATCH)


@pytest.mark.parametrize(
    "data",
    [
        b"", LEAF.data()[:-1], LEAF.data() + b"\0", LEAF.data()[:-1] + b"\x06", replace(LEAF, first_seq=0).data(),
        replace(LEAF, first_seq=3).data(), replace(LEAF, last_seq=1 << 60).data(), replace(LEAF, received_ms=1 << 60).data(),
    ],
)  # fmt: skip
def test_a_leaf_of_another_shape_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed, match="leaf"):
        receipts.read_leaf(data)


def test_states_are_the_six_labels() -> None:
    assert [receipts.read_leaf(replace(LEAF, state=state).data()).state for state in State] == [0, 1, 2, 3, 4, 5]
    assert {State.FORK, State.REVOKED, State.SCHEMA, State.OFFICER} == receipts.QUARANTINED


# --- a hub that goes back


def checkpoint(size: int, epoch: int = 1, salt: bytes = b"") -> tuple[Checkpoint, list[bytes]]:
    leaves = [merkle.leaf_hash(b"%d" % number + salt) for number in range(size)]
    return Checkpoint("hub", epoch, size, merkle.root(leaves)), leaves


def test_a_log_that_grows_is_believed() -> None:
    old, (new, leaves) = checkpoint(5)[0], checkpoint(9)
    receipts.require_advance(None, new, [])
    receipts.require_advance(old, new, merkle.consistency(leaves, 5))
    receipts.require_advance(new, new, [])
    receipts.require_advance(new, checkpoint(1, epoch=2)[0], [])


def test_a_smaller_older_or_different_log_is_a_rollback() -> None:
    old, (new, leaves) = checkpoint(5)[0], checkpoint(9)
    other, forked = checkpoint(9, salt=b"x")
    for known, shown, proof in (
        (new, old, []), (old, new, []), (old, other, merkle.consistency(forked, 5)), (old, new, merkle.consistency(leaves, 4)),
        (checkpoint(5, epoch=2)[0], new, []), (old, replace(new, name="hub2", epoch=2), []), (new, other, []),
    ):  # fmt: skip
        with pytest.raises(Known) as refused:
            receipts.require_advance(known, shown, proof)
        assert refused.value.code == "SY-320"


# --- notes

TEXT = Checkpoint("hub", 1, 0, merkle.EMPTY_ROOT).text()


def test_a_note_carries_several_signatures() -> None:
    witness = SigningKey(b"\x0c" * 32)
    province = NoteKey("province", bytes(witness.verify_key))
    note = notes.sign(TEXT, "hub", LOG) + notes.cosignature_line(TEXT, "province", witness, 1_795_000_000)
    assert notes.signed_by(note, KEY)
    assert not notes.signed_by(note, province)
    assert notes.cosigned_by(note, province) == 1_795_000_000
    assert notes.cosigned_by(note, KEY) is None
    assert (
        notes.cosigned_by(note + notes.cosignature_line(TEXT, "province", witness, 1_795_000_009), province)
        == 1_795_000_009
    )
    assert notes.cosigned_by(note, NoteKey("province", bytes(LOG.verify_key))) is None
    assert notes.read_checkpoint(note, KEY) == Checkpoint("hub", 1, 0, merkle.EMPTY_ROOT)
    assert notes.read_checkpoint(note, KEY).origin == "hub/1"


def test_published_key_id() -> None:
    """The verifier key of the signed-note documentation of Go: its key id is that of its name and key."""
    vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    name, key_id, encoded = vkey.split("+")
    data = base64.b64decode(encoded)
    assert NoteKey(name, data[1:]).id(data[:1]).hex() == key_id


@pytest.mark.parametrize(
    "note",
    [
        "", TEXT, TEXT + "\n", TEXT + "\n\u2014 hub\n", TEXT + "\n\u2014 hub !!!\n", TEXT + "\n- hub AAAA\n", TEXT + "\n\u2014 h+b AAAA\n",
        TEXT + "\n\u2014 hub AAA\n", TEXT + "\n\u2014 hub AAB=\n", TEXT + "\t\n\u2014 hub AAAA\n", "x" * MAX_NOTE + "\n\n\u2014 hub AAAA\n",
        TEXT + "\n\u2014 hub AAAA",
    ],
)  # fmt: skip
def test_notes_of_another_shape_are_refused(note: str) -> None:
    with pytest.raises(Malformed, match="note"):
        notes.split(note)


@pytest.mark.parametrize(
    "text",
    [
        "hub/1\n0\n", "hub/1\n0\nAAAA\n", "hub/1\n00\n" + TEXT.split("\n")[2] + "\n", "hub\n0\n" + TEXT.split("\n")[2] + "\n",
        "bub/1\n0\n" + TEXT.split("\n")[2] + "\n", "hub/x\n0\n" + TEXT.split("\n")[2] + "\n", TEXT + "extension\n",
        "hub/1\n9999999999999999\n" + TEXT.split("\n")[2] + "\n", "hub/1\n-1\n" + TEXT.split("\n")[2] + "\n",
    ],
)  # fmt: skip
def test_checkpoints_of_another_shape_are_refused(text: str) -> None:
    with pytest.raises(Malformed):
        notes.read_checkpoint(notes.sign(text, "hub", LOG), KEY)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("tlog-proof@v1", "tlog-proof@v2"), lambda text: text.replace("index 5", "index 05"),
        lambda text: text.replace("index 5\n", ""), lambda text: text.replace("\n\n", "\n"), lambda text: "x" * MAX_RECEIPT + text,
        lambda text: text.replace("index 5\n", "index 5\n" + text.split("\n")[3] * 0 + "AAAA\n"),
        lambda text: text.replace("index 5\n", "index 5\n" + (text.split("\n")[3] + "\n") * 65),
        lambda text: "c2sp.org/tlog-proof@v1\n\n" + text,
    ],
)  # fmt: skip
def test_proofs_of_another_shape_are_refused(change: object) -> None:
    with pytest.raises(Malformed):
        receipts.verify(change(receipt()), KEY)  # type: ignore[operator]


def test_a_proof_without_extra_reads_but_is_no_receipt() -> None:
    text = replace(notes.read_proof(receipt()), extra=b"").text()
    assert "extra" not in text
    assert notes.read_proof(text).extra == b""
    with pytest.raises(Malformed, match="leaf"):
        receipts.verify(text, KEY)


def test_consistency_proofs_travel_as_lines() -> None:
    hashes = [bytes([number]) * 32 for number in range(3)]
    assert notes.read_hash_lines(notes.hash_lines(hashes)) == hashes
    assert notes.read_hash_lines("") == []
    for text in ("AAAA", "AAAA\n", notes.hash_lines([bytes(32)] * 65)):
        with pytest.raises(Malformed):
            notes.read_hash_lines(text)
