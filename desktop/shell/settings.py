"""Settings: how it looks, who works here, keys and backups, devices at the desk, and what this program is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QStackedWidget, QWidget

from desktop.bridge import Bridge
from desktop.kit.layout import Scroll, column
from desktop.kit.page import Page
from desktop.kit.tabs import Tabs
from desktop.shell.settings_about import AboutPane
from desktop.shell.settings_desk import DeskPane
from desktop.shell.settings_look import LookPane
from desktop.shell.settings_people import PeoplePane
from desktop.shell.settings_safety import SafetyPane
from i18n.catalog import tr

if TYPE_CHECKING:
    from modules.contract import Changed

SECTIONS = ("look", "people", "safety", "desk", "about")


class SettingsPage(Page):
    """Targets: the names of the sections."""

    title = {"km": "កំណត់", "en": "Settings"}

    def __init__(self, desk: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.tabs = Tabs(
            (
                ("look", lambda: tr("Look and language")),
                ("people", lambda: tr("Office and officers")),
                ("safety", lambda: tr("Keys and backup")),
                ("desk", lambda: tr("Scanner and printer")),
                ("about", lambda: tr("About Sala")),
            ),
            name=self.title,
        )
        self.panes = (LookPane(desk), PeoplePane(desk), SafetyPane(desk), DeskPane(desk), AboutPane(desk))
        self.stack = QStackedWidget()
        for pane in self.panes:
            self.stack.addWidget(Scroll(pane))
        self.tabs.chosen.connect(self._show)
        page = column(self.tabs, self.stack, spacing=12, margins=(24, 16, 24, 0))
        page.setStretch(1, 1)
        self.setLayout(page)

    def _show(self, section: str) -> None:
        at = SECTIONS.index(section)
        self.stack.setCurrentIndex(at)
        self.panes[at].refresh()

    def open_target(self, target: str) -> None:
        if target in SECTIONS:
            self.tabs.choose(target)
            self._show(target)

    def refresh(self, change: Changed | None = None) -> None:  # noqa: ARG002  # what stands here changes seldom
        self.panes[self.stack.currentIndex()].refresh()
