"""Functions that decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from modules.contract import Refused
from modules.forms.xpath.code import Code, as_boolean, nodes, scalar
from modules.forms.xpath.functions.registry import built, function
from modules.forms.xpath.nodes import Context, Scalar
from modules.forms.xpath.values import Kind, boolean, number, string

if TYPE_CHECKING:
    from modules.forms.xpath.compile import Compiler
    from modules.forms.xpath.syntax import Call


@function("true()", "boolean", "logic", "True.")
def _true() -> bool:
    return True


@function("false()", "boolean", "logic", "False.")
def _false() -> bool:
    return False


@function(
    "boolean(boolean)",
    "boolean",
    "logic",
    "Whether a number is neither 0 nor NaN, a text not empty, a question answered.",
)
def _boolean(value: bool) -> bool:
    return value


@function("boolean-from-string(string)", "boolean", "logic", "True for «true» and «1», false for everything else.")
def boolean_from_string(text: str) -> bool:
    return text == "1" or text.lower() == "true"


@function("not(boolean)", "boolean", "logic", "The opposite.")
def _not(value: bool) -> bool:
    return not value


@built(
    "if(boolean, value, value)",
    "any",
    "logic",
    "The second when the first is true, else the third; only that one is computed.",
)
def _if(_compiler: Compiler, _call: Call, codes: Sequence[Code]) -> Code:
    test, then, other = codes
    decides = as_boolean(test)
    if then.kind is Kind.NODES and other.kind is Kind.NODES:
        p, q = then.call, other.call
        return nodes(lambda context: p(context) if decides(context) else q(context))
    a, b = scalar(then), scalar(other)
    kind = then.kind if then.kind is other.kind else Kind.ANY
    return Code(kind, lambda context: a(context) if decides(context) else b(context))


@built("coalesce(value, value)", "any", "logic", "The first when it is not empty, else the second.")
def _coalesce(_compiler: Compiler, _call: Call, codes: Sequence[Code]) -> Code:
    a, b = scalar(codes[0]), scalar(codes[1])

    def call(context: Context) -> Scalar:
        value = a(context)
        return b(context) if _empty(value) else value

    return Code(codes[0].kind if codes[0].kind is codes[1].kind is not Kind.NODES else Kind.ANY, call)


def _empty(value: Scalar) -> bool:
    return value == "" or (isinstance(value, float) and value != value)


@built("once(value)", "any", "logic", "The own answer when there is one, else the argument: computed a single time.")
def _once(_compiler: Compiler, _call: Call, codes: Sequence[Code]) -> Code:
    get = scalar(codes[0])

    def call(context: Context) -> Scalar:
        own = context.current.value
        return get(context) if string(own) == "" else own

    return Code(Kind.ANY, call)


@function(
    "checklist(number, number, value*)",
    "boolean",
    "logic",
    "Whether as many are true as the first two say; -1 is no bound.",
)
def checklist(least: float, most: float, *answers: Scalar) -> bool:
    count = float(sum(_ticked(answer) for answer in answers))
    return _between(least, most, count)


@built(
    "weighted-checklist(number, number, value, number, value*)", "boolean", "logic",
    "Like checklist with the weights of those that are true: answer, weight, answer, weight…",
)  # fmt: skip
def _weighted(compiler: Compiler, call: Call, codes: Sequence[Code]) -> Code:
    if len(codes) % 2:
        raise Refused(
            "FM-307", name="weighted-checklist(number, number, (value, number)*)", given=len(codes), place=call.place
        )
    least, most = compiler.number(codes[0]), compiler.number(codes[1])
    pairs = [(compiler.every(a), compiler.every(b)) for a, b in zip(codes[2::2], codes[3::2], strict=True)]

    def run(context: Context) -> bool:
        total = 0.0
        for answers, weights in pairs:
            total += sum(
                number(weight)
                for answer, weight in zip(answers(context), weights(context), strict=False)
                if _ticked(answer)
            )
        return _between(least(context), most(context), total)

    return Code(Kind.BOOLEAN, run)


def _between(least: float, most: float, total: float) -> bool:
    return (least == -1 or total >= least) and (most == -1 or total <= most)


def _ticked(answer: Scalar) -> bool:
    """True itself, what is more than 0 as a number, or the word yes."""
    return boolean(answer) if isinstance(answer, bool) else answer == "yes" or number(answer) > 0
