"""Without a line: sticks, QR codes and the text message, the other laptops of the office, conflicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QStackedWidget, QWidget

from desktop.bridge import Bridge
from desktop.kit.layout import Scroll, column
from desktop.kit.page import Page
from desktop.kit.tabs import Tabs
from desktop.shell.carry_codes import CodesPane
from desktop.shell.carry_conflicts import ConflictsPane
from desktop.shell.carry_office import OfficePane
from desktop.shell.carry_sticks import SticksPane
from desktop.shell.settings_parts import Pane
from i18n.catalog import tr

if TYPE_CHECKING:
    from modules.contract import Changed


class CarryPage(Page):
    """Targets: sticks, codes, office, conflicts."""

    title = {"km": "ដោយគ្មានអ៊ីនធឺណិត", "en": "Without a line"}

    def __init__(self, desk: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.tabs = Tabs(
            (
                ("sticks", lambda: tr("USB sticks")),
                ("codes", lambda: tr("QR codes and SMS")),
                ("office", lambda: tr("Office laptops")),
                ("conflicts", lambda: tr("Conflicts")),
            ),
            name=self.title,
        )
        self.panes: dict[str, Pane] = {
            "sticks": SticksPane(desk), "codes": CodesPane(desk), "office": OfficePane(desk),
            "conflicts": ConflictsPane(desk, lambda n: self.tabs.set_count("conflicts", n)),
        }  # fmt: skip
        self.stack = QStackedWidget()
        for pane in self.panes.values():
            self.stack.addWidget(Scroll(pane))
        self.tabs.chosen.connect(self._show)
        page = column(self.tabs, self.stack, spacing=12, margins=(24, 16, 24, 0))
        page.setStretch(1, 1)
        self.setLayout(page)

    def _show(self, section: str) -> None:
        self.stack.setCurrentIndex(list(self.panes).index(section))
        self.panes[section].refresh()

    def open_target(self, target: str) -> None:
        if target in self.panes:
            self.tabs.choose(target)

    def refresh(self, change: Changed | None = None) -> None:
        self._show(self.tabs.current())
        if change is None and self.tabs.current() != "conflicts":
            self.panes["conflicts"].refresh()

    def leave(self) -> None:
        office = self.panes["office"]
        if isinstance(office, OfficePane):
            office.close_ear()
