"""The types of XForms' XPath and how each becomes another. Nothing here can fail: what is no number is NaN, what is not there is empty.

Where XPath 1.0 and JavaRosa differ see docs/decisions/034: an empty set of nodes is an empty text, several nodes are the first of
them for a single value and each of them in a comparison.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Final

from modules.forms.xpath import days
from modules.forms.xpath.nodes import Nodes, Scalar

NAN: Final = math.nan
CLOSE: Final = 1e-12  # numbers nearer than this are equal: 0.1 + 0.2 = 0.3, as on every device that runs ODK's forms
_NUMBER: Final = re.compile(r"[ \t\r\n]*-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)[ \t\r\n]*")


class Kind(Enum):
    """What an expression gives, as far as it is known before it runs. ANY is one value of a kind that answers decide."""

    NUMBER = "number"
    STRING = "string"
    BOOLEAN = "boolean"
    NODES = "nodeset"
    DATE = "date"  # a date or a dateTime, or an empty text
    ANY = "any"


def number(value: Scalar) -> float:
    """NaN for an empty text; dates are days since 1970, those written in a text as well."""
    if isinstance(value, float):
        return value
    if isinstance(value, str):
        return number_of_text(value)
    if isinstance(value, bool):
        return 1.0 if value else 0.0
    return days.days(value)


def number_of_text(text: str) -> float:
    if _NUMBER.fullmatch(text):
        return float(text)
    if len(text) > 7 and (moment := days.when(text)) is not None:
        return days.days(moment)
    return NAN


def string(value: Scalar) -> str:
    """Numbers without an exponent; ``true`` and ``false``; dates as XML Schema writes them."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return text_of_number(value)
    return days.iso(value)


def text_of_number(value: float) -> str:
    if value.is_integer():
        return str(int(value)) if abs(value) < 1e16 else format(Decimal(repr(value)), "f")
    if value != value:
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    written = repr(value)
    return format(Decimal(written), "f") if "e" in written else written


def boolean(value: Scalar) -> bool:
    """A number that is neither 0 nor NaN, a text that is not empty, a date."""
    if isinstance(value, float):
        return value == value and value != 0.0
    if isinstance(value, str):
        return value != ""
    return value if isinstance(value, bool) else True


def moment(value: Scalar) -> date | datetime | None:
    """The date or dateTime that ``value`` is, writes, or counts in days; None when it is none."""
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        return days.when(value)
    if isinstance(value, float) and math.isfinite(value):
        return days.day_of(value) if value.is_integer() else days.moment_of(value)
    return None


# --- sets of nodes


def first(nodes: Nodes) -> Scalar:
    return nodes[0].value if nodes else ""


def boolean_of_nodes(nodes: Nodes) -> bool:
    """That of its one node's value: an unanswered question is false. A group is true, and so are several nodes."""
    if len(nodes) == 1:
        value = nodes[0].value
        return bool(nodes[0].elements()) if value == "" else boolean(value)
    return len(nodes) > 1


def scalars(operand: Scalar | Nodes) -> list[Scalar]:
    """The values that a comparison looks at; a set without nodes counts as one empty text."""
    if isinstance(operand, float | str | bool | date):
        return [operand]
    return [node.value for node in operand] or [""]


# --- comparing


def same(a: Scalar, b: Scalar) -> bool:
    """By the stronger of both types: boolean, number, date, text."""
    if isinstance(a, str) and isinstance(b, str):
        return a == b
    if isinstance(a, bool) or isinstance(b, bool):
        return boolean(a) == boolean(b)
    if isinstance(a, float) or isinstance(b, float):
        x, y = number(a), number(b)
        return x == y or abs(x - y) < CLOSE
    return _same_moment(a, b)


def _same_moment(a: Scalar, b: Scalar) -> bool:
    x, y = moment(a), moment(b)
    if x is None or y is None:
        return string(a) == string(b)
    if isinstance(x, datetime) and isinstance(y, datetime):
        return x == y
    return _day(x) == _day(y)


def _day(value: date | datetime) -> date:
    return days.local(value).date() if isinstance(value, datetime) else value


def paired(a: Scalar, b: Scalar) -> tuple[float, float]:
    """Both as numbers. A date beside a moment is the midnight in Phnom Penh at which it begins, so that today is not after now."""
    if isinstance(a, float) and isinstance(b, float):
        return a, b
    x, y = _timed(a), _timed(b)
    if isinstance(x, datetime) and isinstance(y, date) and not isinstance(y, datetime):
        y = days.midnight(y)
    elif isinstance(y, datetime) and isinstance(x, date) and not isinstance(x, datetime):
        x = days.midnight(x)
    return number(x), number(y)


def _timed(value: Scalar) -> Scalar:
    """A text that writes a date or dateTime as one; everything else as it is."""
    if isinstance(value, str) and len(value) > 7 and (found := days.when(value)) is not None:
        return found
    return value


def less(a: Scalar, b: Scalar) -> bool:
    x, y = paired(a, b)
    return x < y


def at_most(a: Scalar, b: Scalar) -> bool:
    x, y = paired(a, b)
    return x <= y


ORDER: Final[dict[str, Callable[[Scalar, Scalar], bool]]] = {
    "<": less, "<=": at_most, ">": lambda a, b: less(b, a), ">=": lambda a, b: at_most(b, a),
}  # fmt: skip


# --- arithmetic by IEEE 754: nothing raises


def add(a: Scalar, b: Scalar) -> float:
    return number(a) + number(b)


def subtract(a: Scalar, b: Scalar) -> float:
    x, y = paired(a, b)
    return x - y


def multiply(a: Scalar, b: Scalar) -> float:
    return number(a) * number(b)


def divide(a: Scalar, b: Scalar) -> float:
    x, y = number(a), number(b)
    if y != 0.0:
        return x / y
    if x == 0.0 or x != x:
        return NAN
    return math.copysign(math.inf, x) * math.copysign(1.0, y)


def modulo(a: Scalar, b: Scalar) -> float:
    """With the sign of the first, as XPath says."""
    x, y = number(a), number(b)
    if y == 0.0 or math.isinf(x) or x != x or y != y:
        return NAN
    return math.fmod(x, y)


ARITHMETIC: Final[dict[str, Callable[[Scalar, Scalar], float]]] = {
    "+": add, "-": subtract, "*": multiply, "div": divide, "mod": modulo,
}  # fmt: skip
