"""COSE_Sign1 (RFC 9052) as Sala uses it: EdDSA, all of the header protected, one accepted layout.

Tag, unprotected header and layout are not covered by the signature, so they are pinned instead: tag 18 in one byte, an
empty unprotected map, deterministic encoding throughout. Else the same signed content would have several hashes.
"""

from __future__ import annotations

from dataclasses import dataclass

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from sync.cbor import Malformed, decode, decode_prefix, encode
from sync.limits import MAX_ENVELOPE

_TAG = b"\xd2"  # tag 18
_ALGORITHM, _CONTENT_TYPE, _KEY_ID = 1, 3, 4
_EDDSA = -8


@dataclass(frozen=True, slots=True)
class Signed:
    """A parsed, not yet verified COSE_Sign1."""

    protected: bytes
    content_type: str
    key_id: bytes
    payload: bytes
    signature: bytes


def to_be_signed(protected: bytes, aad: bytes, payload: bytes) -> bytes:
    """The bytes under the signature."""
    return encode(["Signature1", protected, aad, payload])


def sign(key: SigningKey, payload: bytes, *, content_type: str, key_id: bytes, aad: bytes) -> bytes:
    """The COSE_Sign1 of ``payload`` by ``key``."""
    protected = encode({_ALGORITHM: _EDDSA, _CONTENT_TYPE: content_type, _KEY_ID: key_id})
    signature = key.sign(to_be_signed(protected, aad, payload)).signature
    return _TAG + encode([protected, {}, payload, signature])


def parse_prefix(data: bytes, content_type: str, limit: int = MAX_ENVELOPE) -> tuple[Signed, int]:
    """The COSE_Sign1 at the start of ``data`` and the offset behind it; nothing is verified yet."""
    if data[:1] != _TAG:
        raise Malformed("cose: not a COSE_Sign1")
    parts, end = decode_prefix(data[:limit], 1)
    match parts:
        case [bytes(protected), dict(unprotected), bytes(payload), bytes(signature)] if not unprotected:
            pass
        case _:
            raise Malformed("cose: layout")
    match decode(protected):
        case {1: -8, 3: str(found), 4: bytes(key_id), **others} if not others:
            pass
        case _:
            raise Malformed("cose: header")
    if found != content_type:
        raise Malformed("cose: content type")
    return Signed(protected, found, key_id, payload, signature), end


def parse(data: bytes, content_type: str, limit: int = MAX_ENVELOPE) -> Signed:
    """The one COSE_Sign1 that ``data`` is; nothing is verified yet."""
    if len(data) > limit:
        raise Malformed("cose: too big")
    signed, end = parse_prefix(data, content_type, limit)
    if end != len(data):
        raise Malformed("cose: trailing bytes")
    return signed


def verify(signed: Signed, public: bytes, aad: bytes) -> None:
    """Refuse unless ``signed`` carries the signature of the Ed25519 key ``public``."""
    if not signature_holds(public, to_be_signed(signed.protected, aad, signed.payload), signed.signature):
        raise Malformed("cose: signature")


def signature_holds(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether ``signature`` is the Ed25519 signature of ``message`` by ``public``; wrong sizes are merely false."""
    try:
        VerifyKey(public).verify(message, signature)
    except (BadSignatureError, ValueError):
        return False
    return True
