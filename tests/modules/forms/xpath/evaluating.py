"""One small form that the tests of expressions ask."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from i18n.dates import PHNOM_PENH
from modules.contract import Refused
from modules.forms.xpath import Context, Kind, Scalar, World, compile_expression, files, tree
from modules.forms.xpath.values import string

ANSWERS: dict[str, Any] = {
    "a": 5, "b": 7, "half": 0.5, "empty": None, "zero": 0, "word": "hello world", "chosen": "a c", "flag": True, "number_text": "12",
    "birth": date(2012, 1, 31), "at": datetime(2012, 1, 31, 10, 30, tzinfo=PHNOM_PENH), "ឈ្មោះ": "សុខ",
    "point": "11.5 104.9 0 0", "shape": "11.5 104.9;11.5 104.95;11.55 104.95;11.55 104.9;11.5 104.9",
    "group": {"x": 7, "y": "seven"},
    "row": [
        {"x": 1, "y": "a", "z": None, "sub": [{"q": 10}, {"q": 11}]},
        {"x": 2, "y": "b", "z": 4.5, "sub": [{"q": 20}]},
        {"x": 3, "y": "c", "z": -1, "sub": [{"q": 30}]},
    ],
    "out": None,
}  # fmt: skip
FIELDS = {"a": ("data", "a"), "x": ("data", "row", "x"), "chosen": ("data", "chosen")}
FRUIT = [
    {"name": "a", "label": "Apple", "grp": "1"}, {"name": "b", "label": "Banana", "grp": "1"},
    {"name": "c", "label": "Cherry", "grp": "2"}, {"name": "d", "label": "Durian", "grp": "2"},
]  # fmt: skip


class Still(World):
    """A world whose clock stands."""

    def now(self) -> datetime:
        return datetime(2026, 11, 23, 14, 2, 3, 456000, tzinfo=PHNOM_PENH)


def world(language: str = "en") -> Still:
    return Still(
        tree.from_answers(ANSWERS), {"fruit": tree.from_rows(FRUIT), "__last-saved": tree.from_answers({"a": 41})},
        language=language, seed=7,
        texts={"hello": "សួស្តី"}, choices={("/data/chosen", "a"): "ផ្លែប៉ោម"}, device={"username": "sokha"},
    )  # fmt: skip


def value(expression: str, place: str = "/data/out", language: str = "en") -> Scalar | list[str]:
    """What ``expression`` gives at ``place``: nodes as a list of their texts."""
    around = world(language)
    names, node = files.place(around, place)
    made = compile_expression(expression, at=names, find=FIELDS.get)
    context = Context(around, node)
    if made.kind is Kind.NODES:
        return [string(one.value) for one in made.nodes(context)]
    return made.value(context)


def refusal(work: Callable[[], object]) -> str | None:
    """The code with which ``work`` is refused; None when it is done."""
    try:
        work()
    except Refused as refused:
        return refused.code
    return None
