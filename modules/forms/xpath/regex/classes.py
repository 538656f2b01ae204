"""Classes of characters: what ``\\d``, ``\\p{L}``, ``[a-z&&[^q]]`` and ``.`` stand for in Java."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Final

Test = Callable[[str], bool]
LINE_ENDS: Final = frozenset("\n\r\u0085\u2028\u2029")
_SPACE: Final = frozenset(" \t\n\x0b\f\r")
_SCRIPTS: Final[dict[str, tuple[tuple[int, int], ...]]] = {
    "khmer": ((0x1780, 0x17DD), (0x17E0, 0x17E9), (0x17F0, 0x17F9), (0x19E0, 0x19FF)),
    "latin": ((0x41, 0x5A), (0x61, 0x7A), (0xAA, 0xAA), (0xBA, 0xBA), (0xC0, 0xD6), (0xD8, 0xF6), (0xF8, 0x2B8), (0x1E00, 0x1EFF)),
    "thai": ((0xE01, 0xE3A), (0xE40, 0xE5B)),
    "greek": ((0x370, 0x3FF), (0x1F00, 0x1FFF)),
    "cyrillic": ((0x400, 0x52F),),
    "arabic": ((0x600, 0x6FF), (0x750, 0x77F)),
    "han": ((0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3021, 0x3029), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF)),
    "vietnamese": ((0x1EA0, 0x1EF9),),
}  # fmt: skip
_BLOCKS: Final[dict[str, tuple[tuple[int, int], ...]]] = {
    "khmer": ((0x1780, 0x17FF),), "khmersymbols": ((0x19E0, 0x19FF),), "basiclatin": ((0, 0x7F),),
    "latin-1supplement": ((0x80, 0xFF),), "thai": ((0xE00, 0xE7F),), "greek": ((0x370, 0x3FF),), "cyrillic": ((0x400, 0x4FF),),
}  # fmt: skip
_POSIX: Final[dict[str, Test]] = {
    "Lower": lambda c: "a" <= c <= "z",
    "Upper": lambda c: "A" <= c <= "Z",
    "ASCII": lambda c: c < "\x80",
    "Alpha": lambda c: c < "\x80" and c.isalpha(),
    "Digit": lambda c: "0" <= c <= "9",
    "Alnum": lambda c: c < "\x80" and c.isalnum(),
    "Punct": lambda c: "!" <= c <= "~" and not c.isalnum(),
    "Graph": lambda c: "!" <= c <= "~",
    "Print": lambda c: " " <= c <= "~",
    "Blank": lambda c: c in " \t",
    "Cntrl": lambda c: c < " " or c == "\x7f",
    "XDigit": lambda c: c in "0123456789abcdefABCDEF",
    "Space": _SPACE.__contains__,
    "javaLowerCase": str.islower,
    "javaUpperCase": str.isupper,
    "javaWhitespace": str.isspace,
    "IsAlphabetic": lambda c: c.isalpha() or (unicodedata.category(c) in ("Mn", "Mc", "Nl") and _letter_sign(c)),
    "IsLetter": str.isalpha,
    "IsDigit": lambda c: unicodedata.category(c) == "Nd",
    "IsUppercase": str.isupper,
    "IsLowercase": str.islower,
    "IsPunctuation": lambda c: unicodedata.category(c)[0] == "P",
    "IsWhite_Space": str.isspace,
}


def _letter_sign(character: str) -> bool:
    """Vowel signs count as letters, signs that silence or stress (and Khmer's coeng) do not."""
    return not unicodedata.combining(character) and character not in "\u17c6\u17c7\u17c8"


def digit(character: str) -> bool:
    return "0" <= character <= "9"


def word(character: str) -> bool:
    return character < "\x80" and (character.isalnum() or character == "_")


def horizontal(character: str) -> bool:
    return character in " \t\xa0\u1680\u180e\u202f\u205f\u3000" or "\u2000" <= character <= "\u200a"


def vertical(character: str) -> bool:
    return character in "\n\x0b\f\r\x85\u2028\u2029"


ESCAPES: Final[dict[str, Test]] = {"d": digit, "w": word, "s": _SPACE.__contains__, "h": horizontal, "v": vertical}


def inverse(test: Test) -> Test:
    return lambda c: not test(c)


def either(tests: list[Test]) -> Test:
    return tests[0] if len(tests) == 1 else lambda c: any(test(c) for test in tests)


def both(tests: list[Test]) -> Test:
    return tests[0] if len(tests) == 1 else lambda c: all(test(c) for test in tests)


def only(character: str, fold: bool = False) -> Test:
    """Exactly that character; with ``fold`` (``(?i)``) an ASCII letter in either case."""
    if fold and character.isascii() and character.isalpha():
        return frozenset((character.lower(), character.upper())).__contains__
    return character.__eq__


def span(low: str, high: str, fold: bool = False) -> Test:
    if not fold:
        return lambda c: low <= c <= high
    return lambda c: low <= c <= high or (c < "\x80" and (low <= c.lower() <= high or low <= c.upper() <= high))


def any_but_line_ends(character: str) -> bool:
    return character not in LINE_ENDS


def anything(_character: str) -> bool:
    return True


def named(name: str) -> Test | None:
    """``\\p{name}``: POSIX classes, ``IsKhmer`` and other scripts, ``InKhmer`` blocks, general categories. None when unknown."""
    if name in _POSIX:
        return _POSIX[name]
    for prefix, table in (
        ("Is", _SCRIPTS),
        ("In", _BLOCKS),
        ("script=", _SCRIPTS),
        ("sc=", _SCRIPTS),
        ("block=", _BLOCKS),
    ):
        if (
            name.startswith(prefix)
            and (key := name.removeprefix(prefix).lower().replace("_", "").replace(" ", "")) in table
        ):
            ranges = table[key]
            return lambda c: any(low <= ord(c) <= high for low, high in ranges)
    name = name.removeprefix("Is").removeprefix("general_category=").removeprefix("gc=")
    if name == "LC":
        return lambda c: unicodedata.category(c) in ("Lu", "Ll", "Lt")
    if len(name) == 1 and name in "LMNPSZC":
        return lambda c: unicodedata.category(c)[0] == name
    if len(name) == 2 and name[0] in "LMNPSZC" and name[1] in "ultmoncdepfisk":
        return lambda c: unicodedata.category(c) == name
    return None
