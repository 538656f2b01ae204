"""One expression tried on a file of answers: what ``sala-cli forms eval`` prints."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from modules.contract import Refused
from modules.forms.xpath.compile import Expression, compile_expression
from modules.forms.xpath.files import LARGEST, place, read_answers, read_list
from modules.forms.xpath.nodes import Context, Node, Scalar
from modules.forms.xpath.values import Kind, string
from modules.forms.xpath.world import World


def contents(file: Path) -> bytes:
    """The bytes of a file that somebody names. ``Refused("FM-316")`` when it cannot be read, or is too large to be."""
    try:
        if file.stat().st_size > LARGEST:
            raise Refused("FM-316", file=file.name, reason=f"> {LARGEST} bytes")
        return file.read_bytes()
    except OSError as error:
        raise Refused("FM-316", file=file.name, reason=str(error.strerror)) from error


def run(
    expression: str, answers: bytes, *, name: str = "", at: str = "", lists: Mapping[str, tuple[str, bytes]] | None = None,
    language: str = "en",
) -> dict[str, Any]:  # fmt: skip
    """``{"value": …, "type": "string|number|boolean|nodeset|date"}``. ``Refused``: what the expression or a file has wrong."""
    made = {id: read_list(data, name=file) for id, (file, data) in (lists or {}).items()}
    world = read_answers(answers, name=name, lists=made, language=language)
    names, node = place(world, at)
    compiled = compile_expression(expression, at=names, find=lambda wanted: only(world, wanted))
    return result(compiled, Context(world, node))


def result(expression: Expression, context: Context) -> dict[str, Any]:
    """Numbers that JSON cannot hold are the words NaN, Infinity, -Infinity; dates and nodes are texts."""
    if expression.kind is Kind.NODES:
        return {"value": [string(node.value) for node in expression.nodes(context)], "type": "nodeset"}
    value = expression.value(context)
    if isinstance(value, bool):
        return {"value": value, "type": "boolean"}
    if isinstance(value, float):
        return {"value": _number(value), "type": "number"}
    return {"value": string(value), "type": "date" if isinstance(value, date) else "string"}


def _number(value: float) -> Scalar | int:
    if not math.isfinite(value):
        return string(value)
    return int(value) if value.is_integer() else value


def only(world: World, name: str) -> tuple[str, ...] | None:
    """The path of the one question or group called ``name``, whatever row it stands in; None when there are two such paths."""
    found: set[tuple[str, ...]] = set()
    left: list[tuple[Node, tuple[str, ...]]] = [(world.root, ())]
    while left:
        node, path = left.pop()
        for child in node.elements():
            below = (*path, child.name)
            if child.name == name:
                found.add(below)
            left.append((child, below))
    return found.pop() if len(found) == 1 else None
