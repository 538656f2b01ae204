"""Where items stand: absolute node paths, parents, the nearest node of a name; and ``${name}`` written out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modules.forms.model import inline, references
from modules.forms.model.form import (
    Action,
    AnyItem,
    Check,
    Choices,
    Entity,
    Field,
    Form,
    Group,
    Meta,
    Node,
    Repeat,
    Words,
)

LAST_SAVED = "last-saved#"


@dataclass(frozen=True)
class Places:
    """``path`` of every item by id, ``item`` by path and by id, ``parent`` ids ("" at the top), ids in the order of the page."""

    form: Form
    root: str
    path: Mapping[str, str]
    parent: Mapping[str, str]
    items: Mapping[str, AnyItem]
    at: Mapping[str, AnyItem]
    named: Mapping[str, tuple[str, ...]]  # name → paths of the nodes called so

    def nearest(self, name: str, here: str = "") -> str:
        """The path that ``${name}`` means at ``here``: of several nodes of that name the one that shares most of its way.

        ``KeyError`` when no node is called so.
        """
        if name.startswith(LAST_SAVED):
            return "instance('__last-saved')" + self.nearest(name.removeprefix(LAST_SAVED), here)
        found = self.named[name]
        return max(found, key=lambda path: (_shared(path, here), -path.count("/")))

    def expand(self, expression: str, here: str = "") -> str:
        """``expression`` with paths for every ``${name}``; a name that no node has is left as it stands."""

        def path(name: str) -> str:
            try:
                return self.nearest(name, here)
            except KeyError:
                return "${" + name + "}"

        return references.expand(expression, path)

    def asked(self, expression: str, here: str) -> set[str]:
        """Absolute paths of the nodes that ``expression`` asks at ``here``; unknown ``${names}`` are left out."""
        return references.paths(self.expand(expression, here), here)

    def repeats(self, id: str) -> tuple[str, ...]:
        """Ids of the repeats around an item, outermost first."""
        found = []
        while id := self.parent.get(id, ""):
            if isinstance(self.items[id], Repeat):
                found.append(id)
        return tuple(reversed(found))


def places(form: Form) -> Places:
    """The places of all items of ``form``."""
    root = f"/{form.origin.root}"
    path: dict[str, str] = {}
    parent: dict[str, str] = {}
    items: dict[str, AnyItem] = {}
    at: dict[str, AnyItem] = {}
    named: dict[str, tuple[str, ...]] = {}
    waiting: list[tuple[AnyItem, str, str]] = [(item, "", root) for item in reversed(form.items)]
    while waiting:
        item, above, place = waiting.pop()
        mine = item.ref or (f"{place}/{item.name}" if item.name else place)
        path[item.id], parent[item.id], items[item.id] = mine, above, item
        if item.name:
            at.setdefault(mine, item)
            named[item.name] = (*named.get(item.name, ()), mine)
        if not isinstance(item, Field):
            waiting.extend((inner, item.id, mine) for inner in reversed(item.items))
    return Places(form, root, path, parent, items, at, named)


def _shared(path: str, here: str) -> int:
    """How many steps two paths have in common at their beginning."""
    count = 0
    for one, other in zip(path.split("/"), here.split("/"), strict=False):
        if one != other:
            break
        count += 1
    return count


def expanded(form: Form) -> Form:
    """``form`` with every ``${name}`` written as a path: what an XForm says."""
    spots = places(form)

    def at(here: str) -> _Rewriter:
        return _Rewriter(spots, here)

    root = at(spots.root)
    return dataclasses.replace(
        form,
        items=tuple(_item(item, spots) for item in form.items),
        checks=tuple(Check(when=root.expr(check.when), message=root.words(check.message)) for check in form.checks),
        meta=_meta(form.meta, spots),
    )


class _Rewriter:
    """Rewrites expressions and texts that stand at one node."""

    def __init__(self, spots: Places, here: str) -> None:
        self._spots = spots
        self._here = here

    def expr(self, expression: str) -> str:
        return self._spots.expand(expression, self._here)

    def words(self, words: Words) -> Words:
        return {tag: inline.change(text, self.expr) for tag, text in words.items()}

    def action(self, action: Action) -> Action:
        return dataclasses.replace(action, value=self.expr(action.value))


def _item(item: AnyItem, spots: Places) -> AnyItem:
    to = _Rewriter(spots, spots.path[item.id])
    common: dict[str, Any] = {
        "label": to.words(item.label), "hint": to.words(item.hint), "guidance": to.words(item.guidance), "why": to.words(item.why),
        "media": {kind: to.words(files) for kind, files in item.media.items()},
        "relevant": to.expr(item.relevant), "readonly": to.expr(item.readonly),
    }  # fmt: skip
    if isinstance(item, Group):
        return dataclasses.replace(item, **common, items=tuple(_item(inner, spots) for inner in item.items))
    if isinstance(item, Repeat):
        items = tuple(_item(inner, spots) for inner in item.items)
        return dataclasses.replace(item, **common, items=items, count=to.expr(item.count))
    return dataclasses.replace(
        item, **common,
        required=to.expr(item.required), required_message=to.words(item.required_message),
        constraint=to.expr(item.constraint), constraint_message=to.words(item.constraint_message),
        calculate=to.expr(item.calculate), set=tuple(to.action(action) for action in item.set),
        choices=_choices(item.choices, to) if item.choices else None,
    )  # fmt: skip


def _choices(choices: Choices, to: _Rewriter) -> Choices:
    return dataclasses.replace(
        choices, filter=to.expr(choices.filter), nodeset=to.expr(choices.nodeset), seed=to.expr(choices.seed)
    )


def _meta(meta: Meta, spots: Places) -> Meta:
    to = _Rewriter(spots, f"{spots.root}/meta")

    def entity(one: Entity) -> Entity:
        near = _Rewriter(spots, spots.path.get(one.of, spots.root))
        return dataclasses.replace(
            one, label=near.expr(one.label), id=near.expr(one.id),
            create_if=near.expr(one.create_if), update_if=near.expr(one.update_if),
        )  # fmt: skip

    return dataclasses.replace(
        meta, instance_name=to.expr(meta.instance_name), entities=tuple(entity(one) for one in meta.entities),
        nodes=tuple(
            Node(ref=node.ref, bind=node.bind, set=tuple(to.action(one) for one in node.set)) for node in meta.nodes
        ),
    )  # fmt: skip
