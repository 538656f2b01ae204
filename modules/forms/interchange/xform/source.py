"""One XForm taken apart: its head, its primary instance, its lists, binds, texts and actions, before they become items."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from modules.contract import Refused
from modules.forms.interchange import languages
from modules.forms.interchange.xform.names import JR, XHTML, Names, document_prefixes, media_name, x
from modules.forms.interchange.xml import Document, Element
from modules.forms.model import inline
from modules.forms.model.diagnostics import Diagnostic
from modules.forms.model.form import EVENTS, NEUTRAL, Action, Words
from modules.forms.model.references import resolve

_ITEXT: Final = re.compile(r"""^\s*jr:itext\(\s*(?:'([^']*)'|"([^"]*)")\s*\)\s*$""")
_ACTIONS: Final = {"setvalue": "set", "odk:setgeopoint": "geopoint", "odk:recordaudio": "audio"}
_ON: Final = {event: name for name, event in EVENTS.items()}
Text = dict[str, dict[str, str]]  # form of the text ("" is the plain one) → language → text


@dataclass(slots=True)
class Aimed:
    """An action with the path of the node that it fills."""

    path: str
    action: Action


@dataclass
class Source:
    """The parts. ``note`` collects what is to be said about them."""

    document: Document
    title: str = ""
    names: Names = field(default_factory=lambda: Names({}))
    model: Element = field(default_factory=lambda: Element("model"))
    body: Element = field(default_factory=lambda: Element("body"))
    primary: Element = field(default_factory=lambda: Element("instance"))
    lists: dict[str, Element] = field(default_factory=dict)
    binds: dict[str, Element] = field(default_factory=dict)
    bind_ids: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)  # name of a language → tag
    texts: dict[str, Text] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    aimed: list[Aimed] = field(default_factory=list)
    unknown: list[Element] = field(default_factory=list)
    notes: list[Diagnostic] = field(default_factory=list)

    @property
    def root(self) -> str:
        return f"/{self.short(self.primary)}"

    def short(self, node: Element) -> str:
        """The name of a node of the primary instance: without prefix in the root's own namespace."""
        return self.names.short(node.name, self.primary.space)

    def note(self, code: str, where: str = "", line: int = 0, **values: object) -> None:
        self.notes.append(
            Diagnostic(
                code=code, grade="note", where=where, row=line or None, sheet="XML" if line else "", values=values
            )
        )

    # --- texts

    def words(self, address: str, role: str, usual: str, kept: dict[str, str]) -> Text:
        """The text that ``jr:itext('…')`` names; ``kept`` remembers an id that is not the ``usual`` one of its role."""
        found = _ITEXT.match(address)
        if found is None:
            return {"": {NEUTRAL: escaped(address)}} if address.strip() else {}
        id = found[1] or found[2] or ""
        if id != usual:
            kept[role] = id
        self.used.add(id)
        if id not in self.texts:
            self.note("FM-455", id, text=id)
        return self.texts.get(id, {})

    def content(self, element: Element) -> str:
        """The text in an element, ``output`` elements as expressions."""
        pieces: list[inline.Part] = []
        for child in element.children:
            if isinstance(child, str):
                pieces.append((child, False))
            elif child.name == x("output"):
                pieces.append(((child.attributes.get("value") or child.attributes.get("ref") or "").strip(), True))
            else:
                pieces.append((child.text(), False))
                self.note("FM-451", self.names.short(child.name), child.line, element=self.names.short(child.name))
        try:
            return inline.join(pieces).strip()
        except ValueError as error:
            raise Refused("FM-421", form=self.title, text=str(pieces)[:60]) from error

    # --- actions

    def take_action(self, element: Element, of: str, here: str) -> bool:
        """Take ``element`` if it is an action; ``of`` is the id of the item around it."""
        do = _ACTIONS.get(self.names.short(element.name))
        ref = element.attributes.get("ref", "")
        events = element.attributes.get(
            "event", element.attributes.get("{http://www.w3.org/2001/xml-events}event", "")
        ).split()
        if do is None or not ref or not events or not set(events) <= set(_ON):
            return False
        extra = {
            name: value for name, value in self.names.shorts(element.attributes).items()
            if name not in ("ref", "event", "ev:event", "value")
        }  # fmt: skip
        action = Action(
            on=tuple(dict.fromkeys(_ON[event] for event in events)), of=of, do=do,
            value=element.attributes.get("value", "").strip(), text=element.text().strip(), extra=extra,
        )  # fmt: skip
        self.aimed.append(Aimed(resolve(ref, here), action))
        return True


def escaped(text: str) -> str:
    """A text without expressions, as texts of the model are written."""
    return inline.join([(text, False)])


def open_source(document: Document) -> Source:
    """Take ``document`` apart. ``Refused("FM-405")`` when it is no XForm."""
    root = document.root
    head, body = root.find(f"{{{XHTML}}}head"), root.find(f"{{{XHTML}}}body")
    model = head.find(x("model")) if head is not None else None
    if head is None or model is None:
        raise Refused("FM-405", reason="no model")
    title = head.find(f"{{{XHTML}}}title")
    instances = [child for child in model.elements() if child.name == x("instance")]
    first = next(instances[0].elements(), None) if instances else None
    if first is None:
        raise Refused("FM-405", reason="no primary instance")
    made = Source(
        document, "".join(title.text().split("\n")).strip() if title is not None else "",
        Names(document_prefixes(document.prefixes, first.space)), model,
        body if body is not None else Element("body"),
    )  # fmt: skip
    made.primary = first
    for child in model.elements():
        _take(child, made, instances)
    return made


def _take(child: Element, made: Source, instances: list[Element]) -> None:
    name = made.names.short(child.name)
    if name == "instance":
        id = child.attributes.get("id", "")
        if child is not instances[0] and id:
            made.lists.setdefault(id, child)
    elif name == "bind":
        path = resolve(child.attributes.get("nodeset", ""), made.root)
        if path in made.binds:
            made.note("FM-456", path, child.line, path=path)
            return
        made.binds[path] = child
        if own := child.attributes.get("id"):
            made.bind_ids[own] = path
    elif name == "itext":
        _texts(child, made)
    elif name != "submission" and not made.take_action(child, "", made.root):
        made.unknown.append(child)
        made.note("FM-451", "", child.line, element=name)


def _texts(itext: Element, made: Source) -> None:
    """The translations, the default one first."""
    parts = [part for part in itext.elements() if part.name == x("translation")]
    parts.sort(key=lambda part: "default" not in part.attributes)
    named = [part.attributes.get("lang", "") for part in parts]
    if len(set(named)) != len(named):
        raise Refused("FM-405", reason=f"a language stands twice: {named}")
    made.tags = languages.tags(named)
    for part in parts:
        tag = made.tags[part.attributes.get("lang", "")]
        for text in part.elements():
            forms = made.texts.setdefault(text.attributes.get("id", ""), {})
            for value in text.elements():
                kind = value.attributes.get("form", "")
                content = made.content(value)
                forms.setdefault(kind, {}).setdefault(tag, media_name(kind, content) if kind else content)


def plain(text: Text) -> Words:
    """The words of a text."""
    return text.get("", {})


def children(node: Element) -> Iterator[Element]:
    """The children of a node of the instance, without the second and later rows of a repeat."""
    seen: set[str] = set()
    for child in node.elements():
        if child.name not in seen:
            seen.add(child.name)
            yield child


def is_template(node: Element) -> bool:
    return f"{{{JR}}}template" in node.attributes
