"""A plain tree of answers in memory: for trying an expression, for tests, and for lists that come with a form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from modules.forms.xpath.nodes import Scalar
from modules.forms.xpath.values import string


class Element:
    """One element; ``add`` puts children into it."""

    __slots__ = ("_by_name", "_elements", "name", "parent", "position", "value")

    def __init__(self, name: str, value: Scalar = "") -> None:
        self.name = name
        self.value = value
        self.parent: Element | None = None
        self.position = 1
        self._by_name: dict[str, list[Element]] = {}
        self._elements: list[Element] = []

    def add(self, child: Element) -> Element:
        """Put ``child`` behind the others; returns it."""
        same = self._by_name.setdefault(child.name, [])
        same.append(child)
        child.parent, child.position = self, len(same)
        self._elements.append(child)
        return child

    def children(self, name: str) -> Sequence[Element]:
        return self._by_name.get(name, ())

    def elements(self) -> Sequence[Element]:
        return self._elements

    def __repr__(self) -> str:
        return f"<{self.name}[{self.position}] {string(self.value)!r}>"


def document(root: Element) -> Element:
    """The document above a root element."""
    above = Element("")
    above.add(root)
    return above


def from_answers(answers: Mapping[str, Any], name: str = "data") -> Element:
    """A document whose root ``name`` holds ``answers``: objects are groups, lists of objects repeats, other lists choices."""
    root = Element(name)
    _fill(root, answers)
    return document(root)


def _fill(parent: Element, answers: Mapping[str, Any]) -> None:
    for name, answer in answers.items():
        rows = answer if isinstance(answer, list) and answer and isinstance(answer[0], Mapping) else [answer]
        for row in rows:
            child = parent.add(Element(name))
            if isinstance(row, Mapping):
                _fill(child, row)
            else:
                child.value = _scalar(row)


def _scalar(answer: Any) -> Scalar:
    if answer is None:
        return ""
    if isinstance(answer, bool | str | date):
        return answer
    if isinstance(answer, int | float):
        return float(answer)
    if isinstance(answer, list):
        return " ".join(string(_scalar(one)) for one in answer)
    return str(answer)


def from_rows(rows: Iterable[Mapping[str, str]]) -> Element:
    """A list as ``instance('x')`` gives it: ``root`` with one ``item`` a row."""
    root = Element("root")
    for row in rows:
        item = root.add(Element("item"))
        for column, text in row.items():
            item.add(Element(column, text))
    return document(root)
