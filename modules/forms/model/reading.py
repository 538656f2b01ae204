"""Reading a definition strictly: bounded before it is parsed, by the schema, then by ``flaws``. Format 1 comes out as the same model."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from modules.contract import Refused
from modules.forms.definition import load_json, parse
from modules.forms.model.form import (
    TRUE,
    Action,
    AnyItem,
    Check,
    ChoiceList,
    Choices,
    Entity,
    Field,
    Form,
    Group,
    Meta,
    Node,
    Origin,
    Repeat,
    Row,
)

SIZE_LIMIT: Final = 8_000_000  # bytes of one definition
DEEPEST: Final = 16  # items within items
MOST_ITEMS: Final = 20_000
MOST_ROWS: Final = 100_000  # choices of all lists in the form itself; more belong into a file beside it
_SCHEMA: Final = Path(__file__).with_name("form.schema.json")


def read_form(data: bytes, *, name: str = "") -> Form:
    """The form of ``data``, of either format. ``Refused`` FM-002 (format 1), FM-401 not the format, FM-41n a flaw."""
    source = load_json(data, name=name, limit=SIZE_LIMIT)
    if source.get("sala_form") == 1:
        from modules.forms.model.first import form_of

        return form_of(parse(data, name=name))
    return form_of_source(source, name=name)


def form_of_source(source: Mapping[str, Any], *, name: str = "") -> Form:
    """The form of a JSON object of format 2, checked. ``Refused`` FM-401, FM-41n."""
    import fastjsonschema

    from modules.forms.model.flaws import first

    if reason := _too_much(source.get("items"), source.get("lists")):
        raise Refused("FM-401", form=name, reason=reason)
    try:
        _validator()(source)
    except (fastjsonschema.JsonSchemaException, ValueError, RecursionError) as error:
        raise Refused("FM-401", form=name, reason=str(error)[:200]) from error
    form = build(source)
    if flaw := first(form):
        raise flaw.refusal(name or form.id)
    return form


def _too_much(items: Any, lists: Any) -> str:
    """Why the tree is larger than any real form: counted without recursion, before anything recursive looks at it."""
    waiting = [(items, 1)]
    count = 0
    while waiting:
        part, depth = waiting.pop()
        if not isinstance(part, list):
            continue
        count += len(part)
        if depth > DEEPEST:
            return f"groups are nested deeper than {DEEPEST}"
        if count > MOST_ITEMS:
            return f"more than {MOST_ITEMS} questions"
        waiting.extend((one["items"], depth + 1) for one in part if isinstance(one, dict) and "items" in one)
    rows = sum(
        len(one["rows"])
        for one in (lists.values() if isinstance(lists, dict) else ())
        if isinstance(one, dict) and isinstance(one.get("rows"), list)
    )
    return f"more than {MOST_ROWS} choices" if rows > MOST_ROWS else ""


@cache
def _validator() -> Callable[[Any], Any]:
    import fastjsonschema

    compiled: Callable[[Any], Any] = fastjsonschema.compile(json.loads(_SCHEMA.read_text("utf-8")), use_default=False)
    return compiled


def build(source: Mapping[str, Any]) -> Form:
    """The form of a JSON object that keeps the schema."""
    return Form(
        **_only(source, "id", "version", "service", "title", "summary", "roles"),
        languages=tuple(source["languages"]),
        flow_fields=tuple(source.get("flow_fields", ())),
        lists={name: _list(one) for name, one in source.get("lists", {}).items()},
        items=_items(source.get("items", ())),
        checks=tuple(Check(**one) for one in source.get("checks", ())),
        meta=_meta(source.get("meta", {})),
        origin=_origin(source.get("origin", {})),
    )


def _only(source: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: source[name] for name in names if name in source}


def _rest(source: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in source.items() if name not in names}


def _items(source: Iterable[Mapping[str, Any]]) -> tuple[AnyItem, ...]:
    return tuple(item(one) for one in source)


def item(source: Mapping[str, Any]) -> AnyItem:
    """One item of a JSON object that keeps the schema."""
    common: dict[str, Any] = {
        **_rest(source, "kind", "items", "appearance", "set", "choices"),
        "appearance": tuple(source.get("appearance", ())),
    }
    for flag in ("required", "readonly"):
        if common.get(flag) is True:
            common[flag] = TRUE
    if source["kind"] == "group":
        return Group(**common, items=_items(source.get("items", ())))
    if source["kind"] == "repeat":
        return Repeat(**common, items=_items(source.get("items", ())))
    choices = Choices(**source["choices"]) if "choices" in source else None
    return Field(**common, set=_actions(source), choices=choices)


def _actions(source: Mapping[str, Any]) -> tuple[Action, ...]:
    return tuple(Action(**_rest(one, "on"), on=tuple(one["on"])) for one in source.get("set", ()))


def _list(source: Mapping[str, Any]) -> ChoiceList:
    return ChoiceList(**_rest(source, "rows"), rows=tuple(Row(**row) for row in source.get("rows", ())))


def _meta(source: Mapping[str, Any]) -> Meta:
    return Meta(
        **_rest(source, "entities", "nodes"),
        entities=tuple(Entity(**one) for one in source.get("entities", ())),
        nodes=tuple(
            Node(**_rest(one, "set"), set=_actions(one)) for one in source.get("nodes", ())
        ),
    )  # fmt: skip


def _origin(source: Mapping[str, Any]) -> Origin:
    lists: dict[str, Any] = {name: tuple(source.get(name, ())) for name in ("xml", "body_xml")}
    return Origin(**_rest(source, *lists), **lists)
