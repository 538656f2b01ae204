"""XML from outside, within bounds and without entities, as a small tree that keeps prefixes; and the tree as text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from modules.contract import Refused

SIZE_LIMIT: Final = 16_000_000  # bytes
DEEPEST: Final = 100
MOST_ELEMENTS: Final = 500_000
XMLNS: Final = "http://www.w3.org/XML/1998/namespace"
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(slots=True, eq=False)
class Element:
    """``name`` and the names of attributes are ``{namespace}local``, or only ``local``."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element | str] = field(default_factory=list)
    line: int = 0

    @property
    def space(self) -> str:
        return self.name[1:].partition("}")[0] if self.name.startswith("{") else ""

    @property
    def local(self) -> str:
        return self.name.rpartition("}")[2]

    def elements(self) -> Iterator[Element]:
        return (child for child in self.children if isinstance(child, Element))

    def find(self, name: str) -> Element | None:
        return next((child for child in self.elements() if child.name == name), None)

    def text(self) -> str:
        """The text that stands in it directly."""
        return "".join(child for child in self.children if isinstance(child, str))

    def every(self) -> Iterator[Element]:
        """It and all below it, in document order."""
        waiting = [self]
        while waiting:
            one = waiting.pop()
            yield one
            waiting.extend(reversed(list(one.elements())))


@dataclass(frozen=True, slots=True)
class Document:
    root: Element
    prefixes: Mapping[str, str]  # namespace → the first prefix that it had


class _Grower:
    """Builds the tree, and stops where it grows beyond its bounds."""

    def __init__(self) -> None:
        self.root: Element | None = None
        self.prefixes: dict[str, str] = {}
        self.parser: Any = None
        self._open: list[Element] = []
        self._count = 0

    def start_ns(self, prefix: str, space: str) -> None:
        if not self.prefixes.get(space):
            self.prefixes[space] = prefix or ""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._count += 1
        if self._count > MOST_ELEMENTS:
            raise ValueError(f"more than {MOST_ELEMENTS} elements")
        if len(self._open) >= DEEPEST:
            raise ValueError(f"nested deeper than {DEEPEST}")
        made = Element(name, dict(attributes), line=self.parser.parser.CurrentLineNumber)
        if self._open:
            self._open[-1].children.append(made)
        else:
            self.root = made
        self._open.append(made)

    def end(self, _name: str) -> None:
        self._open.pop()

    def data(self, text: str) -> None:
        if self._open:
            inside = self._open[-1].children
            if inside and isinstance(inside[-1], str):
                inside[-1] += text
            else:
                inside.append(text)

    def close(self) -> None:
        """Nothing is held open."""


def read_xml(data: bytes, *, name: str = "") -> Document:
    """The tree of ``data``. ``Refused``: FM-403 too large, FM-402 not well formed, or with entities or a document type."""
    from xml.etree.ElementTree import ParseError

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser

    if len(data) > SIZE_LIMIT:
        raise Refused("FM-403", form=name, reason=f"larger than {SIZE_LIMIT} bytes")
    grower = _Grower()
    parser = DefusedXMLParser(target=grower, forbid_dtd=True)
    grower.parser = parser
    try:
        parser.feed(data)
        parser.close()
    except DefusedXmlException as error:
        raise Refused("FM-402", form=name, reason=f"entities or a document type: {type(error).__name__}") from error
    except (ParseError, ValueError, LookupError) as error:
        raise Refused("FM-402", form=name, reason=str(error)[:200]) from error
    if grower.root is None:
        raise Refused("FM-402", form=name, reason="empty")
    return Document(grower.root, grower.prefixes)


def same(one: Element, other: Element) -> bool:
    """Whether two trees say the same: white space between elements and the order of attributes say nothing."""
    waiting = [(one, other)]
    while waiting:
        left, right = waiting.pop()
        if left.name != right.name or left.attributes != right.attributes:
            return False
        inside, beside = _content(left), _content(right)
        if len(inside) != len(beside):
            return False
        for mine, its in zip(inside, beside, strict=True):
            if isinstance(mine, Element) and isinstance(its, Element):
                waiting.append((mine, its))
            elif mine != its:
                return False
    return True


def _content(element: Element) -> list[Element | str]:
    """What stands in an element, without the white space that lays out others."""
    if not any(isinstance(child, Element) for child in element.children):
        return list(element.children)
    return [
        child
        for child in element.children
        if isinstance(child, Element) or child.strip() or (child and "\n" not in child)
    ]


def write_xml(root: Element, prefixes: Mapping[str, str], *, layout: bool = True) -> str:
    """``root`` as text. ``prefixes`` are namespace → prefix: the first with "" is the default of the whole, others with "" become
    the default where they are used; every prefix is declared on the root.

    ``Refused("FM-404")`` when a text holds a character that XML cannot carry.
    """
    used = _spaces(root)
    names = dict(prefixes)
    default = next((space for space, prefix in names.items() if not prefix), "")
    free = (f"n{number}" for number in range(len(used) + len(names)) if f"n{number}" not in names.values())
    names |= dict(zip(sorted(used - set(names) - {"", XMLNS}), free, strict=False))
    declared = "".join(
        f' xmlns{":" if prefix else ""}{prefix}="{_attribute(space)}"'
        for space, prefix in names.items()
        if prefix or (space and space == default)
    )
    return "".join(_write(root, {**names, XMLNS: "xml"}, declared, default, layout))


def _spaces(root: Element) -> set[str]:
    found = set()
    for element in root.every():
        for name in (element.name, *element.attributes):
            if name.startswith("{"):
                found.add(name[1:].partition("}")[0])
    return found


def _qualified(name: str, names: Mapping[str, str], *, attribute: bool = False) -> str:
    space, _, local = name[1:].rpartition("}") if name.startswith("{") else ("", "", name)
    prefix = names.get(space, "")
    if attribute and space and not prefix:  # a default namespace does not hold for attributes
        raise Refused("FM-404", reason=f"the attribute {local} has no prefix")
    return f"{prefix}:{local}" if prefix else local


def _write(root: Element, names: Mapping[str, str], declared: str, default: str, layout: bool) -> Iterator[str]:
    """Without recursion: a stack of elements and of texts that are already written."""
    waiting: list[tuple[Element | str, int]] = [(root, 0)]
    scopes: dict[int, str] = {id(root): default}  # the default namespace where an element stands
    while waiting:
        one, depth = waiting.pop()
        if isinstance(one, str):
            yield one
            continue
        scope = scopes.pop(id(one))
        tag, more = _qualified(one.name, names), declared if one is root else ""
        mine = one.space
        if (not names.get(mine)) and mine != scope:  # it is in the default namespace of its own
            more += f' xmlns="{_attribute(mine)}"'
            scope = mine
        attributes = "".join(
            f' {_qualified(name, names, attribute=True)}="{_attribute(value)}"'
            for name, value in one.attributes.items()
        )
        content = _content(one) if layout else list(one.children)
        if not content:
            yield f"<{tag}{more}{attributes}/>"
            continue
        yield f"<{tag}{more}{attributes}>"
        lines = layout and all(isinstance(child, Element) for child in content)
        waiting.append((f"\n{' ' * depth}</{tag}>" if lines else f"</{tag}>", 0))
        for child in reversed(content):
            if isinstance(child, str):
                waiting.append((_text(child), 0))
                continue
            scopes[id(child)] = scope
            waiting.append((child, depth + 1))
            if lines:
                waiting.append(("\n" + " " * (depth + 1), 0))


def _text(text: str) -> str:
    if _FORBIDDEN.search(text):
        raise Refused("FM-404", reason=repr(text[:40]))
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def _attribute(text: str) -> str:
    return _text(text).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")
