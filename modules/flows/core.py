"""The flows module: its commands. Qt-free."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from modules.contract import Activated, Api, Command, Json, Permission
from modules.flows import migrations
from modules.flows.records import Flows

_READ: Final[frozenset[Permission]] = frozenset({"records.read"})
_WRITE: Final[frozenset[Permission]] = frozenset({"records.read", "records.write"})
_OFFICE: Final[frozenset[Permission]] = frozenset({"records.read", "settings.office"})
_ID: Final = {"type": "string", "minLength": 1, "maxLength": 120}


def activate(api: Api) -> Activated:
    """The flows module over ``api``. It has no ops of its own: what leaves the laptop are the ops of its steps."""
    flows = Flows(api)
    return Activated(commands=(*_office(flows), *_running(flows), *_reading(flows)), migrations=migrations.register)


def _office(flows: Flows) -> Sequence[Command]:
    """What the chief or the IT officer decides: which flows there are and whether they run."""
    return (
        Command(
            id="flows.import", title={"km": "នាំចូលលំហូរ", "en": "Import a flow"}, run=flows.import_, writes=True, needs=_OFFICE,
            params=_object({"file": {"type": "string", "minLength": 1, "maxLength": 4000}}, "file"),
        ),
        Command(
            id="flows.enable", title={"km": "បើកលំហូរ", "en": "Switch a flow on"}, run=flows.enable, writes=True, needs=_OFFICE,
            params=_object({"flow": _ID}, "flow"), undo=flows.disable,
        ),
        Command(
            id="flows.disable", title={"km": "បិទលំហូរ", "en": "Switch a flow off"}, run=flows.disable, writes=True, needs=_OFFICE,
            params=_object({"flow": _ID}, "flow"), undo=flows.enable,
        ),
        Command(
            id="flows.configure", title={"km": "កំណត់លំហូរ", "en": "Set a flow's values"}, run=flows.configure, writes=True, needs=_OFFICE,
            params=_object(
                {"flow": _ID, "settings": {"type": "object", "additionalProperties": {"type": "string", "maxLength": 500}}},
                "flow", "settings",
            ),
        ),
    )  # fmt: skip


def _running(flows: Flows) -> Sequence[Command]:
    return (
        Command(
            id="flows.deliver", title={"km": "ទទួលព្រឹត្តិការណ៍", "en": "Take an event"}, run=flows.deliver, writes=True, needs=_READ,
            params=_object(
                {"event": _ID, "trigger": _ID, "payload": {"type": "object"}, "cause": {"type": ["string", "null"], "maxLength": 120}},
                "event", "trigger", "payload",
            ),
        ),
        Command(
            id="flows.run", title={"km": "ដំណើរការលំហូរ", "en": "Run a flow"}, run=flows.run, writes=True, needs=_WRITE,
            params=_object({"flow": _ID, "on": _ID}, "flow", "on"),
        ),
        Command(
            id="flows.resume", title={"km": "បន្តលំហូរដែលឈប់", "en": "Continue a stopped run"}, run=flows.resume, writes=True, needs=_WRITE,
            params=_object({"run": _ID}, "run"),
        ),
        Command(
            id="flows.rehearse", title={"km": "សាកលំហូរ", "en": "Rehearse a flow"}, run=flows.rehearse, writes=True, needs=_READ,
            params=_object({"flow": _ID, "on": _ID}, "flow", "on"),
        ),
        Command(
            id="flows.dry_run", title={"km": "សាកល្បងលំហូរ", "en": "Try a flow without effect"}, run=flows.dry_run, needs=_READ,
            params=_object({"flow": _ID, "on": _ID}, "flow"),
        ),
    )  # fmt: skip


def _reading(flows: Flows) -> Sequence[Command]:
    return (
        Command(id="flows.list", title={"km": "បញ្ជីលំហូរ", "en": "List of flows"}, run=flows.listed, needs=_READ),
        Command(
            id="flows.show", title={"km": "មើលលំហូរ", "en": "Show a flow"}, run=flows.show, needs=_READ, params=_object({"flow": _ID}, "flow")
        ),
        Command(
            id="flows.events", title={"km": "ព្រឹត្តិការណ៍កន្លងមក", "en": "Past events"}, run=flows.events, needs=_READ,
            params=_object({"flow": _ID, "limit": {"type": "integer", "minimum": 1, "maximum": 500}}, "flow"),
        ),
        Command(
            id="flows.runs", title={"km": "ប្រវត្តិដំណើរការ", "en": "Runs"}, run=flows.runs, needs=_READ,
            params=_object({
                "flow": {"type": "string", "maxLength": 120}, "offset": {"type": "integer", "minimum": 0},
                "limit": {"type": "integer", "minimum": 1, "maximum": 1000},
            }),
        ),
        Command(
            id="flows.show_run", title={"km": "មើលដំណើរការមួយ", "en": "Show a run"}, run=flows.show_run, needs=_READ,
            params=_object({"run": _ID}, "run"),
        ),
    )  # fmt: skip


def _object(properties: dict[str, Any], *required: str) -> Json:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}
