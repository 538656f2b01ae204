"""How steps and runs look: icon, tone and word together, never colour alone."""

from __future__ import annotations

from typing import Final

from desktop.kit.states import STATES, State

_RUNS: Final = {
    "done": State("check-circle", "green", "green_soft", {"km": "បានធ្វើរួច", "en": "done"}),
    "skipped": State("minus", "grey", "grey_soft", {"km": "រំលង", "en": "passed over"}),
    "stopped": State("pause", "amber", "amber_soft", {"km": "ឈប់រង់ចាំ", "en": "stopped"}),
    "untried": State("eye", "blue", "blue_soft", {"km": "ពណ៌នាប៉ុណ្ណោះ", "en": "described only"}),
    "waiting": State("clock", "grey", "grey_soft", {"km": "មិនទាន់ដល់", "en": "not reached"}),
    "on": State("check-circle", "green", "green_soft", {"km": "បើក", "en": "on"}),
    "off": State("pause", "grey", "grey_soft", {"km": "បិទ", "en": "off"}),
}
_WHERE: Final = {
    "here": State("disk", "soft", "grey_soft", {"km": "នៅទីនេះ", "en": "here"}),
    "queued": State("outbox", "blue", "blue_soft", {"km": "ដាក់ឱ្យផ្ញើ", "en": "queued"}),
    "online": State("online", "amber", "amber_soft", {"km": "ត្រូវការអ៊ីនធឺណិត", "en": "needs internet"}),
}
for _name, _state in _RUNS.items():
    STATES.setdefault(f"flow.{_name}", _state)
for _name, _state in _WHERE.items():
    STATES.setdefault(f"where.{_name}", _state)


def run_key(state: str | None) -> str:
    """The name of a run's or step's state among the kit's states; None is a step that was not reached."""
    return f"flow.{state or 'waiting'}"


def where_key(where: str) -> str:
    return f"where.{where}"
