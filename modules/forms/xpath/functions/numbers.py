"""Functions over numbers. Nothing raises: what has no result is NaN or infinite."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import ROUND_FLOOR, Context, Decimal
from typing import Final

from modules.forms.xpath.functions.registry import function
from modules.forms.xpath.nodes import Context as Place
from modules.forms.xpath.nodes import Node, Scalar
from modules.forms.xpath.values import NAN, number

_EXACT: Final = Context(prec=700)


@function(
    "number(value)", "number", "numbers", "The value as a number: NaN when it is none, days since 1970 for a date."
)
def _number(value: Scalar) -> float:
    return number(value)


@function("int(number)", "number", "numbers", "Without what stands behind the point.")
def _int(value: float) -> float:
    return float(math.trunc(value)) if math.isfinite(value) else value


@function(
    "round(number, number?)",
    "number",
    "numbers",
    "To so many places, halves upwards; negative places round tens and hundreds.",
)
def _round(value: float, places: float = 0.0) -> float:
    if not math.isfinite(value):
        return value
    if not abs(places) <= 30:
        return NAN
    scaled = Decimal(repr(value)).scaleb(int(places), _EXACT)
    whole = (scaled + Decimal("0.5")).to_integral_value(ROUND_FLOOR, _EXACT)
    return float(whole.scaleb(-int(places), _EXACT))


@function("abs(number)", "number", "numbers", "Without its sign.")
def _abs(value: float) -> float:
    return abs(value)


def _safe(work: Callable[..., float], *given: float) -> float:
    """IEEE 754 where Python raises: out of the domain is NaN, too large is infinite."""
    try:
        return work(*given)
    except ValueError:
        return NAN
    except OverflowError:
        return math.inf


@function("pow(number, number)", "number", "numbers", "The first to the power of the second.")
def _pow(base: float, power: float) -> float:
    if base == 0.0 and power < 0:
        odd = power.is_integer() and power % 2 == 1
        return math.copysign(math.inf, base) if odd else math.inf
    made = _safe(math.pow, base, power)
    odd = power.is_integer() and power % 2 == 1
    return -made if base < 0 and odd and made == math.inf and math.isfinite(base) else made


@function("log(number)", "number", "numbers", "The natural logarithm.")
def _log(value: float) -> float:
    return -math.inf if value == 0 else _safe(math.log, value)


@function("log10(number)", "number", "numbers", "The logarithm of base 10.")
def _log10(value: float) -> float:
    return -math.inf if value == 0 else _safe(math.log10, value)


@function("sqrt(number)", "number", "numbers", "The square root.")
def _sqrt(value: float) -> float:
    return _safe(math.sqrt, value)


@function("exp(number)", "number", "numbers", "e to that power.")
def _exp(value: float) -> float:
    return _safe(math.exp, value)


@function("exp10(number)", "number", "numbers", "10 to that power.")
def _exp10(value: float) -> float:
    return _safe(math.pow, 10.0, value)


@function("sin(number)", "number", "numbers", "The sine of an angle in radians.")
def _sin(value: float) -> float:
    return _safe(math.sin, value)


@function("cos(number)", "number", "numbers", "The cosine of an angle in radians.")
def _cos(value: float) -> float:
    return _safe(math.cos, value)


@function("tan(number)", "number", "numbers", "The tangent of an angle in radians.")
def _tan(value: float) -> float:
    return _safe(math.tan, value)


@function("asin(number)", "number", "numbers", "The angle of a sine.")
def _asin(value: float) -> float:
    return _safe(math.asin, value)


@function("acos(number)", "number", "numbers", "The angle of a cosine.")
def _acos(value: float) -> float:
    return _safe(math.acos, value)


@function("atan(number)", "number", "numbers", "The angle of a tangent.")
def _atan(value: float) -> float:
    return math.atan(value)


@function("atan2(number, number)", "number", "numbers", "The angle of a point: y first, then x.")
def _atan2(y: float, x: float) -> float:
    return math.atan2(y, x)


@function("pi()", "number", "numbers", "π.")
def _pi() -> float:
    return math.pi


@function("random()", "number", "numbers", "A random number of at least 0 and below 1.", asks=True, fickle=True)
def _random(place: Place) -> float:
    return place.world.random()


@function("sum(nodes)", "number", "numbers", "The sum of a set; rows without an answer count nothing.")
def _sum(nodes: list[Node]) -> float:
    return float(sum(_answered([node.value for node in nodes])))


@function(
    "max(value*)", "number", "numbers", "The largest; rows without an answer count nothing, none at all gives NaN."
)
def _max(*values: Scalar) -> float:
    return _extreme(max, values)


@function(
    "min(value*)", "number", "numbers", "The smallest; rows without an answer count nothing, none at all gives NaN."
)
def _min(*values: Scalar) -> float:
    return _extreme(min, values)


def _extreme(choose: Callable[[list[float]], float], values: tuple[Scalar, ...]) -> float:
    found = _answered(values)
    return choose(found) if found and not any(one != one for one in found) else NAN


def _answered(values: tuple[Scalar, ...] | list[Scalar]) -> list[float]:
    return [value if type(value) is float else number(value) for value in values if value != ""]
