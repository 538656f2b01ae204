"""Functions over nodes: counting, places in repeats, lists, order by chance."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from modules.contract import Refused
from modules.forms.xpath.bound import Names, names_of
from modules.forms.xpath.code import Code, as_string, nodes
from modules.forms.xpath.functions.registry import built, function, nodes_of
from modules.forms.xpath.nodes import Context, Node, Nodes, Scalar
from modules.forms.xpath.paths import local
from modules.forms.xpath.syntax import Call, Path
from modules.forms.xpath.values import Kind, number, number_of_text, string

if TYPE_CHECKING:
    from modules.forms.xpath.compile import Compiler

_PRIME: Final = 2_147_483_647  # of Park and Miller's generator, whose multiplier is 16807


@function("count(nodes)", "number", "nodes", "How many nodes.")
def _count(found: Nodes) -> float:
    return float(len(found))


@function("count-non-empty(nodes)", "number", "nodes", "How many nodes hold an answer or further nodes.")
def _count_non_empty(found: Nodes) -> float:
    return float(sum(string(node.value) != "" or bool(node.elements()) for node in found))


@built(
    "position(nodes?)",
    "number",
    "nodes",
    "The place, from 1, of a node among those of its name; without one that in a predicate.",
)
def _position(_compiler: Compiler, call: Call, codes: Sequence[Code]) -> Code:
    if not codes:
        return Code(Kind.NUMBER, lambda context: float(context.position or context.node.position))
    get = nodes_of(codes[0], "position", call)

    def place(context: Context) -> float:
        found = get(context)
        return float(found[0].position) if found else 0.0

    return Code(Kind.NUMBER, place)


@built("last()", "number", "nodes", "How many nodes the predicate looks at.", since="XPath 1.0")
def _last(_compiler: Compiler, _call: Call, _codes: Sequence[Code]) -> Code:
    return Code(Kind.NUMBER, lambda context: float(context.size or 1))


@built("current()", "nodeset", "nodes", "The node whose expression it is, inside predicates too.")
def _current(_compiler: Compiler, _call: Call, _codes: Sequence[Code]) -> Code:
    return nodes(lambda context: (context.current,), lambda context: context.current.value)


@built("instance(string)", "nodeset", "nodes", "A list that comes with the form: instance('x')/root/item[…].")
def _instance(_compiler: Compiler, call: Call, codes: Sequence[Code]) -> Code:
    get = as_string(codes[0])

    def find(context: Context) -> Nodes:
        found = context.world.instance(get(context))
        if found is None:
            raise Refused("FM-310", id=get(context)[:60], place=call.place)
        return (found,)

    return nodes(find)


# --- indexed-repeat


@built(
    "indexed-repeat(nodes, nodes, number, nodes?, number?, nodes?, number?)", "nodeset", "nodes",
    "The question in the row of that number of a repeat, up to three repeats inside each other.",
)  # fmt: skip
def _indexed_repeat(compiler: Compiler, call: Call, codes: Sequence[Code]) -> Code:
    if len(codes) % 2 == 0:
        raise Refused("FM-307", name="indexed-repeat(nodes, (nodes, number)*)", given=len(codes), place=call.place)
    target = _names(call, 0, compiler.at)
    rows: dict[int, Callable[[Context], float]] = {}
    for at in range(1, len(codes), 2):
        repeat = _names(call, at, compiler.at)
        if len(repeat) >= len(target) or target[: len(repeat)] != repeat:
            raise Refused("FM-308", name="indexed-repeat", place=call.place)
        rows[len(repeat) - 1] = compiler.number(codes[at + 1])
    return nodes(lambda context: _pick(context, target, {depth: get(context) for depth, get in rows.items()}))


def _names(call: Call, at: int, stands: Names) -> Names:
    argument = call.arguments[at]
    names = names_of(argument, stands) if isinstance(argument, Path) else None
    if not names:
        raise Refused("FM-308", name="indexed-repeat", place=call.place)
    return tuple(local(name) for name in names)


def _pick(context: Context, target: Names, rows: dict[int, float]) -> Nodes:
    """Down from the document: the numbered row where one is given, the own row where the way is the own one, else every node."""
    own = _ancestors(context.current)
    found: list[Node] = [context.root]
    for depth, name in enumerate(target):
        if depth in rows:
            place = int(rows[depth]) if math.isfinite(rows[depth]) else 0
            found = [child for node in found for child in node.children(name)[place - 1 : place]] if place > 0 else []
        elif depth < len(own) and own[depth].name == name and own[depth].parent is found[0]:
            found = [own[depth]]
        else:
            found = [child for node in found for child in node.children(name)]
        context.spend(len(found))
        if not found:
            break
    return found


def _ancestors(node: Node) -> list[Node]:
    """From the root element down to ``node``."""
    way: list[Node] = []
    here: Node | None = node
    while here is not None and here.parent is not None:
        way.append(here)
        here = here.parent
    return way[::-1]


# --- order by chance


@built(
    "randomize(nodes, value?)",
    "nodeset",
    "nodes",
    "The nodes in an order by chance; with a seed always in the same.",
    fickle=True,
)
def _randomize(compiler: Compiler, call: Call, codes: Sequence[Code]) -> Code:
    get = nodes_of(codes[0], "randomize", call)
    if len(codes) == 1:
        return nodes(lambda context: shuffled(get(context), context.world.random))
    seed = compiler.scalar(codes[1])
    return nodes(lambda context: shuffled(get(context), park_miller(_seed(seed(context)))))


def shuffled(found: Nodes, chance: Callable[[], float]) -> list[Node]:
    """Fisher and Yates from the inside out."""
    made: list[Node] = []
    for at, node in enumerate(found):
        place = int(chance() * (at + 1))
        made.append(node)
        made[at], made[place] = made[place], node
    return made


def park_miller(seed: int) -> Callable[[], float]:
    """Numbers from 0 to 1 of the «minimal standard» generator, the same on every device."""
    state = int(math.fmod(seed, _PRIME))
    if state <= 0:
        state += _PRIME - 1

    def chance() -> float:
        nonlocal state
        state = state * 16_807 % _PRIME
        return (state - 1) / (_PRIME - 1)

    return chance


def _seed(value: Scalar) -> int:
    """A number cut off; a text that is none by the first eight bytes of its SHA-256."""
    if isinstance(value, str) and value != "" and number_of_text(value) != number_of_text(value):
        return int.from_bytes(hashlib.sha256(value.encode("utf-8", "replace")).digest()[:8], "big", signed=True)
    made = number(value)
    return int(made) if math.isfinite(made) else 0


# --- lists


@function(
    "pulldata(string, string, string, string)", "string", "nodes",
    "One value of a list: the list, the wanted column, the column to look in, what to look for.", asks=True,
)  # fmt: skip
def _pulldata(context: Context, id: str, wanted: str, column: str, key: str) -> str:
    found = context.world.select(id, ("root", "item"), [(column, key)])
    if found is None:
        above = context.world.instance(id)
        if above is None:
            raise Refused("FM-310", id=id[:60])
        items = [item for root in above.children("root") for item in root.children("item")]
        context.spend(len(items))
        found = [item for item in items if any(string(cell.value) == key for cell in item.children(column))]
    cells = found[0].children(wanted) if found else ()
    return string(cells[0].value) if cells else ""
