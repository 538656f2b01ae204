"""Which questions are asked, and what is wrong with the answers: relevance and constraints, interpreted from the data.

Every problem is found at once. A problem names its field and a code whose words stand in the error catalogue; a hint is
said to the person and stops nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from i18n.errors import SalaError, explain
from i18n.segment import clusters
from modules.contract import Json, Refused
from modules.forms.definition import Condition, Definition, Field

Answers = Mapping[str, Any]
LONGEST_NAME: Final = 60  # clusters: what a receipt and a certificate can print
_LEVELS: Final = ("province", "district", "commune", "village")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one field; ``code`` and ``values`` are those of the error catalogue."""

    field: str
    section: str
    code: str
    values: Json

    def words(self, language: str) -> str:
        """One sentence for under the field."""
        return explain(Refused(self.code, **in_language(self.values, language)), language).what

    def json(self) -> dict[str, Any]:
        return {
            "field": self.field, "section": self.section, "code": self.code, "values": dict(self.values),
            "words": {"km": self.words("km"), "en": self.words("en")},
        }  # fmt: skip


def in_language(values: Json, language: str) -> dict[str, Any]:
    """``values`` with two-language texts replaced by the side of ``language``."""
    return {name: value[language] if isinstance(value, Mapping) else value for name, value in values.items()}


def problem(field: Field, error: SalaError) -> Problem:
    """A refusal of the cleaner as a problem of ``field``."""
    return Problem(field.id, field.section, error.code, error.values)


def shown(form: Definition, answers: Answers) -> list[Field]:
    """The fields that are asked, in order. A hidden field's answer counts as none for those that depend on it."""
    asked: list[Field] = []
    alive: dict[str, Any] = {}
    for section in form.sections:
        if not _holds(section.show_if, alive):
            continue
        for field in section.fields:
            if _holds(field.show_if, alive):
                asked.append(field)
                alive[field.id] = answers.get(field.id)
    return asked


def _holds(condition: Condition | None, answers: Answers) -> bool:
    if condition is None:
        return True
    answer = answers.get(condition.field)
    chosen = answer if isinstance(answer, list) else [answer]
    return any(_same(one, value) for one in chosen for value in condition.values)


def _same(answer: Any, value: Any) -> bool:
    """Equal and of one type: True is not 1."""
    return isinstance(answer, bool) == isinstance(value, bool) and bool(answer == value)


def relevant(form: Definition, answers: Answers) -> dict[str, Any]:
    """The answers that count, in the form's order: those of shown fields that are not empty."""
    return {field.id: answers[field.id] for field in shown(form, answers) if answers.get(field.id) is not None}


def problems(form: Definition, answers: Answers, unread: Mapping[str, Problem], today: date) -> list[Problem]:
    """Everything that keeps the form from being finished, in the form's order.

    ``unread`` holds the problems of fields whose typed text could not be cleaned; ``today`` is the day at the office.
    """
    found: list[Problem] = []
    for field in shown(form, answers):
        if field.id in unread:
            found.append(unread[field.id])
            continue
        found += [
            Problem(field.id, field.section, code, values)
            for code, values in wrong(field, answers.get(field.id), today)
        ]
    return found


def wrong(field: Field, value: Any, today: date) -> Iterator[tuple[str, Json]]:
    """Codes and values of what ``value`` breaks in ``field``."""
    if value is None:
        if field.required and field.type != "fee":
            yield ("FM-115", {}) if field.type == "attachment" else ("FM-101", {"label": field.label})
        return
    yield from _CHECKS.get(field.type, _nothing)(field, value, today)


def hints(field: Field, value: Any) -> Iterator[tuple[str, Json]]:
    """What looks unusual and is accepted."""
    from i18n.normalise import validate

    if value is None:
        return
    if field.type == "id_card" and len(value) not in (9, 10):
        yield "FM-151", {"digits": len(value)}
    if field.type == "name" and value["km"] and " " not in value["km"]:
        yield "FM-152", {}
    khmer = value["km"] if field.type == "name" else value if field.type in ("text", "note") else ""
    if khmer and validate(khmer):
        yield "FM-153", {}


def _nothing(_field: Field, _value: Any, _today: date) -> Iterator[tuple[str, Json]]:
    return iter(())


def _check_name(field: Field, value: Any, _today: date) -> Iterator[tuple[str, Json]]:
    if not value["km"]:
        yield "FM-101", {"label": field.label}
    if field.rules.get("latin_required") and not value["latin"]:
        yield "FM-116", {}
    for side in (value["km"], value["latin"]):
        if (length := len(clusters(side))) > LONGEST_NAME:
            yield "FM-108", {"most": LONGEST_NAME, "length": length}


def _check_length(field: Field, value: Any, _today: date) -> Iterator[tuple[str, Json]]:
    """Lengths are counted as the eye counts: in clusters."""
    length = len(clusters(value))
    least, most = field.rules.get("min_length", 0), field.rules.get("max_length", 5000)
    if length < least:
        yield "FM-107", {"least": least}
    if length > most:
        yield "FM-108", {"most": most, "length": length}


def _check_number(field: Field, value: Any, _today: date) -> Iterator[tuple[str, Json]]:
    number = Decimal(value)
    if "min" in field.rules and number < field.rules["min"]:
        yield "FM-102", {"least": field.rules["min"]}
    if "max" in field.rules and number > field.rules["max"]:
        yield "FM-103", {"most": field.rules["max"]}


def _check_date(field: Field, value: Any, today: date) -> Iterator[tuple[str, Json]]:
    day = date.fromisoformat(value)
    first, last = field.rules.get("min"), field.rules.get("max")
    if last == "today" and day > today:
        yield "FM-104", {}
    elif last is not None and last != "today" and day > date.fromisoformat(last):
        yield "FM-106", {"last": last}
    if first is not None and day < (today if first == "today" else date.fromisoformat(first)):
        yield "FM-105", {"first": today.isoformat() if first == "today" else first}


def _check_address(field: Field, value: Any, _today: date) -> Iterator[tuple[str, Json]]:
    wanted = field.rules.get("level", "village")
    if not value["code"]:
        yield "FM-101", {"label": field.label}
        return
    from i18n import gazetteer

    if _LEVELS.index(gazetteer.unit(value["code"]).level) < _LEVELS.index(wanted):
        yield "FM-113", {"level": LEVEL_WORDS[wanted]}


def _check_yes_no(field: Field, value: Any, _today: date) -> Iterator[tuple[str, Json]]:
    if "must" in field.rules and value is not field.rules["must"]:
        yield "FM-121", {"label": field.label}


def _check_choices(field: Field, value: Any, _today: date) -> Iterator[tuple[str, Json]]:
    if len(value) < field.rules.get("min", 0):
        yield "FM-122", {"least": field.rules["min"]}
    if len(value) > field.rules.get("max", len(field.options)):
        yield "FM-123", {"most": field.rules["max"]}


LEVEL_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "province": {"km": "ខេត្ត", "en": "province"},
    "district": {"km": "ស្រុក", "en": "district"},
    "commune": {"km": "ឃុំ", "en": "commune"},
    "village": {"km": "ភូមិ", "en": "village"},
}
_CHECKS: Final[Mapping[str, Callable[[Field, Any, date], Iterator[tuple[str, Json]]]]] = {
    "name": _check_name, "text": _check_length, "note": _check_length, "number": _check_number, "date": _check_date,
    "address": _check_address, "yes_no": _check_yes_no, "choices": _check_choices,
}  # fmt: skip


def completeness(form: Definition, answers: Answers, found: Sequence[Problem]) -> list[dict[str, Any]]:
    """Per section that is shown: how many of its questions are answered, how many there are, how many are wrong."""
    asked = shown(form, answers)
    faults = {one.field for one in found if one.code not in _MISSING}
    rows = []
    for section in form.sections:
        fields = [field for field in asked if field.section == section.id]
        if fields:
            done = [field for field in fields if field.type == "fee" or answers.get(field.id) is not None]
            missing = [one for one in found if one.section == section.id and one.code in _MISSING]
            rows.append({
                "id": section.id, "title": section.title, "answered": len(done), "of": len(fields),
                "missing": len(missing), "wrong": sum(field.id in faults for field in fields),
            })  # fmt: skip
    return rows


_MISSING: Final = frozenset({"FM-101", "FM-115", "FM-116"})  # not answered yet: no fault of anybody
