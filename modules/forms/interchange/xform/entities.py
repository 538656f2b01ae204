"""The nodes of an entity: what its declaration makes in instance and binds, and the declaration read back from them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from modules.forms.interchange.xform.names import Names
from modules.forms.interchange.xml import Element
from modules.forms.model.form import Action, Entity, Node

_VERSIONS = ("baseVersion", "trunkVersion", "branchId")


def updates(entity: Entity) -> bool:
    """Whether rows may be changed: only one that names the row."""
    return bool(entity.id or entity.update_if)


def creates(entity: Entity) -> bool:
    return not updates(entity) or bool(entity.create_if)


def entity_element(entity: Entity, names: Names, space: str) -> Element:
    """Its element in the primary instance."""
    attributes = {"dataset": entity.dataset}
    if creates(entity):
        attributes["create"] = "1"
    if updates(entity):
        attributes |= {"update": "1", **dict.fromkeys(_VERSIONS, "")}
    made = Element(names.full("entity", space), {**attributes, "id": ""})
    if entity.label:
        made.children.append(Element(names.full("label", space)))
    return made


def entity_nodes(entity: Entity, place: str, repeat: str = "") -> list[Node]:
    """Its bound nodes; ``place`` is the path of its element, ``repeat`` the id of the repeat around it."""

    def bound(name: str, calculate: str = "", actions: tuple[Action, ...] = ()) -> Node:
        bind = {"type": "string", "readonly": "true()", **({"calculate": calculate} if calculate else {})}
        return Node(ref=f"{place}/{name}", bind=bind, set=actions)

    found = []
    if entity.create_if:
        found.append(bound("@create", entity.create_if))
    if entity.update_if:
        found.append(bound("@update", entity.update_if))
    if updates(entity):
        row = f"instance('{entity.dataset}')/root/item[name={entity.id}]"
        found += [bound("@baseVersion", f"{row}/__version"), bound("@trunkVersion", f"{row}/__trunkVersion"),
                  bound("@branchId", f"{row}/__branchId"), bound("@id", entity.id)]  # fmt: skip
    else:
        first = Action(on=("first-load",), value="uuid()")
        again = (Action(on=("new-row",), of=repeat, value="uuid()"),) if repeat else ()
        found.append(bound("@id", "", (first, *again)))
    if entity.label:
        found.append(bound("label", entity.label))
    return found


def read_entity(
    element: Element, place: str, of: str, nodes: Mapping[str, Node], names: Names, space: str
) -> Entity | None:
    """The declaration that makes exactly this element and these nodes; None when there is none."""

    def asks(name: str) -> str:
        node = nodes.get(f"{place}/{name}")
        return node.bind.get("calculate", "").strip() if node else ""

    entity = Entity(
        dataset=element.attributes.get("dataset", ""), of=of, label=asks("label"), id=asks("@id"),
        create_if=asks("@create"), update_if=asks("@update"),
    )  # fmt: skip
    made = entity_element(entity, names, space)
    mine = {path: node for path, node in nodes.items() if path.startswith(f"{place}/")}
    wanted = {node.ref: node for node in entity_nodes(entity, place, of)}
    same_shape = made.attributes == element.attributes and [one.name for one in made.elements()] == [
        one.name for one in element.elements()
    ]
    if not entity.dataset or not same_shape or mine.keys() != wanted.keys():
        return None
    return entity if all(_alike(mine[path], wanted[path]) for path in mine) else None


def _alike(one: Node, other: Node) -> bool:
    """Equal but for blanks in expressions."""
    return (
        {name: _tight(value) for name, value in one.bind.items()} == {name: _tight(value) for name, value in other.bind.items()}
        and [(action.on, action.of, _tight(action.value)) for action in one.set]
        == [(action.on, action.of, _tight(action.value)) for action in other.set]
    )  # fmt: skip


def _tight(text: str) -> str:
    return re.sub(r"\s+", "", text)
