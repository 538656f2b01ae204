"""What every pane of Settings is made of: a heading with its words, and a card of rows."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLayout, QVBoxLayout, QWidget

from desktop.bridge import Bridge
from desktop.kit import theme
from desktop.kit.card import Card
from desktop.kit.layout import column
from desktop.kit.wrap import Label, Words


class Pane(QWidget):
    """One section. ``refresh`` reads again what it shows."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self.bridge = bridge
        self.held: QVBoxLayout = column(spacing=16, margins=(0, 4, 12, 20))
        self.setLayout(self.held)
        self.retheme()

    def retheme(self) -> None:
        self.setMaximumWidth(theme.scaled(880))  # lines that are longer than this are hard to read

    def block(self, title: Words, teach: Words, content: QLayout | QWidget) -> Card:
        """A card with a heading, one explaining sentence, and its content."""
        inner = column(Label(title, size="heading", bold=True, wrap=True), spacing=8, margins=(20, 14, 20, 16))
        words = Label(teach, size="note", tone="soft", wrap=True)
        inner.addWidget(words)
        if not words.words():
            words.hide()
        inner.addSpacing(4)
        if isinstance(content, QLayout):
            inner.addLayout(content)
        else:
            inner.addWidget(content)
        card = Card(inner)
        self.held.addWidget(card)
        return card

    def end(self) -> None:
        """After the last block."""
        self.held.addStretch(1)

    def refresh(self) -> None:
        """Read again what is shown."""


def fact(name: Words, value: Words) -> QVBoxLayout:
    """A small name over its value; the value can be selected and copied."""
    shown = Label(value, wrap=True)
    shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return column(Label(name, size="small", tone="soft"), shown, spacing=0)
