"""What an expression names, found without evaluating it: ``${name}`` and paths. Enough to rename, to expand and to see circles.

Names inside the predicates of ``instance('x')`` are columns of a list and are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

_NAME: Final = r"(?:[^\W\d]|_)[\w.\-·]*"
_STEP: Final = rf"(?:\.\.|\.|@?{_NAME}(?::{_NAME})?|\*)"
_TOKEN: Final = re.compile(
    rf"""(?P<text>'[^']*'|"[^"]*")
    | (?P<short>\$\{{[^{{}}]*\}})
    | (?P<instance>instance\s*\(\s*(?:'[^']*'|"[^"]*")\s*\)(?:\s*/\s*{_STEP})*)
    | (?P<current>current\s*\(\s*\)(?:\s*/\s*{_STEP})*)
    | (?P<path>/\s*{_STEP}(?:\s*/\s*{_STEP})* | (?:\.\.?)(?:\s*/\s*{_STEP})+ | \.\.)
    | (?P<name>{_NAME}(?::{_NAME})?(?:\s*/\s*{_STEP})*(?P<call>\s*\()?)
    | (?P<number>\d+(?:\.\d*)?|\.\d+)
    | (?P<open>\[) | (?P<close>\])
    """,
    re.VERBOSE,
)
_WORDS: Final = frozenset({"and", "or", "div", "mod"})


def names(expression: str) -> Iterator[str]:
    """The names that stand as ``${name}``, or ``${last-saved#name}``."""
    for found in _TOKEN.finditer(expression):
        if found["short"]:
            yield found["short"][2:-1].strip()


def expand(expression: str, path: Callable[[str], str]) -> str:
    """``expression`` with every ``${name}`` replaced by ``path(name)``."""
    if "${" not in expression:
        return expression
    return _TOKEN.sub(lambda found: path(found["short"][2:-1].strip()) if found["short"] else found[0], expression)


def paths(expression: str, here: str, path: Callable[[str], str] | None = None) -> set[str]:
    """Absolute paths of the nodes that ``expression``, standing at ``here``, asks. ``path`` resolves ``${name}``."""
    found: set[str] = set()
    inside: list[bool] = []  # for each open bracket, whether names in it are columns of a list
    last_instance = False
    for token in _TOKEN.finditer(expression):
        kind = token.lastgroup
        if kind == "call":
            kind = "name"
        if kind == "open":
            inside.append(last_instance)
        elif kind == "close" and inside:
            inside.pop()
        elif kind == "short" and path is not None:
            found.add(path(token["short"][2:-1].strip()))
        elif kind == "current":
            found.add(resolve(token["current"].partition(")")[2].lstrip(" /") or ".", here))
        elif kind == "path" and (token["path"].startswith("/") or not inside):
            found.add(resolve(token["path"], here))
        elif (
            kind == "name"
            and not inside
            and not token["call"]
            and not _operator(token["name"], expression, token.start())
        ):
            found.add(resolve(token["name"], here))
        last_instance = kind == "instance" or (kind == "close" and last_instance)
    return found


def instances(expression: str) -> set[str]:
    """The names of the lists that ``expression`` asks by ``instance('name')``."""
    found = set()
    for token in _TOKEN.finditer(expression):
        if token["instance"]:
            found.add(re.split("['\"]", token["instance"])[1])
    return found


def resolve(path: str, here: str) -> str:
    """The absolute path that ``path`` means at the node ``here``."""
    steps = [] if path.startswith("/") else [step for step in here.split("/") if step]
    for step in (part.strip() for part in path.split("/")):
        if step == "..":
            steps = steps[:-1]
        elif step not in ("", "."):
            steps.append(step)
    return "/" + "/".join(steps)


def _operator(word: str, expression: str, place: int) -> bool:
    """Whether ``and``, ``or``, ``div``, ``mod`` stand between two operands, not as names of nodes."""
    before = expression[:place].rstrip()
    return word in _WORDS and bool(before) and before[-1] not in "([,=<>+-*|/"
