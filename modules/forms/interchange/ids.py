"""Permanent ids made from the names of nodes: the same names give the same ids again."""

from __future__ import annotations

import re


class Ids:
    """Gives every item an id that no other item has."""

    def __init__(self, taken: set[str] | None = None) -> None:
        self._taken = taken if taken is not None else set()
        self._next: dict[str, int] = {}

    def make(self, name: str, above: str = "") -> str:
        """The id of a node ``name``: the name in lower case, with the id of its group before it when it is taken."""
        plain = slug(name)
        options = [plain] + ([f"{above}_{plain}"[:40].rstrip("_")] if above else [])
        for option in options:
            if option not in self._taken:
                self._taken.add(option)
                return option
        number = self._next.get(plain, 2)
        while (option := f"{plain[: 39 - len(str(number))]}_{number}") in self._taken:
            number += 1
        self._taken.add(option)
        self._next[plain] = number + 1
        return option


def slug(name: str) -> str:
    """``name`` as an id, not yet unique."""
    plain = re.sub("[^a-z0-9_]+", "_", name.lower()).strip("_")
    if not plain or not plain[0].isascii() or not plain[0].isalpha():
        plain = f"q_{plain}".rstrip("_")
    return plain[:40].rstrip("_")


def form_slug(name: str) -> str:
    """``name`` as the id of a form."""
    plain = re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")
    if not plain or not plain[0].isalpha():
        plain = f"form-{plain}".rstrip("-")
    return plain[:60].rstrip("-").ljust(3, "x")
