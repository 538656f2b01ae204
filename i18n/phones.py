"""Telephone numbers: typed in any way, kept as E.164 (``+85512345678``), shown as people say them (``012 345 678``)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from i18n.errors import Refused
from i18n.numbers import ascii_digits

_LONGEST = 40  # characters of a number that a person types


def parse_phone(text: str) -> str:
    """The E.164 form of a Cambodian number, or of a foreign one after ``+``. ``Refused`` TX-020 otherwise."""
    return _parse(ascii_digits(text).strip()) if len(text) <= _LONGEST else _refuse()


@lru_cache(maxsize=16384)
def _parse(text: str) -> str:
    import phonenumbers

    if any(letter.isalpha() for letter in text):  # the library reads letters as keys of a telephone, and extensions
        return _refuse()
    try:
        number = phonenumbers.parse(text, "KH")
    except phonenumbers.NumberParseException:
        return _refuse()
    if not phonenumbers.is_valid_number(number):
        return _refuse()
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _refuse() -> str:
    raise Refused("TX-020")


def _read(e164: str) -> Any:
    import phonenumbers

    return phonenumbers.parse(e164)


def national(e164: str) -> str:
    """``012 345 678`` for a Cambodian number, ``+66 81 234 5678`` for a foreign one."""
    import phonenumbers

    number = _read(e164)
    styles = phonenumbers.PhoneNumberFormat
    style = styles.NATIONAL if number.country_code == 855 else styles.INTERNATIONAL
    return str(phonenumbers.format_number(number, style))
