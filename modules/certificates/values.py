"""Values of certificate fields: from what a person typed to what the credential carries, and to words on paper."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any, Final, Literal

from i18n import gazetteer
from i18n.catalog import Language, Text
from i18n.dates import official_date, parse_date
from i18n.errors import Refused
from i18n.normalise import store, validate
from i18n.numbers import ascii_digits, khmer_digits, parse_int
from i18n.segment import clusters
from modules.certificates.claims import MAX_FIELD_BYTES, FieldValue

if TYPE_CHECKING:
    from modules.certificates.templates import Field

FieldType = Literal["text", "latin", "date", "sex", "number", "place"]

SEXES: Final[dict[int, Text]] = {
    1: {"km": "ប្រុស", "en": "Male"},
    2: {"km": "ស្រី", "en": "Female"},
}
_SEX_WORDS: Final = {"male": 1, "m": 1, "ប្រុស": 1, "1": 1, "female": 2, "f": 2, "ស្រី": 2, "2": 2}

_INVISIBLE = re.compile(r"[\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\u00ad\x00-\x1f\x7f]")
_LATIN = re.compile(r"[A-Z][A-Z .'-]*")
_DIGITS_8 = re.compile(r"[0-9]{8}")


def take(field: Field, typed: Any) -> FieldValue | None:
    """The credential's value of what was typed or came from a form; None when there is nothing.

    ``Refused``: CT-111 a required field is empty · CT-112 not a value of its kind · CT-113 too long · CT-114 Khmer that
    is not well formed.
    """
    if typed is None or (isinstance(typed, str) and not _INVISIBLE.sub("", typed).strip()):
        if field.required:
            raise Refused("CT-111", field=field.label["km"], field_en=field.label["en"], name=field.name)
        return None
    if type(typed) not in (str, int):
        raise _wrong(field)
    try:
        return _TAKE[field.type](field, str(typed))
    except (ValueError, KeyError):
        raise _wrong(field) from None


def _wrong(field: Field) -> Refused:
    return Refused("CT-112", field=field.label["km"], field_en=field.label["en"], name=field.name)


def _take_text(field: Field, typed: str) -> str:
    text = " ".join(store(_INVISIBLE.sub("", typed)).split())
    if len(clusters(text)) > (field.max or MAX_FIELD_BYTES) or len(text.encode("utf-8")) > MAX_FIELD_BYTES:
        raise Refused("CT-113", field=field.label["km"], field_en=field.label["en"], name=field.name, most=field.max)
    if flaws := validate(text):
        raise Refused(
            "CT-114", field=field.label["km"], field_en=field.label["en"], name=field.name, why=flaws[0].words()
        )
    return text


def _take_latin(field: Field, typed: str) -> str:
    text = " ".join(_INVISIBLE.sub("", typed).upper().split())
    if not _LATIN.fullmatch(text):
        raise ValueError(typed)
    return _take_text(field, text)


def _take_date(_field: Field, typed: str) -> str:
    plain = ascii_digits(typed).strip()
    if _DIGITS_8.fullmatch(plain):
        plain = f"{plain[:4]}-{plain[4:6]}-{plain[6:]}"
    try:
        return parse_date(plain).strftime("%Y%m%d")
    except Refused:
        raise ValueError(typed) from None


def _take_sex(_field: Field, typed: str) -> int:
    return _SEX_WORDS[ascii_digits(typed).strip().lower()]


def _take_number(field: Field, typed: str) -> int:
    try:
        number = parse_int(typed)
    except Refused:
        raise ValueError(typed) from None
    if (field.min is not None and number < field.min) or (field.max is not None and number > field.max):
        raise ValueError(typed)
    return number


def _take_place(_field: Field, typed: str) -> str:
    return gazetteer.unit(ascii_digits(typed).strip()).code


_TAKE: Final[dict[FieldType, Callable[[Field, str], FieldValue]]] = {
    "text": _take_text,
    "latin": _take_latin,
    "date": _take_date,
    "sex": _take_sex,
    "number": _take_number,
    "place": _take_place,
}


def show(field: Field, value: FieldValue, language: Language) -> str:
    """The words of a credential's value. A value that its kind cannot read is shown as it stands: it was signed so."""
    kind = field.type
    try:
        if kind == "date":
            digits = str(value)
            return official_date(date(int(digits[:4]), int(digits[4:6]), int(digits[6:])), language)
        if kind == "sex":
            return SEXES[int(value)][language]
        if kind == "place":
            return gazetteer.address_km(str(value)) if language == "km" else gazetteer.address_en(str(value))
        if kind == "number":
            number = khmer_digits(int(value)) if language == "km" else str(int(value))
            return f"{number} {field.unit[language]}" if field.unit else number
    except (ValueError, KeyError):
        return str(value)
    return str(value)


def typed(field: Field, value: FieldValue) -> str | int:
    """``value`` as a person or a form gives it: what :func:`take` reads back to the same value."""
    if field.type == "date" and _DIGITS_8.fullmatch(str(value)):
        return f"{str(value)[:4]}-{str(value)[4:6]}-{str(value)[6:]}"
    if field.type == "sex":
        return {1: "male", 2: "female"}.get(int(value), str(value))
    return value
