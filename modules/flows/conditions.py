"""Simple conditions as data: ``{"all": [{"path": "event.form", "is": "barber-licence", "says": {…}}]}``.

They are total (a value of the wrong type is a plain no) and they explain themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from modules.contract import Json
from modules.flows.references import look

GROUPS: Final = ("all", "any", "not")
TESTS: Final = ("is", "is_not", "in", "at_least", "at_most", "contains", "exists")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a condition holds, and each simple test that was asked, in order."""

    holds: bool
    tests: list[dict[str, Any]] = field(default_factory=list)  # {"path", "test", "wanted", "found", "holds", "says"?}


def judge(condition: Json | None, scope: Mapping[str, Any]) -> Verdict:
    """Judge ``condition``; none always holds. Every test is asked, so that the history shows all of them."""
    tests: list[dict[str, Any]] = []
    return Verdict(_holds(condition, scope, tests) if condition else True, tests)


def _holds(condition: Json, scope: Mapping[str, Any], tests: list[dict[str, Any]]) -> bool:
    for group, join in (("all", all), ("any", any)):
        if group in condition:
            held = [_holds(inner, scope, tests) for inner in condition[group]]  # all of them, for the history
            return join(held)
    if "not" in condition:
        return not _holds(condition["not"], scope, tests)
    name = next(test for test in TESTS if test in condition)
    there, found = look(scope, condition["path"])
    holds = _asked(name, condition[name], there, found)
    said = {"says": dict(condition["says"])} if "says" in condition else {}
    tests.append(
        {
            "path": condition["path"],
            "test": name,
            "wanted": condition[name],
            "found": _short(found),
            "holds": holds,
            **said,
        }
    )
    return holds


def _asked(test: str, wanted: Any, there: bool, found: Any) -> bool:
    """One test. A value of another type is simply not equal, not larger and contains nothing."""
    if test == "exists":
        return (there and found not in (None, "", [], {})) is bool(wanted)
    if test == "is":
        return _same(found, wanted)
    if test == "is_not":
        return not _same(found, wanted)
    if test == "in":
        return any(_same(found, one) for one in wanted)
    if test == "contains":
        if isinstance(found, list):
            return any(_same(one, wanted) for one in found)
        return isinstance(found, str) and isinstance(wanted, str) and wanted in found
    if not _number(found):
        return False
    return bool(found >= wanted) if test == "at_least" else bool(found <= wanted)


def _same(one: Any, two: Any) -> bool:
    return type(one) is type(two) and bool(one == two)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _short(value: Any) -> Any:
    """What the history keeps of a found value."""
    if isinstance(value, str):
        return value[:80]
    return value if value is None or isinstance(value, bool | int | float) else "…"
