"""Operators as closures: as much as can be known of the operands' kinds is decided while compiling."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, Final

from modules.forms.xpath.code import Code, as_boolean, as_number, constant, scalar
from modules.forms.xpath.nodes import Context, Scalar
from modules.forms.xpath.values import ARITHMETIC, CLOSE, ORDER, Kind, boolean, number, same, scalars

_FAST: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "+": operator.add, "-": operator.sub, "*": operator.mul,
}  # fmt: skip
_NEVER_A_DATE: Final = (Kind.NUMBER, Kind.BOOLEAN)
Call = Callable[[Context], Any]


def negation(inner: Code) -> Code:
    if inner.constant is not None:
        return constant(-number(inner.constant))
    get = as_number(inner)
    return Code(Kind.NUMBER, lambda context: -get(context))


def connective(word: str, operands: Sequence[Code]) -> Code:
    """``and`` and ``or`` stop at the first operand that decides."""
    tests = [as_boolean(code) for code in operands]
    if len(tests) == 2:
        a, b = tests
        if word == "and":
            return Code(Kind.BOOLEAN, lambda context: a(context) and b(context))
        return Code(Kind.BOOLEAN, lambda context: a(context) or b(context))
    if word == "and":
        return Code(Kind.BOOLEAN, lambda context: all(test(context) for test in tests))
    return Code(Kind.BOOLEAN, lambda context: any(test(context) for test in tests))


# --- arithmetic


def arithmetic(first: Code, rest: Sequence[tuple[str, Code]]) -> Code:
    fixed = [(sign, code.constant) for sign, code in rest if code.constant is not None]
    if first.constant is not None and len(fixed) == len(rest):
        value: Scalar = first.constant
        for sign, operand in fixed:
            value = ARITHMETIC[sign](value, operand)
        return constant(value)
    made = first
    if len(rest) <= 4:
        for sign, code in rest:
            made = Code(Kind.NUMBER, _two(sign, made, code))
        return made
    return Code(Kind.NUMBER, _chain(first, rest))


def _two(sign: str, left: Code, right: Code) -> Call:
    if sign == "-" and not (left.kind in _NEVER_A_DATE or right.kind in _NEVER_A_DATE):
        return _careful(operator.sub, ARITHMETIC["-"], scalar(left), scalar(right))
    a, b = as_number(left), as_number(right)
    if sign in ("div", "mod"):
        slow = ARITHMETIC[sign]
        return lambda context: slow(a(context), b(context))
    if right.constant is not None:
        return _with_constant(sign, a, number(right.constant))
    if sign == "+":
        return lambda context: a(context) + b(context)
    if sign == "-":
        return lambda context: a(context) - b(context)
    return lambda context: a(context) * b(context)


def _with_constant(sign: str, a: Call, fixed: float) -> Call:
    if sign == "+":
        return lambda context: a(context) + fixed
    if sign == "-":
        return lambda context: a(context) - fixed
    return lambda context: a(context) * fixed


def _chain(first: Code, rest: Sequence[tuple[str, Code]]) -> Call:
    """A long sum or product in a loop: closures inside each other would be as deep as it is long."""
    begin = scalar(first)
    parts = [(ARITHMETIC[sign], scalar(code)) for sign, code in rest]

    def call(context: Context) -> Scalar:
        value = begin(context)
        for work, get in parts:
            value = work(value, get(context))
        return value

    return call


def _careful(fast: Callable[[Any, Any], Any], slow: Callable[[Any, Any], Any], a: Call, b: Call) -> Call:
    """``fast`` for two numbers, ``slow`` when a date or a text is among them."""

    def call(context: Context) -> Any:
        x, y = a(context), b(context)
        return fast(x, y) if type(x) is float and type(y) is float else slow(x, y)

    return call


# --- comparing


def comparison(sign: str, left: Code, right: Code) -> Code:
    if Kind.BOOLEAN in (left.kind, right.kind) and sign in ("=", "!="):
        p, q = as_boolean(left), as_boolean(right)
        if sign == "=":
            return Code(Kind.BOOLEAN, lambda context: p(context) == q(context))
        return Code(Kind.BOOLEAN, lambda context: p(context) != q(context))
    if Kind.NODES in (left.kind, right.kind):
        return Code(Kind.BOOLEAN, _of_nodes(sign, left, right))
    return Code(Kind.BOOLEAN, _ordered(sign, left, right) if sign in ORDER else _equal(sign == "=", left, right))


def _ordered(sign: str, left: Code, right: Code) -> Call:
    if left.kind is not Kind.NUMBER and right.kind is not Kind.NUMBER:
        return _careful(_FAST[sign], ORDER[sign], left.call, right.call)
    a, b = as_number(left), as_number(right)
    if right.constant is None:
        fast = _FAST[sign]
        return lambda context: fast(a(context), b(context))
    fixed = number(right.constant)
    if sign == "<":
        return lambda context: a(context) < fixed
    if sign == "<=":
        return lambda context: a(context) <= fixed
    if sign == ">":
        return lambda context: a(context) > fixed
    return lambda context: a(context) >= fixed


def _equal(wanted: bool, left: Code, right: Code) -> Call:
    a, b = left.call, right.call
    if left.kind is Kind.STRING and right.kind is Kind.STRING:
        return lambda context: (a(context) == b(context)) is wanted
    if Kind.NUMBER in (left.kind, right.kind):
        x, y = as_number(left), as_number(right)

        def near(context: Context) -> bool:
            p, q = x(context), y(context)
            return (p == q or abs(p - q) < CLOSE) is wanted

        return near
    return lambda context: same(a(context), b(context)) is wanted


def _of_nodes(sign: str, left: Code, right: Code) -> Call:
    """Sets: true when one pair of values fits. One node beside one value, the usual case, goes straight."""
    test: Callable[[Scalar, Scalar], bool]
    test = ORDER.get(sign, same if sign == "=" else _different)
    if right.kind is not Kind.NODES:
        return _nodes_and_value(test, left.call, right.call)
    if left.kind is not Kind.NODES:
        return _nodes_and_value(lambda a, b: test(b, a), right.call, left.call)
    a, b = left.call, right.call

    def call(context: Context) -> bool:
        p, q = a(context), b(context)
        if len(p) == 1 and len(q) == 1:
            return test(p[0].value, q[0].value)
        context.spend(len(p) * len(q))
        return any(test(x, y) for x in scalars(p) for y in scalars(q))

    return call


def _nodes_and_value(test: Callable[[Scalar, Scalar], bool], nodes: Call, value: Call) -> Call:
    def call(context: Context) -> bool:
        found, other = nodes(context), value(context)
        if len(found) == 1:
            return test(found[0].value, other)
        if isinstance(other, bool):  # only in < and >: a set beside a boolean is one
            return test(float(any(boolean(node.value) for node in found)), other)
        context.spend(len(found))
        return any(test(x, other) for x in scalars(found))

    return call


def _different(a: Scalar, b: Scalar) -> bool:
    return not same(a, b)
