"""Enrolment request and device certificate: how a laptop becomes known to its hub. Formats only, for both sides.

The request is signed by the new device key and carries an HMAC under a key derived from the pack's one-time code, so
nobody on the way can put another key in its place; six groups of digits are compared by phone where that is wanted.
"""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from nacl import pwhash
from nacl.signing import SigningKey

from sync import cbor, cose
from sync.batch import device_id
from sync.cbor import Malformed
from sync.limits import MAX_MESSAGE, MAX_NAME

_REQUEST_TYPE: Final = "application/sala-enrol+cbor"
_REQUEST_AAD: Final = b"sala/enrol/v1"
_CERTIFICATE_TYPE: Final = "application/sala-device+cbor"
_CERTIFICATE_AAD: Final = b"sala/device/v1"
_WORDS: Final = b"sala/words/v1\0"
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford base32
CODE_LENGTH: Final = 10  # 50 bits


@dataclass(frozen=True, slots=True)
class EnrolledOfficer:
    """One officer as the hub must know them: whose author signatures to expect."""

    id: bytes  # 16 bytes
    name: str
    latin: str
    role: str
    public: bytes  # Ed25519


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A laptop's wish to take a slot."""

    slot: bytes  # 16 bytes from the office pack
    office: str  # "0306"
    sign_public: bytes
    seal_public: bytes
    office_public: bytes  # the key that will issue certificates for the office from this laptop
    officers: tuple[EnrolledOfficer, ...]
    made_ms: int
    predecessor: bytes = b""  # device id that this one replaces, or empty

    @property
    def device_id(self) -> bytes:
        return device_id(self.sign_public)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What the centre says of a device."""

    device_id: bytes
    sign_public: bytes
    seal_public: bytes
    office_public: bytes
    office: str
    number: int  # the device's number within its office: part of serial numbers
    valid_from_ms: int
    predecessor: bytes = b""


def code_key(code: str, slot: bytes) -> bytes:
    """The HMAC key of a one-time code: Argon2id (2 passes, 64 MiB), so that a captured request does not tell the code."""
    return pwhash.argon2id.kdf(
        32, plain_code(code).encode(), slot,
        opslimit=pwhash.argon2id.OPSLIMIT_INTERACTIVE, memlimit=pwhash.argon2id.MEMLIMIT_INTERACTIVE,
    )  # fmt: skip


def plain_code(typed: str) -> str:
    """A code as it is hashed, from what a person typed: case, blanks, hyphens, O for 0, I and L for 1 do not matter."""
    plain = "".join(typed.upper().split()).replace("-", "")
    return plain.replace("O", "0").replace("I", "1").replace("L", "1")


def is_code(typed: str) -> bool:
    """Whether ``typed`` can be a code at all."""
    plain = plain_code(typed)
    return len(plain) == CODE_LENGTH and set(plain) <= set(ALPHABET)


def new_code(random: bytes) -> str:
    """A one-time code of 50 bits from 10 ``random`` bytes."""
    return "".join(ALPHABET[byte & 31] for byte in random[:CODE_LENGTH])


def words(data: bytes) -> str:
    """Six groups of five digits that name ``data``, for people to compare by phone: 99 bits."""
    number = int.from_bytes(sha256(_WORDS + data).digest()[:16], "big") % 10**30
    digits = f"{number:030d}"
    return " ".join(digits[start : start + 5] for start in range(0, 30, 5))


def same_words(shown: str, typed: str) -> bool:
    """Whether ``typed`` says the same six groups; Khmer digits, blanks and hyphens do not matter."""

    def digits(text: str) -> str:
        return "".join(str(unicodedata.digit(c)) for c in text if unicodedata.digit(c, None) is not None)

    return digits(shown) == digits(typed)


# --- request


def make_request(request: Request, device: SigningKey, key: bytes) -> bytes:
    """The bytes to send: the request signed by ``device``, and its HMAC under ``key`` (:func:`code_key`)."""
    signed = sign_request(request, device)
    return cbor.encode([signed, hmac.digest(key, signed, "sha256")])


def sign_request(request: Request, device: SigningKey) -> bytes:
    """The request signed by ``device``; who may make it is proved beside."""
    officers = [[o.id, o.name, o.latin, o.role, o.public] for o in request.officers]
    values: list[Any] = [
        1, request.slot, request.office, request.sign_public, request.seal_public, request.office_public, officers,
        request.made_ms, request.predecessor,
    ]  # fmt: skip
    payload = cbor.encode(dict(enumerate(values, start=1)))
    return cose.sign(device, payload, content_type=_REQUEST_TYPE, key_id=request.device_id, aad=_REQUEST_AAD)


def read_request(data: bytes) -> tuple[Request, bytes, bytes]:
    """The request of ``data``, signature verified, with the signed bytes and their HMAC for :func:`code_holds`."""
    if len(data) > MAX_MESSAGE:
        raise Malformed("enrol: too big")
    match cbor.decode(data):
        case [bytes(inner), bytes(mac)]:
            return read_signed_request(inner), inner, mac
    raise Malformed("enrol: layout")


def read_signed_request(data: bytes) -> Request:
    """The request of :func:`sign_request`, signature verified."""
    signed = cose.parse(data, _REQUEST_TYPE)
    match cbor.decode(signed.payload):
        case {
            1: 1, 2: bytes(slot), 3: str(office), 4: bytes(sign), 5: bytes(seal), 6: bytes(issue), 7: list(officers),
            8: int(made), 9: bytes(before), **others,
        } if not others:  # fmt: skip
            pass
        case _:
            raise Malformed("enrol: fields")
    if (len(slot), len(sign), len(seal), len(issue)) != (16, 32, 32, 32) or len(before) not in (0, 16):
        raise Malformed("enrol: sizes")
    if not cbor.is_count(made) or len(office) > MAX_NAME or signed.key_id != device_id(sign):
        raise Malformed("enrol: fields")
    cose.verify(signed, sign, _REQUEST_AAD)
    return Request(
        slot=slot, office=office, sign_public=sign, seal_public=seal, office_public=issue,
        officers=tuple(_read_officer(value) for value in officers), made_ms=made, predecessor=before,
    )  # fmt: skip


def code_holds(key: bytes, signed: bytes, mac: bytes) -> bool:
    """Whether the request was made with the slot's code."""
    return hmac.compare_digest(hmac.digest(key, signed, "sha256"), mac)


def _read_officer(value: Any) -> EnrolledOfficer:
    match value:
        case [bytes(officer), str(name), str(latin), str(role), bytes(public)] if (len(officer), len(public)) == (
            16,
            32,
        ) and max(len(name), len(latin), len(role)) <= MAX_NAME:
            return EnrolledOfficer(officer, name, latin, role, public)
    raise Malformed("enrol: officer")


# --- certificate


def certificate_payload(certificate: Certificate) -> bytes:
    """What a certificate says, to be signed."""
    c = certificate
    values: list[Any] = [
        1, c.sign_public, c.seal_public, c.office_public, c.office, c.number, c.valid_from_ms, c.predecessor,
    ]  # fmt: skip
    return cbor.encode(dict(enumerate(values, start=1)))


def sign_certificate(payload: bytes, key: SigningKey) -> bytes:
    """The certificate of ``payload``, by the centre's pack key or by the key of the office's province."""
    signer = device_id(bytes(key.verify_key))
    return cose.sign(key, payload, content_type=_CERTIFICATE_TYPE, key_id=signer, aad=_CERTIFICATE_AAD)


def issue_certificate(certificate: Certificate, key: SigningKey) -> bytes:
    """``certificate`` signed with ``key``."""
    return sign_certificate(certificate_payload(certificate), key)


def certifier(data: bytes, known: Sequence[bytes]) -> bytes | None:
    """Which of the ``known`` keys a certificate names as its signer."""
    named = cose.parse(data, _CERTIFICATE_TYPE).key_id
    return next((public for public in known if device_id(public) == named), None)


def office_of(data: bytes) -> str:
    """Which office a certificate names, before its signature is verified: to know whose signature it must be."""
    match cbor.decode(cose.parse(data, _CERTIFICATE_TYPE).payload):
        case {5: str(office)}:
            return office
    raise Malformed("certificate: fields")


def read_certificate(data: bytes, signer: bytes) -> Certificate:
    """The certificate of ``data``, verified with the public key ``signer``."""
    cose.verify(cose.parse(data, _CERTIFICATE_TYPE), signer, _CERTIFICATE_AAD)
    return kept_certificate(data)


def kept_certificate(data: bytes) -> Certificate:
    """What a certificate says that was verified when it was kept: its signer, a province, may have another key by now."""
    match cbor.decode(cose.parse(data, _CERTIFICATE_TYPE).payload):
        case {
            1: 1, 2: bytes(sign), 3: bytes(seal), 4: bytes(issue), 5: str(office), 6: int(number), 7: int(since),
            8: bytes(before), **others,
        } if (
            not others and (len(sign), len(seal), len(issue)) == (32, 32, 32) and len(before) in (0, 16)
            and cbor.is_count(number) and cbor.is_count(since) and len(office) <= MAX_NAME
        ):  # fmt: skip
            return Certificate(
                device_id=device_id(sign), sign_public=sign, seal_public=seal, office_public=issue, office=office,
                number=number, valid_from_ms=since, predecessor=before,
            )  # fmt: skip
    raise Malformed("certificate: fields")
