"""What an expression is evaluated over: nodes of a form's answers and of its lists, and a place among them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Final, Protocol

from modules.contract import Refused

if TYPE_CHECKING:
    from modules.forms.xpath.world import World

Scalar = float | str | bool | date | datetime
MOST_NODES: Final = 2_000_000  # nodes that one evaluation may look at: a list of 100,000 rows twenty times


class Node(Protocol):
    """One element. What is not relevant is not there: the engine leaves it out of ``children``.

    ``value`` is what the question's type makes of the text: a number for int and decimal, a date, a dateTime, a boolean,
    else the text itself; an empty string where nothing was answered. ``position`` counts from 1 among siblings of one name.
    """

    @property
    def name(self) -> str: ...
    @property
    def parent(self) -> Node | None: ...
    @property
    def value(self) -> Scalar: ...
    @property
    def position(self) -> int: ...
    def children(self, name: str) -> Sequence[Node]: ...
    def elements(self) -> Sequence[Node]:
        """Every child in the order of the document."""


Nodes = Sequence[Node]


class Context:
    """Where an expression stands. ``current`` stays while predicates move ``node``; ``spent`` counts nodes looked at."""

    __slots__ = ("current", "node", "position", "root", "size", "spent", "world")

    def __init__(self, world: World, node: Node) -> None:
        self.world = world
        self.root = world.root
        self.node = node
        self.current = node
        self.position = 0  # 0 outside of predicates
        self.size = 0
        self.spent = 0

    def move(self, node: Node) -> None:
        """Stand at ``node`` for the next evaluation."""
        self.node = self.current = node

    def spend(self, nodes: int) -> None:
        """``Refused("FM-311")`` when one evaluation has looked at too many."""
        self.spent += nodes
        if self.spent > MOST_NODES:
            raise Refused("FM-311", most=MOST_NODES)


Getter = Callable[[Context], Scalar]
