"""What an expression says, as a frozen tree. Chains of one precedence are one node, so that a long sum is not a deep one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal


class Start(Enum):
    """Where a path begins."""

    ROOT = "/"
    HERE = "."  # the context node; inside a predicate the node that is tested
    CURRENT = "current()"  # the node whose expression it is, inside predicates too
    EXPRESSION = "(…)"  # the nodes that another expression gives: instance('x'), randomize(…)


Axis = Literal[
    "child", "parent", "self", "descendants"
]  # "descendants" is what // stands for: the node and all below it
Logic = Literal["and", "or"]
Comparing = Literal["=", "!=", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Number:
    value: float
    place: int


@dataclass(frozen=True, slots=True)
class Text:
    value: str
    place: int


@dataclass(frozen=True, slots=True)
class Field:
    """``${name}``: the question of that name, bound to a path before it is compiled."""

    name: str
    place: int


@dataclass(frozen=True, slots=True)
class Step:
    """``name`` is None for ``node()`` (and for ``.`` and ``..``), "*" for every element."""

    axis: Axis
    name: str | None
    predicates: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Path:
    start: Start
    steps: tuple[Step, ...]
    place: int
    origin: Node | None = None  # with Start.EXPRESSION
    filters: tuple[Node, ...] = ()  # predicates right behind the origin: (…)[1]


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: tuple[Node, ...]
    place: int


@dataclass(frozen=True, slots=True)
class Negation:
    operand: Node
    place: int


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """``first op operand op operand …``: ``+ -`` or ``* div mod``, from left to right."""

    first: Node
    rest: tuple[tuple[str, Node], ...]
    place: int


@dataclass(frozen=True, slots=True)
class Comparison:
    operator: Comparing
    left: Node
    right: Node
    place: int


@dataclass(frozen=True, slots=True)
class Connective:
    operator: Logic
    operands: tuple[Node, ...]
    place: int


@dataclass(frozen=True, slots=True)
class Union:
    operands: tuple[Node, ...]
    place: int


Node = Number | Text | Field | Path | Call | Negation | Arithmetic | Comparison | Connective | Union


def children(node: Node) -> tuple[Node, ...]:
    """The expressions directly inside ``node``, those in predicates too."""
    match node:
        case Path():
            inside = () if node.origin is None else (node.origin,)
            return inside + node.filters + tuple(one for step in node.steps for one in step.predicates)
        case Call():
            return node.arguments
        case Negation():
            return (node.operand,)
        case Arithmetic():
            return (node.first, *(operand for _, operand in node.rest))
        case Comparison():
            return (node.left, node.right)
        case Connective() | Union():
            return node.operands
        case _:
            return ()
