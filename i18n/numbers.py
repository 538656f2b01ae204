"""Numbers as people write them: Khmer or Latin digits, groups, riel, words.

With Khmer digits ``.`` groups and ``,`` is the decimal sign; with Latin digits it is the other way round. What could
mean two numbers is refused, never guessed. Numbers are kept as ``int`` and ``Decimal``; money is whole riel.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final, Literal

from i18n.errors import Refused

Digits = Literal["latin", "khmer"]

_KHMER_DIGITS = "០១២៣៤៥៦៧៨៩"
_TO_KHMER = str.maketrans("0123456789", _KHMER_DIGITS)
_TO_ASCII = str.maketrans(_KHMER_DIGITS, "0123456789")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))  # the NiDA space key types U+200B
_LONGEST: Final = 40  # characters of a number that a person types

_LOOKS = re.compile(r"[-−]?[0-9][0-9.,]*")
_LATIN = re.compile(r"[0-9]+(\.[0-9]+)?|[0-9]{1,3}(?:,[0-9]{3})+(\.[0-9]+)?")
_KHMER = re.compile(  # several groups between commas can only be groups; one could also be decimals
    r"(?![0-9]{1,3},[0-9]{3}$)(?:[0-9]+(,[0-9]+)?|[0-9]{1,3}(?:\.[0-9]{3})+(,[0-9]+)?|[0-9]{1,3}(?:,[0-9]{3}){2,})"
)
_RIEL = re.compile(r"\s*(?:៛|រៀល|khr|riels?)$", re.IGNORECASE)


def ascii_digits(text: str) -> str:
    """``text`` with Khmer digits as 0–9 and without invisible characters."""
    return text.translate(_INVISIBLE).translate(_TO_ASCII)


def khmer_digits(value: str | int) -> str:
    """``value`` with 0–9 as Khmer digits."""
    return str(value).translate(_TO_KHMER)


def _parts(text: str) -> tuple[bool, str, str]:
    """Sign, whole digits and decimal digits of a written number."""
    written = text.translate(_INVISIBLE).strip()
    plain = written.translate(_TO_ASCII)
    if len(written) > _LONGEST or not _LOOKS.fullmatch(plain):
        raise Refused("TX-001")
    number = plain.lstrip("-−")
    khmer = any(digit in _KHMER_DIGITS for digit in written)
    mixed = khmer and any("0" <= digit <= "9" for digit in written)
    found = (_KHMER if khmer else _LATIN).fullmatch(number)
    if found is None or (mixed and not number.isdecimal()):
        raise Refused("TX-002")
    decimals = found[1] or found[2] or ""
    whole = number[: len(number) - len(decimals)].replace(".", "").replace(",", "")
    return plain != number, whole, decimals[1:]


def parse_decimal(text: str) -> Decimal:
    """The number that ``text`` says. ``Refused`` TX-001: no number; TX-002: it could mean two numbers."""
    negative, whole, decimals = _parts(text)
    value = Decimal(f"{whole}.{decimals}" if decimals else whole)
    return -value if negative and value else value


def parse_int(text: str) -> int:
    """The whole number that ``text`` says. ``Refused`` as :func:`parse_decimal`; TX-003: it has decimals."""
    negative, whole, decimals = _parts(text)
    if decimals:
        raise Refused("TX-003")
    return -int(whole) if negative else int(whole)


def parse_riel(text: str) -> int:
    """An amount in riel, with or without ៛, រៀល or KHR behind it."""
    return parse_int(_RIEL.sub("", text.translate(_INVISIBLE).strip()))


def format_number(n: int | Decimal, digits: Digits = "latin") -> str:
    """``1,234,567.5`` or ``១.២៣៤.៥៦៧,៥``."""
    latin = f"{n:,}"
    if digits == "latin":
        return latin
    return khmer_digits(latin.translate({ord(","): ".", ord("."): ","}))


def riel(n: int, digits: Digits = "latin") -> str:
    """``1,250,000៛`` or ``១.២៥០.០០០ ៛``."""
    return f"{format_number(n)}៛" if digits == "latin" else f"{format_number(n, 'khmer')} ៛"


_UNITS: Final = ("", "មួយ", "ពីរ", "បី", "បួន", "ប្រាំ", "ប្រាំមួយ", "ប្រាំពីរ", "ប្រាំបី", "ប្រាំបួន")
_TENS: Final = ("", "ដប់", "ម្ភៃ", "សាមសិប", "សែសិប", "ហាសិប", "ហុកសិប", "ចិតសិប", "ប៉ែតសិប", "កៅសិប")
_POWERS: Final = ((10**6, "លាន"), (10**5, "សែន"), (10**4, "ម៉ឺន"), (1000, "ពាន់"), (100, "រយ"))


def in_words(n: int) -> str:
    """``n`` in Khmer words: 2026 is ``ពីរពាន់ម្ភៃប្រាំមួយ``."""
    if n < 0:
        return "ដក" + in_words(-n)
    if n == 0:
        return "សូន្យ"
    words = ""
    for power, name in _POWERS:
        if n >= power:
            words += in_words(n // power) + name
            n %= power
    return words + _TENS[n // 10] + _UNITS[n % 10]


def riel_in_words(n: int) -> str:
    """An amount as a receipt says it, closed against additions: ``ប្រាំពាន់រៀលគត់``."""
    return in_words(n) + "រៀលគត់"
