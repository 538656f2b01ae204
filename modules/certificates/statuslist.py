"""``status/<issuer>.cwt``: which certificates of one issuer are revoked or suspended.

A CWT status list (IETF Token Status List): COSE_Sign1 of ``{2: name, 4: expires, 6: made at, 65533: {"bits": 2,
"lst": zlib(bits)}, 65534: seconds until a newer one, 70002: hour of the newest certificate that the centre knew}``,
entries of two bits, least significant bits first. It tells nothing but index and state, so it can be public. Laptops
receive it as a signed publication; the signature inside is for others.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from modules.certificates.claims import MAX_INDEX, status_name
from modules.certificates.kh1 import Sign, key_id
from sync import cbor, cose

State = Literal["valid", "revoked", "suspended"]
STATES: Final[Mapping[int, State]] = {0: "valid", 1: "revoked", 2: "suspended"}
VALUES: Final = {state: value for value, state in STATES.items()}

MIN_ENTRIES: Final = 131_072  # a short list would tell how few certificates an office has issued
TTL_S: Final = 86_400
LIFE_S: Final = 30 * 86_400

_BITS = 2
_PER_BYTE = 8 // _BITS
_MAX_BYTES = MAX_INDEX // _PER_BYTE
_TYPE = "application/statuslist+cwt"
_SUB, _EXP, _IAT, _LIST, _TTL, _KNOWN = 2, 4, 6, 65533, 65534, 70002
_HOUR_S = 3_600
_HEADER_TYPE, _ALG, _KID, _EDDSA = 16, 1, 4, -8


class BadList(ValueError):
    """The bytes are not a status list of that issuer; the message is a short reason."""


@dataclass(frozen=True, slots=True)
class StatusList:
    """A read list. ``state`` of an index is None when the list is too short to say."""

    issuer: str
    made_s: int
    expires_s: int
    entries: bytes

    def state(self, index: int) -> State | None:
        place, shift = index // _PER_BYTE, index % _PER_BYTE * _BITS
        if index < 0 or place >= len(self.entries):
            return None
        return STATES.get(self.entries[place] >> shift & (1 << _BITS) - 1)


def write(
    issuer: str, states: Mapping[int, State], made_s: int, *, sign: Sign, public: bytes, known_s: int = 0
) -> bytes:
    """The signed list of ``issuer``: ``states`` by index; every index that is not named is valid.

    ``known_s`` is the time of the newest certificate that the centre has heard of. It makes the list another one, and so
    gives it a new date, when certificates were issued and none was revoked: a list older than a certificate says nothing
    about it.
    """
    entries = bytearray(_size(max(states, default=0)) // _PER_BYTE)
    for index, state in states.items():
        entries[index // _PER_BYTE] |= VALUES[state] << index % _PER_BYTE * _BITS
    payload = cbor.encode(
        {
            _SUB: status_name(issuer),
            _EXP: made_s + LIFE_S,
            _IAT: made_s,
            _LIST: {"bits": _BITS, "lst": zlib.compress(bytes(entries), 9)},
            _TTL: TTL_S,
            _KNOWN: known_s // _HOUR_S,
        }
    )
    protected = cbor.encode({_ALG: _EDDSA, _KID: key_id(public), _HEADER_TYPE: _TYPE})
    return cbor.encode([protected, {}, payload, sign(cose.to_be_signed(protected, b"", payload))])


def _size(highest: int) -> int:
    """Entries of a list that holds index ``highest``: a power of two, so that its length tells little."""
    if not 0 <= highest < MAX_INDEX:
        raise ValueError(f"index {highest}")
    return max(MIN_ENTRIES, 1 << highest.bit_length())


def read(data: bytes, issuer: str) -> StatusList:
    """The list of ``issuer``. Its signature is not looked at: whoever hands it over must have authenticated it."""
    try:
        match cbor.decode(data):
            case [bytes(_), {}, bytes(payload), bytes(_)]:
                claims = cbor.decode(payload)
            case _:
                raise BadList("layout")
    except cbor.Malformed as error:
        raise BadList(error.reason) from None
    match claims:
        case {
            2: str(name),
            4: int(expires),
            6: int(made),
            65533: {"bits": 2, "lst": bytes(packed), **inner},
            **_others,
        }:
            if name != status_name(issuer) or inner or made < 0 or expires < made:
                raise BadList("claims")
            return StatusList(issuer, made, expires, _unpack(packed))
    raise BadList("claims")


def _unpack(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        entries = unpacker.decompress(packed, _MAX_BYTES + 1)
    except zlib.error:
        raise BadList("zlib") from None
    if len(entries) > _MAX_BYTES or not unpacker.eof or unpacker.unused_data:
        raise BadList("length")
    return entries
