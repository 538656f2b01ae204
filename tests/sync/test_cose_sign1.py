"""COSE_Sign1: the published EdDSA example, and one accepted layout."""

from __future__ import annotations

import cbor2
import pytest
from nacl.signing import SigningKey

from sync import cbor, cose
from sync.cbor import Malformed

KEY = SigningKey(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
PUBLIC = bytes(KEY.verify_key)
TYPE, AAD = "application/x", b"aad"
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493


def signed() -> bytes:
    return cose.sign(KEY, b"payload", content_type=TYPE, key_id=b"kid", aad=AAD)


def test_published_eddsa_example() -> None:
    """Example eddsa-sig-01 of the COSE working group: the same ToBeSigned and the same signature, byte for byte."""
    message = cose.to_be_signed(bytes.fromhex("a201270300"), b"", b"This is the content.")
    assert message.hex() == "846a5369676e61747572653145a2012703004054546869732069732074686520636f6e74656e742e"
    signature = KEY.sign(message).signature
    assert signature.hex() == (
        "7142fd2ff96d56db85bee905a76ba1d0b7321a95c8c4d3607c5781932b7afb87"
        "11497dfa751bf40b58b3bcc32300b1487f3db34085eef013bf08f4a44d6fef0d"
    )
    assert cose.signature_holds(PUBLIC, message, signature)


def test_what_is_signed_verifies_and_reads_back() -> None:
    found = cose.parse(signed(), TYPE)
    cose.verify(found, PUBLIC, AAD)
    assert (found.payload, found.key_id, found.content_type) == (b"payload", b"kid", TYPE)
    assert cose.parse_prefix(signed() + b"rest", TYPE)[1] == len(signed())


def test_every_flipped_bit_is_refused() -> None:
    data = signed()
    for place in range(len(data) * 8):
        bent = bytearray(data)
        bent[place // 8] ^= 1 << place % 8
        with pytest.raises(Malformed):
            cose.verify(cose.parse(bytes(bent), TYPE), PUBLIC, AAD)


def test_another_key_purpose_or_type_is_refused() -> None:
    found = cose.parse(signed(), TYPE)
    for public, aad in ((bytes(SigningKey(b"\x07" * 32).verify_key), AAD), (PUBLIC, b"other"), (b"short", AAD)):
        with pytest.raises(Malformed, match="signature"):
            cose.verify(found, public, aad)
    with pytest.raises(Malformed, match="content type"):
        cose.parse(signed(), "application/y")


def envelope(parts: object, tag: int = 18) -> bytes:
    return cbor2.dumps(cbor2.CBORTag(tag, parts), canonical=True)


@pytest.mark.parametrize(
    "data",
    [
        envelope([b"", {}, b"", b""], 17),
        envelope([b"", {4: b"kid"}, b"", b""]),
        envelope([b"", [], b"", b""]),
        envelope([b"", {}, b""]),
        envelope([b"", {}, None, b""]),
        envelope([cbor.encode({1: -7, 3: TYPE, 4: b""}), {}, b"", b""]),
        envelope([cbor.encode({1: -8, 3: TYPE, 4: b"", 5: 1}), {}, b"", b""]),
        envelope([cbor.encode({1: -8, 3: TYPE}), {}, b"", b""]),
        signed() + b"\0",
        b"\xd8\x12" + signed()[1:],
        b"",
    ],
)
def test_other_layouts_are_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        cose.parse(data, TYPE)


def test_size_is_bounded_before_anything_is_parsed() -> None:
    big = cose.sign(KEY, bytes(70_000), content_type=TYPE, key_id=b"", aad=AAD)
    with pytest.raises(Malformed, match="too big"):
        cose.parse(big, TYPE)
    with pytest.raises(Malformed):
        cose.parse_prefix(big, TYPE)
    assert cose.parse(big, TYPE, 100_000).payload == bytes(70_000)


def test_a_signature_with_a_non_canonical_scalar_is_refused() -> None:
    found = cose.parse(signed(), TYPE)
    scalar = int.from_bytes(found.signature[32:], "little") + GROUP_ORDER
    bent = found.signature[:32] + scalar.to_bytes(32, "little")
    message = cose.to_be_signed(found.protected, AAD, found.payload)
    assert not cose.signature_holds(PUBLIC, message, bent)
    assert not cose.signature_holds(PUBLIC, message, found.signature[:63])
