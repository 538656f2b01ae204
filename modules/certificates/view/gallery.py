"""The templates of certificates as large cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from desktop.kit import theme
from desktop.kit.card import ActionCard
from desktop.kit.icons import Picture
from desktop.kit.layout import Scroll, column, holder, row
from desktop.kit.wrap import Label
from i18n.catalog import tr


class Gallery(QWidget):
    """``chosen(template id)``."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cards: list[ActionCard] = []
        self._grid = QGridLayout()
        self._grid.setSpacing(12)
        heading = Label(lambda: tr("What is to be issued?"), size="heading", bold=True)
        content = column(heading, 4, self._grid, None, spacing=8)
        self.setLayout(column(Scroll(holder(content))))

    def show_templates(self, templates: Sequence[Mapping[str, Any]]) -> None:
        """One card a template."""
        for card in self.cards:
            card.hide()
            card.deleteLater()
        self.cards = [self._card(template) for template in templates]
        self._place()
        self.begin()

    def begin(self) -> None:
        """The keyboard is on the first card."""
        if self.cards and self.isVisible():
            self.cards[0].setFocus(Qt.FocusReason.OtherFocusReason)

    def _card(self, template: Mapping[str, Any]) -> ActionCard:
        title = Label(template["title"], size="heading", bold=True, wrap=True)
        summary = Label(template["summary"], size="note", tone="soft", wrap=True)
        box = row(spacing=16, margins=(18, 16, 18, 16))
        box.addWidget(Picture("certificates", "blue", 32), 0, Qt.AlignmentFlag.AlignTop)
        box.addLayout(column(title, summary, None, spacing=2), 1)
        card = ActionCard(box, name=template["title"])
        card.pressed.connect(lambda: self.chosen.emit(template["id"]))
        return card

    def _place(self) -> None:
        columns = 3 if self.width() >= theme.scaled(1_050) else 2
        for number, card in enumerate(self.cards):
            self._grid.addWidget(card, number // columns, number % columns)
        for number in range(3):
            self._grid.setColumnStretch(number, 1 if number < columns else 0)

    def retheme(self) -> None:
        self._place()

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._place()
