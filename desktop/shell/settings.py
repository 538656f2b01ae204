"""Settings: how it looks, who works here, keys and backups, devices at the desk, and what this program is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QStackedWidget, QWidget

from desktop.bridge import Bridge
from desktop.kit.layout import Scroll, column
from desktop.kit.page import Page
from desktop.kit.tabs import Tabs
from desktop.shell.settings_about import AboutPane
from desktop.shell.settings_centre import CentrePane
from desktop.shell.settings_desk import DeskPane
from desktop.shell.settings_enrolment import EnrolmentPane
from desktop.shell.settings_line import LinePane
from desktop.shell.settings_look import LookPane
from desktop.shell.settings_parts import Pane
from desktop.shell.settings_people import PeoplePane
from desktop.shell.settings_safety import SafetyPane
from i18n.catalog import tr

if TYPE_CHECKING:
    from modules.contract import Changed

SECTIONS: dict[str, type[Pane]] = {
    "look": LookPane,
    "people": PeoplePane,
    "enrolment": EnrolmentPane,
    "centre": CentrePane,
    "safety": SafetyPane,
    "line": LinePane,
    "desk": DeskPane,
    "about": AboutPane,
}


class SettingsPage(Page):
    """Targets: the names of the sections."""

    title = {"km": "កំណត់", "en": "Settings"}

    def __init__(self, desk: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.tabs = Tabs(
            (
                ("look", lambda: tr("Look and language")),
                ("people", lambda: tr("Office and officers")),
                ("enrolment", lambda: tr("Enrolment")),
                ("centre", lambda: tr("From the centre")),
                ("safety", lambda: tr("Keys and backup")),
                ("line", lambda: tr("The line")),
                ("desk", lambda: tr("Scanner and printer")),
                ("about", lambda: tr("About Sala")),
            ),
            name=self.title,
        )
        self._bridge = desk
        self._panes: dict[str, Pane] = {}
        self.stack = QStackedWidget()
        self.tabs.chosen.connect(self._show)
        page = column(self.tabs, self.stack, spacing=12, margins=(24, 16, 24, 0))
        page.setStretch(1, 1)
        self.setLayout(page)

    def pane(self, section: str) -> Pane:
        """The section, made when it is first asked for."""
        if section not in self._panes:
            made = SECTIONS[section](self._bridge)
            self._panes[section] = made
            self.stack.addWidget(Scroll(made))
        return self._panes[section]

    def _show(self, section: str) -> None:
        pane = self.pane(section)
        self.stack.setCurrentIndex(list(self._panes).index(section))
        pane.refresh()

    def open_target(self, target: str) -> None:
        if target in SECTIONS:
            self.tabs.choose(target)

    def refresh(self, change: Changed | None = None) -> None:
        if change is None:  # what stands here changes seldom
            self._show(self.tabs.current())
