"""The op: one encoding, hash chain, commitments, author signatures."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import cbor, ops
from sync.cbor import Malformed
from sync.limits import MAX_ATTACH, MAX_OP, MAX_REFS
from sync.ops import SealedRef
from tests.sync.samples import Desk, fields

BODIES = st.dictionaries(
    st.text(max_size=20), st.text(max_size=40) | st.integers(0, 1 << 60) | st.booleans(), max_size=8
)


@given(BODIES, st.integers(0, 1 << 30))
def test_an_op_reads_back_as_it_was(body: dict[str, Any], number: int) -> None:
    made = fields(number, body, refs=(b"r" * 32,), attach=(b"a" * 32, b"b" * 32))
    data = made.encode()
    assert ops.read_fields(cbor.decode(data)) == made
    assert ops.read_fields(cbor.decode(data)).encode() == data


@given(st.lists(BODIES, min_size=1, max_size=6), st.data())
def test_a_changed_moved_or_missing_op_breaks_the_chain(bodies: list[dict[str, Any]], data: st.DataObject) -> None:
    parent = start = ops.genesis(b"p" * 32)
    chain = []
    for number, body in enumerate(bodies):
        encoded = fields(number, body).encode()
        parent = ops.op_hash(parent, encoded)
        chain.append((encoded, parent))
    assert ops.chain_holds(start, chain)
    assert ops.chain_holds(start, [])
    place = data.draw(st.integers(0, len(chain) - 1))
    changed = list(chain)
    changed[place] = (changed[place][0] + b"\0", changed[place][1])
    assert not ops.chain_holds(start, changed)
    assert not ops.chain_holds(ops.genesis(b"q" * 32), chain)
    if place:
        assert not ops.chain_holds(start, chain[: place - 1] + chain[place:])


def sample() -> dict[int, Any]:
    value: dict[int, Any] = cbor.decode(fields(1, {"a": 1}).encode())
    return value


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (1, b"short"), (1, bytes(16)), (1, b"\xff" * 16), (2, "submission"), (2, "Forms.x"), (2, 7), (2, "a" * 200), (3, "f" * 129),
        (4, b"x" * 31), (5, -1), (5, 1 << 53), (5, 1.5), (5, True), (6, "1"), (7, b"1234567"), (8, None), (9, b""),
        (10, "text"), (10, [b"12345678"]), (10, [b"1234567", b"c" * 32]), (10, [b"12345678", b"c" * 31]), (10, None),
        (11, b"r" * 32), (11, [b"r" * 31]), (11, [b"r" * 32] * (MAX_REFS + 1)), (12, ["a"]), (12, [b"a" * 32] * (MAX_ATTACH + 1)),
    ],
)  # fmt: skip
def test_every_field_is_checked(field: int, value: Any) -> None:
    with pytest.raises(Malformed, match="op:"):
        ops.read_fields({**sample(), field: value})


def test_missing_and_unknown_fields_are_refused() -> None:
    for value in ({**sample(), 13: 1}, {k: v for k, v in sample().items() if k != 12}, [], "op", {"kind": 1}):
        with pytest.raises(Malformed, match="fields"):
            ops.read_fields(value)


def test_definition_may_be_absent_and_an_op_is_bounded() -> None:
    assert ops.read_fields(cbor.decode(fields(1, {}, def_hash=b"").encode())).def_hash == b""
    with pytest.raises(Malformed, match="too big"):
        fields(1, {str(n): "x" * 60_000 for n in range(MAX_OP // 60_000 + 1)}).encode()


def test_a_sealed_body_is_a_reference() -> None:
    ref = SealedRef(b"12345678", b"c" * 32)
    assert ops.read_fields(cbor.decode(fields(1, ref).encode())).body == ref


@given(
    st.binary(min_size=32, max_size=32),
    st.binary(min_size=16, max_size=16),
    st.binary(max_size=50),
    st.binary(max_size=50),
)
def test_a_commitment_binds_body_op_and_seed(seed: bytes, op_id: bytes, body: bytes, other: bytes) -> None:
    made = ops.commitment(seed, op_id, body)
    assert made == ops.commitment(seed, op_id, body)
    assert (made == ops.commitment(seed, op_id, other)) == (body == other)
    assert ops.commitment_holds(made, ops.salt(seed, op_id), body)
    assert ops.commitment_holds(made, ops.salt(seed, op_id), other) == (body == other)
    assert made != ops.commitment(bytes(32) if seed != bytes(32) else b"\1" * 32, op_id, body)
    assert made != ops.commitment(seed, bytes(16) if op_id != bytes(16) else b"\1" * 16, body)


def test_an_author_stands_for_one_op_hash() -> None:
    desk = Desk()
    signature = desk.officer.sign(ops.author_message(b"h" * 32)).signature
    public = bytes(desk.officer.verify_key)
    assert ops.author_holds(b"h" * 32, public, signature)
    assert not ops.author_holds(b"i" * 32, public, signature)
    assert not ops.author_holds(b"h" * 32, desk.public, signature)
