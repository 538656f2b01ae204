"""A format 1 definition as the one model. Its bytes and its hash stay what they were: ``origin.def_hash``."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

from modules.forms import definition as one
from modules.forms.model.form import TRUE, ChoiceList, Choices, Field, Form, Group, Origin, Row

LANGUAGES: Final = ("km", "en")
_TYPES: Final[Mapping[str, str]] = {
    "note": "text",
    "number": "integer",
    "choice": "select_one",
    "choices": "select_multiple",
}


def form_of(form: one.Definition) -> Form:
    """The model of ``form``: sections are groups, conditions the expressions that they mean."""
    lists = {field.id: _list(field) for field in form.fields() if field.options}
    return Form(
        id=form.id, version=form.version, service=form.service, title=form.title, summary=form.summary or {},
        languages=LANGUAGES, roles=form.roles, flow_fields=form.flow_fields, lists=lists,
        items=tuple(_section(section, form) for section in form.sections),
        origin=Origin(kind="format1", def_hash=form.def_hash),
    )  # fmt: skip


def as_second(form: Form) -> Form:
    """A form of format 1 as one of format 2, for writing it anew: it gets a hash of its own. Others are as they are."""
    return dataclasses.replace(form, origin=Origin()) if form.origin.kind == "format1" else form


def _section(section: one.Section, form: one.Definition) -> Group:
    """A section; sections and fields may share an id there, so a group's begins with ``section_`` when a field has it."""
    taken = {field.id for field in form.fields()} | {other.id for other in form.sections if other.id != section.id}
    id = section.id
    while id in taken:
        id = f"section_{id}"[:40] if len(id) < 40 else id[:-1]
    return Group(
        id=id, name=id, label=section.title, why=section.why or {}, relevant=_expr(section.show_if, form),
        items=tuple(_field(field, form) for field in section.fields),
    )  # fmt: skip


def _list(field: one.Field) -> ChoiceList:
    return ChoiceList(rows=tuple(Row(id=option.id, label=option.label) for option in field.options))


def _field(field: one.Field, form: one.Definition) -> Field:
    rules = dict(field.rules)
    if field.type == "number":
        kind = "decimal" if rules.get("decimals") else "integer"
        rules |= {name: str(rules[name]) for name in ("min", "max") if name in rules}
        if kind == "integer":
            rules.pop("decimals", None)
    else:
        kind = _TYPES.get(field.type, field.type)
    return Field(
        id=field.id, name=field.id, type=kind, label=field.label, hint=field.hint or {}, why=field.why or {},
        required=TRUE if field.required else "", relevant=_expr(field.show_if, form),
        appearance=("multiline",) if field.type == "note" else (), parameters=rules,
        choices=Choices(list=field.id) if field.options else None,
    )  # fmt: skip


def _expr(condition: one.Condition | None, form: one.Definition) -> str:
    """The expression of a condition."""
    if condition is None:
        return ""
    asked = form.field(condition.field)
    return " or ".join(_equal(asked, value) for value in condition.values)


def _equal(asked: one.Field, value: Any) -> str:
    node = "${" + asked.id + "}"
    if isinstance(value, bool):
        return f"{node} = '{'yes' if value else 'no'}'"
    if isinstance(value, int):
        return f"{node} = {value}"
    return f"selected({node}, {quoted(value)})" if asked.type == "choices" else f"{node} = {quoted(value)}"


def quoted(text: str) -> str:
    """``text`` as a string of XPath, which has no escapes: with both kinds of quotes it is put together."""
    if "'" not in text:
        return f"'{text}'"
    if '"' not in text:
        return f'"{text}"'
    return "concat(" + ', "\'", '.join(f"'{part}'" for part in text.split("'")) + ")"
