"""Base45 (RFC 9285), strict both ways: two bytes become three characters of the QR code's alphanumeric alphabet."""

from __future__ import annotations

import struct
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

_DIGITS: Final = [ALPHABET.index(chr(code)) if chr(code) in ALPHABET else 255 for code in range(128)] + [255] * 128
_TO_DIGIT: Final = bytes(_DIGITS)
_TO_CHARACTER: Final = ALPHABET.encode("ascii").ljust(256, b"?")


class NotBase45(ValueError):
    """The text is not base45 of anything."""


def encode(data: bytes) -> str:
    """The text of ``data``: 3 characters for 2 bytes, 2 for a last single one."""
    digits = bytearray()
    for start in range(0, len(data) - 1, 2):
        number = data[start] << 8 | data[start + 1]
        digits += bytes((number % 45, number // 45 % 45, number // 2025))
    if len(data) % 2:
        digits += bytes((data[-1] % 45, data[-1] // 45))
    return digits.translate(_TO_CHARACTER).decode("ascii")


def decode(text: str) -> bytes:
    """The bytes of ``text``; NotBase45 for a foreign character, a dangling one, or a group that is too large."""
    try:
        digits = text.encode("ascii").translate(_TO_DIGIT)
    except UnicodeEncodeError:
        raise NotBase45 from None
    rest = len(digits) % 3
    if rest == 1 or 255 in digits:
        raise NotBase45
    whole = len(digits) - rest
    thirds = zip(digits[:whole:3], digits[1:whole:3], digits[2:whole:3], strict=True)
    groups = [a + 45 * b + 2025 * c for a, b, c in thirds]
    if groups and max(groups) > 0xFFFF:
        raise NotBase45
    words = struct.pack(f">{len(groups)}H", *groups)
    if not rest:
        return words
    last = digits[-2] + 45 * digits[-1]
    if last > 0xFF:
        raise NotBase45
    return words + bytes((last,))
