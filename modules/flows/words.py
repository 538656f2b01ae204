"""Flows and runs as a page and the command line see them: plain data with words in both languages."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from i18n.errors import catalogue, explain
from modules.contract import Command, Refused, Row, Text
from modules.flows import definition
from modules.flows.definition import Flow
from modules.flows.engine import Entry

Describe = Callable[[str], Command]


def flow(
    flow: Flow, row: Row | None, triggers: Mapping[str, Text], command: Describe, runs: int, last: Row | None
) -> dict[str, Any]:
    """One flow with its steps; ``row`` None for one that is shipped and not installed."""
    chosen = json.loads(row["settings"]) if row else {}
    return {
        "id": flow.id, "version": flow.version, "title": flow.title, "summary": flow.summary, "enabled": bool(row and row["enabled"]),
        "installed": row is not None, "trigger": flow.trigger, "trigger_title": triggers.get(flow.trigger), "condition": flow.condition,
        "settings": [
            {"name": name, "title": setting["title"], "value": chosen.get(name, setting["default"])}
            for name, setting in flow.settings.items()
        ],
        "steps": steps(flow, [], command), "runs": runs, "last_state": last["state"] if last else None,
        "last_ms": last["started_ms"] if last else None,
    }  # fmt: skip


def steps(flow: Flow, journal: Sequence[Entry], command: Describe) -> list[dict[str, Any]]:
    """Each step of the definition with what the journal says of it; ``state`` is None for one that was not reached."""
    blank: Entry = {"state": None, "why": [], "with": {}, "result": None, "says": None, "error": None}
    shown: list[dict[str, Any]] = []
    for place, step in enumerate(flow.steps):
        entry = journal[place] if place < len(journal) else blank
        found = _described(step.do, command)
        shown.append(
            {
                **{name: entry[name] for name in blank}, "id": step.id, "title": step.title, "do": step.do,
                "command": found.title if found else None, "where": definition.where(step, found), "condition": step.condition,
                "error": refusal(entry["error"]), "wall_ms": entry.get("wall_ms"),
            }
        )  # fmt: skip
    return shown


def run(row: Row) -> dict[str, Any]:
    """One run for lists; its title is that of the version that ran."""
    ran = definition.parse(row["text"])
    names = ("id", "flow", "version", "event", "state", "officer", "started_ms", "changed_ms", "label", "trigger")
    return {**{name: row[name] for name in names}, "title": ran.title}


def refusal(error: Sequence[Any] | None) -> dict[str, Any] | None:
    """A refusal of the journal in both languages; one whose module is gone keeps its bare code."""
    if error is None:
        return None
    code, values = error
    if code not in catalogue():
        return {"code": code, "km": None, "en": None}
    both = {language: explain(Refused(code, **values), language) for language in ("km", "en")}
    return {"code": code, **{language: {"what": said.what, "next": said.next} for language, said in both.items()}}


def _described(id: str, command: Describe) -> Command | None:
    try:
        return command(id)
    except Refused:
        return None
