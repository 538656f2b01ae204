"""What can be proved about a condition by looking at it: comparisons with fixed values that exclude each other.

``and`` and ``or`` at the top are understood, and equality, order and ``selected()`` of one node with one value; whatever else
stands in a condition is taken as possible. So what is called impossible is so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

MOST: Final = 64  # ways that are looked at
LONGEST: Final = 4_000  # characters of a condition that is looked at
_NODE: Final = r"(?:\$\{[^{}]+\}|\.{1,2}(?:/[^\s/=<>!()\[\]]+)*|/[^\s=<>!()\[\]]+)"
_VALUE: Final = r"(?:'[^']*'|\"[^\"]*\"|-?\d+(?:\.\d+)?)"
_COMPARED: Final = re.compile(rf"^(?:number\(\s*)?({_NODE})\s*\)?\s*(=|!=|<=|>=|<|>)\s*({_VALUE})$")
_TURNED: Final = re.compile(rf"^({_VALUE})\s*(=|!=|<=|>=|<|>)\s*({_NODE})$")
_SELECTED: Final = re.compile(rf"^selected\(\s*({_NODE})\s*,\s*({_VALUE})\s*\)$")
_MIRROR: Final = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "!=": "!="}


@dataclass(frozen=True, slots=True)
class Atom:
    """``sign`` is a comparison, ``has`` for a chosen value, ``never`` for ``false()``."""

    node: str
    sign: str
    value: str


def ways(expression: str) -> list[list[Atom]] | None:
    """The ways in which a condition can hold, each a list of what must hold together; None when there are too many to look at."""
    if len(expression) > LONGEST:
        return None
    found: list[list[Atom]] = []
    for part in parted(_bare(expression), " or "):
        branches: list[list[Atom]] = [[]]
        for piece in parted(_bare(part), " and "):
            inner = _bare(piece)
            if len(parted(inner, " or ")) > 1:
                deeper = ways(inner)
                if deeper is None or len(branches) * len(deeper) > MOST:
                    return None
                branches = [[*branch, *more] for branch in branches for more in deeper]
            else:
                atom = _atom(inner)
                branches = [[*branch, *([atom] if atom else [])] for branch in branches]
        found += branches
        if len(found) > MOST:
            return None
    return found


def together(conditions: Sequence[list[list[Atom]]]) -> list[list[Atom]] | None:
    """The ways in which all conditions hold at once."""
    made: list[list[Atom]] = [[]]
    for one in conditions:
        if len(made) * len(one) > MOST:
            return None
        made = [[*branch, *more] for branch in made for more in one]
    return made


def contradiction(
    way: Sequence[Atom], codes: Callable[[str], frozenset[str] | None], single: Callable[[str], bool]
) -> str:
    """Why a way cannot be gone; "" when it may be. ``codes`` are the choices of a node, ``single`` whether it holds one value."""
    for atom in way:
        if atom.sign == "never":
            return "false()"
        known = codes(atom.node)
        asks = atom.sign == "has" or (atom.sign == "=" and single(atom.node))
        if asks and known is not None and atom.value and atom.value not in known:
            return f"{atom.node} = {atom.value!r}"
    for node in {atom.node for atom in way}:
        mine = [atom for atom in way if atom.node == node]
        equal = {atom.value for atom in mine if atom.sign == "=" or (atom.sign == "has" and single(node))}
        if len(equal) > 1 and not _same_numbers(equal):
            return f"{node} = " + " and ".join(sorted(repr(one) for one in equal))
        if equal & {atom.value for atom in mine if atom.sign == "!="}:
            return f"{node} = and != {min(equal)!r}"
        if reason := outside(node, mine):
            return reason
    return ""


def outside(node: str, atoms: Sequence[Atom]) -> str:
    """Whether the bounds of a number leave none."""
    low, high = Decimal("-Infinity"), Decimal("Infinity")
    open_low = open_high = False
    for atom in atoms:
        number = _number(atom.value)
        if number is None or atom.sign not in _MIRROR or atom.sign == "!=":
            continue
        if atom.sign in (">", ">=", "=") and (number > low or (number == low and atom.sign == ">")):
            low, open_low = number, atom.sign == ">"
        if atom.sign in ("<", "<=", "=") and (number < high or (number == high and atom.sign == "<")):
            high, open_high = number, atom.sign == "<"
    if low > high or (low == high and (open_low or open_high)):
        return f"{node} >{'' if open_low else '='} {low} and <{'' if open_high else '='} {high}"
    return ""


def _same_numbers(values: set[str]) -> bool:
    numbers = {_number(value) for value in values}
    return len(numbers) == 1 and None not in numbers


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _atom(text: str) -> Atom | None:
    if text.replace(" ", "") == "false()":
        return Atom("", "never", "")
    if found := _COMPARED.match(text):
        return Atom(found[1], found[2], found[3].strip("'\""))
    if found := _TURNED.match(text):
        return Atom(found[3], _MIRROR[found[2]], found[1].strip("'\""))
    if found := _SELECTED.match(text):
        return Atom(found[1], "has", found[2].strip("'\""))
    return None


def _bare(text: str) -> str:
    """``text`` without brackets around the whole."""
    text = " ".join(text.split()) if "'" not in text and '"' not in text else text.strip()
    for _ in range(MOST):
        if not (text.startswith("(") and text.endswith(")") and _closes(text) == len(text) - 1):
            break
        text = text[1:-1].strip()
    return text


def _closes(text: str) -> int:
    """Where the bracket that opens ``text`` closes."""
    for place, depth in _depths(text):
        if depth == 0:
            return place
    return -1


def parted(text: str, word: str) -> list[str]:
    """``text`` at every ``word`` outside brackets and quotes."""
    found, start = [], 0
    outside = {place for place, depth in _depths(text) if depth == 0}
    place = 0
    while place < len(text):
        if place in outside and text[place : place + len(word)] == word:
            found.append(text[start:place])
            start = place + len(word)
            place = start - 1  # the blank behind a word may be the one before the next
        place += 1
    return [part.strip() for part in (*found, text[start:])]


def _depths(text: str) -> Iterator[tuple[int, int]]:
    """Every place outside quotes with its depth in brackets; a closing bracket has the depth outside."""
    depth, quote = 0, ""
    for place, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
            continue
        if letter in "'\"":
            quote = letter
            continue
        if letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        yield place, depth
