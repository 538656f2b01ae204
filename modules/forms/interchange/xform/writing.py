"""The model as an XForm."""

from __future__ import annotations

import json

from modules.forms.interchange.xform import patch, shape
from modules.forms.interchange.xform.body import Body
from modules.forms.interchange.xform.entities import entity_nodes
from modules.forms.interchange.xform.lists import address
from modules.forms.interchange.xform.names import PATCH, SALA, USUAL, VERSION, XFORMS, XHTML, Names, x
from modules.forms.interchange.xform.reading import read_xform, usual_model
from modules.forms.interchange.xform.texts import Texts
from modules.forms.interchange.xml import Element, read_xml, write_xml
from modules.forms.model.first import as_second
from modules.forms.model.form import NEUTRAL, ChoiceList, Form, Node
from modules.forms.model.inline import parts
from modules.forms.model.paths import expanded, places
from modules.forms.model.reading import build
from modules.forms.model.writing import canonical


def write_xform(form: Form) -> bytes:
    """The XForm of ``form``, UTF-8. ``Refused("FM-404")`` when a text holds a character that XML cannot carry.

    ``${name}`` is written out as the path that it means; everything else reads back as the same form.
    """
    form = build(
        json.loads(canonical(expanded(as_second(form))))
    )  # members in one order, so that equal forms are written alike
    form = shape.current(form, _names(form))
    plain = _document(form)
    read, _ = read_xform(_text(plain, form), name=form.id)
    if difference := patch.between(read, form):
        model = plain.elements().__next__().find(x("model"))
        assert model is not None
        model.attributes[PATCH] = difference
    return _text(plain, form)


def _names(form: Form) -> Names:
    return Names({space: prefix for prefix, space in form.origin.namespaces.items()})


def _text(root: Element, form: Form) -> bytes:
    own = {space: prefix for prefix, space in form.origin.namespaces.items()}
    if form.origin.space and form.origin.space not in own:
        own[form.origin.space] = ""
    prefixes = {**USUAL, **own, SALA: "sala"}
    used = {
        name[1:].partition("}")[0] for one in root.every() for name in (one.name, *one.attributes) if name[0] == "{"
    }
    if SALA not in used:
        del prefixes[SALA]
    return ('<?xml version="1.0" encoding="UTF-8"?>\n' + write_xml(root, prefixes) + "\n").encode("utf-8")


def _document(form: Form) -> Element:
    names = _names(form)
    title = Element(
        f"{{{XHTML}}}title", children=[form.title.get(form.languages[0]) or next(iter(form.title.values()), form.id)]
    )
    texts = Texts(form)
    body = Body(form, names, texts)
    seen = body.element()
    model = Element(x("model"), {names.full(name): value for name, value in _model(form).items()})
    if form.meta.public_key or form.meta.submission:
        attributes = {names.full(name): value for name, value in form.meta.submission.items()}
        key = {"base64RsaPublicKey": form.meta.public_key} if form.meta.public_key else {}
        model.children.append(Element(x("submission"), {**attributes, **key}))
    lists = [_list(name, one, texts, names) for name, one in form.lists.items() if not one.inline]
    if (itext := texts.element()) is not None:
        model.children.append(itext)
    model.children.append(Element(x("instance"), children=[shape.primary(form, names)]))
    model.children += lists
    model.children += body.binds
    for node in _nodes(form, names):
        bind = {"nodeset": node.ref, **{names.full(name): value for name, value in node.bind.items()}}
        if node.bind:
            model.children.append(Element(x("bind"), bind))
        for action in node.set:
            body.place(action, node.ref, model)
    for text in form.origin.xml:
        model.children.append(read_xml(text.encode("utf-8"), name=form.id).root)
    seen.children += [read_xml(text.encode("utf-8"), name=form.id).root for text in form.origin.body_xml]
    head = Element(f"{{{XHTML}}}head", children=[title, model])
    return Element(f"{{{XHTML}}}html", children=[head, seen])


def _model(form: Form) -> dict[str, str]:
    if form.origin.model == {VERSION: ""}:
        return {}
    return dict(form.origin.model) or usual_model(form.meta)


def _nodes(form: Form, names: Names) -> list[Node]:
    """Every bound node that is no question."""
    root = shape.primary(form, names)
    meta = next((child for child in root.elements() if child.local == "meta"), None)
    short = names.short(meta.name, root.space) if meta is not None else "meta"
    prefix = short.rpartition(":")[0]
    place = f"/{form.origin.root}/{short}"
    below = f"{place}/{prefix}:" if prefix else f"{place}/"
    found = list(form.meta.nodes)
    spots = places(form)
    for entity in form.meta.entities:
        holder = spots.path[entity.of] if entity.of else spots.root
        found += entity_nodes(entity, f"{holder}/meta/entity" if entity.of else f"{place}/entity", entity.of)
    taken = {node.ref for node in found}
    if form.meta.audit is not None:
        bind = {"type": "binary", **{f"odk:{name}": value for name, value in form.meta.audit.items()}}
        found.append(Node(ref=f"{below}audit", bind=bind))
    has_id = meta is not None and any(child.local == "instanceID" for child in meta.elements())
    if f"{below}instanceID" not in taken and has_id:
        found.append(Node(ref=f"{below}instanceID", bind={"type": "string", "readonly": "true()", "jr:preload": "uid"}))
    if form.meta.instance_name:
        found.append(Node(ref=f"{below}instanceName", bind={"type": "string", "calculate": form.meta.instance_name}))
    return found


def _list(name: str, one: ChoiceList, texts: Texts, names: Names) -> Element:
    """A secondary instance."""
    made = Element(x("instance"), {"id": name})
    if one.src or one.file:
        made.attributes["src"] = one.src or address(one.file, one.format)
        return made
    if one.xml:
        made.children += read_xml(f"<all>{one.xml}</all>".encode(), name=name).root.children
        return made
    root = Element(x("root"))
    by_text = texts.of_list(name, one)
    for number, row in enumerate(one.rows):
        item = Element(x("item"))
        columns = dict(row.columns)
        if by_text:
            columns.setdefault("itextId", f"{name}-{number}")
        elif NEUTRAL in row.label:
            columns = {"label": "".join(text for text, _ in parts(row.label[NEUTRAL])), **columns}
        for column, value in {one.value: row.id, **columns}.items():
            item.children.append(Element(names.full(column, XFORMS), children=[value] if value else []))
        root.children.append(item)
    made.children.append(root)
    return made
