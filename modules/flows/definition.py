"""A flow's definition, read strictly: its shape by schema, then every name it uses against what this laptop has."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal

from modules.contract import Command, Json, Refused, Text
from modules.flows.references import places

LARGEST: Final = 200_000  # bytes of a file
ASSETS: Final = Path(__file__).resolve().parents[2] / "assets" / "flows"
SCHEMA: Final = Path(__file__).with_name("flow.schema.json")
ROOTS: Final = frozenset(
    {"event", "settings", "office", "run"}
)  # what a reference may begin with, besides earlier steps

Where = Literal["here", "queued", "online"]


@dataclass(frozen=True, slots=True)
class Step:
    """One command with its parameters; ``says`` tells in words what it has done."""

    id: str
    title: Text
    do: str
    params: Json
    condition: Json | None
    where: Literal["here", "queued"]
    says: Text | None


@dataclass(frozen=True, slots=True)
class Flow:
    """A definition: when ``trigger`` and ``condition``, then ``steps`` in order. ``text`` is the file it came from."""

    id: str
    version: int
    title: Text
    summary: Text
    settings: Mapping[str, Json]
    trigger: str
    condition: Json | None
    steps: tuple[Step, ...]
    text: str
    hash: str  # SHA-256 of the text, hex: a run says by it what it ran


def read_file(path: Path) -> Flow:
    """The flow in a JSON file. ``Refused`` FL-001 … FL-003; nothing is read beyond the bound."""
    try:
        if path.stat().st_size > LARGEST:
            raise Refused("FL-002", file=path.name, limit=LARGEST // 1000)
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise Refused("FL-001", file=path.name, reason=error.strerror or type(error).__name__) from error
    except UnicodeDecodeError as error:
        raise Refused("FL-003", file=path.name, reason="UTF-8") from error
    return parse(text, path.name)


@lru_cache(maxsize=64)
def parse(text: str, name: str = "") -> Flow:
    """The flow that the JSON ``text`` is. ``Refused("FL-003")`` with the place where its shape is wrong."""
    import fastjsonschema

    try:
        data = json.loads(text, object_pairs_hook=_no_doubles)
        _shape()(data)
    except (ValueError, RecursionError) as error:
        raise Refused("FL-003", file=name, reason=str(error)[:200]) from error
    except fastjsonschema.JsonSchemaException as error:
        raise Refused("FL-003", file=name, reason=str(error)[:200]) from error
    when = data["when"]
    flow = Flow(
        data["id"], data["version"], data["title"], data["summary"], data.get("settings", {}), when["trigger"], when.get("if"),
        tuple(_step(step) for step in data["steps"]), text, sha256(text.encode()).hexdigest(),
    )  # fmt: skip
    _check_references(flow, name)
    return flow


def check_names(flow: Flow, commands: Callable[[str], Command], triggers: frozenset[str]) -> None:
    """Everything the flow names is here and may be done by a flow.

    ``Refused``: FL-010 trigger, FL-011 command, FL-012 parameter, FL-014 a command that only a person may run.
    """
    if flow.trigger not in triggers:
        raise Refused("FL-010", trigger=flow.trigger)
    for step in flow.steps:
        try:
            command = commands(step.do)
        except Refused as error:
            raise Refused("FL-011", command=step.do, step=step.id) from error
        if "records.approve" in command.needs or step.do.startswith("flows."):
            raise Refused("FL-014", command=step.do, step=step.id)
        unknown = set(step.params) - set(command.params.get("properties", {}))
        missing = set(command.params.get("required", ())) - set(step.params)
        if unknown or missing:
            raise Refused("FL-012", command=step.do, step=step.id, names=", ".join(sorted(unknown | missing)))


def where(step: Step, command: Command | None) -> Where:
    """Where a step's work takes effect: here, here and later at the centre, or only with a line."""
    return "online" if command is not None and "net.sync" in command.needs else step.where


def shipped() -> list[Flow]:
    """The flows that come with the program."""
    return [read_file(path) for path in sorted(ASSETS.glob("*.json"))]


def _step(data: Json) -> Step:
    return Step(
        data["id"], data["title"], data["do"], data["with"], data.get("if"), data.get("where", "here"), data.get("says")
    )


def _check_references(flow: Flow, name: str) -> None:
    """References lead to the event, the settings, the office, the run or an earlier step: never forward, never elsewhere."""
    known = set(ROOTS)
    for path in _paths_of(flow.condition):
        _must_begin_with(path, {"event", "office", "settings"}, name)
    for step in flow.steps:
        if step.id in known:
            raise Refused("FL-003", file=name, reason=f"step id {step.id} is taken")
        for path in (*places(step.params), *_paths_of(step.condition)):
            _must_begin_with(path, known, name)
            if path.startswith("settings.") and path.split(".")[1] not in flow.settings:
                raise Refused("FL-004", path=path, file=name)
        known.add(step.id)
        for path in places(step.says or {}):
            _must_begin_with(path, known, name)


def _must_begin_with(path: str, known: set[str], name: str) -> None:
    if path.split(".")[0] not in known:
        raise Refused("FL-004", path=path, file=name)


def _paths_of(condition: Json | None) -> Iterator[str]:
    if condition is None:
        return
    if "path" in condition:
        yield condition["path"]
    for inner in [
        *condition.get("all", ()),
        *condition.get("any", ()),
        *([condition["not"]] if "not" in condition else ()),
    ]:
        yield from _paths_of(inner)


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name stands twice")
    return made


@cache
def _shape() -> Callable[[Any], Any]:
    import fastjsonschema

    checker: Callable[[Any], Any] = fastjsonschema.compile(json.loads(SCHEMA.read_text("utf-8")))
    return checker
