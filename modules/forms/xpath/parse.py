"""The tree of an expression, by operator precedence. Whatever is not understood is refused with its place.

From weak to strong: ``or``, ``and``, ``= !=``, ``< <= > >=``, ``+ -``, ``* div mod``, unary ``-``, ``|``, paths.
"""

from __future__ import annotations

from typing import Final

from modules.contract import Refused
from modules.forms.xpath.syntax import (
    Arithmetic,
    Axis,
    Call,
    Comparison,
    Connective,
    Field,
    Negation,
    Node,
    Number,
    Path,
    Start,
    Step,
    Text,
    Union,
)  # fmt: skip
from modules.forms.xpath.tokens import Kind, Token, tokens

DEEPEST: Final = 120  # brackets, calls and predicates inside each other
DEEPEST_FILTER: Final = 20  # predicates inside predicates
_POWER: Final = {
    "or": 1, "and": 2, "=": 3, "!=": 3, "<": 4, "<=": 4, ">": 4, ">=": 4, "+": 5, "-": 5, "*": 6, "div": 6, "mod": 6,
}  # fmt: skip
_UNARY: Final = 7
_AXES: Final[dict[str, Axis]] = {"child": "child", "parent": "parent", "self": "self"}
_HERE: Final = Step("self", None)
_BELOW: Final = Step("descendants", None)


def parse(source: str) -> Node:
    """``Refused`` FM-301 to FM-305 and FM-315 with ``place``, counted from 1."""
    return _Parser(tokens(source)).whole()


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0
        self._now = found[0]
        self._sign = found[0].text if found[0].kind is Kind.SIGN else ""  # that of the token, empty when it is none
        self._depth = 0
        self._filters = 0

    def whole(self) -> Node:
        node = self._expression(0)
        if self._now.kind is not Kind.END:
            raise self._unexpected()
        return node

    def _take(self) -> Token:
        token = self._now
        self._at += 1
        following = self._now = self._tokens[self._at]
        self._sign = following.text if following.kind is Kind.SIGN else ""
        return token

    def _close(self, sign: str) -> None:
        if self._sign != sign:
            raise self._unexpected(sign)
        self._take()

    def _unexpected(self, wanted: str = "") -> Refused:
        token = self._now
        if token.kind is Kind.END:
            return Refused("FM-302", place=token.place, wanted=wanted or "…")
        return Refused("FM-301", place=token.place, found=token.text[:40])

    def _operator(self) -> str:
        """The binary operator that stands here, or an empty string."""
        sign = self._sign or (self._now.text if self._now.kind is Kind.OPERATOR else "")
        return sign if sign in _POWER else ""

    # --- operators

    def _expression(self, power: int) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise Refused("FM-305", place=self._now.place, deepest=DEEPEST)
        left = self._unary()
        while (sign := self._operator()) and _POWER[sign] > power:
            left = self._binary(left, _POWER[sign])
        self._depth -= 1
        return left

    def _binary(self, left: Node, power: int) -> Node:
        """Everything of one precedence that follows ``left``."""
        place = self._now.place
        rest: list[tuple[str, Node]] = []
        while (sign := self._operator()) and _POWER[sign] == power:
            self._take()
            rest.append((sign, self._expression(power)))
        if power <= 2:
            return Connective("or" if power == 1 else "and", (left, *(node for _, node in rest)), place)
        if power >= 5:
            return Arithmetic(left, tuple(rest), place)
        if len(rest) > DEEPEST:
            raise Refused("FM-305", place=place, deepest=DEEPEST)
        for sign, right in rest:
            left = Comparison(sign, left, right, place)  # type: ignore[arg-type]
        return left

    def _unary(self) -> Node:
        if self._sign != "-":
            return self._union()
        place, minus = self._now.place, 0
        while self._sign == "-":
            self._take()
            minus += 1
        inner = self._union()
        return Negation(inner, place) if minus % 2 else Negation(Negation(inner, place), place)

    def _union(self) -> Node:
        first = self._path()
        if self._sign != "|":
            return first
        place, operands = self._now.place, [first]
        while self._sign == "|":
            self._take()
            operands.append(self._path())
        return Union(tuple(operands), place)

    # --- paths

    def _path(self) -> Node:
        token = self._now
        if token.kind is Kind.NUMBER:
            return Number(float(self._take().text), token.place)
        if token.kind is Kind.TEXT:
            return Text(self._take().text, token.place)
        if token.kind is Kind.FIELD:
            self._take()
            return self._behind(Field(token.text, token.place), token.place)
        if self._sign == "(":
            self._take()
            inner = self._expression(0)
            self._close(")")
            return self._behind(inner, token.place)
        if token.kind is Kind.NAME and self._opens_call():
            return self._behind(self._call(), token.place)
        return self._location(token)

    def _opens_call(self) -> bool:
        following = self._tokens[self._at + 1]
        opens = following.kind is Kind.SIGN and following.text == "("
        return opens and self._now.text not in ("node", "text", "comment", "processing-instruction")

    def _call(self) -> Node:
        name = self._take()
        self._take()
        arguments: list[Node] = []
        if self._sign != ")":
            arguments.append(self._expression(0))
            while self._sign == ",":
                self._take()
                arguments.append(self._expression(0))
        self._close(")")
        return Call(name.text, tuple(arguments), name.place)

    def _behind(self, origin: Node, place: int) -> Node:
        """What follows a bracket, a call or a ``${name}``: predicates and further steps."""
        filters = self._predicates()
        if self._sign not in ("/", "//"):
            if not filters:
                return origin
            return Path(Start.EXPRESSION, (), place, origin, filters)
        steps = self._further([])
        if isinstance(origin, Call) and origin.name == "current" and not origin.arguments and not filters:
            return Path(Start.CURRENT, steps, place)
        return Path(Start.EXPRESSION, steps, place, origin, filters)

    def _location(self, token: Token) -> Node:
        if self._sign == "/":
            self._take()
            begins = self._now.kind is Kind.NAME or self._sign in (".", "..", "@") or self._now.text == "*"
            return Path(Start.ROOT, self._further([self._step()]) if begins else (), token.place)
        if self._sign == "//":
            return Path(Start.ROOT, self._further([]), token.place)
        return Path(Start.HERE, self._further([self._step()]), token.place)

    def _further(self, steps: list[Step]) -> tuple[Step, ...]:
        while self._sign in ("/", "//"):
            if self._take().text == "//":
                steps.append(_BELOW)
            steps.append(self._step())
        return tuple(step for step in steps if step != _HERE)

    def _step(self) -> Step:
        token = self._now
        if self._sign == ".":
            self._take()
            return _HERE
        if self._sign == "..":
            self._take()
            return Step("parent", None)
        if self._sign == "@":
            raise Refused("FM-315", place=token.place, what="@")
        axis: Axis = "child"
        if token.kind is Kind.NAME and self._tokens[self._at + 1].text == "::":
            if token.text not in _AXES:
                raise Refused("FM-315", place=token.place, what=f"{token.text}::")
            axis = _AXES[token.text]
            self._take()
            self._take()
        return Step(axis, self._test(), self._predicates())

    def _test(self) -> str | None:
        token = self._now
        if token.kind not in (Kind.NAME, Kind.SIGN) or (token.kind is Kind.SIGN and token.text != "*"):
            raise self._unexpected()
        self._take()
        if token.kind is Kind.NAME and self._sign == "(":
            if token.text != "node":
                raise Refused("FM-315", place=token.place, what=f"{token.text}()")
            self._take()
            self._close(")")
            return None
        return token.text

    def _predicates(self) -> tuple[Node, ...]:
        if self._sign != "[":
            return ()
        found: list[Node] = []
        self._filters += 1
        if self._filters > DEEPEST_FILTER:
            raise Refused("FM-305", place=self._now.place, deepest=DEEPEST_FILTER)
        while self._sign == "[":
            self._take()
            found.append(self._expression(0))
            self._close("]")
        self._filters -= 1
        return tuple(found)
