"""The KH1 text: what is written is read, and nothing else is."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.signing import SigningKey

from modules.certificates import kh1
from modules.certificates.claims import Claims, NotUnderstood, parse
from sync import base45, cbor

VECTORS = json.loads((Path(__file__).parents[3] / "docs" / "formats" / "kh1-vectors.json").read_text("utf-8"))
KEY = SigningKey(b"\x05" * 32)
PUBLIC = bytes(KEY.verify_key)


def sign(message: bytes) -> bytes:
    return KEY.sign(message).signature


def pack(content: bytes, level: int = 9) -> str:
    """A text of ``content`` made without the writer's care."""
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    body = packer.compress(content) + packer.flush()
    return "KH1:" + base45.encode(b"\x78\xda" + body + zlib.adler32(content).to_bytes(4, "big"))


def small(**changes: Any) -> Claims:
    given = {"issuer": "0306", "issued_s": 1, "cti": bytes(10), "status_index": 0, "template": "x1", "version": 1}
    return Claims(**given | changes)


def written(claims: Claims, seed: int = 0) -> tuple[str, Claims, bytes]:
    state = iter(range(seed, seed + 10_000))
    return kh1.write(claims, public=PUBLIC, sign=sign, random=lambda n: next(state).to_bytes(n, "big"))


def genuine(text: str) -> Claims | None:
    """The claims of a text that passes everything; None for any refusal."""
    try:
        envelope = kh1.read(text)
        return parse(envelope.payload) if envelope.key_id == kh1.key_id(PUBLIC) and envelope.signed_by(PUBLIC) else None
    except (kh1.Damaged, NotUnderstood):
        return None


# --- the public test vectors


@pytest.mark.parametrize("vector", VECTORS["good"], ids=lambda vector: vector["name"])
def test_good_vectors(vector: dict[str, Any]) -> None:
    public = bytes.fromhex(VECTORS["public"])
    envelope = kh1.read(vector["text"])
    assert envelope.cose.hex() == vector["cose"] and envelope.payload.hex() == vector["payload"]
    assert envelope.key_id.hex() == VECTORS["key_id"] == kh1.key_id(public).hex()
    assert envelope.signed_by(public)
    claims = parse(envelope.payload)
    assert claims.cti.hex() == vector["cti"] and claims.payload().hex() == vector["payload"]


@pytest.mark.parametrize("vector", VECTORS["bad"], ids=lambda vector: vector["name"])
def test_bad_vectors(vector: dict[str, Any]) -> None:
    try:
        envelope = kh1.read(vector["text"])
    except kh1.Damaged:
        return
    assert not envelope.signed_by(bytes.fromhex(VECTORS["public"]))


def test_the_key_of_the_vectors_signs_them_again() -> None:
    key = SigningKey(bytes.fromhex(VECTORS["seed"]))
    for vector in VECTORS["good"]:
        claims = parse(bytes.fromhex(vector["payload"]))
        text, again, cose = kh1.write(
            claims, public=bytes(key.verify_key), sign=lambda m: key.sign(m).signature, random=lambda n, c=claims: c.cti
        )
        assert again == claims and cose.hex() == vector["cose"]
        assert kh1.read(text).cose == kh1.read(vector["text"]).cose


# --- there and back

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=40)
claims_strategy = st.builds(
    Claims,
    issuer=st.from_regex(r"[0-9]{2,8}", fullmatch=True),
    issued_s=st.integers(0, 4_000_000_000),
    cti=st.binary(min_size=10, max_size=10),
    status_index=st.integers(0, (1 << 24) - 1),
    template=st.from_regex(r"[a-z][a-z0-9-]{1,20}", fullmatch=True),
    version=st.integers(1, 9999),
    expires_s=st.none() | st.integers(0, 4_000_000_000),
    not_before_s=st.none() | st.integers(0, 4_000_000_000),
    fields=st.dictionaries(st.integers(1, 99), texts | st.integers(0, 1 << 60), max_size=6),
)


@given(claims_strategy)
@settings(max_examples=60, deadline=None)
def test_payload_reads_back(claims: Claims) -> None:
    assert parse(claims.payload()) == claims


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_or_read(data: bytes) -> None:
    with pytest.raises(kh1.Damaged):
        kh1.read("KH1:" + base45.encode(data))


@given(st.text(max_size=200))
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(kh1.Damaged):
        kh1.read("KH1:" + text)
    with pytest.raises(kh1.Damaged):
        kh1.read(text)


# --- a changed bit is always seen


@pytest.fixture(scope="module")
def text() -> str:
    return written(small(fields={4: "សុខ", 19: "SOK"}))[0]


def test_every_bit_of_the_text(text: str) -> None:
    for at, letter in enumerate(text):
        for bit in range(7):
            changed = text[:at] + chr(ord(letter) ^ 1 << bit) + text[at + 1 :]
            assert genuine(changed) is None, (at, bit)


def test_every_character_of_the_text(text: str) -> None:
    for at, letter in enumerate(text):
        for other in base45.ALPHABET:
            if other != letter:
                assert genuine(text[:at] + other + text[at + 1 :]) is None, (at, other)


def test_every_bit_of_the_compressed_bytes(text: str) -> None:
    packed = base45.decode(text[4:])
    for at in range(len(packed)):
        for bit in range(8):
            changed = packed[:at] + bytes([packed[at] ^ 1 << bit]) + packed[at + 1 :]
            assert genuine("KH1:" + base45.encode(changed)) is None, (at, bit)


def test_every_bit_of_the_signed_bytes(text: str) -> None:
    content = kh1.read(text).cose
    for at in range(len(content)):
        for bit in range(8):
            changed = content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]
            assert genuine(pack(changed)) is None, (at, bit)


@given(st.data())
@settings(max_examples=200)
def test_any_other_bytes_at_any_place(text: str, data: st.DataObject) -> None:
    content = kh1.read(text).cose
    at = data.draw(st.integers(0, len(content) - 1))
    end = data.draw(st.integers(at, min(len(content), at + 9)))
    changed = content[:at] + data.draw(st.binary(max_size=9)) + content[end:]
    if changed != content:
        assert genuine(pack(changed)) is None


# --- what else is refused


def test_a_bomb_is_stopped_at_the_bound() -> None:
    bomb = "KH1:" + base45.encode(zlib.compress(bytes(2_800_000), 9))
    with pytest.raises(kh1.Damaged) as caught:
        kh1.read(bomb)
    assert caught.value.bomb


def test_length_is_looked_at_first() -> None:
    with pytest.raises(kh1.Damaged):
        kh1.read("KH1:" + "0" * 5_000_000)


def test_deep_nesting_is_refused() -> None:
    for depth in (9, 200, 5_000):
        with pytest.raises(kh1.Damaged):
            kh1.read(pack(b"\x81" * depth + b"\x00"))


def test_a_set_padding_bit_is_refused(text: str) -> None:
    packed = base45.decode(text[4:])
    content = kh1.inflate(packed)
    refused = 0
    for bit in range(8):
        changed = bytearray(packed)
        changed[-5] |= 1 << bit
        if bytes(changed) != packed and zlib_content(bytes(changed)) == content:
            with pytest.raises(kh1.Damaged):
                kh1.inflate(bytes(changed))
            refused += 1
    assert refused or packed[-5] >> 7  # some length has padding; this one may not


def zlib_content(packed: bytes) -> bytes | None:
    try:
        return zlib.decompress(packed)
    except zlib.error:
        return None


def unsigned(parts: Any) -> str:
    import cbor2

    return pack(cbor2.dumps(parts, canonical=True))


def _parts() -> list[Any]:
    envelope = kh1.read(written(small())[0])
    return [envelope.protected, {}, envelope.payload, envelope.signature]


@pytest.mark.parametrize(
    "change",
    [
        lambda p: [*p, 0],
        lambda p: p[:3],
        lambda p: [p[0], {4: b"12345678"}, *p[2:]],
        lambda p: [b"", *p[1:]],
        lambda p: [cbor.encode({1: -8, 4: b"1234567"}), *p[1:]],
        lambda p: [cbor.encode({1: -8}), *p[1:]],
        lambda p: [cbor.encode({1: -8, 3: "x", 4: b"12345678"}), *p[1:]],
        lambda p: [*p[:3], p[3][:63]],
        lambda p: [p[0], {}, b"\xa0", p[3]],
        lambda p: [p[0], {}, b"not cbor", p[3]],
        lambda p: {0: p},
        lambda p: p[0],
    ],
)
def test_other_layouts_are_refused(change: Callable[[list[Any]], Any]) -> None:
    with pytest.raises(kh1.Damaged):
        kh1.read(unsigned(change(_parts())))


def test_loose_cbor_is_refused() -> None:
    content = kh1.read(written(small())[0]).cose
    for loose in (b"\xd2" + content, content + b"\0", b"\x9f" + content[1:] + b"\xff", b"\x98\x04" + content[1:]):
        with pytest.raises(kh1.Damaged):
            kh1.read(pack(loose))


# --- the writer's care


@pytest.mark.parametrize("seed", range(0, 12_000, 1_000))
def test_written_texts_survive_clipboards(seed: int) -> None:
    text, claims, _ = written(small(fields={4: "លឹម ស្រីមុំ"}), seed)
    body = text[4:]
    assert body == body.strip() and "  " not in body and "KH1:" not in body
    assert genuine(text) == claims


def test_times_are_quick(text: str) -> None:
    import time

    start = time.process_time()
    for _ in range(200):
        assert genuine(text)
    assert (time.process_time() - start) / 200 < 0.005  # 0.3 ms on two quiet cores; a loose bound for a busy one
