"""Functions over chosen answers and over the words of a form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from modules.contract import Refused
from modules.forms.xpath.bound import Names, names_of
from modules.forms.xpath.code import Code, as_string
from modules.forms.xpath.functions.registry import built, function
from modules.forms.xpath.nodes import Context
from modules.forms.xpath.parse import parse
from modules.forms.xpath.syntax import Call, Path, Text
from modules.forms.xpath.values import Kind

if TYPE_CHECKING:
    from modules.forms.xpath.compile import Compiler


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


@built(
    "jr:choice-name(string, string)", "string", "choices",
    "The label of a choice in the language of the form: the choice, the question's path as text.",
)  # fmt: skip
def _choice_name(compiler: Compiler, call: Call, codes: Sequence[Code]) -> Code:
    choice, path = as_string(codes[0]), as_string(codes[1])
    named = call.arguments[1]
    if isinstance(named, Text):
        whole = _whole(named.value, compiler.at)
        return Code(Kind.STRING, lambda context: context.world.choice_name(whole, choice(context)))
    return Code(Kind.STRING, lambda context: context.world.choice_name(path(context).strip(), choice(context)))


def _whole(text: str, at: Names) -> str:
    """A path in quotes from the root element down: ``../x`` as ``/data/row/x``; as it is when it is none."""
    try:
        path = parse(text)
    except Refused:
        return text.strip()
    names = names_of(path, at) if isinstance(path, Path) else None
    return "/" + "/".join(names) if names else text.strip()


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
