"""OData's ``$filter`` and ``$orderby`` (OData 4.01 part 2, 5.1.1) as SQL with named parameters.

The grammar is a library's; only columns of the table, comparisons, ``and or not in`` and ``contains startswith endswith`` are
taken further. No text of the address ever becomes SQL: names are looked up, values are parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any, Final

from odata_query import ast
from odata_query.exceptions import ODataException
from odata_query.grammar import ODataLexer, ODataParser
from odata_query.visitor import NodeVisitor

from sync.errors import Refused
from sync.hub.feeds.tables import Column, Table

MAX_FILTER: Final = 2_000  # characters
_DEEPEST: Final = 40
_COMPARED: Final = {ast.Eq: "=", ast.NotEq: "<>", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
_TEXTS: Final = {  # with case, on both databases; LIKE would leave it out on one of them
    "contains": "({value} = '' OR replace({name}, {value}, '') <> {name})",
    "startswith": "(substr({name}, 1, length({value})) = {value})",
    "endswith": "(length({name}) >= length({value}) AND substr({name}, length({name}) - length({value}) + 1) = {value})",
}


@dataclass(slots=True)
class Condition:
    """SQL of a condition and the values of its parameters."""

    sql: str = "1 = 1"
    values: dict[str, Any] = field(default_factory=dict)


def condition(text: str, table: Table) -> Condition:
    """The ``$filter`` of ``text``. Refused HB-233: not understood, or a column that is not there."""
    if not text:
        return Condition()
    if len(text) > MAX_FILTER:
        raise Refused("HB-233", reason="too long")
    try:
        tree = ODataParser().parse(ODataLexer().tokenize(text))
        visitor = _Sql({column.key: column for column in table.columns})
        return Condition(visitor.visit(tree), visitor.values)
    except (ODataException, RecursionError, ValueError, OverflowError) as error:
        raise Refused("HB-233", reason=str(error)[:200]) from None


def order(text: str, table: Table) -> str:
    """The ``$orderby`` of ``text`` as SQL, empty for none; rows that are alike in it by their key, so that no page shows one twice.
    Refused HB-233."""
    keys = {column.key for column in table.columns}
    parts: list[str] = []
    for part in (text.split(",") if text else ())[:10]:
        name, _, direction = part.strip().partition(" ")
        if name not in keys or direction.strip() not in ("", "asc", "desc"):
            raise Refused("HB-233", reason=part.strip()[:100])
        parts.append(f'"{name}" {"DESC" if direction.strip() == "desc" else "ASC"}')
    return ", ".join([*parts, *(f'"{name}"' for name in table.key)] if parts else [])


class _Sql(NodeVisitor):
    """Walks the syntax tree of a filter. ValueError: something that this feed does not offer."""

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self._columns = columns
        self._depth = 0
        self.values: dict[str, Any] = {}

    def visit(self, node: ast._Node) -> str:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError("too deep")
        try:
            return str(super().visit(node))
        finally:
            self._depth -= 1

    def generic_visit(self, node: ast._Node) -> str:
        raise ValueError(f"{type(node).__name__} is not offered")

    def visit_BoolOp(self, node: ast.BoolOp) -> str:
        word = "AND" if isinstance(node.op, ast.And) else "OR"
        return f"({self.visit(node.left)} {word} {self.visit(node.right)})"

    def visit_UnaryOp(self, node: ast.UnaryOp) -> str:
        if not isinstance(node.op, ast.Not):
            raise ValueError("arithmetic is not offered")
        return f"(NOT {self.visit(node.operand)})"

    def visit_Compare(self, node: ast.Compare) -> str:
        column = self._column(node.left)
        name = f'"{column.key}"'
        if isinstance(node.comparator, ast.In):
            if not isinstance(node.right, ast.List):
                raise ValueError("in needs a list")
            return f"({name} IN ({', '.join(self._value(item, column) for item in node.right.val)}))"
        if isinstance(node.right, ast.Null):
            return f"({name} IS {'NOT ' if isinstance(node.comparator, ast.NotEq) else ''}NULL)"
        return f"({name} {_COMPARED[type(node.comparator)]} {self._value(node.right, column)})"

    def visit_Call(self, node: ast.Call) -> str:
        sql = _TEXTS.get(_name(node.func))
        if sql is None or len(node.args) != 2 or not isinstance(node.args[1], ast.String):
            raise ValueError(f"{_name(node.func)} is not offered")
        column = self._column(node.args[0])
        if column.type != "text":
            raise ValueError(f"{column.key} is no text")
        return sql.format(name=f'CAST("{column.key}" AS TEXT)', value=self._parameter(node.args[1].val))

    def _column(self, node: ast._Node) -> Column:
        if not isinstance(node, ast.Identifier) or _name(node) not in self._columns:
            raise ValueError("the left side must be a column")
        return self._columns[_name(node)]

    def _value(self, node: ast._Node, column: Column) -> str:
        match column.type, node:
            case "text", ast.String():
                return self._parameter(node.val)
            case "digest", ast.String():
                return self._parameter(bytes.fromhex(node.val))
            case "integer", ast.Integer() if len(node.val) < 19:
                return self._parameter(int(node.val))
            case "time", ast.DateTime():
                moment = node.py_val
                return self._parameter(int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000))
        raise ValueError(f"{column.key} cannot be compared with that")

    def _parameter(self, value: Any) -> str:
        name = f"f{len(self.values)}"
        self.values[name] = value
        return f":{name}"


def _name(node: ast.Identifier) -> str:
    return ".".join((*node.namespace, node.name))
