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
    | (?P<word>(?<=[\s)\]'"}}\w.])(?:and|or|div|mod)(?=[\s(/'"$.]))
    | (?P<name>{_NAME}(?::{_NAME})?(?:\s*/\s*{_STEP})*(?P<call>\s*\()?)
    | (?P<number>\d+(?:\.\d*)?|\.\d+)
    | (?P<open>\[) | (?P<close>\])
    """,
    re.VERBOSE,
)


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


def paths(expression: str, here: str, path: Callable[[str], str] | None = None, *, predicates: bool = True) -> set[str]:
    """Absolute paths of the nodes that ``expression``, standing at ``here``, asks. ``path`` resolves ``${name}``.

    Without ``predicates`` those that are chosen by a condition in brackets, such as another row of a repeat, are left out.
    """
    found: set[str] = set()
    open_: list[str] = []  # the path before each open bracket; "" when it belongs to a list
    last, end = "", -1  # the path before this place, and where it ended
    chosen = False
    for token in _TOKEN.finditer(expression):
        kind = "name" if token.lastgroup == "call" else token.lastgroup
        adjoins, end = token.start() == end, token.end()
        if kind == "open":
            open_.append(last if adjoins else "")
            if not predicates:
                found.discard(last)
        elif kind == "close":
            last = open_.pop() if open_ else ""
            chosen = True
            continue
        elif kind == "short" and path is not None:
            last = path(token["short"][2:-1].strip())
            found.add(last)
        elif kind == "current":
            last = resolve(token["current"].partition(")")[2].lstrip(" /") or ".", here)
            found.add(last)
        elif kind == "path" and chosen and adjoins and token["path"].startswith("/"):
            last = resolve(last + token["path"], here) if last else ""
            if last and predicates:
                found.add(last)
        elif kind == "path" and (token["path"].startswith("/") or not open_):
            last = resolve(token["path"], here)
            found.add(last)
        elif kind == "name" and not open_ and not token["call"]:
            last = resolve(token["name"], here)
            found.add(last)
        else:
            last = ""
        chosen = False
    return {one for one in found if one and "*" not in one and "@" not in one}


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
