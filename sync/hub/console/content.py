"""What a plain body says, in words: fields by the labels of their form, choices by theirs, times and offices as people read them.

A label comes from the definition that the record names by its hash, else from the table that the module makes of such records,
else from the few words that many records share. What nobody names is shown by its id. Nothing of a sealed body comes here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from i18n import dates, gazetteer, numbers, phones
from i18n.catalog import Text
from sync.hub.formlabels import FieldWords

if TYPE_CHECKING:
    from sync.hub.centre import Centre

A_TIME_MS: Final = 100_000_000_000  # a whole number above this is a time (1973 and later), below it a figure
MOST_LINES: Final = 400
MOST_TEXT: Final = 2_000  # characters of one value
_ANSWERS: Final = frozenset({"answers", "changes", "values"})  # below them stand the fields of the form
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MARKS: Final = frozenset({"v"})  # nobody's business but the program's
_FIRST: Final = (
    "receipt",
    "form",
    "service",
    "opened",
    "received",
    "due",
    "fee",
    "reason",
)  # what one looks for before all else
_NONE: Final[Mapping[str, FieldWords]] = {}

_COMMON: Final[Mapping[str, Text]] = {
    "admin": {"km": "អ្នកសម្រេច", "en": "Decided by"}, "answers": {"km": "ចម្លើយ", "en": "Answers"},
    "changes": {"km": "ការផ្លាស់ប្ដូរ", "en": "Changes"}, "code": {"km": "លេខកូដ", "en": "Code"},
    "day": {"km": "ថ្ងៃ", "en": "Day"}, "decision": {"km": "សេចក្ដីសម្រេច", "en": "Decision"},
    "device": {"km": "កុំព្យូទ័រ", "en": "Laptop"}, "due": {"km": "ថ្ងៃកំណត់", "en": "Due"},
    "en": {"km": "ភាសាអង់គ្លេស", "en": "In English"}, "fee": {"km": "ថ្លៃសេវា", "en": "Fee"},
    "form": {"km": "ទម្រង់", "en": "Form"}, "kind": {"km": "ប្រភេទ", "en": "Kind"}, "kinds": {"km": "ប្រភេទ", "en": "Kinds"},
    "holder": {"km": "អ្នកកាន់កូនសោ", "en": "Who keeps the key"}, "url": {"km": "អាសយដ្ឋាន", "en": "Address"},
    "name_km": {"km": "ឈ្មោះជាភាសាខ្មែរ", "en": "Name in Khmer"}, "name_en": {"km": "ឈ្មោះជាភាសាអង់គ្លេស", "en": "Name in English"},
    "km": {"km": "ភាសាខ្មែរ", "en": "In Khmer"}, "latin": {"km": "អក្សរឡាតាំង", "en": "In Latin letters"},
    "name": {"km": "ឈ្មោះ", "en": "Name"}, "note": {"km": "កំណត់ចំណាំ", "en": "Note"}, "number": {"km": "លេខ", "en": "Number"},
    "office": {"km": "ការិយាល័យ", "en": "Office"}, "officer": {"km": "មន្ត្រី", "en": "Officer"},
    "op": {"km": "កំណត់ត្រា", "en": "Record"}, "opened": {"km": "បានបើក", "en": "Opened"},
    "reason": {"km": "មូលហេតុ", "en": "Reason"}, "receipt": {"km": "លេខបង្កាន់ដៃ", "en": "Receipt number"},
    "received": {"km": "បានទទួល", "en": "Received"}, "role": {"km": "តួនាទី", "en": "Role"},
    "rows": {"km": "ចំនួនជួរ", "en": "Rows"}, "service": {"km": "សេវា", "en": "Service"},
    "text": {"km": "អត្ថបទ", "en": "Text"}, "title": {"km": "ចំណងជើង", "en": "Title"},
    "to": {"km": "ទៅកាន់", "en": "To"}, "values": {"km": "ទិន្នន័យ", "en": "Values"},
    "version": {"km": "លេខជំនាន់", "en": "Version"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One line: how deep it stands, what it is called, and its value in the way ``how`` says.

    ``how``: head (no value), none, text, words (both languages), number, time (ms), yes (a bool), bytes, office, record.
    """

    depth: int
    name: Text | str
    how: str = "head"
    value: Any = None


@dataclass(frozen=True, slots=True)
class Labels:
    """Who names fields: the form of the record, and the table of its module."""

    form: Mapping[str, FieldWords]
    module: Mapping[str, FieldWords]

    def field(self, name: str, *, answer: bool) -> FieldWords | None:
        """The words of a field; ``answer``: it stands below the answers of the form."""
        found = (self.form.get(name) if answer else None) or self.module.get(name)
        return found or (FieldWords(_COMMON[name]) if name in _COMMON else None)


UNNAMED: Final = Labels(_NONE, _NONE)


def named(name: str) -> Text | str:
    """What a field is called that many records and forms share, else its id."""
    return _COMMON.get(name, name)


def of_module(centre: Centre, kind: str) -> Mapping[str, FieldWords]:
    """What the module's table calls the fields of a kind, with the words of their values."""
    found: dict[str, FieldWords] = {}
    for projection in centre.runner.projections:
        console = getattr(projection, "console", None)
        if console is None or kind not in projection.kinds:
            continue
        table = console()
        for column in (*table["columns"], *table.get("facts", ())):
            said = {**column.get("names", {}), **column.get("looks", {})}
            options = {str(id): {"km": one["km"], "en": one["en"]} for id, one in said.items()}
            found.setdefault(column["key"], FieldWords(column["title"], "", options))
    return found


def parted(body: Mapping[str, Any], labels: Labels) -> tuple[list[Line], list[Line]]:
    """The lines that people read, and those that only programs need."""
    technical = {name: value for name, value in body.items() if name in _MARKS or str(name).startswith("@")}
    said = {name: value for name, value in body.items() if name not in technical}
    return lines(said, labels), lines(technical)


def lines(body: Any, labels: Labels = UNNAMED) -> list[Line]:
    """A plain body as at most ``MOST_LINES`` lines."""
    return list(islice(_lines(body, labels, 0, "", answer=False), MOST_LINES))


def field(name: str, value: Any, labels: Labels) -> list[Line]:
    """One answer of a form as lines: the first has its name."""
    return list(islice(_lines({name: value}, labels, 0, "", answer=True), MOST_LINES))


def _lines(value: Any, labels: Labels, depth: int, name: str, *, answer: bool) -> Iterator[Line]:
    words = labels.field(name, answer=answer) if name else None
    title: Text | str = words.label if words else name
    if answer and words is not None and (known := _answer(words, value)) is not None:
        yield Line(depth, title, "words", known)
    elif isinstance(value, dict):
        if name:
            yield Line(depth, title)
        inner = answer or name in _ANSWERS
        for key, item in _in_order(value, labels.form if inner else _NONE):
            yield from _lines(item, labels, depth + bool(name), str(key), answer=inner)
    elif isinstance(value, list):
        yield Line(depth, title)
        for place, item in enumerate(value, 1):
            inner_labels = labels if isinstance(item, dict) else UNNAMED
            yield from _lines(item, inner_labels, depth + 1, str(place), answer=answer)
    else:
        yield Line(depth, title, *_plain(name, value, words))


def _in_order(value: Mapping[Any, Any], form: Mapping[str, FieldWords]) -> list[tuple[Any, Any]]:
    """The entries in the order of the form's page; of others first what one looks for, at last what holds more."""
    places = {name: place for place, name in enumerate(form or _FIRST)}
    return sorted(
        value.items(),
        key=lambda entry: (places.get(str(entry[0]), len(places)), not form and isinstance(entry[1], dict | list)),
    )


def _plain(name: str, value: Any, words: FieldWords | None) -> tuple[str, Any]:
    """How a single value is said, and what."""
    if value is None or value == "":
        return "none", None
    if isinstance(value, bool):
        return "yes", value
    if words is not None and str(value) in words.options:
        return "words", words.options[str(value)]
    if isinstance(value, bytes):
        return ("record" if name == "op" and len(value) == 32 else "bytes"), value
    if isinstance(value, int):
        return ("time" if name.endswith("_ms") or value > A_TIME_MS else "number"), value
    if name == "office" and str(value).isascii() and str(value).isdecimal():
        return "office", str(value)
    text = str(value)
    if _DAY.fullmatch(text) and (day := _said_day(text)) is not None:
        return "words", day
    return "text", text if len(text) <= MOST_TEXT else text[:MOST_TEXT] + "…"


def _answer(words: FieldWords, value: Any) -> Text | None:
    """The answer of a form's field in both languages; None when it has not the shape of its type: a hostile or a newer laptop."""
    try:
        return _SAID[words.type](words, value) if value is not None and words.type in _SAID else None
    except (LookupError, TypeError, ValueError, AttributeError):
        return None


def _both(km: str, en: str | None = None) -> Text:
    return {"km": km[:MOST_TEXT], "en": (km if en is None else en)[:MOST_TEXT]}


def _choices(words: FieldWords, value: Sequence[Any]) -> Text:
    chosen = [words.options.get(str(one), {"km": str(one), "en": str(one)}) for one in list(value)]
    return _both(", ".join(one["km"] for one in chosen), ", ".join(one["en"] for one in chosen))


def _said_day(text: str) -> Text | None:
    try:
        return _day(FieldWords({"km": "", "en": ""}), text)
    except ValueError:
        return None


def _day(_: FieldWords, value: str) -> Text:
    day = date.fromisoformat(value)
    return _both(dates.short_date(day, "khmer"), dates.short_date(day, "latin"))


def _address(_: FieldWords, value: Mapping[str, Any]) -> Text:
    code = str(value["code"])
    km, en = (gazetteer.address_km(code), gazetteer.address_en(code)) if code else ("", "")
    house = str(value["house"])
    return _both(" ".join(part for part in (house, km) if part), ", ".join(part for part in (house, en) if part))


def _digits(text: str) -> Text:
    return _both(numbers.khmer_digits(text), text)


_SAID: Final[Mapping[str, Callable[[FieldWords, Any], Text]]] = {
    "choice": lambda words, value: words.options[str(value)],
    "choices": _choices,
    "name": lambda _, value: _both(" · ".join(str(value[side]) for side in ("km", "latin") if value[side])),
    "date": _day,
    "phone": lambda _, value: _digits(phones.national(value)),
    "id_card": lambda _, value: _digits(str(value)),
    "number": lambda _, value: _digits(str(value)),
    "address": _address,
    "fee": lambda _, value: _both(numbers.riel(value["riel"], "khmer"), numbers.riel(value["riel"], "latin")),
    "attachment": lambda _, value: _both(", ".join(str(one["name"]) for one in value)),
}  # fmt: skip
