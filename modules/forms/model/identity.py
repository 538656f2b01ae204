"""Permanent ids over versions: a question that comes in again keeps the id that it had, found by its node or by where it came from."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping

from modules.forms.model.form import AnyItem, Field, Form, Group, Meta, walk
from modules.forms.model.paths import places
from modules.forms.model.types import TYPES


def keep_ids(form: Form, older: Form) -> Form:
    """``form`` with the ids of ``older`` for the same questions; an id of ``older`` is given to no other question."""
    now, before = places(form), places(older)
    origins = _by_origin(before.items)
    mine = _by_origin(now.items)
    old_ids = {path: item.id for path, item in before.at.items()}
    chosen: dict[str, str] = {}
    given: set[str] = set()
    for id, item in now.items.items():
        if item.origin in origins and mine.get(item.origin) == id:
            known = origins[item.origin]
        elif item.name:
            known = old_ids.get(now.path[id], "")
        else:  # a group without a node has nothing but its id
            known = id if id in before.items and not before.items[id].name else ""
        if known and known not in given:
            chosen[id] = known
            given.add(known)
    taken = {*given, *before.items}
    for id in now.items:
        if id not in chosen:
            chosen[id] = _free(id, taken)
            taken.add(chosen[id])
    return renamed(form, chosen)


def _by_origin(items: Mapping[str, AnyItem]) -> dict[str, str]:
    """Ids by what they were where the form came from, if that is theirs alone."""
    count = Counter(item.origin for item in items.values())
    return {item.origin: id for id, item in items.items() if item.origin and count[item.origin] == 1}


def _free(id: str, taken: set[str]) -> str:
    number, free = 2, id
    while free in taken:
        free = f"{id[: 39 - len(str(number))]}_{number}"
        number += 1
    return free


def renamed(form: Form, ids: Mapping[str, str]) -> Form:
    """``form`` with every id replaced by ``ids``, wherever it is named. ``KeyError`` when one of its items is missing there."""
    entities = tuple(dataclasses.replace(one, of=ids[one.of] if one.of else "") for one in form.meta.entities)
    nodes = tuple(
        dataclasses.replace(
            node, set=tuple(dataclasses.replace(one, of=ids[one.of] if one.of else "") for one in node.set)
        )
        for node in form.meta.nodes
    )
    meta: Meta = dataclasses.replace(form.meta, entities=entities, nodes=nodes)
    return dataclasses.replace(
        form, items=tuple(_item(item, ids) for item in form.items), meta=meta,
        roles={role: ids[id] for role, id in form.roles.items()}, flow_fields=tuple(ids[id] for id in form.flow_fields),
    )  # fmt: skip


def _item(item: AnyItem, ids: Mapping[str, str]) -> AnyItem:
    if not isinstance(item, Field):
        return dataclasses.replace(item, id=ids[item.id], items=tuple(_item(inner, ids) for inner in item.items))
    known = TYPES[item.type].parameters
    parameters = {name: ids[value] if known[name].kind == "field" else value for name, value in item.parameters.items()}
    actions = tuple(dataclasses.replace(one, of=ids[one.of] if one.of else "") for one in item.set)
    return dataclasses.replace(item, id=ids[item.id], parameters=parameters, set=actions)


def count(form: Form) -> dict[str, int]:
    """How many groups, repeats and fields a form has."""
    made = {"group": 0, "repeat": 0, "field": 0}
    for item in walk(form.items):
        made["field" if isinstance(item, Field) else "group" if isinstance(item, Group) else "repeat"] += 1
    return made
