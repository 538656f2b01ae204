"""The province's recovery key in the hands of three custodians, of whom two together make it again (Shamir, by PyCryptodome).

PyCryptodome shares 16 bytes at a time, so each half of the 32-byte key is shared by itself and one share carries a part of
both. A share alone says nothing of the key. As text it is 74 signs in groups of five, with a checksum against mistyping
and the name of the key, so that shares of different keys are told apart before anything is joined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from nacl.public import PrivateKey

from sync.devices import ALPHABET, plain_code
from sync.errors import Refused

SHARES: Final = 3
NEEDED: Final = 2
_HALF: Final = 16
_VERSION: Final = 1
_CHECK: Final = b"sala/share/v1\0"
_PREFIX: Final = "SALA1"  # five signs of the alphabet: one more group, so that people see what they hold
_RAW: Final = 1 + 1 + 8 + 2 * _HALF + 4
SIGNS: Final = -(-_RAW * 8 // 5)


@dataclass(frozen=True, slots=True)
class Share:
    """One custodian's part: its number, the key that it belongs to (8 bytes), its part of both halves."""

    number: int
    key_id: bytes
    parts: bytes  # 32


def key_id(public: bytes) -> bytes:
    """How a recovery key is named on its shares."""
    return sha256(public).digest()[:8]


def split(private: PrivateKey) -> list[Share]:
    """Three shares of a recovery key, of which any two make it again."""
    from Crypto.Protocol.SecretSharing import Shamir

    secret, name = bytes(private), key_id(bytes(private.public_key))
    halves = [Shamir.split(NEEDED, SHARES, secret[start : start + _HALF]) for start in (0, _HALF)]
    return [
        Share(number, name, bytes(first) + bytes(second)) for (number, first), (_, second) in zip(*halves, strict=True)
    ]


def join(shares: Sequence[Share]) -> PrivateKey:
    """The recovery key of two shares. Refused SY-468: too few different ones, of different keys, or one of them is wrong."""
    from Crypto.Protocol.SecretSharing import Shamir

    found = {share.number: share for share in shares}
    if len(found) < NEEDED or len({share.key_id for share in shares}) != 1:
        raise Refused("SY-468")
    used = list(found.values())[:NEEDED]
    halves = [
        Shamir.combine([(share.number, share.parts[start : start + _HALF]) for share in used]) for start in (0, _HALF)
    ]
    private = PrivateKey(bytes(halves[0]) + bytes(halves[1]))
    if key_id(bytes(private.public_key)) != used[0].key_id:
        raise Refused("SY-468")
    return private


# --- as text


def text(share: Share) -> str:
    """The share for paper: groups of five signs, the first of them names what it is."""
    raw = bytes([_VERSION, share.number]) + share.key_id + share.parts
    raw += sha256(_CHECK + raw).digest()[:4]
    bits = int.from_bytes(raw, "big") << (SIGNS * 5 - _RAW * 8)
    signs = "".join(ALPHABET[(bits >> 5 * place) & 31] for place in range(SIGNS - 1, -1, -1))
    return " ".join([_PREFIX, *(signs[start : start + 5] for start in range(0, SIGNS, 5))])


def read(typed: str) -> Share:
    """The share that a person typed or scanned. Refused SY-469: not one, or mistyped."""
    plain, prefix = plain_code(typed), plain_code(_PREFIX)
    if not plain.startswith(prefix):
        raise Refused("SY-469")
    signs = plain.removeprefix(prefix)
    if len(signs) != SIGNS or not set(signs) <= set(ALPHABET):
        raise Refused("SY-469")
    bits = 0
    for sign in signs:
        bits = bits << 5 | ALPHABET.index(sign)
    raw = (bits >> (SIGNS * 5 - _RAW * 8)).to_bytes(_RAW, "big")
    body, check = raw[:-4], raw[-4:]
    if sha256(_CHECK + body).digest()[:4] != check or body[0] != _VERSION or not 1 <= body[1] <= SHARES:
        raise Refused("SY-469")
    return Share(body[1], body[2:10], body[10:])
