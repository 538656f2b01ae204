"""An expression compiled to closures. There is no ``eval``: each node of the tree becomes one small function."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from modules.contract import Refused
from modules.forms.xpath import operators, paths
from modules.forms.xpath.bound import Names, bind, settle
from modules.forms.xpath.code import Code, as_boolean, as_number, as_string, constant, nodes, scalar
from modules.forms.xpath.functions.registry import compiled, known
from modules.forms.xpath.nodes import Context, Nodes, Scalar
from modules.forms.xpath.parse import DEEPEST, parse
from modules.forms.xpath.reads import Binder, Reads, Where, aggregate, lookup_of, plain_read, reads
from modules.forms.xpath.syntax import (
    Arithmetic,
    Call,
    Comparison,
    Connective,
    Field,
    Negation,
    Node,
    Number,
    Path,
    Start,
    Text,
    Union,
)  # fmt: skip
from modules.forms.xpath.values import Kind, first

Find = Callable[[str], "Names | None"]


class Expression:
    """A compiled expression; ``value``, ``number``, ``string``, ``boolean`` and ``nodes`` evaluate it at a context.

    ``kind`` is what it gives as far as that is known, ``reads`` what it depends on. ``Refused`` while it runs: FM-310 no such list,
    FM-311 too many nodes, FM-312 and FM-313 a regular expression from an answer, FM-314 digest, FM-317 too long a text.
    """

    def __init__(self, source: str, tree: Node, at: Names, code: Code) -> None:
        self.source = source
        self.tree = tree
        self.at = at
        self.kind = code.kind
        self._code = code
        self._number = as_number(code)
        self._string = as_string(code)
        self._boolean = as_boolean(code)
        self._scalar = scalar(code)

    @cached_property
    def reads(self) -> Reads:
        return reads(self.tree, self.at)

    def value(self, context: Context) -> Scalar:
        """One value: that of the first node when it gives nodes."""
        context.spent = 0
        return self._scalar(context)

    def number(self, context: Context) -> float:
        context.spent = 0
        return self._number(context)

    def string(self, context: Context) -> str:
        context.spent = 0
        return self._string(context)

    def boolean(self, context: Context) -> bool:
        context.spent = 0
        return self._boolean(context)

    def nodes(self, context: Context) -> Nodes:
        """``Refused("FM-308")`` when it gives no nodes."""
        if self.kind is not Kind.NODES:
            raise Refused("FM-308", name=self.source[:60], place=1)
        context.spent = 0
        found: Nodes = self._code.call(context)
        return found


def compile_expression(
    source: str, *, at: Names = (), find: Find | None = None, binder: Binder | None = None
) -> Expression:
    """Compile ``source`` for the question at ``at`` (names from the root element).

    ``find`` gives the path of the question that ``${name}`` means. ``Refused``: FM-301 to FM-309 and FM-312 to FM-315 with ``place``.
    """
    try:
        tree = parse(source)
        if "$" in source:
            tree = bind(tree, find or (lambda _: None))
        return Expression(source, tree, at, Compiler(at, binder).code(tree))
    except RecursionError:  # the stack was already deep when this was asked
        raise Refused("FM-305", place=1, deepest=DEEPEST) from None


class Compiler:
    def __init__(self, at: Names, binder: Binder | None) -> None:
        self.at = at
        self._binder = binder
        self._inside = 0  # predicates around what is being compiled

    # what functions that compile themselves ask
    number = staticmethod(as_number)
    scalar = staticmethod(scalar)

    @staticmethod
    def every(code: Code) -> Callable[[Context], list[Scalar]]:
        get = code.call
        if code.kind is Kind.NODES:
            return lambda context: [node.value for node in get(context)]
        return lambda context: [get(context)]

    def code(self, node: Node) -> Code:
        match node:
            case Number() | Text():
                return constant(node.value)
            case Path():
                return self._path(node)
            case Call():
                return self._call(node)
            case Comparison():
                return operators.comparison(node.operator, self.code(node.left), self.code(node.right))
            case Arithmetic():
                return operators.arithmetic(self.code(node.first), [(sign, self.code(one)) for sign, one in node.rest])
            case Connective():
                return operators.connective(node.operator, [self.code(one) for one in node.operands])
            case Negation():
                return operators.negation(self.code(node.operand))
            case Union():
                return self._union(node)
            case Field():
                raise Refused("FM-309", name=node.name, place=node.place)

    def _call(self, call: Call) -> Code:
        function = known(call)
        if self._binder is not None and not self._inside and (kept := aggregate(call, self.at)) is not None:
            getter = self._binder.aggregate(kept)
            if getter is not None:
                return Code(function.returns, getter)
        codes = [self.code(one) for one in call.arguments]
        return compiled(function, call, codes) if function.build is None else function.build(self, call, codes)

    def _union(self, union: Union) -> Code:
        codes = [self.code(one) for one in union.operands]
        if any(code.kind is not Kind.NODES for code in codes):
            raise Refused("FM-308", name="|", place=union.place)
        return paths.union([code.call for code in codes])

    # --- paths

    def _path(self, path: Path) -> Code:
        settled = settle(path, self.at)
        found = paths.plain(settled.steps)
        if found is not None and settled.start is not Start.EXPRESSION:
            code = paths.straight(settled.start, *found)
            return self._bound(settled, code)
        begin = self._origin(settled)
        walks = self._walks(settled, 0)
        made = paths.stepwise(begin, walks)
        where = lookup_of(settled)
        return made if where is None else self._looked_up(settled, where, made.call)

    def _bound(self, path: Path, code: Code) -> Code:
        """A plain path by the engine's own way to its value, where it has one."""
        if self._binder is None or (self._inside and path.start is Start.HERE):
            return code
        read = plain_read(path, self.at)
        getter = None if read is None else self._binder.value(read)
        return code if getter is None else Code(Kind.NODES, code.call, getter)

    def _origin(self, path: Path) -> Callable[[Context], Nodes]:
        if path.origin is None:
            return paths.origin(path.start)
        code = self.code(path.origin)
        if code.kind is not Kind.NODES:
            raise Refused("FM-308", name="/", place=path.place)
        filters = [paths.keep(self._predicate(one)) for one in path.filters]
        begin: Callable[[Context], Nodes] = code.call
        return paths.stepwise(begin, filters).call if filters else begin

    def _walks(self, path: Path, since: int) -> list[paths.Walk]:
        return [paths.walk(step, [self._predicate(one) for one in step.predicates]) for step in path.steps[since:]]

    def _predicate(self, node: Node) -> Code:
        self._inside += 1
        try:
            return self.code(node)
        finally:
            self._inside -= 1

    def _looked_up(self, path: Path, where: Where, scan: Callable[[Context], Nodes]) -> Code:
        """By the world's index of a column; by looking at every row when it has none or a value is no text."""
        columns = [(column, self._predicate(value)) for column, value in where.where]
        gets = [(column, code.call, code.kind is Kind.NODES) for column, code in columns]
        keeps = [paths.keep(self._predicate(one)) for one in (*where.rest, *path.steps[where.step].predicates[1:])]
        walks = [*keeps, *self._walks(path, where.step + 1)]

        def call(context: Context) -> Nodes:
            wanted: list[tuple[str, str]] = []
            for column, get, many in gets:
                value: Any = get(context)
                if many:
                    if len(value) > 1:
                        return scan(context)
                    value = first(value)
                if type(value) is not str:
                    return scan(context)
                wanted.append((column, value))
            found = context.world.select(where.instance, where.path, wanted)
            if found is None:
                return scan(context)
            context.spend(len(found))
            for walk in walks:
                found = walk(context, found)
            return found

        return nodes(call)
