"""What officers type into fields, read strictly; and values written for the screen in the digits of the setting."""

from __future__ import annotations

import re
from datetime import date as Date
from decimal import Decimal
from typing import Final, Literal

Digits = Literal["latin", "khmer"]

_TO_ASCII: Final = {0x17E0 + n: str(n) for n in range(10)} | {0x200B: None, 0x200C: None, 0x200D: None, 0xFEFF: None}
_TO_KHMER: Final = {ord(str(n)): chr(0x17E0 + n) for n in range(10)}

_shown: Digits = "latin"


def show_digits(shown: Digits) -> None:
    """Write the numbers of the window in "latin" or "khmer" digits from now on."""
    global _shown
    _shown = shown


def digits(text: str) -> str:
    """The same text with Khmer digits as ASCII and without zero-width marks."""
    return text.translate(_TO_ASCII)


def in_shown_digits(text: str) -> str:
    """``text`` with its digits as the setting wants them."""
    return text.translate(_TO_KHMER) if _shown == "khmer" else text


def number(text: str, places: int = 0) -> int | str:
    """int, or a decimal number as str when ``places`` > 0. Groups of three by blank or comma. ValueError when it is none."""
    plain = re.sub(r"(?<=\d)[ ,\u00a0](?=\d{3}(?:\D|$))", "", digits(text).strip())
    if not re.fullmatch(r"[-+]?\d{1,15}" + (r"(?:\.\d{1,%d})?" % places if places else ""), plain):
        raise ValueError(text)
    return int(plain) if places == 0 else str(Decimal(plain))


def show_number(value: int | str) -> str:
    return in_shown_digits(str(value))


def show_riel(value: int) -> str:
    """Groups of three: 480,000 or ៤៨០ ០០០, without the sign."""
    grouped = f"{value:,}"
    return in_shown_digits(grouped.replace(",", " ") if _shown == "khmer" else grouped)


def date(text: str) -> Date:
    """Day first (22/11/2026, 22.11.2026, 22112026) or ISO (2026-11-22). ValueError when it is none."""
    plain = digits(text).strip()
    if found := re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", plain):
        year, month, day = found.groups()
    elif found := re.fullmatch(r"(\d{1,2})[/. -](\d{1,2})[/. -](\d{4})", plain) or re.fullmatch(
        r"(\d{2})(\d{2})(\d{4})", plain
    ):
        day, month, year = found.groups()
    else:
        raise ValueError(text)
    return Date(int(year), int(month), int(day))


def show_date(iso: str) -> str:
    """``"2026-11-22"`` as 22/11/2026."""
    day = Date.fromisoformat(iso)
    return in_shown_digits(f"{day.day:02}/{day.month:02}/{day.year}")


def phone(text: str) -> str:
    """A Cambodian number in E.164. ValueError when it is none."""
    import phonenumbers

    try:
        read = phonenumbers.parse(digits(text), "KH")
    except phonenumbers.NumberParseException as reason:
        raise ValueError(text) from reason
    if read.country_code != 855 or not phonenumbers.is_valid_number(read):
        raise ValueError(text)
    return str(phonenumbers.format_number(read, phonenumbers.PhoneNumberFormat.E164))


def show_phone(e164: str) -> str:
    """``"+85512345678"`` as people write it at home: 012 345 678."""
    import phonenumbers

    read = phonenumbers.parse(e164, "KH")
    return in_shown_digits(str(phonenumbers.format_number(read, phonenumbers.PhoneNumberFormat.NATIONAL)))
