"""A form definition: read strictly, frozen, with one canonical byte form whose SHA-256 is its identity.

The grammar is ``definition.schema.json``; the format is described in ``docs/formats/form.md``. Nothing in a definition is
ever executed: relevance and constraints are data that ``rules`` interprets.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final, Literal, cast

from i18n.catalog import Text
from modules.contract import Json, Refused

FieldType = Literal[
    "name",
    "text",
    "note",
    "number",
    "date",
    "id_card",
    "phone",
    "address",
    "yes_no",
    "choice",
    "choices",
    "fee",
    "attachment",
]
SIZE_LIMIT: Final = 1_000_000  # bytes of one definition; larger ones are refused before they are parsed
_SCHEMA: Final = Path(__file__).with_name("definition.schema.json")
_COMPARABLE: Final = frozenset(
    {"text", "number", "yes_no", "choice", "choices"}
)  # types that a condition may ask about


@dataclass(frozen=True, slots=True)
class Condition:
    """True when the answer of ``field`` is one of ``values``; of a multiple choice, when one of them is chosen."""

    field: str
    values: tuple[str | bool | int, ...]


@dataclass(frozen=True, slots=True)
class Option:
    id: str
    label: Text


@dataclass(frozen=True, slots=True)
class Field:
    """One question. ``rules`` holds the constraints of its type by their names in the schema."""

    id: str
    type: FieldType
    label: Text
    section: str
    hint: Text | None
    why: Text | None
    required: bool
    show_if: Condition | None
    options: tuple[Option, ...]
    rules: Json

    def option(self, id: str) -> Option | None:
        return next((option for option in self.options if option.id == id), None)


@dataclass(frozen=True, slots=True)
class Section:
    id: str
    title: Text
    why: Text | None
    show_if: Condition | None
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Definition:
    """One version of one form. ``roles`` says which fields hold the person, phone, birth, id_card and address."""

    id: str
    version: int
    service: str | None
    title: Text
    summary: Text | None
    roles: Mapping[str, str]
    flow_fields: tuple[str, ...]
    sections: tuple[Section, ...]
    def_hash: str
    source: Json

    def fields(self) -> Iterator[Field]:
        """Every field in the order of the page."""
        for section in self.sections:
            yield from section.fields

    @cached_property
    def _by_id(self) -> Mapping[str, Field]:
        return {field.id: field for field in self.fields()}

    def field(self, id: str) -> Field:
        """``Refused("FM-011")`` when the form has no such field."""
        try:
            return self._by_id[id]
        except KeyError:
            raise Refused("FM-011", field=id, form=self.id) from None


def canonical(source: Json) -> bytes:
    """The one byte form of a definition or catalogue (RFC 8785)."""
    import rfc8785

    return rfc8785.dumps(cast("Any", source))


def digest(source: Json) -> str:
    """SHA-256 of the canonical bytes, in hex."""
    return hashlib.sha256(canonical(source)).hexdigest()


def parse(data: bytes, *, name: str = "") -> Definition:
    """Read a definition. ``Refused("FM-002")`` with the reason when it does not keep the format; ``name`` names it then."""
    source = load_json(data, name=name, limit=SIZE_LIMIT)
    import fastjsonschema

    try:
        _validator()(source)
        hash_ = digest(source)
    except (fastjsonschema.JsonSchemaException, ValueError) as error:
        raise Refused("FM-002", form=name, reason=str(error)[:200]) from error
    made = _build(source, hash_)
    if reason := _flaw(made):
        raise Refused("FM-002", form=name or made.id, reason=reason)
    return made


def trusted(source: Mapping[str, Any]) -> Definition:
    """A definition that a command of this module gave out, checked by it before: the page need not check again."""
    return _build(source, source["def_hash"])


def load_json(data: bytes, *, name: str, limit: int) -> dict[str, Any]:
    """A JSON object without duplicate names, at most ``limit`` bytes; else ``Refused("FM-002")``."""
    if len(data) > limit:
        raise Refused("FM-002", form=name, reason=f"larger than {limit} bytes")
    try:
        source = json.loads(data.decode("utf-8"), object_pairs_hook=_no_doubles, parse_constant=_no_constants)
    except (ValueError, RecursionError) as error:
        raise Refused("FM-002", form=name, reason=str(error)[:200]) from error
    if not isinstance(source, dict):
        raise Refused("FM-002", form=name, reason="not an object")
    return source


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return made


def _no_constants(word: str) -> Any:
    raise ValueError(f"{word} is not a value")


@cache
def _validator() -> Callable[[Any], Any]:
    import fastjsonschema

    compiled: Callable[[Any], Any] = fastjsonschema.compile(json.loads(_SCHEMA.read_text("utf-8")))
    return compiled


def _condition(source: Mapping[str, Any] | None) -> Condition | None:
    if source is None:
        return None
    values = source["any_of"] if "any_of" in source else [source["equals"]]
    return Condition(source["field"], tuple(values))


_PLAIN: Final = frozenset({"id", "type", "label", "hint", "why", "required", "show_if", "options"})


def _field(source: Mapping[str, Any], section: str) -> Field:
    return Field(
        id=source["id"],
        type=source["type"],
        label=source["label"],
        section=section,
        hint=source.get("hint"),
        why=source.get("why"),
        required=source.get("required", False),
        show_if=_condition(source.get("show_if")),
        options=tuple(Option(option["id"], option["label"]) for option in source.get("options", ())),
        rules={name: value for name, value in source.items() if name not in _PLAIN},
    )


def _build(source: Mapping[str, Any], hash_: str) -> Definition:
    return Definition(
        id=source["id"],
        version=source["version"],
        service=source["service"],
        title=source["title"],
        summary=source.get("summary"),
        roles=source["roles"],
        flow_fields=tuple(source.get("flow_fields", ())),
        sections=tuple(
            Section(
                section["id"],
                section["title"],
                section.get("why"),
                _condition(section.get("show_if")),
                tuple(_field(field, section["id"]) for field in section["fields"]),
            )
            for section in source["sections"]
        ),
        def_hash=hash_,
        source=source,
    )


def _flaw(form: Definition) -> str:
    """What the schema cannot see: unique ids, references that point back, roles of the right type, normal Khmer."""
    if doubled := _doubled([field.id for field in form.fields()]) or _doubled(
        [section.id for section in form.sections]
    ):
        return f"{doubled} stands twice"
    seen: dict[str, Field] = {}
    for section in form.sections:
        if reason := _bad_condition(section.show_if, seen):
            return f"section {section.id}: {reason}"
        for field in section.fields:
            if reason := _bad_condition(field.show_if, seen) or _bad_field(field, seen):
                return f"field {field.id}: {reason}"
            seen[field.id] = field
    for role, id in form.roles.items():
        wanted = {"person": "name", "phone": "phone", "birth": "date", "id_card": "id_card", "address": "address"}[role]
        if id not in seen or seen[id].type != wanted:
            return f"role {role} needs a field of type {wanted}"
    if unknown := [id for id in form.flow_fields if id not in seen]:
        return f"flow_fields names {unknown[0]}, which is not a field"
    return _flawed_words(form.source)


def _doubled(ids: list[str]) -> str:
    return next((id for place, id in enumerate(ids) if id in ids[:place]), "")


def _bad_condition(condition: Condition | None, seen: Mapping[str, Field]) -> str:
    if condition is None:
        return ""
    asked = seen.get(condition.field)
    if asked is None:
        return f"show_if asks {condition.field}, which does not stand before it"
    if asked.type not in _COMPARABLE:
        return f"show_if cannot ask a field of type {asked.type}"
    right: type | tuple[type, ...] = {"yes_no": bool, "number": int}.get(asked.type, str)
    for value in condition.values:
        if not isinstance(value, right) or (isinstance(value, bool) and asked.type != "yes_no"):
            return f"show_if compares {condition.field} with {value!r}"
        if asked.options and asked.option(str(value)) is None:
            return f"{condition.field} has no option {value!r}"
    return ""


def _bad_field(field: Field, seen: Mapping[str, Field]) -> str:
    rules = field.rules
    if doubled := _doubled([option.id for option in field.options]):
        return f"option {doubled} stands twice"
    if field.type == "date" and (wrong := _not_a_day(rules.get("min")) or _not_a_day(rules.get("max"))):
        return f"{wrong} is not a day"
    for low, high in (("min", "max"), ("min_length", "max_length")):
        if low in rules and high in rules and "today" not in (rules[low], rules[high]) and rules[low] > rules[high]:
            return f"{low} is above {high}"
    if "times" in rules and (rules["times"] not in seen or seen[rules["times"]].type != "number"):
        return "times needs a number field that stands before it"
    return ""


def _not_a_day(day: str | None) -> str:
    if day is None or day == "today":
        return ""
    try:
        date.fromisoformat(day)
    except ValueError:
        return day
    return ""


def _flawed_words(value: Any) -> str:
    """Words that are not in normal order, or hold an invisible mark: they could not be found by typing them."""
    from i18n.normalise import ZWSP, store

    if isinstance(value, str):
        return f"«{value}» is not in normal order" if ZWSP in value or store(value) != value else ""
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return next((reason for part in parts if (reason := _flawed_words(part))), "")
