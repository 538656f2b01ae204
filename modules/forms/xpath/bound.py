"""References of an expression settled on the place of its form where it stands.

``${name}`` becomes the path of that question. An absolute path is bound to the rows that the expression itself stands in:
``/data/row/x`` read from ``/data/row/y`` is ``../x``, the ``x`` of the same row (XForms specification of ODK, «A Big Deviation»).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from modules.contract import Refused
from modules.forms.xpath.syntax import (
    Arithmetic,
    Call,
    Comparison,
    Connective,
    Field,
    Negation,
    Node,
    Path,
    Start,
    Step,
    Text,
    Union,
)  # fmt: skip

Names = tuple[str, ...]
UP = Step("parent", None)
LAST_SAVED = "last-saved#"


def bind(node: Node, find: Callable[[str], Names | None]) -> Node:
    """``node`` with every ``${name}`` as an absolute path. ``Refused("FM-309")`` when ``find`` knows no such question."""

    def go(one: Node) -> Node:
        match one:
            case Field():
                return _field(one, find)
            case Path():
                return _path(one, go)
            case Call("jr:choice-name", (value, Text() as quoted)) if quoted.value.strip().startswith("${"):
                path = _field(Field(quoted.value.strip()[2:-1].strip(), quoted.place), find)
                return replace(one, arguments=(go(value), replace(quoted, value=written(path))))
            case Call():
                return replace(one, arguments=tuple(go(argument) for argument in one.arguments))
            case Negation():
                return replace(one, operand=go(one.operand))
            case Arithmetic():
                return replace(one, first=go(one.first), rest=tuple((sign, go(operand)) for sign, operand in one.rest))
            case Comparison():
                return replace(one, left=go(one.left), right=go(one.right))
            case Connective() | Union():
                return replace(one, operands=tuple(go(operand) for operand in one.operands))
            case _:
                return one

    return go(node)


def _field(field: Field, find: Callable[[str], Names | None]) -> Path:
    """``${last-saved#x}`` is the ``x`` of what was saved last, a list of its own."""
    names = find(field.name.removeprefix(LAST_SAVED))
    if names is None:
        raise Refused("FM-309", name=field.name[:60], place=field.place)
    path = absolute(names, field.place)
    if not field.name.startswith(LAST_SAVED):
        return path
    saved = Call("instance", (Text("__last-saved", field.place),), field.place)
    return Path(Start.EXPRESSION, path.steps, field.place, saved)


def written(path: Path) -> str:
    """A plain absolute path as text."""
    return "".join(f"/{step.name}" for step in path.steps)


def absolute(names: Names, place: int) -> Path:
    return Path(Start.ROOT, tuple(Step("child", name) for name in names), place)


def _path(path: Path, go: Callable[[Node], Node]) -> Node:
    if path.origin is None and not any(step.predicates for step in path.steps):
        return path
    steps = tuple(replace(step, predicates=tuple(go(one) for one in step.predicates)) for step in path.steps)
    origin = None if path.origin is None else go(path.origin)
    filters = tuple(go(one) for one in path.filters)
    if isinstance(origin, Path) and origin.start is not Start.EXPRESSION and not filters:
        return Path(origin.start, origin.steps + steps, path.place)  # ${group}/x
    return replace(path, steps=steps, origin=origin, filters=filters)


def settle(path: Path, at: Names) -> Path:
    """An absolute path as one from the node at ``at``, as far as both go the same way; other paths as they are."""
    if path.start is not Start.ROOT or not at:
        return path
    shared = 0
    for name, step in zip(at, path.steps, strict=False):
        if step.name != name or step.predicates or step.axis != "child":
            break
        shared += 1
    if not shared:
        return path
    return Path(Start.CURRENT, (UP,) * (len(at) - shared) + path.steps[shared:], path.place)


def names_of(path: Path, at: Names) -> Names | None:
    """The names from the root element to what ``path`` means, without predicates; None when it is not that plain."""
    way: list[str] = [] if path.start is Start.ROOT else list(at)
    if path.start is Start.EXPRESSION:
        return None
    for step in path.steps:
        if step.axis == "parent" and step.name is None and way:
            way.pop()
        elif step.axis == "child" and step.name not in (None, "*"):
            way.append(str(step.name))
        else:
            return None
    return tuple(way)
