"""The strict CBOR reader: one encoding, plain data only, bombs cost nothing."""

from __future__ import annotations

import os
import time
from typing import Any

import cbor2
import pytest
import zstandard
from hypothesis import example, given
from hypothesis import strategies as st

from sync import cbor
from sync.cbor import Malformed
from sync.limits import MAX_DEPTH, MAX_TEXT

INTEGERS = st.integers(-(1 << 64), (1 << 64) - 1)
LEAVES = (
    st.none() | st.booleans() | INTEGERS | st.binary() | st.text() | st.floats(allow_nan=False, allow_infinity=False)
)
PLAIN = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(), inner, max_size=4)
        | st.dictionaries(st.integers(0, (1 << 64) - 1), inner, max_size=4)
    ),
    max_leaves=20,
)

REFUSED = {
    "array of 2^62 items": b"\x9b\x3f" + b"\xff" * 7,
    "bytes of 2^40": b"\x5b\0\0\1\0\0\0\0\0" + b"x" * 10,
    "depth 100,000": b"\x81" * 100_000 + b"\0",
    "depth 17": b"\x81" * 17 + b"\0",
    "tag 35 regular expression": b"\xd8\x23" + cbor2.dumps("(a+)+$"),
    "tags 28/29 cycle": b"\xd8\x1c\x81\xd8\x1d\x00",
    "tag 2 bignum": b"\xc2" + cbor2.dumps(b"\xff" * 100_000),
    "tag beyond 16 bits": b"\xda\x00\x01\x11\x11\x00",
    "duplicate keys": bytes.fromhex("a201020103"),
    "non-minimal integer": bytes.fromhex("1800"),
    "indefinite array": bytes.fromhex("9f01ff"),
    "indefinite bytes": bytes.fromhex("5f4161ff"),
    "trailing byte": bytes.fromhex("0102"),
    "nothing": b"",
    "NaN": bytes.fromhex("f97e00"),
    "infinity": bytes.fromhex("f97c00"),
    "undefined": b"\xf7",
    "simple value": b"\xe0",
    "float that fits in less": b"\xfb" + b"\0" * 8,
    "text that is not UTF-8": b"\x62\xff\xff",
    "keys out of order": bytes.fromhex("a202000100"),
    "mixed keys": bytes.fromhex("a20100616100"),
    "negative key": bytes.fromhex("a12000"),
    "array as key": bytes.fromhex("a1810000"),
    "bytes as key": bytes.fromhex("a1410000"),
    "cut-off map": bytes.fromhex("a101"),
}


@given(PLAIN)
def test_what_is_written_reads_back_and_is_the_only_encoding(value: Any) -> None:
    data = cbor.encode(value)
    assert cbor.decode(data) == value
    assert cbor.encode(cbor.decode(data)) == data


@pytest.mark.parametrize("name", REFUSED)
def test_bombs_and_oddities_are_refused_at_once(name: str) -> None:
    began = time.perf_counter()
    with pytest.raises(Malformed):
        cbor.decode(REFUSED[name])
    assert time.perf_counter() - began < 0.5


@given(PLAIN)
@example({"b": 0, "a": 0})
@example({"aa": 0, "b": 0})
@example({"": 0, "a": {"é": 1, "aa": 2}})
@example([{"aa": 2, "é": 1}, {1: 0, 0: 0}])
@example({"a": 0.5, "b": 1})
def test_maps_are_read_in_one_order_only(value: Any) -> None:
    data = cbor2.dumps(value)  # keys in the order in which they were put in, floats in eight bytes
    if data == cbor2.dumps(value, canonical=True):
        assert cbor.decode(data) == value
    else:
        with pytest.raises(Malformed):
            cbor.decode(data)


def test_every_tag_of_sixteen_bits_is_refused() -> None:
    for tag in range(0, 1 << 16, 7):
        head = (
            bytes([0xC0 | tag])
            if tag < 24
            else b"\xd8" + bytes([tag])
            if tag < 256
            else b"\xd9" + tag.to_bytes(2, "big")
        )
        with pytest.raises(Malformed):
            cbor.decode(head + b"\x00")


@given(st.binary(max_size=200))
def test_arbitrary_bytes_never_raise_anything_else(data: bytes) -> None:
    try:
        value = cbor.decode(data)
    except Malformed:
        return
    assert cbor.encode(value) == data


def test_depth_and_text_bounds_are_exact() -> None:
    deep: Any = 0
    for _ in range(MAX_DEPTH):
        deep = [deep]
    assert cbor.decode(cbor.encode(deep)) == deep
    with pytest.raises(Malformed, match="too deep"):
        cbor.encode([deep])
    assert cbor.decode(cbor.encode("ក" * (MAX_TEXT // 3)))
    for text in ("ក" * (MAX_TEXT // 3 + 1), "a" * (MAX_TEXT + 1)):
        with pytest.raises(Malformed, match="text too long"):
            cbor.encode(text)
    with pytest.raises(Malformed, match="text too long"):
        cbor.encode({"a" * (MAX_TEXT + 1): 1})
    with pytest.raises(Malformed, match="text too long"):
        cbor.encode({"a" * MAX_TEXT: 1, "ក" * (MAX_TEXT // 3 + 1): 2})
    assert cbor.decode(cbor.encode({"a" * MAX_TEXT: 1, "b": 2})) == {"a" * MAX_TEXT: 1, "b": 2}


@pytest.mark.parametrize(
    "value",
    [
        1 << 64,
        -(1 << 64) - 1,
        float("nan"),
        float("inf"),
        {1, 2},
        object(),
        {"a": b"", 1: 2},
        {-1: 0},
        {1 << 64: 0},
        {b"k": 0},
        "\ud800",
    ],
)
def test_what_is_not_plain_data_is_not_written(value: Any) -> None:
    with pytest.raises(Malformed):
        cbor.encode(value)


def test_a_sequence_gives_each_item_with_its_end() -> None:
    data = cbor.encode({1: b"a"}) + cbor.encode([2]) + cbor.encode("x")
    assert list(cbor.sequence(data)) == [({1: b"a"}, 4), ([2], 6), ("x", 8)]
    assert cbor.decode_prefix(data, 4) == ([2], 6)
    assert list(cbor.sequence(b"")) == []


# --- zstd


def test_a_frame_comes_back_with_what_stands_behind_it() -> None:
    for size in (0, 1, 1000, 300_000):
        content = os.urandom(size)
        assert cbor.unzip(cbor.zip_bytes(content, 10) + b"tail", 300_000) == (content, b"tail")


def test_zip_bombs_cost_nothing() -> None:
    declared = zstandard.ZstdCompressor(level=3).compress(bytes(64 << 20))
    undeclared = zstandard.ZstdCompressor(level=3, write_content_size=False).compress(bytes(64 << 20))
    lying = bytearray(zstandard.ZstdCompressor(level=3).compress(bytes(20_000_000)))
    place = lying.index((20_000_000).to_bytes(4, "little"))
    lying[place : place + 4] = (1_000).to_bytes(4, "little")
    wide = zstandard.ZstdCompressor(
        compression_params=zstandard.ZstdCompressionParameters(window_log=27, enable_ldm=True)
    )
    for bomb in (declared, undeclared, bytes(lying), wide.compress(os.urandom(16 << 20)), b"", b"not zstd at all"):
        began = time.perf_counter()
        with pytest.raises(Malformed, match="zstd"):
            cbor.unzip(bomb, 8 << 20)
        assert time.perf_counter() - began < 1


def test_a_cut_off_or_altered_frame_is_refused() -> None:
    frame = cbor.zip_bytes(os.urandom(5000), 3)
    for end in range(0, len(frame), 97):
        with pytest.raises(Malformed):
            cbor.unzip(frame[:end])
    with pytest.raises(Malformed):
        cbor.unzip(cbor.zip_bytes(bytes(1001), 3), 1000)


def test_what_is_refused_is_refused_in_large_items_too() -> None:
    """Large items are walked with every bound, small ones only with those that their size leaves open."""
    filler = bytes(MAX_TEXT + 1)
    assert cbor.decode(cbor.encode([filler, 1.5, {"a": None}, [True]])) == [filler, 1.5, {"a": None}, [True]]
    for name in (
        "NaN",
        "infinity",
        "undefined",
        "simple value",
        "mixed keys",
        "negative key",
        "array as key",
        "bytes as key",
    ):
        with pytest.raises(Malformed):
            cbor.decode(b"\x82" + cbor2.dumps(filler) + REFUSED[name])
        with pytest.raises(Malformed):
            cbor.decode(b"\x82\x00" + REFUSED[name])
    with pytest.raises(Malformed, match="text too long"):
        cbor.decode(cbor2.dumps("ក" * MAX_TEXT))
