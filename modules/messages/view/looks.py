"""How a campaign's state looks: icon, tone and word together, never colour alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from desktop.kit.states import STATES, State

_STATES: Final = {
    "message.checked": State("eye", "amber", "amber_soft", {"km": "រង់ចាំអនុម័ត", "en": "to be approved"}),
    "message.approved": State("check-circle", "green", "green_soft", {"km": "បានអនុម័ត", "en": "approved"}),
}
for _name, _state in _STATES.items():
    STATES.setdefault(_name, _state)


def state_key(campaign: Mapping[str, Any]) -> str:
    """The name of a campaign's state among the kit's states; after the hand-over it is what the centre has of it."""
    if campaign["state"] == "released":
        return str(campaign["sync"]) if campaign["sync"] in STATES else "waiting"
    return "draft" if campaign["state"] == "draft" else f"message.{campaign['state']}"
