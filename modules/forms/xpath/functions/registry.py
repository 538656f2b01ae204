"""Every function with its signature, group and meaning: what compiles a call, and what the table of what Sala supports shows.

A signature is written as in ODK's specification: ``substr(string, number, number?)``. The types of arguments are ``string``,
``number``, ``boolean``, ``value`` (one value of any type) and ``nodes``; ``?`` may be left out, ``*`` may come again, and a ``value*``
takes every node of a set.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, ParamSpec, TypeVar

from modules.contract import Refused
from modules.forms.xpath.code import Code, as_boolean, as_number, as_string, constant, scalar
from modules.forms.xpath.nodes import Context, Scalar
from modules.forms.xpath.values import Kind

if TYPE_CHECKING:
    from modules.forms.xpath.compile import Compiler
    from modules.forms.xpath.syntax import Call

Group = Literal["strings", "logic", "numbers", "nodes", "time", "choices", "geo"]
Build = Callable[["Compiler", "Call", Sequence[Code]], Code]
_SIGNATURE: Final = re.compile(r"([\w:-]+)\((.*)\)")
_P = ParamSpec("_P")
_R = TypeVar("_R")
_RETURNS: Final = {kind.value: kind for kind in Kind}


@dataclass(frozen=True, slots=True)
class Function:
    """``run`` takes plain values (behind the context when ``asks`` is set); ``build`` compiles a call by itself.

    ``fickle`` gives something else each time it is asked; ``tried`` may refuse for what stands behind its first argument, and says so
    while a form is compiled where that never changes; ``since`` names where it comes from when ODK's specification lacks it.
    """

    name: str
    signature: str
    group: Group
    meaning: str
    returns: Kind
    arguments: tuple[str, ...]
    run: Callable[..., Any] | None
    build: Build | None
    asks: bool
    fickle: bool
    tried: bool
    since: str

    @property
    def least(self) -> int:
        return sum(not argument.endswith(("?", "*")) for argument in self.arguments)

    @property
    def most(self) -> int:
        return 1_000 if any(argument.endswith("*") for argument in self.arguments) else len(self.arguments)


FUNCTIONS: Final[dict[str, Function]] = {}


def function(
    signature: str, returns: str, group: Group, meaning: str, *, asks: bool = False, fickle: bool = False,
    tried: bool = False, since: str = "ODK",
) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:  # fmt: skip
    """Register what follows as the way the function is computed."""

    def register(run: Callable[_P, _R]) -> Callable[_P, _R]:
        _enter(signature, returns, group, meaning, run, None, asks, fickle, tried, since)
        return run

    return register


def built(
    signature: str, returns: str, group: Group, meaning: str, *, fickle: bool = False, since: str = "ODK"
) -> Callable[[Build], Build]:
    """Register what follows as the way a call is compiled: for functions that do not take plain values."""

    def register(build: Build) -> Build:
        _enter(signature, returns, group, meaning, None, build, False, fickle, False, since)
        return build

    return register


def _enter(
    signature: str, returns: str, group: Group, meaning: str, run: Callable[..., Any] | None, build: Build | None,
    asks: bool, fickle: bool, tried: bool, since: str,
) -> None:  # fmt: skip
    found = _SIGNATURE.fullmatch(signature)
    if found is None or found[1] in FUNCTIONS:
        raise ValueError(signature)
    arguments = tuple(part for part in found[2].split(", ") if part)
    FUNCTIONS[found[1]] = Function(
        found[1], signature, group, meaning, _RETURNS[returns], arguments, run, build, asks, fickle, tried, since
    )


def known(call: Call) -> Function:
    """``Refused``: FM-306 no such function, FM-307 another number of arguments than it takes."""
    made = FUNCTIONS.get(call.name)
    if made is None:
        from difflib import get_close_matches

        near = get_close_matches(call.name, FUNCTIONS, 1)
        raise Refused("FM-306", name=call.name[:60], place=call.place, near=near[0] if near else "…")
    if not made.least <= len(call.arguments) <= made.most:
        raise Refused("FM-307", name=made.signature, given=len(call.arguments), place=call.place)
    return made


def compiled(made: Function, call: Call, codes: Sequence[Code]) -> Code:
    """A call of a function that takes plain values. What never changes is computed now."""
    run = made.run
    assert run is not None
    gets = _gets(made, call, codes)
    work = _spread(run, gets) if _many(made) else _fixed(run, gets, made.asks)
    work = _with_place(work, call.place)
    if not made.asks and not made.fickle and all(code.constant is not None for code in codes):
        value: Scalar = work(None)  # type: ignore[arg-type]  # constants ask no context
        return constant(value)
    if made.tried and all(code.constant is not None for code in codes[1:]):
        trial = _fixed(run, _gets(made, call, [constant(""), *codes[1:]]), made.asks)
        _with_place(trial, call.place)(None)  # type: ignore[arg-type]  # only its refusal matters
    return Code(made.returns, work)


def _many(made: Function) -> bool:
    return bool(made.arguments) and made.arguments[-1].endswith("*")


def _gets(made: Function, call: Call, codes: Sequence[Code]) -> list[Callable[[Context], Any]]:
    """How each argument is asked for: as the signature's type, a ``value*`` as a list of all that it holds."""
    gets: list[Callable[[Context], Any]] = []
    for at, code in enumerate(codes):
        wanted = made.arguments[min(at, len(made.arguments) - 1)]
        match wanted.rstrip("?*"):
            case "string":
                gets.append(as_string(code))
            case "number":
                gets.append(as_number(code))
            case "boolean":
                gets.append(as_boolean(code))
            case "nodes":
                gets.append(nodes_of(code, made.name, call))
            case _ if wanted.endswith("*"):
                gets.append(_all_values(code))
            case _:
                gets.append(scalar(code))
    return gets


def nodes_of(code: Code, name: str, call: Call) -> Callable[[Context], Any]:
    """``Refused("FM-308")`` when the argument gives no nodes."""
    if code.kind is not Kind.NODES:
        raise Refused("FM-308", name=name, place=call.place)
    return code.call


def _all_values(code: Code) -> Callable[[Context], list[Scalar]]:
    get = code.call
    if code.kind is Kind.NODES:
        return lambda context: [node.value for node in get(context)]
    return lambda context: [get(context)]


def _fixed(run: Callable[..., Any], gets: Sequence[Callable[[Context], Any]], asks: bool) -> Callable[[Context], Any]:
    if asks:
        return lambda context: run(context, *[get(context) for get in gets])
    if len(gets) == 1:
        (a,) = gets
        return lambda context: run(a(context))
    if len(gets) == 2:
        a, b = gets
        return lambda context: run(a(context), b(context))
    if len(gets) == 3:
        a, b, c = gets
        return lambda context: run(a(context), b(context), c(context))
    return lambda context: run(*[get(context) for get in gets])


def _spread(run: Callable[..., Any], gets: Sequence[Callable[[Context], Any]]) -> Callable[[Context], Any]:
    """Lists of a ``value*`` stand behind each other in one call."""

    def call(context: Context) -> Any:
        given: list[Any] = []
        for get in gets:
            value = get(context)
            given.extend(value) if type(value) is list else given.append(value)
        return run(*given)

    return call


def _with_place(work: Callable[[Context], Any], place: int) -> Callable[[Context], Any]:
    """Refusals of a function say where in the expression it stands."""

    def call(context: Context) -> Any:
        try:
            return work(context)
        except Refused as error:
            if "place" in error.values:
                raise
            raise Refused(error.code, **{**error.values, "place": place}) from error

    return call
