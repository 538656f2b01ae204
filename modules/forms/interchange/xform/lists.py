"""Secondary instances as lists of choices, and where a control's choices come from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from modules.forms.interchange.xform.names import XFORMS, x
from modules.forms.interchange.xform.source import Source, Text, plain
from modules.forms.interchange.xml import Element, write_xml
from modules.forms.model.form import NEUTRAL, ChoiceList, Choices, Row, Words
from modules.forms.model.inline import expressions

_INSTANCE: Final = re.compile(r"""^instance\(\s*(?:'([^']+)'|"([^"]+)")\s*\)/root/item\s*(.*)$""", re.DOTALL)
_ITEXT_ID: Final = re.compile(r"^jr:itext\(\s*itextId\s*\)$")
_FOLDERS: Final = {"csv": "jr://file-csv/", "": "jr://file/"}


def address(file: str, format: str) -> str:
    """The usual address of a file beside the form."""
    return _FOLDERS.get(format, _FOLDERS[""]) + file


def value_columns(source: Source) -> dict[str, str]:
    """List → the column that the controls store, by the first control that uses the list."""
    found: dict[str, str] = {}
    for element in source.body.every():
        if element.name == x("itemset"):
            taken = _INSTANCE.match(_peeled(element.attributes.get("nodeset", ""))[0])
            value = element.find(x("value"))
            if taken and value is not None:
                found.setdefault(taken[1] or taken[2], value.attributes.get("ref", "name"))
    return found


def list_of(id: str, element: Element, source: Source, column: str) -> ChoiceList:
    """The list of a secondary instance."""
    src = element.attributes.get("src", "")
    if src:
        format = "csv" if src.startswith(_FOLDERS["csv"]) else "geojson" if src.endswith(".geojson") else "xml"
        file = src.rpartition("/")[2] if src.startswith(tuple(_FOLDERS.values())) else ""
        if not file:
            return ChoiceList(src=src)
        return ChoiceList(file=file, format=format, value=column or ("id" if format == "geojson" else "name"))
    inside = list(element.elements())
    rows = _rows(id, inside[0], source, column or "name") if len(inside) == 1 else None
    if rows is None:
        prefixes = {XFORMS: "", **{space: name for space, name in source.names.prefixes.items() if name}}
        return ChoiceList(xml="".join(write_xml(one, prefixes) for one in inside), value=column or "name")
    return ChoiceList(rows=rows, value=column or "name")


def _rows(id: str, root: Element, source: Source, column: str) -> tuple[Row, ...] | None:
    """The rows, if the instance is nothing but root and items with plain columns."""
    if root.name != x("root") or root.attributes or any(child.name != x("item") for child in root.elements()):
        return None
    made = []
    for number, item in enumerate(root.elements()):
        columns: dict[str, str] = {}
        for child in item.elements():
            if child.attributes or child.space != XFORMS or child.local in columns or any(child.elements()):
                return None
            columns[child.local] = child.text()
        if item.attributes or column not in columns:
            return None
        text: Text = {}
        name = columns.get("itextId", "")
        if name and name in source.texts:
            source.used.add(name)
            text = source.texts[name]
            if name == f"{id}-{number}":
                del columns["itextId"]
        elif "label" in columns:
            text = source.words(columns.pop("label"), "", "", {})
        made.append(_row(columns.pop(column), text, columns))
    return tuple(made)


def _row(code: str, text: Text, columns: Mapping[str, str]) -> Row:
    media: dict[str, Words] = {kind: files for kind, files in text.items() if kind}
    return Row(id=code, label=plain(text), media=media, columns=columns)


def choices_of(control: Element, path: str, source: Source, lists: dict[str, ChoiceList]) -> Choices | None:
    """Where the choices of ``control`` come from; a list that stands in the control is added to ``lists``."""
    itemset = control.find(x("itemset"))
    if itemset is not None:
        return _from_itemset(itemset, lists)
    items = [child for child in control.elements() if child.name == x("item")]
    if not items:
        return None
    name, number = path, 1
    while name in lists:
        number += 1
        name = f"{path}#{number}"
    lists[name] = ChoiceList(rows=tuple(_inline(item, path, source) for item in items), inline=True)
    return Choices(list=name)


def _inline(item: Element, path: str, source: Source) -> Row:
    value, label = item.find(x("value")), item.find(x("label"))
    code = value.text().strip() if value is not None else ""
    kept: dict[str, str] = {}
    text: Text = {}
    if label is not None and "ref" in label.attributes:
        text = source.words(label.attributes["ref"], "itextId", f"{path}/{code}:label", kept)
    elif label is not None and (content := source.content(label)):
        text = {"": {NEUTRAL: content}}
    return _row(code, text, kept)


def _from_itemset(itemset: Element, lists: Mapping[str, ChoiceList]) -> Choices:
    nodeset, random, seed = _peeled(itemset.attributes.get("nodeset", ""))
    value, label = itemset.find(x("value")), itemset.find(x("label"))
    stored = value.attributes.get("ref", "").strip() if value is not None else ""
    shown = label.attributes.get("ref", "").strip() if label is not None else ""
    if _ITEXT_ID.match(shown):
        shown = "jr:itext(itextId)"
    common: dict[str, Any] = {"random": random, "seed": seed}
    taken = _INSTANCE.match(nodeset)
    name = (taken[1] or taken[2]) if taken else ""
    filter = _predicate(taken[3].strip()) if taken else None
    if name not in lists or filter is None:
        return Choices(nodeset=nodeset, value=stored, label=shown, **common)
    usual = usual_label(lists[name])
    return Choices(
        list=name, filter=filter, value="" if stored == lists[name].value else stored,
        label="" if shown == usual else shown, **common,
    )  # fmt: skip


def usual_label(one: ChoiceList) -> str:
    """What an itemset of a list shows: the text of the row, or the column that files have."""
    if one.rows:
        return "jr:itext(itextId)" if has_texts(one) else "label"
    return "title" if one.format == "geojson" else "label"


def has_texts(one: ChoiceList) -> bool:
    """Whether the labels of a list need texts by language; else they stand in the rows."""
    return any(
        row.media
        or set(row.label) - {NEUTRAL}
        or "itextId" in row.columns
        or any(expressions(row.label.get(NEUTRAL, "")))
        for row in one.rows
    )


def _predicate(text: str) -> str | None:
    """The one condition in brackets, "" for none; None when there is anything else."""
    if not text:
        return ""
    depth, quote = 0, ""
    for place, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter == "[":
            depth += 1
        elif letter == "]":
            depth -= 1
            if not depth:
                inside = text[1:place].strip()
                return inside if place == len(text) - 1 and text[0] == "[" and inside else None
    return None


def _peeled(nodeset: str) -> tuple[str, bool, str]:
    """A nodeset without ``randomize( , seed)`` around it."""
    text = nodeset.strip()
    if not text.startswith("randomize(") or not text.endswith(")"):
        return text, False, ""
    inside = text[len("randomize(") : -1]
    depth, quote, comma = 0, "", -1
    for place, letter in enumerate(inside):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in "([":
            depth += 1
        elif letter in ")]":
            depth -= 1
            if depth < 0:
                return text, False, ""
        elif letter == "," and depth == 0:
            comma = place
    if comma < 0:
        return inside.strip(), True, ""
    return inside[:comma].strip(), True, inside[comma + 1 :].strip()
