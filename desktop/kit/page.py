"""The base of every page: created lazily when first shown, told about changes after commit, retranslated live."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Signal
from PySide6.QtWidgets import QWidget

from desktop.kit.desk import Desk
from i18n.catalog import Text, text
from modules.contract import Changed


class Page(QWidget):
    """One page of the window. Subclasses set ``title`` and build their widgets in ``__init__``."""

    title: Text = {"km": "", "en": ""}
    retitled = Signal()  # ``page_title()`` says something else now, without anything having been committed

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk = desk
        self.setAccessibleName(text(self.title))

    def page_title(self) -> str:
        """What the top bar shows; a page may add what is open ("Barber licence · Lim Sreymom")."""
        return text(self.title)

    def refresh(self, change: Changed | None = None) -> None:
        """Read again what is shown. ``change`` is None when the page comes to the front."""

    def open_target(self, target: str) -> None:
        """Show ``target`` (see ``Desk.open``)."""

    def primary(self) -> None:
        """Ctrl+Enter: the page's one primary action."""

    def leave(self) -> None:
        """The page goes to the back, or the program locks: everything typed must be durable when this returns."""

    def retranslate(self) -> None:
        """The language changed: set every word again."""

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.setAccessibleName(text(self.title))
            self.retranslate()
        super().changeEvent(event)
