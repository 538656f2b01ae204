"""What an expression reads, found without running it: for the graph of what has to be computed again.

Paths are names from the root element down. ``shared`` says how many of them are the very nodes that the expression stands in:
``../x`` at ``/data/row/y`` reads ``("data", "row", "x")`` and shares two, so only the ``x`` of the same row concerns it; with
``shared == 1`` every row does. ``*`` stands for any name, ``**`` for any number of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from modules.forms.xpath.bound import Names, names_of, settle
from modules.forms.xpath.functions import FUNCTIONS
from modules.forms.xpath.nodes import Getter
from modules.forms.xpath.paths import local, plain
from modules.forms.xpath.syntax import Call, Comparison, Connective, Node, Path, Start, Step, Text, children

AGGREGATES: Final = frozenset({"sum", "count", "count-non-empty", "max", "min", "join", "concat"})


@dataclass(frozen=True, slots=True)
class Read:
    """``instance`` is the list that is read, None for the answers."""

    path: Names
    shared: int = 0
    instance: str | None = None


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One value of all nodes at a plain path: what can be kept while rows come and go. ``separator`` is that of ``join``."""

    function: str
    read: Read
    separator: str = ""


@dataclass(frozen=True, slots=True)
class Lookup:
    """``instance('x')/root/item[column = … and …]``: what an index of those columns answers."""

    instance: str
    path: Names
    columns: Names


@dataclass(frozen=True, slots=True)
class Reads:
    """``fickle`` is set when the same answers may give another value: today, now, random."""

    reads: frozenset[Read]
    aggregates: tuple[Aggregate, ...]
    lookups: tuple[Lookup, ...]
    fickle: bool


class Binder(Protocol):
    """What an engine knows a shorter way to. None means: go the way of the tree."""

    def value(self, read: Read) -> Getter | None:
        """The value of the one node at a plain path from the own place."""

    def aggregate(self, aggregate: Aggregate) -> Getter | None:
        """The value that is kept for all nodes at a plain path."""


def reads(node: Node, at: Names) -> Reads:
    """Everything that ``node``, standing at ``at``, reads."""
    found: set[Read] = set()
    aggregates: list[Aggregate] = []
    lookups: list[Lookup] = []
    fickle = False
    for kind in _walk(node, Read(at, len(at)), Read(at, len(at))):
        match kind:
            case Read():
                found.add(kind)
            case Aggregate():
                aggregates.append(kind)
            case Lookup():
                lookups.append(kind)
            case _:
                fickle = True
    return Reads(frozenset(found), tuple(aggregates), tuple(lookups), fickle)


_FICKLE: Final = "fickle"
_Found = Read | Aggregate | Lookup | str


def _walk(node: Node, here: Read, current: Read) -> Iterator[_Found]:
    if isinstance(node, Path):
        yield from _path(node, here, current)
        return
    if isinstance(node, Call):
        yield from _call(node, here, current)
        return
    for child in children(node):
        yield from _walk(child, here, current)


def _call(call: Call, here: Read, current: Read) -> Iterator[_Found]:
    function = FUNCTIONS.get(call.name)
    if function is not None and function.fickle:
        yield _FICKLE
    if (made := aggregate(call, current.path)) is not None and here == current:
        yield made
    match call.name:
        case "once" | "current":
            yield current
        case "position" | "string-length" | "normalize-space" if not call.arguments:
            yield here
        case "pulldata" if all(isinstance(one, Text) for one in call.arguments[:3]):
            id, wanted, column = (one.value for one in call.arguments[:3] if isinstance(one, Text))
            yield Lookup(id, ("root", "item"), (column,))
            yield Read(("root", "item", wanted), 0, id)
            yield Read(("root", "item", column), 0, id)
        case "indexed-repeat":
            yield from _indexed(call, here, current)
            return
    for argument in call.arguments:
        yield from _walk(argument, here, current)


def _indexed(call: Call, here: Read, current: Read) -> Iterator[_Found]:
    """The question in any row of the first numbered repeat, and the repeats themselves."""
    paths = [names_of(one, current.path) for one in call.arguments[:1] + call.arguments[1::2] if isinstance(one, Path)]
    outer = min((len(path) - 1 for path in paths[1:] if path), default=0)
    for path in paths:
        if path:
            common = next(
                (at for at, (a, b) in enumerate(zip(path, current.path, strict=False)) if a != b), len(current.path)
            )
            yield Read(tuple(local(name) for name in path), min(outer, common, len(path)))
    for argument in call.arguments[2::2]:
        yield from _walk(argument, here, current)


# --- paths


def _path(path: Path, here: Read, current: Read) -> Iterator[_Found]:
    settled = settle(path, current.path)
    if (lookup := lookup_of(settled)) is not None:
        yield Lookup(lookup.instance, lookup.path, tuple(column for column, _ in lookup.where))
    place: Read | None
    match settled.start:
        case Start.ROOT:
            place = Read(())
        case Start.HERE:
            place = here
        case Start.CURRENT:
            place = current
        case _:
            place = None
            if isinstance(settled.origin, Call) and settled.origin.name == "instance":
                place = Read((), 0, _text(settled.origin))
            elif settled.origin is not None:
                yield from _walk(settled.origin, here, current)
                place = _place_of(settled.origin, here, current)
    for one in settled.filters:
        yield from _walk(one, place or here, current)
    for step in settled.steps:
        place = None if place is None else _further(place, step)
        for one in step.predicates:
            yield from _walk(one, place or Read(("**",)), current)
    yield place if place is not None else Read(("**",))


def _text(call: Call) -> str:
    argument = call.arguments[0] if call.arguments else None
    return argument.value if isinstance(argument, Text) else "*"


def _place_of(origin: Node, here: Read, current: Read) -> Read | None:
    """Where the nodes of ``randomize(path)`` or ``(path)`` stand; None when that is not plain."""
    if isinstance(origin, Call) and origin.name == "randomize" and origin.arguments:
        return _place_of(origin.arguments[0], here, current)
    if isinstance(origin, Path):
        *_, last = _path(origin, here, current)
        return last if isinstance(last, Read) else None
    return None


def _further(place: Read, step: Step) -> Read:
    if step.axis == "parent":
        path = (*place.path, "..") if place.path[-1:] == ("**",) else place.path[:-1]
        return Read(path, min(place.shared, len(path)), place.instance)
    if step.axis == "self":
        return place
    name = "**" if step.axis == "descendants" else local(step.name or "*")
    return Read((*place.path, name), place.shared, place.instance)


def plain_read(path: Path, at: Names) -> Read | None:
    """What a path without predicates, wildcards and lists reads; None for any other."""
    settled = settle(path, at)
    found = plain(settled.steps)
    if found is None or settled.start is Start.EXPRESSION:
        return None
    ups, names = found
    if settled.start is Start.ROOT:
        return Read(names) if not ups else None
    if ups > len(at):
        return None
    above = at[: len(at) - ups]
    return Read(above + names, len(above))


def aggregate(call: Call, at: Names) -> Aggregate | None:
    """``call`` as one value of all nodes at a plain path; None when it is something else."""
    if call.name not in AGGREGATES or not call.arguments:
        return None
    separator, path = "", call.arguments[-1]
    if call.name == "join":
        if len(call.arguments) != 2 or not isinstance(call.arguments[0], Text):
            return None
        separator = call.arguments[0].value
    elif len(call.arguments) != 1:
        return None
    read = plain_read(path, at) if isinstance(path, Path) else None
    return None if read is None else Aggregate(call.name, read, separator)


# --- look-ups in lists


@dataclass(frozen=True, slots=True)
class Where:
    """The taken-apart filter: at step ``step`` of the path these columns equal these expressions, and ``rest`` holds too."""

    instance: str
    path: Names
    step: int
    where: tuple[tuple[str, Node], ...]
    rest: tuple[Node, ...]


def lookup_of(path: Path) -> Where | None:
    """``path`` as a look-up; None when no column is compared with something from outside of the row."""
    origin = path.origin
    if not isinstance(origin, Call) or origin.name != "instance" or path.filters or _text(origin) == "*":
        return None
    at = next((at for at, step in enumerate(path.steps) if step.predicates), None)
    if at is None or any(step.axis != "child" or step.name in (None, "*") for step in path.steps[: at + 1]):
        return None
    test = path.steps[at].predicates[0]
    parts = test.operands if isinstance(test, Connective) and test.operator == "and" else (test,)
    if any(_asks_place(part) for part in parts):
        return None
    where = tuple(found for part in parts if (found := _equality(part)) is not None)
    rest = tuple(part for part in parts if _equality(part) is None)
    if not where:
        return None
    return Where(_text(origin), tuple(local(str(step.name)) for step in path.steps[: at + 1]), at, where, rest)


def _equality(part: Node) -> tuple[str, Node] | None:
    if not isinstance(part, Comparison) or part.operator != "=":
        return None
    for column, value in ((part.left, part.right), (part.right, part.left)):
        if isinstance(column, Path) and column.start is Start.HERE and len(column.steps) == 1:
            step = column.steps[0]
            if step.axis == "child" and step.name not in (None, "*") and not step.predicates and _from_outside(value):
                return local(str(step.name)), value
    return None


def _from_outside(node: Node) -> bool:
    """Whether ``node`` looks at nothing of the row that is tested."""
    if isinstance(node, Path) and node.start is Start.HERE:
        return False
    if _asks_place(node) or (
        isinstance(node, Call) and not node.arguments and node.name in ("string-length", "normalize-space")
    ):
        return False
    return all(_from_outside(child) for child in children(node))


def _asks_place(node: Node) -> bool:
    if isinstance(node, Call) and node.name in ("position", "last"):
        return True
    inside: Callable[[Node], bool] = _asks_place
    return any(inside(child) for child in children(node))
