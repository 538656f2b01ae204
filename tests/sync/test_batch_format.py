"""The batch: whatever is changed in it is refused; sealed groups open only for their recipients and only unchanged."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.public import PrivateKey
from nacl.signing import SigningKey

from sync import batch, cbor, cose, ops, sealing
from sync.cbor import Malformed
from sync.limits import MAX_BATCH, MAX_OPS
from tests.sync.samples import DEF_HASH, Desk

BODIES = [{"name": "សុខ ដារ៉ា", "fee": 4000, "n": number} for number in range(3)]


def test_a_batch_reads_back() -> None:
    desk = Desk()
    data = desk.batch(BODIES, seen=(7, b"r" * 32))
    found = batch.parse(data)
    assert found.hash == sha256(data).digest()
    assert [op.fields.body for op in found.ops] == BODIES
    assert [op.seq for op in found.ops] == [1, 2, 3]
    assert (found.first_seq, found.last_seq, found.device_public, found.seen) == (1, 3, desk.public, (7, b"r" * 32))
    assert found.device_id == batch.device_id(desk.public) == sha256(desk.public).digest()[:16]
    assert ops.chain_holds(found.prev, [(op.data, op.hash) for op in found.ops])
    assert all(found.raw[op.offset : op.offset + len(op.data)] == op.data for op in found.ops)
    author = found.authors[0]
    assert ops.author_holds(found.ops[author.index].hash, bytes(desk.officer.verify_key), author.signature)


@pytest.mark.parametrize("sealed", [False, True])
def test_every_flipped_bit_of_every_byte_is_refused(sealed: bool) -> None:
    data = Desk().batch(BODIES, sealed=sealed)
    batch.parse(data)
    for place in range(len(data) * 8):
        bent = bytearray(data)
        bent[place // 8] ^= 1 << place % 8
        with pytest.raises(Malformed):
            batch.parse(bytes(bent))


def test_every_truncation_and_every_tail_is_refused() -> None:
    data = Desk().batch(BODIES)
    for end in range(len(data)):
        with pytest.raises(Malformed):
            batch.parse(data[:end])
    with pytest.raises(Malformed):
        batch.parse(data + b"\0")


def test_too_many_bytes_or_ops_are_refused() -> None:
    with pytest.raises(Malformed, match="too big"):
        batch.parse(bytes(MAX_BATCH + 1))
    desk = Desk()
    op = desk.op(1, {"a": 1})
    for made in ([], [op] * (MAX_OPS + 1)):
        with pytest.raises(Malformed, match="size"):
            batch.build(desk.key, first_seq=1, prev=bytes(32), ops=made, app_version="0")


# --- a sender that signs nonsense


def forged(
    changes: dict[int, Any],
    raw: bytes | None = None,
    body: bytes | None = None,
    desk: Desk | None = None,
    **cose_changes: Any,
) -> bytes:
    """A batch whose signed header says ``changes``: signature right, content wrong."""
    desk = desk or Desk()
    whole = desk.batch(BODIES)
    signed, split = cose.parse_prefix(whole, batch.CONTENT_TYPE)
    header = cbor.decode(signed.payload)
    content = whole[split:] if body is None else body
    if raw is not None:
        content = cbor.zip_bytes(raw, 10)
        header[8] = len(raw)
    header[7], header[9] = len(content), sha256(content).digest()
    payload = cbor.encode({**header, **changes})
    values: dict[str, Any] = {
        "content_type": batch.CONTENT_TYPE,
        "key_id": batch.device_id(desk.public),
        "aad": batch.AAD,
    }
    return cose.sign(desk.key, payload, **{**values, **cose_changes}) + content


def test_the_forger_is_no_mistake() -> None:
    assert batch.parse(forged({})).ops


@pytest.mark.parametrize(
    "changes",
    [
        {1: 2}, {2: 0}, {2: True}, {2: 1 << 53}, {2: "1"}, {3: 0}, {3: 2}, {3: 4}, {3: MAX_OPS + 1},
        {4: bytes(32)}, {4: b""}, {5: bytes(32)},
        {6: 0}, {6: 2}, {7: 1}, {8: 1}, {8: 1 << 24}, {9: bytes(32)}, {10: [b"12345678"]}, {10: b""}, {10: [b"1"]},
        {10: [b"12345678"] * 65},
        {11: {}}, {11: [1]}, {11: [[b"o" * 16, 3, b"s" * 64]]}, {11: [[b"o", 0, b"s" * 64]]}, {11: [[b"o" * 16, 0, b"s"]]}, {11: [[]] * 65},
        {12: 1}, {12: "v" * 200}, {13: 0}, {14: []}, {14: [-1, b"r" * 32]}, {14: [0, b"r"]}, {15: b"k" * 31}, {15: b"k" * 32}, {16: 1},
    ],
)  # fmt: skip
def test_a_signed_header_that_lies_is_refused(changes: dict[int, Any]) -> None:
    with pytest.raises(Malformed):
        batch.parse(forged(changes))


def test_a_header_of_another_shape_is_refused() -> None:
    desk = Desk()
    for payload in ([1, 2], {}, "x"):
        data = cose.sign(
            desk.key,
            cbor.encode(payload),
            content_type=batch.CONTENT_TYPE,
            key_id=batch.device_id(desk.public),
            aad=batch.AAD,
        )
        with pytest.raises(Malformed):
            batch.parse(data)


def test_another_device_id_or_purpose_is_refused() -> None:
    for change in ({"key_id": bytes(16)}, {"aad": b"sala/pack/v1"}, {"content_type": "application/cbor"}):
        with pytest.raises(Malformed):
            batch.parse(forged({}, **change))


def test_a_body_that_is_not_ops_is_refused() -> None:
    desk = Desk()
    good = [desk.op(number, body) for number, body in enumerate(BODIES, start=1)]
    not_canonical = good[0].replace(b"\xac", b"\xb8\x0c", 1)
    group = desk.group([{"a": 1}])
    for raw in (
        b"".join(good[:2]), b"".join([*good, good[0]]), b"".join([not_canonical, *good[1:]]), b"\xff" * 40,
        b"".join([*good, group]), b"".join([*good, cbor.encode({1: 2})]), b"".join([*good, cbor.encode("x")]),
    ):  # fmt: skip
        with pytest.raises(Malformed):
            batch.parse(forged({}, raw=raw))
    with pytest.raises(Malformed):
        batch.parse(forged({}, body=cbor.zip_bytes(b"".join(good), 3) + b"\0"))


def test_an_op_over_the_bound_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = Desk().batch(BODIES)
    monkeypatch.setattr(batch, "MAX_OP", 100)
    with pytest.raises(Malformed, match="op: too big"):
        batch.parse(data)


# --- sealed groups


def test_a_sealed_batch_opens_for_its_recipients_only() -> None:
    desk = Desk()
    data = desk.batch(BODIES, sealed=True)
    found = batch.parse(data)
    assert found.recipients == sorted([desk.agency_id, desk.recovery_id])
    for key in (desk.agency, desk.recovery):
        assert list(sealing.open_bodies(found, key).values()) == BODIES
    assert sealing.open_bodies(found, PrivateKey.generate()) == {}
    with pytest.raises(Malformed, match="not sealed to this key"):
        sealing.open_group(found.groups[0], found.device_id, 1, PrivateKey.generate())
    assert "ដារ៉ា".encode() not in data + found.raw


def test_groups_and_sealed_ops_must_match() -> None:
    desk = Desk()
    sealed_op = desk.op(1, {"a": 1}, sealed=True)
    both = sorted([desk.agency_id, desk.recovery_id])
    group, other = desk.group([{"a": 1}]), desk.group([{"a": 1}], def_hash=b"\1" * 32)
    common: dict[str, Any] = {"first_seq": 1, "prev": bytes(32), "app_version": "0"}
    for made, groups, recipients in (
        ([sealed_op], [], []), ([sealed_op], [other], both), ([sealed_op], [group, group], both), ([sealed_op], [group, other], both),
        ([desk.op(1, {"a": 1})], [group], both), ([sealed_op], [group], []), ([sealed_op], [group], both[::-1]),
    ):  # fmt: skip
        with pytest.raises(Malformed):
            batch.parse(batch.build(desk.key, ops=made, groups=groups, recipients=recipients, **common))
    assert batch.parse(batch.build(desk.key, ops=[sealed_op], groups=[group], recipients=both, **common)).groups


@pytest.mark.parametrize(
    ("bodies", "reason"),
    [([{"a": 2}], "commitment"), ([{"a": 1}, {"a": 1}], "count"), ([], "count")],
)
def test_another_body_than_the_op_committed_to_is_found(bodies: list[dict[str, Any]], reason: str) -> None:
    desk = Desk()
    made = batch.build(
        desk.key, first_seq=1, prev=bytes(32), ops=[desk.op(1, {"a": 1}, sealed=True)], groups=[desk.group(bodies)],
        recipients=sorted([desk.agency_id, desk.recovery_id]), app_version="0",
    )  # fmt: skip
    with pytest.raises(Malformed, match=reason):
        sealing.open_bodies(batch.parse(made), desk.agency)


def test_a_group_is_bound_to_its_batch() -> None:
    desk = Desk()
    group = sealing.read_group(cbor.decode(desk.group([{"a": 1}])))
    device = batch.device_id(desk.public)
    assert sealing.open_group(group, device, 1, desk.agency) == (desk.seed, [{"a": 1}])
    for wrong_device, first in ((bytes(16), 1), (device, 2)):
        with pytest.raises(Malformed, match="cannot be opened"):
            sealing.open_group(group, wrong_device, first, desk.agency)
    other = sealing.Group(bytes(32), group.boxes, group.nonce, group.ciphertext)
    with pytest.raises(Malformed, match="cannot be opened"):
        sealing.open_group(other, device, 1, desk.agency)


def test_what_is_inside_a_group_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    device = batch.device_id(desk.public)
    for content, tail in (([b"short", []], b""), ({1: 2}, b""), ([desk.seed, [{"a": 1}]], b"\1")):
        text = cbor.zip_bytes(cbor.encode(content), 3) + tail
        monkeypatch.setattr(sealing, "padme", lambda _data, text=text: text)
        group = sealing.read_group(cbor.decode(desk.group([{"a": 1}])))
        with pytest.raises(Malformed, match="group"):
            sealing.open_group(group, device, 1, desk.agency)


@pytest.mark.parametrize(
    "value",
    [
        {1: DEF_HASH, 2: [], 3: bytes(24), 4: b""}, {1: b"x", 2: [[b"12345678", bytes(80)]], 3: bytes(24), 4: b""},
        {1: DEF_HASH, 2: [[b"12345678", bytes(80)]], 3: bytes(23), 4: b""}, {1: DEF_HASH, 2: [[b"1", bytes(80)]], 3: bytes(24), 4: b""},
        {1: DEF_HASH, 2: [[b"12345678", bytes(79)]], 3: bytes(24), 4: b""},
        {1: DEF_HASH, 2: [[b"12345678", bytes(80)]] * 9, 3: bytes(24), 4: b""},
        {1: DEF_HASH, 2: ["x"], 3: bytes(24), 4: b""}, {1: DEF_HASH}, [],
        {1: DEF_HASH, 2: [[b"12345678", bytes(80)]], 3: bytes(24), 4: b"", 5: 1},
    ],
)  # fmt: skip
def test_a_group_of_another_shape_is_refused(value: Any) -> None:
    with pytest.raises(Malformed, match="group"):
        sealing.read_group(value)


@given(st.integers(0, 200_000))
def test_padding_costs_at_most_an_eighth_and_keeps_the_content(size: int) -> None:
    padded = sealing.padme(b"x" * size)
    assert padded[:size] == b"x" * size
    assert not padded[size:].strip(b"\0")
    assert len(padded) <= max(size * 1.12, size + 1)


def test_padding_hides_the_size_in_buckets() -> None:
    assert len({len(sealing.padme(bytes(size))) for size in range(1024, 2048)}) <= 32
    assert [len(sealing.padme(bytes(size))) for size in (0, 1, 2, 9, 100)] == [0, 1, 2, 10, 104]


def test_signature_is_not_identity() -> None:
    """Two signers of the same ops make two batches of the same op hashes: an op is known by its hash alone."""
    one, two = Desk(), Desk(key=SigningKey(b"\x09" * 32))
    prev = ops.genesis(one.public)
    first, second = batch.parse(one.batch(BODIES)), batch.parse(two.batch(BODIES, prev=prev))
    assert first.hash != second.hash
    assert [op.hash for op in first.ops] == [op.hash for op in second.ops]
