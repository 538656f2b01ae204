"""A compiled piece of an expression: a closure with the kind of its result, and how that becomes another kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from modules.forms.xpath.nodes import Context, Nodes, Scalar
from modules.forms.xpath.values import Kind, boolean, boolean_of_nodes, first, number, string


@dataclass(frozen=True, slots=True)
class Code:
    """``call`` gives a sequence of nodes when ``kind`` is NODES, else one value.

    ``single`` is a shorter way to the value of the first node; ``constant`` the value that never changes.
    """

    kind: Kind
    call: Callable[[Context], Any]
    single: Callable[[Context], Scalar] | None = None
    constant: Scalar | None = None


def constant(value: Scalar) -> Code:
    kind = Kind.BOOLEAN if isinstance(value, bool) else Kind.NUMBER if isinstance(value, float) else Kind.STRING
    if not isinstance(value, bool | float | str):
        kind = Kind.DATE
    return Code(kind, lambda _: value, constant=value)


def nodes(call: Callable[[Context], Nodes], single: Callable[[Context], Scalar] | None = None) -> Code:
    return Code(Kind.NODES, call, single or (lambda context: first(call(context))))


def scalar(code: Code) -> Callable[[Context], Scalar]:
    """The one value: that of the first node of a set."""
    return code.single if code.kind is Kind.NODES and code.single is not None else code.call


def as_number(code: Code) -> Callable[[Context], float]:
    if code.kind is Kind.NUMBER:
        return code.call
    if code.constant is not None:
        fixed = number(code.constant)
        return lambda _: fixed
    get = scalar(code)

    def call(context: Context) -> float:
        value = get(context)
        return value if type(value) is float else number(value)

    return call


def as_string(code: Code) -> Callable[[Context], str]:
    if code.kind is Kind.STRING:
        return code.call
    if code.constant is not None:
        fixed = string(code.constant)
        return lambda _: fixed
    get = scalar(code)

    def call(context: Context) -> str:
        value = get(context)
        return value if type(value) is str else string(value)

    return call


def as_boolean(code: Code) -> Callable[[Context], bool]:
    if code.kind is Kind.BOOLEAN:
        return code.call
    if code.constant is not None:
        fixed = boolean(code.constant)
        return lambda _: fixed
    get = code.call
    if code.kind is Kind.NODES:
        return lambda context: boolean_of_nodes(get(context))
    return lambda context: boolean(get(context))
