"""The primary instance that the items alone would make; a stored one is brought up to the items."""

from __future__ import annotations

import dataclasses

from modules.forms.interchange.xform.entities import entity_element
from modules.forms.interchange.xform.names import JR, XFORMS, Names
from modules.forms.interchange.xml import Element, read_xml, same, write_xml
from modules.forms.model.form import Field, Form, Repeat
from modules.forms.model.paths import Places, places

TEMPLATE = f"{{{JR}}}template"


def primary(form: Form, names: Names) -> Element:
    """The primary instance of ``form``: the stored one, brought up to the items, or one made of the items."""
    spots = places(form)
    if not form.origin.instance:
        return made(form, names, spots)
    root = read_xml(form.origin.instance.encode("utf-8"), name=form.id).root
    _reconcile(root, form, names, spots)
    return root


def current(form: Form, names: Names) -> Form:
    """``form`` with its stored instance brought up to its items; without one where the items alone would make the same."""
    if not form.origin.instance:
        return form
    root = primary(form, names)
    if same(root, read_xml(form.origin.instance.encode("utf-8"), name=form.id).root):
        return form
    text = "" if same(root, made(form, names, places(form))) else instance_text(root, names)
    return dataclasses.replace(form, origin=dataclasses.replace(form.origin, instance=text))


def instance_text(root: Element, names: Names) -> str:
    """An instance as it is stored."""
    return write_xml(root, {root.space: "", **{space: prefix for space, prefix in names.prefixes.items() if prefix}})


def form_id(form: Form) -> str:
    return form.origin.form_id or form.id


def version(form: Form) -> str:
    return str(form.version) if form.meta.version_text is None else form.meta.version_text


def made(form: Form, names: Names, spots: Places) -> Element:
    """An instance made of the items: of every repeat a template and one row."""
    space = form.origin.space or XFORMS
    root = Element(names.full(form.origin.root, space), {"id": form_id(form)})
    if text := version(form):
        root.attributes["version"] = text
    nodes: dict[str, Element] = {spots.root: root}
    repeats: set[int] = set()
    for item in spots.items.values():
        if not item.name:
            continue
        node = _ensure(spots.path[item.id], nodes, names, space)
        if isinstance(item, Repeat):
            repeats.add(id(node))
        if isinstance(item, Field) and item.default:
            node.children = [item.default]
    for entity in form.meta.entities:
        holder = nodes[spots.path[entity.of]] if entity.of else root
        meta = next((child for child in holder.elements() if child.local == "meta"), None)
        if meta is None:
            meta = Element(names.full("meta", space))
            holder.children.append(meta)
        meta.children.append(entity_element(entity, names, space))
    _meta(form, root, names, space)
    return _with_rows(root, repeats, "both")


def _meta(form: Form, root: Element, names: Names, space: str) -> None:
    meta = next((child for child in root.elements() if child.local == "meta"), None)
    if meta is None:
        meta = Element(names.full("meta", space))
        root.children.append(meta)
    if form.meta.audit is not None:
        meta.children.append(Element(names.full("audit", space)))
    meta.children.append(Element(names.full("instanceID", space)))
    if form.meta.instance_name:
        meta.children.append(Element(names.full("instanceName", space)))


def _ensure(path: str, nodes: dict[str, Element], names: Names, space: str) -> Element:
    """The node at ``path``, made with those above it when it is not there."""
    if path in nodes:
        return nodes[path]
    above, _, name = path.rpartition("/")
    node = Element(names.full(name, space))
    nodes[path] = node
    _ensure(above, nodes, names, space).children.append(node)
    return node


def _with_rows(node: Element, repeats: set[int], rows: str) -> Element:
    """A copy of ``node`` with every repeat as template and row, when ``rows`` is both; below a template only as template, and so on."""
    copy = Element(node.name, dict(node.attributes), line=node.line)
    for child in node.children:
        if isinstance(child, str):
            copy.children.append(child)
        elif id(child) not in repeats:
            copy.children.append(_with_rows(child, repeats, rows))
        else:
            if rows != "row":
                template = _with_rows(child, repeats, "template")
                template.attributes[TEMPLATE] = ""
                copy.children.append(template)
            if rows != "template":
                copy.children.append(_with_rows(child, repeats, "row"))
    return copy


def _reconcile(root: Element, form: Form, names: Names, spots: Places) -> None:
    """Add the nodes of new items, take away those of items that are gone, set defaults that were changed."""
    space = root.space
    root.attributes["id"] = form_id(form)
    if text := version(form):
        root.attributes["version"] = text
    else:
        root.attributes.pop("version", None)
    wanted = {*spots.at, spots.root}
    for path in sorted(wanted):
        while (path := path.rpartition("/")[0]) and path not in wanted:
            wanted.add(path)
    _prune(root, spots.root, wanted, names, space)
    index = _index(root, spots.root, names)
    for path, item in spots.at.items():
        found = _there(index, path, names, space)
        if isinstance(item, Field) and _default(found) != item.default:
            for node in found:
                node.children = [item.default] if item.default else []


def _default(found: list[Element]) -> str:
    text = found[0].text() if found and not any(found[0].elements()) else ""
    return text if text.strip() else ""


def _prune(node: Element, path: str, wanted: set[str], names: Names, space: str) -> None:
    kept: list[Element | str] = []
    for child in node.children:
        if isinstance(child, str):
            kept.append(child)
            continue
        place = f"{path}/{names.short(child.name, space)}"
        if place in wanted or child.local == "meta":
            if child.local != "meta" or place in wanted:
                _prune(child, place, wanted, names, space)
            kept.append(child)
    node.children = kept


def _index(root: Element, path: str, names: Names) -> dict[str, list[Element]]:
    """The elements at every path: of a repeat the template and the rows."""
    found: dict[str, list[Element]] = {path: [root]}
    waiting = [(root, path)]
    while waiting:
        node, place = waiting.pop()
        for child in node.elements():
            inside = f"{place}/{names.short(child.name, root.space)}"
            found.setdefault(inside, []).append(child)
            waiting.append((child, inside))
    return found


def _there(index: dict[str, list[Element]], path: str, names: Names, space: str) -> list[Element]:
    """The elements at ``path``, made in every element above it when there are none."""
    if path not in index:
        above, _, name = path.rpartition("/")
        made = []
        for holder in _there(index, above, names, space):
            node = Element(names.full(name, space))
            holder.children.insert(_before_meta(holder), node)
            made.append(node)
        index[path] = made
    return index[path]


def _before_meta(holder: Element) -> int:
    for place, child in enumerate(holder.children):
        if isinstance(child, Element) and child.local == "meta":
            return place
    return len(holder.children)
