"""References into what a flow knows: ``{{event.person.km}}``. Names and places only: nothing is computed, nothing is called."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from modules.contract import Refused

_REFERENCE: Final = re.compile(r"\{\{\s*([^{}\s][^{}]*?)\s*\}\}")
LONGEST: Final = 20_000  # characters of one filled text


def places(value: Any) -> Iterator[str]:
    """Every path that ``value`` refers to, in order."""
    if isinstance(value, str):
        yield from (found[1] for found in _REFERENCE.finditer(value))
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from places(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from places(inner)


def look(scope: Mapping[str, Any], path: str) -> tuple[bool, Any]:
    """Whether ``path`` (``event.items.0.name``) leads to something in ``scope``, and what."""
    here: Any = scope
    for part in path.split("."):
        if isinstance(here, Mapping) and part in here:
            here = here[part]
        elif (
            isinstance(here, Sequence)
            and not isinstance(here, str | bytes)
            and part.isdecimal()
            and int(part) < len(here)
        ):
            here = here[int(part)]
        else:
            return False, None
    return True, here


def fill(value: Any, scope: Mapping[str, Any], absent: Callable[[str], Any] | None = None) -> Any:
    """``value`` with its references replaced: one that stands alone keeps its type, one inside a text becomes text.

    A path that leads nowhere is what ``absent`` makes of it, else ``Refused("FL-020")``. What is filled in is never read
    for references again.
    """
    if isinstance(value, str):
        return _text(value, scope, absent)
    if isinstance(value, Mapping):
        return {name: fill(inner, scope, absent) for name, inner in value.items()}
    if isinstance(value, list):
        return [fill(inner, scope, absent) for inner in value]
    return value


def _text(value: str, scope: Mapping[str, Any], absent: Callable[[str], Any] | None) -> Any:
    if "{{" not in value:
        return value

    def at(path: str) -> Any:
        found, there = look(scope, path)
        if found:
            return there
        if absent is None:
            raise Refused("FL-020", path=path)
        return absent(path)

    alone = _REFERENCE.fullmatch(value)
    if alone:
        return at(alone[1])
    filled = _REFERENCE.sub(lambda found: _word(at(found[1]), found[1]), value)
    if len(filled) > LONGEST:
        raise Refused("FL-021", limit=LONGEST)
    return filled


def _word(value: Any, path: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Refused("FL-020", path=path)  # a list, a map or nothing is no word of a sentence
    return str(value)
