"""What an expression is evaluated over: nodes of a form's answers and of its lists, and the world around them."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Final, Protocol

from i18n.dates import PHNOM_PENH
from modules.contract import Refused

Scalar = float | str | bool | date | datetime
MOST_NODES: Final = 5_000_000  # nodes that one evaluation may look at: a list of 100,000 rows fifty times


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


class World:
    """What expressions ask besides their nodes. An engine overrides what it knows better.

    ``root`` is the document: its one child is the root element of the answers. ``instances`` holds the other documents by id.
    """

    def __init__(
        self, root: Node, instances: Mapping[str, Node] | None = None, *, language: str = "en", seed: int | None = None
    ) -> None:
        self.root = root
        self.language = language
        self._instances = dict(instances or {})
        self._random = random.SystemRandom() if seed is None else random.Random(seed)

    def instance(self, id: str) -> Node | None:
        """The document of a list: its child is ``root``, whose children are the ``item`` elements."""
        return self._instances.get(id)

    def select(self, id: str, path: tuple[str, ...], where: Sequence[tuple[str, str]]) -> Nodes | None:
        """The nodes at ``path`` of instance ``id`` whose columns hold exactly these texts, in the document's order.

        None when there is no index for it: then every node is looked at.
        """
        return None

    def now(self) -> datetime:
        return datetime.now(PHNOM_PENH)

    def random(self) -> float:
        """At least 0, below 1."""
        return self._random.random()

    def uuid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def itext(self, id: str) -> str:
        """The text of that id in the language of the form; empty when there is none."""
        return ""

    def choice_name(self, path: str, value: str) -> str:
        """The label of the choice ``value`` of the question at ``path``; empty when there is none."""
        return ""

    def property(self, name: str) -> str:
        """What the device says of itself: deviceid, username…; empty when it says nothing."""
        return ""


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
