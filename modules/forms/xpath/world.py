"""What expressions ask besides their nodes: lists, the clock, chance, words. An engine overrides what it knows better."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from i18n.dates import PHNOM_PENH
from modules.forms.xpath.nodes import Node, Nodes, Scalar


class World:
    """``root`` is the document: its one child is the root element of the answers. ``instances`` holds the other documents by id.

    ``texts`` are those of the form in its language by id, ``choices`` labels by the question's path and the choice, ``device`` what
    it says of itself. ``seed`` makes chance the same each time.
    """

    def __init__(
        self,
        root: Node,
        instances: Mapping[str, Node] | None = None,
        *,
        language: str = "en",
        texts: Mapping[str, str] | None = None,
        choices: Mapping[tuple[str, str], str] | None = None,
        device: Mapping[str, str] | None = None,
        seed: int | None = None,
    ) -> None:
        self.root = root
        self.language = language
        self._instances = instances or {}
        self._texts = texts or {}
        self._choices = choices or {}
        self._device = device or {}
        self._random = random.SystemRandom() if seed is None else random.Random(seed)
        self._indexes: dict[tuple[str, tuple[str, ...], str], dict[str, list[Node]] | None] = {}

    def instance(self, id: str) -> Node | None:
        """The document of a list: its child is ``root``, whose children are the ``item`` elements."""
        return self._instances.get(id)

    def select(self, id: str, path: tuple[str, ...], where: Sequence[tuple[str, str]]) -> Nodes | None:
        """The nodes at ``path`` of instance ``id`` whose columns hold exactly these texts, in the document's order.

        None when there is no index for it: then every node is looked at. Lists do not change while they are open.
        """
        (column, text), *others = where
        key = (id, path, column)
        if key not in self._indexes:
            self._indexes[key] = self._index(id, path, column)
        index = self._indexes[key]
        if index is None:
            return None
        found: Nodes = index.get(text, ())
        for column, text in others:
            found = [node for node in found if text in _values(node, column)]
        return found

    def _index(self, id: str, path: tuple[str, ...], column: str) -> dict[str, list[Node]] | None:
        """Nodes by the texts of one column; None when a column holds something else than texts."""
        above = self.instance(id)
        if above is None:
            return None
        nodes: list[Node] = [above]
        for name in path:
            nodes = [child for node in nodes for child in node.children(name)]
        made: dict[str, list[Node]] = {}
        for node in nodes:
            for value in dict.fromkeys(_values(node, column)):
                if not isinstance(value, str):
                    return None
                made.setdefault(value, []).append(node)
        return made

    def now(self) -> datetime:
        return datetime.now(PHNOM_PENH)

    def random(self) -> float:
        """At least 0, below 1."""
        return self._random.random()

    def uuid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def itext(self, id: str) -> str:
        """The text of that id in the language of the form; empty when there is none."""
        return self._texts.get(id, "")

    def choice_name(self, path: str, value: str) -> str:
        """The label of the choice ``value`` of the question at ``path``; empty when there is none."""
        return self._choices.get((path, value), "")

    def property(self, name: str) -> str:
        """What the device says of itself: deviceid, username; empty when it says nothing."""
        return self._device.get(name, "")


def _values(node: Node, column: str) -> list[Scalar]:
    return [child.value for child in node.children(column)] or [""]
