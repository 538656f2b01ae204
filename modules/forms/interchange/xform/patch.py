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
    if not changed and not top:
        return ""
    made = {**({"form": top} if top else {}), **({"items": changed} if changed else {})}
    return json.dumps(made, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def apply(form: Form, text: str) -> Form:
    """``form`` with the differences of ``text``. ``Refused("FM-401")`` when it is no such text; the result is not yet checked."""
    try:
        given = json.loads(text)
        top, items = given.get("form", {}), given.get("items", {})
        source = json_of(form)
        for key, item in _items(source, form).items():
            _change(item, items.get(key, {}))
        _change(source, {name: value for name, value in top.items() if name != "items"})
        return build(source)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise Refused("FM-401", form=form.id, reason=f"sala:patch: {error}"[:200]) from error


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
    """Every item of the JSON by a key that an XForm keeps: the path of its node; without one, its place among its siblings."""
    found: dict[str, dict[str, Any]] = {}
    waiting: list[tuple[list[Any], str, str]] = [(source["items"], f"/{form.origin.root}", "")]
    while waiting:
        items, above, key = waiting.pop()
        for number, item in enumerate(items):
            name = item.get("name", "")
            place = item.get("ref") or (f"{above}/{name}" if name else above)
            mine = place if name else f"{key or above}#{number}"
            found.setdefault(mine, item)
            if "items" in item:
                waiting.append((item["items"], place, mine))
    return found
