"""One record that several laptops changed without seeing each other: put together field by field, nothing overwritten unseen.

Every change names the newest changes that its maker had seen (``refs``), so the changes of a record form a graph. Of a field
those values count that no later change *of the same field* has seen and replaced. Is there one, it is the value. Are there
several that differ, they are a conflict: all are kept, one stands for the time being, and a person picks; picking is a
change that has seen them all, and so ends the conflict everywhere.

:func:`merge` is a pure function of the set of changes: in whatever order they come and however often, every laptop that has
the same changes shows the same record and the same conflicts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a record. ``op``: its hash; ``refs``: hashes of changes that its maker had seen; ``values``: new ones."""

    op: str
    refs: frozenset[str]
    values: Mapping[str, Any]
    wall_ms: int = 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of several values of a field. ``op`` is the change that brought it."""

    op: str
    value: Any


@dataclass(frozen=True, slots=True)
class Merged:
    """The record as it stands. ``heads``: the changes that nobody has seen yet; a new change names them all."""

    values: Mapping[str, Any]
    conflicts: Mapping[str, tuple[Candidate, ...]]
    heads: tuple[str, ...]


def merge(root: str, base: Mapping[str, Any], changes: Iterable[Change]) -> Merged:
    """The record that began as ``base`` with the op ``root``, after ``changes``.

    Of a conflict the newest change by its maker's clock stands for the time being (the larger hash, when they are equal).
    """
    known = {change.op: change for change in changes}
    seen = _seen(root, known)
    values, conflicts = dict(base), dict[str, tuple[Candidate, ...]]()
    for field in sorted({field for change in known.values() for field in change.values}):
        writers = [change for change in known.values() if field in change.values]
        last = [one for one in writers if not any(one.op in seen[other.op] for other in writers)] or writers
        last.sort(key=lambda one: (one.wall_ms, one.op), reverse=True)
        values[field] = last[0].values[field]
        if any(one.values[field] != values[field] for one in last):
            conflicts[field] = tuple(Candidate(one.op, one.values[field]) for one in last)
    replaced = set().union(*seen.values()) if seen else set()
    heads = tuple(sorted(op for op in known if op not in replaced)) or (root,)
    return Merged(values, conflicts, heads)


def before(root: str, base: Mapping[str, Any], changes: Iterable[Change], op: str) -> Mapping[str, Any]:
    """The values that the maker of ``op`` had before them: what all the changes that they had seen make together."""
    known = {change.op: change for change in changes}
    seen = _seen(root, known)[op]
    return merge(root, base, [change for change in known.values() if change.op in seen]).values


def _seen(root: str, known: Mapping[str, Change]) -> dict[str, frozenset[str]]:
    """Of each change everything that its maker had seen, as far as it is here. A circle, which no honest hash can make, ends."""
    found: dict[str, frozenset[str]] = {}
    for start in known:
        reached: set[str] = set()
        todo = list(known[start].refs)
        while todo:
            op = todo.pop()
            if op not in reached and op != start:
                reached.add(op)
                todo += found[op] if op in found else known[op].refs if op in known else ()
        found[start] = frozenset(reached | {root})
    return found
