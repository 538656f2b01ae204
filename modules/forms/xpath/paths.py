"""Paths as closures. A path of plain steps, which nearly all are, goes straight to its node; others go step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from modules.forms.xpath.code import Code, as_boolean, nodes
from modules.forms.xpath.nodes import Context, Node, Nodes, Scalar
from modules.forms.xpath.syntax import Start, Step
from modules.forms.xpath.values import Kind, boolean

Find = Callable[[Context], Nodes]
Walk = Callable[[Context, Nodes], Nodes]


def local(name: str) -> str:
    """The name without its prefix: nodes are known by that alone."""
    return name.rpartition(":")[2]


def plain(steps: Sequence[Step]) -> tuple[int, tuple[str, ...]] | None:
    """How often ``..`` and which names then; None when there is anything else."""
    ups, names = 0, []
    for step in steps:
        if step.predicates or step.name == "*":
            return None
        if step.axis == "child" and step.name is not None:
            names.append(local(step.name))
        elif step.axis == "parent" and step.name is None and not names:
            ups += 1
        else:
            return None
    return ups, tuple(names)


# --- plain paths


def straight(start: Start, ups: int, names: tuple[str, ...]) -> Code:
    """The closures of a plain path; ``start`` is not EXPRESSION."""
    if start is Start.CURRENT and ups == 1 and len(names) == 1:
        return _sibling(names[0])
    base = _base(start, ups)
    if not names:
        return nodes(_alone(base), _own_value(base))
    if len(names) == 1:
        return _child(base, names[0])
    return nodes(_descend(base, names))


def _base(start: Start, ups: int) -> Callable[[Context], Node | None]:
    """The one node where the names begin; None above the document."""
    if start is Start.ROOT:
        return lambda context: context.root if not ups else None
    if start is Start.CURRENT:
        if ups == 0:
            return lambda context: context.current
        if ups == 1:
            return lambda context: context.current.parent
        return lambda context: _above(context.current, ups)
    if ups == 0:
        return lambda context: context.node
    if ups == 1:
        return lambda context: context.node.parent
    return lambda context: _above(context.node, ups)


def _above(node: Node | None, ups: int) -> Node | None:
    while ups and node is not None:
        node, ups = node.parent, ups - 1
    return node


def _alone(base: Callable[[Context], Node | None]) -> Find:
    def call(context: Context) -> Nodes:
        node = base(context)
        return () if node is None else (node,)

    return call


def _own_value(base: Callable[[Context], Node | None]) -> Callable[[Context], Scalar]:
    def single(context: Context) -> Scalar:
        node = base(context)
        return "" if node is None else node.value

    return single


def _sibling(name: str) -> Code:
    """``../name`` of the node itself, the most frequent path of all, without a call for its base."""

    def call(context: Context) -> Nodes:
        node = context.current.parent
        return () if node is None else node.children(name)

    def single(context: Context) -> Scalar:
        node = context.current.parent
        if node is None:
            return ""
        found = node.children(name)
        return found[0].value if found else ""

    return nodes(call, single)


def _child(base: Callable[[Context], Node | None], name: str) -> Code:
    def call(context: Context) -> Nodes:
        node = base(context)
        return () if node is None else node.children(name)

    def single(context: Context) -> Scalar:
        node = base(context)
        if node is None:
            return ""
        found = node.children(name)
        return found[0].value if found else ""

    return nodes(call, single)


def _descend(base: Callable[[Context], Node | None], names: tuple[str, ...]) -> Find:
    head, *rest = names

    def call(context: Context) -> Nodes:
        node = base(context)
        if node is None:
            return ()
        found = node.children(head)
        for name in rest:
            if len(found) == 1:
                found = found[0].children(name)
            else:
                context.spend(len(found))
                found = [child for node in found for child in node.children(name)]
        return found

    return call


# --- every other path


def origin(start: Start) -> Find:
    return _alone(_base(start, 0))


def stepwise(begin: Find, walks: Sequence[Walk]) -> Code:
    def call(context: Context) -> Nodes:
        found = begin(context)
        for walk in walks:
            if not found:
                return found
            found = walk(context, found)
        return found

    return nodes(call)


def walk(step: Step, predicates: Sequence[Code]) -> Walk:
    """One step from a set of nodes to the next; predicates look at what each node gives by itself."""
    reach = _reach(step)
    keeps = [keep(code) for code in predicates]

    def kept(context: Context, node: Node) -> Nodes:
        reached = reach(context, node)
        for test in keeps:
            reached = test(context, reached)
        return reached

    def call(context: Context, found: Nodes) -> Nodes:
        if len(found) == 1:
            return kept(context, found[0])
        context.spend(len(found))
        made = [one for node in found for one in kept(context, node)]
        if step.axis == "child":
            return made  # two nodes share no child
        return list({id(one): one for one in made}.values())

    return call


def _reach(step: Step) -> Callable[[Context, Node], Nodes]:
    name = None if step.name is None else local(step.name)
    if step.axis == "child":
        if name in (None, "*"):
            return lambda _, node: node.elements()
        return lambda _, node: node.children(str(name))
    if step.axis == "descendants":
        return _below
    up = step.axis == "parent"

    def one(_: Context, node: Node) -> Nodes:
        reached = node.parent if up else node
        if reached is None or (name not in (None, "*") and reached.name != name):
            return ()
        return (reached,)

    return one


def _below(context: Context, node: Node) -> Nodes:
    """The node and everything below it in the order of the document."""
    made: list[Node] = []
    left = [node]
    while left:
        one = left.pop()
        made.append(one)
        inside = one.elements()
        context.spend(1 + len(inside))
        left.extend(reversed(inside))
    return made


def keep(code: Code) -> Walk:
    """A predicate: a number is a position, anything else is true or not."""
    if isinstance(code.constant, float):
        place = code.constant
        at = int(place) - 1 if place >= 1 and place.is_integer() else -1
        return lambda _, found: found[at : at + 1] if at >= 0 else ()
    if code.kind in (Kind.NUMBER, Kind.ANY):
        get = code.call

        def holds(context: Context) -> bool:
            value: Scalar = get(context)
            return value == context.position if isinstance(value, float) else boolean(value)

        return _filter(holds)
    return _filter(as_boolean(code))


def _filter(holds: Callable[[Context], bool]) -> Walk:
    def call(context: Context, found: Nodes) -> Nodes:
        context.spend(len(found))
        node, position, size = context.node, context.position, context.size
        kept: list[Node] = []
        try:
            context.size = len(found)
            for place, one in enumerate(found, 1):
                context.node, context.position = one, place
                if holds(context):
                    kept.append(one)
        finally:
            context.node, context.position, context.size = node, position, size
        return kept

    return call


def union(parts: Sequence[Find]) -> Code:
    """Each node once, in the order of the document."""

    def call(context: Context) -> Nodes:
        made = {id(node): node for part in parts for node in part(context)}
        if len(made) < 2:
            return list(made.values())
        return sorted(made.values(), key=lambda node: _order(context, node))

    return nodes(call)


def _order(context: Context, node: Node) -> tuple[int, ...]:
    """Places among all siblings from the document down to ``node``."""
    way: list[int] = []
    here: Node | None = node
    while here is not None and here.parent is not None:
        siblings = here.parent.elements()
        context.spend(len(siblings))
        way.append(next(place for place, one in enumerate(siblings) if one is here))
        here = here.parent
    return tuple(reversed(way))
