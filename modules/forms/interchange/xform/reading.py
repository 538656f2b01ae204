"""An XForm as the model."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

from modules.forms.interchange.ids import form_slug
from modules.forms.interchange.languages import unusual
from modules.forms.interchange.xform import patch, shape
from modules.forms.interchange.xform.drafts import Drafter, frozen
from modules.forms.interchange.xform.entities import read_entity
from modules.forms.interchange.xform.lists import list_of, value_columns
from modules.forms.interchange.xform.names import PATCH, VERSION, XFORMS, Names, x
from modules.forms.interchange.xform.source import Source, children, open_source
from modules.forms.interchange.xml import Element, read_xml, same, write_xml
from modules.forms.model.diagnostics import Diagnostic
from modules.forms.model.form import (
    NEUTRAL,
    Action,
    AnyItem,
    ChoiceList,
    Entity,
    Form,
    Meta,
    Node,
    Origin,
    Repeat,
)
from modules.forms.model.paths import places
from modules.forms.model.reading import form_of_source
from modules.forms.model.writing import source as json_of

_INSTANCE_ID: Final[Mapping[str, str]] = {"type": "string", "readonly": "true()", "jr:preload": "uid"}
_BIGGEST: Final = 9_999_999_999  # a version of more digits is a text


def read_xform(data: bytes, *, name: str = "") -> tuple[Form, list[Diagnostic]]:
    """The form of ``data`` and what is to be said about it.

    ``Refused``: FM-402 no XML, FM-403 too large, FM-405 no XForm, FM-401 and FM-41n what no form may have.
    """
    source = open_source(read_xml(data, name=name))
    form = _form(source, name)
    if (given := source.model.attributes.get(PATCH)) is not None:
        form = patch.apply(form, given)
    return form_of_source(json_of(form), name=name or form.id), source.notes


def _form(source: Source, name: str) -> Form:
    columns = value_columns(source)
    lists: dict[str, ChoiceList] = {
        id: list_of(id, one, source, columns.get(id, "")) for id, one in source.lists.items()
    }
    drafter = Drafter(source, lists)
    drafts = drafter.top()
    aimed: dict[str, list[Action]] = {}
    for one in source.aimed:
        aimed.setdefault(one.path, []).append(one.action)
    items = frozen(drafts, aimed)
    attributes = source.primary.attributes
    given_id = attributes.get("id") or source.primary.space or name or source.root[1:]
    version, version_text = _version(attributes.get("version", ""))
    languages = tuple(source.tags.values()) or (NEUTRAL,)
    form = Form(
        id=form_slug(given_id), version=version, title={languages[0]: source.title or given_id}, languages=languages,
        lists=lists, items=items, origin=_origin(source, given_id, drafter.strange),
        meta=Meta(version_text=version_text, **_submission(source)),
    )  # fmt: skip
    return _whole(form, source, aimed)


def _version(text: str) -> tuple[int, str | None]:
    """The number of a version, and its text where the number does not say it."""
    if text.isascii() and text.isdigit() and text[0] != "0" and int(text) <= _BIGGEST:
        return int(text), None
    return 1, text


def _submission(source: Source) -> dict[str, Any]:
    element = source.model.find(x("submission"))
    if element is None:
        return {}
    attributes = source.names.shorts(element.attributes)
    return {"public_key": attributes.pop("base64RsaPublicKey", ""), "submission": attributes}


def _origin(source: Source, given_id: str, strange: list[str]) -> Origin:
    space = source.primary.space
    names = source.names
    own = {
        prefix: place for place, prefix in names.prefixes.items() if prefix and Names({}).prefixes.get(place) != prefix
    }
    return Origin(
        kind="xform", form_id="" if form_slug(given_id) == given_id else given_id, root=source.root[1:],
        space="" if space == XFORMS else space, namespaces=own, languages=unusual(source.tags),
        model={key: value for key, value in names.shorts(source.model.attributes).items() if not key.endswith(":patch")},
        body=names.shorts(source.body.attributes),
        xml=tuple(write_xml(one, names.prefixes) for one in source.unknown),
        body_xml=tuple(strange),
        texts={id: text for id, text in source.texts.items() if id not in source.used},
    )  # fmt: skip


def _whole(form: Form, source: Source, aimed: Mapping[str, list[Action]]) -> Form:
    """``form`` with what concerns the whole submission, and with its instance where the items would make another one."""
    spots = places(form)
    nodes = {
        path: Node(ref=path, bind=source.names.shorts(bind.attributes, "nodeset"), set=tuple(aimed.get(path, ())))
        for path, bind in source.binds.items() if path not in spots.at and path != source.root
    }  # fmt: skip
    for path, actions in aimed.items():
        if path not in spots.at and path not in nodes:
            nodes[path] = Node(ref=path, set=tuple(actions))
    if source.root in source.binds:
        nodes[source.root] = Node(
            ref=source.root, bind=source.names.shorts(source.binds[source.root].attributes, "nodeset")
        )
    meta, left = _meta(form, source, nodes, spots.at)
    origin = form.origin
    if origin.model == usual_model(meta):
        origin = dataclasses.replace(origin, model={})
    elif not origin.model:
        origin = dataclasses.replace(origin, model={VERSION: ""})
    form = dataclasses.replace(form, meta=dataclasses.replace(meta, nodes=tuple(left.values())), origin=origin)
    if not same(shape.made(form, source.names, spots), source.primary):
        text = shape.instance_text(source.primary, source.names)
        form = dataclasses.replace(form, origin=dataclasses.replace(origin, instance=text))
    return form


def usual_model(meta: Meta) -> dict[str, str]:
    """The attributes that the model element has unless something else is said."""
    made = {VERSION: "1.0.0"}
    if meta.entities:
        made["entities:entities-version"] = "2025.1.0" if any(one.of for one in meta.entities) else "2024.1.0"
    return made


def _meta(
    form: Form, source: Source, nodes: dict[str, Node], at: Mapping[str, AnyItem]
) -> tuple[Meta, dict[str, Node]]:
    """What the meta nodes say by a name here; the others are left as nodes."""
    element = next((child for child in source.primary.elements() if child.local == "meta"), None)
    place = f"{source.root}/{source.short(element)}" if element is not None else f"{source.root}/meta"
    found: dict[str, Any] = {}
    prefix = place.rpartition("/")[2].rpartition(":")[0]
    below = f"{place}/{prefix}:" if prefix else f"{place}/"
    if (node := nodes.get(f"{below}instanceID")) and node.bind == _INSTANCE_ID and not node.set:
        del nodes[f"{below}instanceID"]
    node = nodes.get(f"{below}instanceName")
    if node and node.bind.keys() == {"type", "calculate"} and node.bind["type"] == "string" and not node.set:
        found["instance_name"] = nodes.pop(f"{below}instanceName").bind["calculate"].strip()
    node = nodes.get(f"{below}audit")
    if (
        node
        and node.bind.get("type") == "binary"
        and not node.set
        and all(name == "type" or name.startswith("odk:") for name in node.bind)
    ):
        bind = nodes.pop(f"{below}audit").bind
        found["audit"] = {name.removeprefix("odk:"): value for name, value in bind.items() if name != "type"}
    entities = []
    for entity, path in _entities(source, nodes, at):
        entities.append(entity)
        for ref in [ref for ref in nodes if ref.startswith(f"{path}/")]:
            del nodes[ref]
    return dataclasses.replace(form.meta, **found, entities=tuple(entities)), nodes


def _entities(source: Source, nodes: Mapping[str, Node], at: Mapping[str, AnyItem]) -> list[tuple[Entity, str]]:
    """The entities that can be said by name, with the paths of their elements."""
    found = []
    waiting: list[tuple[Element, str]] = [(source.primary, source.root)]
    while waiting:
        node, path = waiting.pop()
        for child in children(node):
            place = f"{path}/{source.short(child)}"
            if child.local != "meta":
                waiting.append((child, place))
                continue
            holder = at.get(path)
            declared = [one for one in child.elements() if one.local == "entity"]
            if len(declared) != 1 or not (path == source.root or isinstance(holder, Repeat)):
                continue
            inside = f"{place}/{source.short(declared[0])}"
            of = holder.id if holder is not None else ""
            if entity := read_entity(declared[0], inside, of, nodes, source.names, source.primary.space):
                found.append((entity, inside))
    return found
