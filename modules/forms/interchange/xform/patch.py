"""What the model says and an XForm cannot: the differences between the form and what its XForm reads as, in one attribute.

The XForm itself stays the word: where another program changed it, only the differences that still have their node apply.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from modules.contract import Refused
from modules.forms.model.form import Form
from modules.forms.model.reading import build
from modules.forms.model.writing import source as json_of


def between(plain: Form, form: Form) -> str:
    """The text that makes ``form`` of ``plain``; "" when they are equal."""
    mine, its = json_of(form), json_of(plain)
    items, others = _items(mine, form), _items(its, plain)
    changed = {key: difference for key, item in items.items() if (difference := _difference(others.get(key, {}), item))}
    top = _difference({**its, "items": 0}, {**mine, "items": 0})
    shape = _shape(mine, items)
    made: dict[str, Any] = {**({"form": top} if top else {}), **({"items": changed} if changed else {})}
    if shape != _shape(its, others):
        made["tree"] = shape
    return json.dumps(made, ensure_ascii=False, sort_keys=True, separators=(",", ":")) if made else ""


def apply(form: Form, text: str) -> Form:
    """``form`` with the differences of ``text``. ``Refused("FM-401")`` when it is no such text; the result is not yet checked."""
    try:
        given = json.loads(text)
        top, differences, tree = given.get("form", {}), given.get("items", {}), given.get("tree")
        source = json_of(form)
        items = _items(source, form)
        for key, item in items.items():
            _change(item, differences.get(key, {}))
        if tree is not None:
            left = dict(items)
            source["items"] = [*_planted(tree, left), *left.values()]
        _change(source, {name: value for name, value in top.items() if name != "items"})
        return build(source)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise Refused("FM-401", form=form.id, reason=f"sala:patch: {error}"[:200]) from error


def _shape(source: Mapping[str, Any], items: Mapping[str, dict[str, Any]]) -> list[Any]:
    """The tree as keys: a question is its key, a group its key with what stands in it."""
    keys = {id(item): key for key, item in items.items()}

    def part(inside: list[dict[str, Any]]) -> list[Any]:
        return [
            [keys[id(one)], part(one.get("items", []))] if one["kind"] != "field" else keys[id(one)] for one in inside
        ]

    return part(source.get("items", []))


def _planted(tree: list[Any], left: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The items of ``left`` in the shape of ``tree``; those that are used are taken out of it. What another program added stays over."""
    made: list[dict[str, Any]] = []
    for one in tree:
        key, inside = (one, None) if isinstance(one, str) else one
        item = left.pop(key, None)
        below = _planted(inside, left) if inside is not None else None
        if item is None:
            made += below or ()
            continue
        item.pop("items", None)
        if below:
            item["items"] = below
        made.append(item)
    return made


def _difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Members to set; those to take away are null."""
    made = {
        name: value
        for name, value in after.items()
        if name != "items" and (name not in before or before[name] != value)
    }
    return made | {name: None for name in before if name not in after and name != "items"}


def _change(item: dict[str, Any], difference: Mapping[str, Any]) -> None:
    for name, value in difference.items():
        if value is None:
            item.pop(name, None)
        else:
            item[name] = value


def _items(source: Mapping[str, Any], form: Form) -> dict[str, dict[str, Any]]:
    """Every item of the JSON by a key that an XForm keeps: the path of its node; a group without one is the n-th such."""
    found: dict[str, dict[str, Any]] = {}
    unnamed = 0
    waiting: list[tuple[dict[str, Any], str]] = [
        (item, f"/{form.origin.root}") for item in reversed(source.get("items", []))
    ]
    while waiting:
        item, above = waiting.pop()
        name = item.get("name", "")
        place = item.get("ref") or (f"{above}/{name}" if name else above)
        key = place
        if not name:
            unnamed += 1
            key = f"#{unnamed}"
        found.setdefault(key, item)
        waiting.extend((inner, place) for inner in reversed(item.get("items", [])))
    return found
