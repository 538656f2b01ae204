"""Codes of short links: a leased counter, permuted by a key, written in 31 unmistakable symbols with a check character.

31 is prime and every place has its own weight, so the check character exposes every single wrong symbol and every swap of
two symbols. The keyed permutation is a bijection: disjoint counters give different codes, and a code does not tell its
counter. All leases that share a prefix must be made with one key; a new key needs a new prefix.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from modules.contract import Known

ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # no i l o 0 1
BASE: Final = len(ALPHABET)
BODY: Final = 6  # symbols that carry the counter
SPACE: Final = BASE**BODY  # 887,503,681 counters
LONGEST_PREFIX: Final = 4

_INDEX: Final = {symbol: place for place, symbol in enumerate(ALPHABET)}
_HALF: Final = 15  # bits; two halves cover the space, cycle walking drops the rest
_MASK: Final = (1 << _HALF) - 1
_ROUNDS: Final = range(4)
_SLUG: Final = re.compile(r"(\d{2,6})-([a-z0-9]+(?:-[a-z0-9]+)*)")
LONGEST_SLUG: Final = 40
_RUDE: Final = ("fuck", "cunt", "arse", "fag", "rape", "ass", "sex", "wtf", "kkk")  # a printed sheet cannot be recalled


@dataclass(frozen=True, slots=True)
class Range:
    """The content of a lease: counters ``first`` … ``last`` under ``key``; ``prefix`` stands before each code."""

    key: bytes
    first: int
    last: int
    prefix: str

    def code(self, number: int) -> str:
        """The code of the lease's ``number`` (0 is the first)."""
        counter = self.first + number
        if not self.first <= counter <= self.last:
            raise Known("LN-030")
        return encode(counter, self.key, self.prefix)


def lease_content(key: bytes, first: int, size: int, prefix: str = "") -> dict[str, Any]:
    """What a lease of ``size`` codes carries, checked; made by the centre."""
    content = {"key": key, "from": first, "to": first + size - 1, "prefix": prefix}
    read_lease(content)
    return content


def read_lease(content: Mapping[str, Any]) -> Range:
    """The range that a lease's content says. ``Known("LN-030")`` when it is not one."""
    key, first, last, prefix = (content.get(name) for name in ("key", "from", "to", "prefix"))
    try:
        key, prefix = bytes.fromhex(key) if isinstance(key, str) else key, prefix or ""
    except ValueError as error:
        raise Known("LN-030") from error
    if not (isinstance(key, bytes) and type(first) is int and type(last) is int and isinstance(prefix, str)):
        raise Known("LN-030")
    right = len(key) == 32 and 0 <= first <= last < SPACE
    if not right or len(prefix) > LONGEST_PREFIX or not set(prefix) <= _INDEX.keys():
        raise Known("LN-030")
    return Range(key, first, last, prefix)


def permute(counter: int, key: bytes) -> int:
    """The place of ``counter`` in the keyed order of all codes."""
    return _walk(counter, key, _ROUNDS)


def unpermute(value: int, key: bytes) -> int:
    """The counter whose place is ``value``."""
    return _walk(value, key, _ROUNDS[::-1])


def _walk(value: int, key: bytes, rounds: range) -> int:
    if not 0 <= value < SPACE:
        raise ValueError("outside the code space")
    value = _feistel(value, key, rounds)
    while value >= SPACE:  # keeps it a permutation of the space
        value = _feistel(value, key, rounds)
    return value


def _feistel(value: int, key: bytes, rounds: range) -> int:
    left, right = value >> _HALF, value & _MASK
    for number in rounds:
        mac = hmac.digest(key, bytes((number, right >> 8, right & 255)), "sha256")
        left, right = right, left ^ (mac[0] << 8 | mac[1]) & _MASK
    return right << _HALF | left  # swapped: the rounds backwards invert it


def encode(counter: int, key: bytes, prefix: str = "") -> str:
    """The code of ``counter``: prefix, six symbols, check character."""
    value = permute(counter, key)
    symbols = []
    for _ in range(BODY):
        value, digit = divmod(value, BASE)
        symbols.append(ALPHABET[digit])
    body = prefix + "".join(reversed(symbols))
    return body + check_character(body)


def decode(code: str, key: bytes, prefix: str = "") -> int:
    """The counter of a code. ValueError when it is not a code of ``prefix``."""
    code = code.lower()
    if not valid(code) or not code.startswith(prefix) or len(code) != len(prefix) + BODY + 1:
        raise ValueError("not a code")
    value = 0
    for symbol in code[len(prefix) : -1]:
        value = value * BASE + _INDEX[symbol]
    return unpermute(value, key)


def check_character(body: str) -> str:
    """The symbol that makes the weighted sum of the places 0 mod 31: weights 2, 3, … for the body, −1 for itself."""
    return ALPHABET[sum(weight * _INDEX[symbol] for weight, symbol in enumerate(body, start=2)) % BASE]


def valid(code: str) -> bool:
    """Whether ``code`` (any case) is a leased code as it was written: right symbols, right check character."""
    code = code.lower()
    if not BODY + 1 <= len(code) <= LONGEST_PREFIX + BODY + 1 or not set(code) <= _INDEX.keys():
        return False
    return check_character(code[:-1]) == code[-1]


def suggest(code: str) -> list[str]:
    """Did you mean: valid codes one wrong symbol or one swap of neighbours away from ``code``, sorted."""
    code = code.lower()
    if not BODY + 1 <= len(code) <= LONGEST_PREFIX + BODY + 1:
        return []
    near = {code[:place] + symbol + code[place + 1 :] for place in range(len(code)) for symbol in ALPHABET}
    near |= {code[:i] + code[i + 1] + code[i] + code[i + 2 :] for i in range(len(code) - 1)}
    return sorted(one for one in near if one != code and valid(one))


def polite(code: str) -> bool:
    """Whether no rude word stands in ``code``; an impolite one is skipped and its number left unused."""
    return not any(word in code for word in _RUDE)


def slug(text: str, office: str) -> str | None:
    """``office-slug`` in the office's own name space for what a person typed ("Market Day", "0306-market"), or None."""
    words = "-".join(re.split(r"[\s_-]+", text.strip().lower()))
    code = words if words.startswith(f"{office}-") else f"{office}-{words}"
    return code if len(code) <= LONGEST_SLUG and _SLUG.fullmatch(code) else None


def slug_office(code: str) -> str | None:
    """The office in whose name space a chosen code stands, or None for a leased one."""
    found = _SLUG.fullmatch(code.lower())
    return found[1] if found and len(code) <= LONGEST_SLUG else None
