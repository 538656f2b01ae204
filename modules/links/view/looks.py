"""How a link's state looks in lists: icon, tone and word, never colour alone."""

from __future__ import annotations

from typing import Final

from desktop.kit import shown
from desktop.kit.states import STATES, State
from i18n.dates import moment

_STATES: Final = {
    "active": State("check-circle", "green", "green_soft", {"km": "បើក", "en": "on"}),
    "disabled": State("pause", "amber", "amber_soft", {"km": "បិទ", "en": "off"}),
    "expired": State("clock", "grey", "grey_soft", {"km": "ផុតកំណត់", "en": "expired"}),
}
for _name, _state in _STATES.items():
    STATES.setdefault(f"link.{_name}", _state)


def state_key(state: str) -> str:
    """The name of a link's state among the kit's states."""
    return f"link.{state}"


def day(wall_ms: int | None) -> str:
    """A day in the digits of the setting; a dash for none."""
    return "—" if wall_ms is None else shown.date(moment(wall_ms).date().isoformat())
