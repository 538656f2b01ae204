"""FormSG's logic as conditions of an XForm: its fix-point says which questions can be shown, and by which answers.

A question without units is shown; one with units when all conditions of one unit hold, each of a question that is itself shown
and answered. An answer of a question that is not relevant is empty in an XForm, so «shown» need not be said again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from modules.forms.model.first import quoted

EQUALS: Final = "is equals to"
_COMPARE: Final[Mapping[str, str]] = {
    "is less than or equal to": "<=",
    "is more than or equal to": ">=",
}
EITHER: Final = "is either"
MOST_PAIRS: Final = 4_000  # of a condition and a question that it shows
_NUMBERS: Final = frozenset({"number", "decimal", "rating"})


@dataclass(frozen=True, slots=True)
class Condition:
    """``field`` is FormSG's id."""

    field: str
    state: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """All ``conditions`` together show ``shows``, or forbid to finish with ``message``."""

    conditions: tuple[Condition, ...]
    shows: tuple[str, ...] = ()
    message: str | None = None


@dataclass
class Logic:
    """The units that count. ``ignored`` are numbers of units that name a deleted question; ``cut`` ids whose circle was opened."""

    units: list[Unit] = field(default_factory=list)
    ignored: list[int] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)


def read_units(source: Sequence[Mapping[str, Any]], fields: Mapping[str, Mapping[str, Any]]) -> Logic:
    """The units of ``form_logics``. ``ValueError``, ``KeyError`` or ``TypeError`` when they are not FormSG's."""
    logic = Logic()
    pairs = 0
    for number, unit in enumerate(source, 1):
        pairs += len(unit["conditions"]) * max(1, len(unit.get("show") or ()))
        if pairs > MOST_PAIRS:
            raise ValueError(f"more than {MOST_PAIRS} pairs of condition and question")
        conditions = tuple(_condition(one) for one in unit["conditions"])
        if not conditions or any(one.field not in fields for one in conditions):
            logic.ignored.append(number)
            continue
        if unit["logicType"] == "preventSubmit":
            logic.units.append(Unit(conditions, message=str(unit.get("preventSubmitMessage") or "")))
            continue
        shows = tuple(one for one in map(str, unit.get("show", ())) if one in fields)
        if not shows:
            logic.ignored.append(number)
        else:
            logic.units.append(Unit(conditions, shows))
    return logic


def _condition(source: Mapping[str, Any]) -> Condition:
    value = source["value"]
    values = value if isinstance(value, list) else [value]
    return Condition(str(source["field"]), str(source["state"]), tuple(str(one).strip() for one in values))


def shown_by(logic: Logic) -> dict[str, list[Unit]]:
    """For every question that has units those that can ever show it, without circles. An empty list: it is never shown."""
    wanted: dict[str, list[Unit]] = {}
    for unit in logic.units:
        for id in unit.shows:
            wanted.setdefault(id, []).append(unit)
    reached = _reached(wanted)
    possible = {id: [unit for unit in units if _can(unit, wanted, reached)] for id, units in wanted.items()}
    for id in possible:  # what holds only when the question is shown already adds nothing to a fix-point
        if _asks(possible[id], id, possible):
            before = _reached(possible, without=id)
            possible[id] = [unit for unit in possible[id] if _can(unit, possible, before)]
    for id in possible:  # a circle that is left needs the question in one of several ways: an XForm cannot say that
        if _asks(possible[id], id, possible):
            possible[id] = [unit for unit in possible[id] if not _asks([unit], id, possible)]
            logic.cut.append(id)
    return possible


def _can(unit: Unit, wanted: Mapping[str, list[Unit]], reached: set[str]) -> bool:
    return all(one.field not in wanted or one.field in reached for one in unit.conditions)


def _reached(wanted: Mapping[str, list[Unit]], without: str = "") -> set[str]:
    """The questions with units that some answers can show: the least fix-point, with every condition taken as true."""
    reached: set[str] = set()
    growing = True
    while growing:
        more = {
            id for id, units in wanted.items()
            if id not in reached and id != without and any(_can(unit, wanted, reached) for unit in units)
        }  # fmt: skip
        reached |= more
        growing = bool(more)
    return reached


def _asks(units: Sequence[Unit], id: str, possible: Mapping[str, list[Unit]]) -> bool:
    """Whether ``units`` ask, themselves or by what shows the questions that they ask, whether ``id`` is shown."""
    waiting, seen = [one.field for unit in units for one in unit.conditions], set[str]()
    while waiting:
        place = waiting.pop()
        if place == id:
            return True
        if place not in seen:
            seen.add(place)
            waiting += [one.field for unit in possible.get(place, ()) for one in unit.conditions]
    return False


def expression(unit: Unit, say: Callable[[Condition], str]) -> str:
    """All conditions of a unit."""
    return " and ".join(say(one) for one in unit.conditions)


def either(units: Sequence[Unit], say: Callable[[Condition], str]) -> str:
    """One of several units; ``false()`` when there is none."""
    said = [expression(unit, say) for unit in units]
    if not said:
        return "false()"
    return said[0] if len(said) == 1 else " or ".join(f"({one})" if " and " in one else one for one in said)


def condition(one: Condition, kind: str, node: str, code: Callable[[str], str]) -> str:
    """A condition on ``node``, a question of FormSG's type ``kind``; ``code`` is the code of one of its options."""
    if one.state in _COMPARE:
        number = _number(one.values[0]) if one.values else None
        return f"number({node}) {_COMPARE[one.state]} {number}" if number is not None else "false()"
    said = [_equal(value, kind, node, code) for value in one.values] if one.state in (EQUALS, EITHER) else []
    if not said:
        return "false()"
    return said[0] if len(said) == 1 else "(" + " or ".join(said) + ")"


def _equal(value: str, kind: str, node: str, code: Callable[[str], str]) -> str:
    if kind in _NUMBERS:
        number = _number(value)
        return f"number({node}) = {number}" if number is not None else "false()"
    if kind == "yes_no":
        return f"{node} = '{value.lower()}'"
    return f"{node} = {quoted(code(value))}"


def _number(text: str) -> str | None:
    """A number as XPath writes it."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number.adjusted()) > 30:
        return None
    return format(number, "f")
