"""The console's pages in groups: the first row of tabs are the groups, the second the pages of the group that one is in.

A page of another area adds its one line here: address, words, the power that it asks for, other addresses that belong to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from sync.hub.console import roles
from sync.hub.console.login import Visit


@dataclass(frozen=True, slots=True)
class Tab:
    """One page. ``count`` names the figure of :func:`sync.hub.reports.totals` that stands beside its words."""

    path: str
    words: str  # a sentence of the catalogue
    power: str = roles.LOOK
    also: tuple[str, ...] = ()
    count: str = ""

    def holds(self, here: str) -> bool:
        """Whether the page at ``here`` belongs to this tab."""
        own = here == self.path or (self.path != "/console/" and here.startswith(f"{self.path}/"))
        return own or any(here == other or here.startswith(other) for other in self.also)


@dataclass(frozen=True, slots=True)
class Group:
    """Tabs that belong together."""

    words: str
    tabs: tuple[Tab, ...] = field(default=())


GROUPS: Final = (
    Group("National board", (Tab("/console/", "National board"),)),
    Group("Offices", (
        Tab("/console/offices", "Offices", also=("/console/office/",)),
        Tab("/console/devices", "Laptops"),
        Tab("/console/officers", "Officers"),
        Tab("/console/leases", "Numbers and codes"),
    )),
    Group("Received", (
        Tab("/console/records", "Records", also=("/console/record/",)),
        Tab("/console/batches", "Batches", also=("/console/batch/",)),
        Tab("/console/tables", "Tables", also=("/console/table/",)),
        Tab("/console/sticks", "Without a line"),
    )),
    Group("To decide", (
        Tab("/console/quarantine", "Quarantine", also=("/console/fork/",), count="quarantined"),
        Tab("/console/conflicts", "Conflicts"),
    )),
    Group("Sent out", (
        Tab("/console/publications", "Publications"),
        Tab("/console/dispatch", "Dispatch", count="effects"),
        Tab("/console/outlets", "Data for others", roles.EXPORT),
    )),
    Group("Trust", (
        Tab("/console/log", "Log"),
        Tab("/console/audit", "Who looked", roles.AUDIT),
        Tab("/console/users", "Users", roles.USERS, also=("/console/user",)),
    )),
)  # fmt: skip


def groups(visit: Visit) -> list[Group]:
    """What this admin may open."""
    found = [Group(group.words, tuple(tab for tab in group.tabs if visit.may(tab.power))) for group in GROUPS]
    return [group for group in found if group.tabs]


def current(shown: list[Group], here: str) -> Group | None:
    """The group that the page at ``here`` belongs to."""
    return next((group for group in shown if any(tab.holds(here) for tab in group.tabs)), None)
