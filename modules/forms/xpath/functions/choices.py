"""Functions over chosen answers and over the words of a form."""

from __future__ import annotations

from modules.forms.xpath.functions.registry import function
from modules.forms.xpath.nodes import Context


@function("selected(string, string)", "boolean", "choices", "Whether the choice is one of those that are chosen.")
def _selected(chosen: str, choice: str) -> bool:
    return choice.strip() in (chosen.split() or [""])  # nothing chosen is the choice of nothing


@function("is-selected(string, string)", "boolean", "choices", "The same as selected.", since="JavaRosa")
def _is_selected(chosen: str, choice: str) -> bool:
    return choice.strip() in (chosen.split() or [""])


@function(
    "selected-at(string, number)",
    "string",
    "choices",
    "The chosen one at a place counted from 0; empty when there is none.",
)
def _selected_at(chosen: str, place: float) -> str:
    found = chosen.split()
    return found[int(place)] if 0 <= place < len(found) else ""


@function("count-selected(string)", "number", "choices", "How many are chosen.")
def _count_selected(chosen: str) -> float:
    return float(len(chosen.split()))


@function(
    "jr:choice-name(string, string)", "string", "choices",
    "The label of a choice in the language of the form: the choice, the question's path as text.", asks=True,
)  # fmt: skip
def _choice_name(context: Context, choice: str, path: str) -> str:
    return context.world.choice_name(path.strip(), choice)


@function("jr:itext(string)", "string", "choices", "The text of that id in the language of the form.", asks=True)
def _itext(context: Context, id: str) -> str:
    return context.world.itext(id)


@function(
    "property(string)",
    "string",
    "choices",
    "What the device says of itself: deviceid, username.",
    asks=True,
    since="JavaRosa",
)
def _property(context: Context, name: str) -> str:
    return context.world.property(name)
