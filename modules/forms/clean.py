"""What a person typed, made into the value that is stored: one function a field type, strict, and nothing is guessed.

Khmer digits and invisible characters are accepted wherever digits are meant and stored as ASCII; Khmer text is put into
normal order. Cleaning a stored value gives it back unchanged, so the same functions read imported answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from i18n import dates, numbers, phones
from i18n.normalise import ZWSP, store
from modules.contract import Refused
from modules.forms.definition import Field

_LONGEST: Final = 20_000  # characters of any text before it is looked at
_SPACES: Final = re.compile(r"[\s\u00a0\u200b\u200c\u200d\u2060\ufeff]+")  # the NiDA space key types U+200B
_LATIN: Final = re.compile(r"[A-Z\u00c0-\u024f .'’-]+")
_KHMER: Final = re.compile("[\u1780-\u17d3]")
_CARD: Final = re.compile(r"[0-9]{1,20}")
_RUN_DATE: Final = re.compile(r"([0-9]{2})([0-9]{2})([0-9]{4})")
_WORDS_YES: Final = frozenset({"yes", "true", "1", "បាទ", "ចាស", "មាន", "បាន"})
_WORDS_NO: Final = frozenset({"no", "false", "0", "ទេ", "គ្មាន", "អត់"})


def clean(field: Field, raw: Any) -> Any:
    """The stored value of ``raw``, or None when it is empty.

    Raises Refused when ``raw`` cannot be read as this field's type: TX-nnn from the parsers, FM-1nn from here. Whether the
    value is allowed (limits, required) is asked later, by ``rules.problems``.
    """
    if raw is None or raw == "" or raw == [] or raw == {}:
        return None
    if isinstance(raw, str) and len(raw) > _LONGEST:
        raise Refused("FM-109", longest=_LONGEST)
    return _CLEANERS[field.type](field, raw)


def line(raw: str) -> str:
    """One line: normal order, every run of white space one space, none at the ends. Zero-width spaces are spaces here."""
    return store(_SPACES.sub(" ", raw).strip())


def _text(field: Field, raw: Any) -> str | None:
    return line(_str(field, raw)) or None


def _note(field: Field, raw: Any) -> str | None:
    """Several lines; a writer's own zero-width spaces stay, as they say where a line may end."""
    lines = [re.sub(r"[ \t\u00a0]+", " ", part).strip() for part in _str(field, raw).splitlines()]
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n " + ZWSP)
    return store(text) or None


def _name(field: Field, raw: Any) -> dict[str, str] | None:
    if isinstance(raw, str):
        raw = {"km": raw, "latin": ""}
    if (
        not isinstance(raw, Mapping)
        or set(raw) - {"km", "latin"}
        or not all(isinstance(part, str | None) for part in raw.values())
    ):
        raise Refused("FM-120", label=field.label)
    khmer, latin = line(raw.get("km") or ""), line(raw.get("latin") or "").upper()
    if max(len(khmer), len(latin)) > 200:
        raise Refused("FM-109", longest=200)
    if khmer and not _KHMER.search(khmer):
        raise Refused("FM-117")
    if latin and not _LATIN.fullmatch(latin):
        raise Refused("FM-118")
    return {"km": khmer, "latin": latin} if khmer or latin else None


def _number(field: Field, raw: Any) -> int | str | None:
    """A whole number is int; one with decimals is text ("12.5"), so that no binary fraction is ever stored."""
    if isinstance(raw, bool) or not isinstance(raw, int | str):
        raise Refused("FM-120", label=field.label)
    text = _SPACES.sub("", str(raw))
    if not text:
        return None
    if not field.rules.get("decimals"):
        return numbers.parse_int(text)
    value = numbers.parse_decimal(text)
    if -int(value.as_tuple().exponent) > field.rules["decimals"]:
        raise Refused("FM-119", places=field.rules["decimals"])
    return format(value.normalize(), "f")


def _date(field: Field, raw: Any) -> str | None:
    text = _SPACES.sub(" ", numbers.ascii_digits(_str(field, raw))).strip()
    if not text:
        return None
    if found := _RUN_DATE.fullmatch(text) or re.fullmatch(r"([0-9]{1,2}) ([0-9]{1,2}) ([0-9]{4})", text):
        text = "/".join(found.groups())
    return dates.parse_date(text).isoformat()


def _id_card(field: Field, raw: Any) -> str | None:
    text = re.sub(r"[\s().-]", "", numbers.ascii_digits(_str(field, raw)))
    if text and not _CARD.fullmatch(text):
        raise Refused("FM-110")
    return text or None


def _phone(field: Field, raw: Any) -> str | None:
    text = _SPACES.sub(" ", numbers.ascii_digits(_str(field, raw))).strip()
    return phones.parse_phone(text) if text else None


def _address(field: Field, raw: Any) -> dict[str, str] | None:
    """``{"code", "km", "house"}``: the gazetteer's code with the unit's name beside it, as codes may change their owner."""
    from i18n import gazetteer

    if isinstance(raw, str):
        raw = {"code": raw}
    if (
        not isinstance(raw, Mapping)
        or set(raw) - {"code", "km", "house"}
        or not all(isinstance(v, str | None) for v in raw.values())
    ):
        raise Refused("FM-120", label=field.label)
    code = re.sub(r"\s", "", numbers.ascii_digits(raw.get("code") or ""))
    house = line(raw.get("house") or "") if field.rules.get("house") else ""
    if len(house) > 500:
        raise Refused("FM-109", longest=500)
    if not code:
        return {"code": "", "km": "", "house": house} if house else None
    try:
        unit = gazetteer.unit(code)
    except KeyError:
        raise Refused("FM-112", place=code[:20]) from None
    return {"code": unit.code, "km": unit.km, "house": house}


def _yes_no(field: Field, raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    word = line(_str(field, raw)).casefold()
    if word in _WORDS_YES or word in _WORDS_NO:
        return word in _WORDS_YES
    raise Refused("FM-120", label=field.label)


def _choice(field: Field, raw: Any) -> str:
    """The option of that id; its words in either language are understood as well."""
    wanted = line(_str(field, raw))
    for option in field.options:
        if wanted in (option.id, option.label["km"], option.label["en"]):
            return option.id
    raise Refused("FM-114", value=wanted[:40])


def _choices(field: Field, raw: Any) -> list[str]:
    if not isinstance(raw, list | tuple):
        raw = [raw]
    chosen = {_choice(field, value) for value in raw}
    return [option.id for option in field.options if option.id in chosen]


def _attachment(field: Field, _raw: Any) -> Any:
    raise Refused("FM-014", field=field.id)


def _fee(_field: Field, _raw: Any) -> Any:
    raise Refused("FM-012")


def _str(field: Field, raw: Any) -> str:
    if isinstance(raw, int) and not isinstance(raw, bool):
        return str(raw)
    if not isinstance(raw, str):
        raise Refused("FM-120", label=field.label)
    return raw


_CLEANERS: Final[Mapping[str, Callable[[Field, Any], Any]]] = {
    "name": _name, "text": _text, "note": _note, "number": _number, "date": _date, "id_card": _id_card, "phone": _phone,
    "address": _address, "yes_no": _yes_no, "choice": _choice, "choices": _choices, "fee": _fee, "attachment": _attachment,
}  # fmt: skip
