"""Reading an ``INSERT … VALUES (:a, :b)`` statement, so that many rows can go into the database in one piece."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_INSERT: Final = re.compile(
    r"\s*INSERT INTO (\w+) \(([\w\s,]+)\)\s*VALUES \(([:\w\s,]+)\)\s*(ON CONFLICT(?: \([\w\s,]+\))? DO NOTHING)?\s*"
)


@dataclass(frozen=True, slots=True)
class Insert:
    """Such a statement in its parts: every value is a parameter, ``names`` in the order of ``columns``."""

    table: str
    columns: tuple[str, ...]
    names: tuple[str, ...]
    tail: str  # "ON CONFLICT … DO NOTHING" or ""


@lru_cache(maxsize=64)
def read(sql: str) -> Insert | None:
    """The parts of ``sql``; None when it is another statement."""
    found = _INSERT.fullmatch(sql)
    if found is None:
        return None
    columns, values = ([part.strip() for part in found[group].split(",")] for group in (2, 3))
    if len(columns) != len(values) or not all(value.startswith(":") for value in values):
        return None
    return Insert(found[1], tuple(columns), tuple(value[1:] for value in values), found[4] or "")
