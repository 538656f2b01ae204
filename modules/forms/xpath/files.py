"""Answers and lists from files, for trying an expression: an instance or a whole XForm as XML, answers as JSON, lists as CSV.

An instance has no types: its answers are texts. An XForm brings those of its binds, its lists and its words.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from modules.contract import Refused
from modules.forms.xpath import days
from modules.forms.xpath.nodes import Node, Scalar
from modules.forms.xpath.tree import Element, document, from_answers, from_rows
from modules.forms.xpath.values import number_of_text
from modules.forms.xpath.world import World

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element as Xml

LARGEST: Final = 50_000_000  # bytes of one file
MOST_ELEMENTS: Final = 2_000_000
_DEEPEST: Final = 100
_STEP: Final = re.compile(r"([^\s/\[\]]+)(?:\[([0-9]{1,7})\])?")
_TEMPLATE: Final = "{http://openrosa.org/javarosa}template"


def read_answers(data: bytes, *, name: str, lists: Mapping[str, Node] | None = None, language: str = "en") -> World:
    """What ``forms eval --instance`` takes. ``Refused("FM-316")`` when it is neither XML nor a JSON object, or too large."""
    if len(data) > LARGEST:
        raise Refused("FM-316", file=name, reason=f"> {LARGEST} bytes")
    begin = data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if begin == b"<":
        return _xml(data, name, dict(lists or {}), language)
    try:
        answers = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise Refused("FM-316", file=name, reason=str(error)[:100]) from error
    if not isinstance(answers, dict):
        raise Refused("FM-316", file=name, reason="not an object")
    inside = answers.get("data")
    whole = inside if len(answers) == 1 and isinstance(inside, dict) else answers
    try:
        return World(from_answers(whole), lists, language=language)
    except RecursionError as error:
        raise Refused("FM-316", file=name, reason="too deep") from error


def read_list(data: bytes, *, name: str) -> Node:
    """A CSV file with a heading as ``instance('x')`` gives it. ``Refused("FM-316")`` when it is none."""
    if len(data) > LARGEST:
        raise Refused("FM-316", file=name, reason=f"> {LARGEST} bytes")
    try:
        rows = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), restval="", strict=True)
        return from_rows({key: value for key, value in row.items() if key} for row in rows)
    except (ValueError, csv.Error) as error:
        raise Refused("FM-316", file=name, reason=str(error)[:100]) from error


def place(world: World, way: str) -> tuple[tuple[str, ...], Node]:
    """The node at ``/data/row[2]/x``, the root element for an empty text. ``Refused("FM-316")`` when it is not there."""
    here: Node = world.root.elements()[0]
    if not way:
        return (here.name,), here
    names: list[str] = []
    here = world.root
    for part in way.strip("/").split("/"):
        found = _STEP.fullmatch(part)
        rows = here.children(found[1]) if found else ()
        at = int(found[2] or 1) if found else 0
        if not 0 < at <= len(rows):
            raise Refused("FM-316", file=way[:100], reason=part[:60])
        here = rows[at - 1]
        names.append(here.name)
    return tuple(names), here


# --- XML


def _xml(data: bytes, name: str, lists: dict[str, Node], language: str) -> World:
    from xml.etree.ElementTree import ParseError

    from defusedxml import ElementTree
    from defusedxml.common import DefusedXmlException

    try:
        top: Xml = ElementTree.fromstring(data)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise Refused("FM-316", file=name, reason=str(error)[:100]) from error
    if sum(1 for _ in top.iter()) > MOST_ELEMENTS:
        raise Refused("FM-316", file=name, reason=f"> {MOST_ELEMENTS} elements")
    model = next((one for one in top.iter() if _local(one.tag) == "model"), None)
    if _local(top.tag) != "html" or model is None:
        return World(document(_element(top, {}, name)), lists, language=language)
    types = {bind.get("nodeset", ""): _local(bind.get("type", ""), ":") for bind in _inside(model, "bind")}
    first: Element | None = None
    for instance in _inside(model, "instance"):
        if (root := next(iter(instance), None)) is None:
            continue
        if first is None:
            first = _element(root, types, name)
        elif (id := instance.get("id")) is not None:
            lists.setdefault(id, document(_element(root, {}, name)))
    if first is None:
        raise Refused("FM-316", file=name, reason="no instance")
    return World(document(first), lists, language=language, texts=dict(_texts(model)))


def _inside(parent: Xml, name: str) -> list[Xml]:
    return [one for one in parent if _local(one.tag) == name]


def _local(tag: Any, mark: str = "}") -> str:
    return str(tag).rpartition(mark)[2]


def _element(xml: Xml, types: Mapping[str, str], name: str, path: str = "", depth: int = 0) -> Element:
    if depth > _DEEPEST:
        raise Refused("FM-316", file=name, reason="too deep")
    here = f"{path}/{_local(xml.tag)}"
    made = Element(_local(xml.tag))
    for child in xml:
        if isinstance(child.tag, str) and _TEMPLATE not in child.attrib:
            made.add(_element(child, types, name, here, depth + 1))
    if not made.elements():
        made.value = typed(xml.text or "", types.get(here, ""))
    return made


def typed(text: str, type_: str) -> Scalar:
    """What a question of an XForms type makes of its text; the text itself where it does not fit the type."""
    if type_ in ("int", "integer", "decimal"):
        number = number_of_text(text)
        return number if number == number else text
    if type_ == "boolean" and text in ("true", "1", "false", "0"):
        return text in ("true", "1")
    if type_ in ("date", "dateTime"):
        found = days.when(text)
        return text if found is None else found
    return text


def _texts(model: Xml) -> Iterator[tuple[str, str]]:
    for itext in _inside(model, "itext"):
        translations = _inside(itext, "translation")
        chosen = next(
            (one for one in translations if one.get("default") is not None), translations[0] if translations else None
        )
        for text in _inside(chosen, "text") if chosen is not None else ():
            value = next((one for one in _inside(text, "value") if one.get("form") is None), None)
            if value is not None:
                yield text.get("id", ""), "".join(value.itertext())
