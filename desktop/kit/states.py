"""One vocabulary of states (draft … withdrawn): icon, tones and word, the same on every page."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import QWidget

from desktop.kit import icons, theme
from i18n.catalog import Text, text


class State(NamedTuple):
    icon: str
    ink: str
    ground: str
    word: Text


STATES: dict[str, State] = {
    "draft": State("pencil", "grey", "grey_soft", {"km": "ព្រាង", "en": "draft"}),
    "finished": State("check", "blue", "blue_soft", {"km": "បានបញ្ចប់", "en": "finished"}),
    "waiting": State("outbox", "blue", "blue_soft", {"km": "រង់ចាំផ្ញើ", "en": "waiting"}),
    "sending": State("send", "blue", "blue_soft", {"km": "កំពុងផ្ញើ", "en": "sending"}),
    "on_usb": State("usb", "blue", "blue_soft", {"km": "នៅលើ USB", "en": "on USB"}),
    "received": State("receive", "green", "green_soft", {"km": "មជ្ឈមណ្ឌលបានទទួល", "en": "received by the centre"}),
    "accepted": State("check-circle", "green", "green_soft", {"km": "បានទទួលយក", "en": "accepted"}),
    "sent_back": State("undo", "amber", "amber_soft", {"km": "បានបញ្ជូនត្រឡប់", "en": "sent back"}),
    "withdrawn": State("ban", "grey", "grey_soft", {"km": "បានដកវិញ", "en": "withdrawn"}),
}
STATES["stable"] = STATES["received"]  # the store's word for: received, and the centre's copy is safe


def state_word(name: str) -> str:
    """The word of a state in the current language."""
    return text(STATES[name].word)


class Chip(QWidget):
    """A small coloured word with its icon: a state, a verdict, a label."""

    def __init__(self, state: str = "draft", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = STATES[state]
        self._name()

    def show_state(self, name: str) -> None:
        """One of :data:`STATES`."""
        self.show_words(*STATES[name])

    def show_words(self, icon: str, ink: str, ground: str, word: Text) -> None:
        """Any words, with the tones of the tokens (green on green_soft, …)."""
        self._state = State(icon, ink, ground, word)
        self._name()

    def _name(self) -> None:
        self.setAccessibleName(text(self._state.word))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        words = QFontMetricsF(theme.font("small")).horizontalAdvance(text(self._state.word))
        return QSize(round(words + theme.scaled(16) + 26), round(theme.line_height("small") + 4))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        size = self.sizeHint()
        area = QRectF(0, (self.height() - size.height()) / 2, size.width(), size.height())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.tone(self._state.ground))
        painter.drawRoundedRect(area, theme.radius("small"), theme.radius("small"))
        side = theme.scaled(16)
        icons.beside(painter, 8, area.top(), area.height(), self._state.icon, self._state.ink, size=16)
        painter.setFont(theme.font("small"))
        painter.setPen(theme.tone(self._state.ink))
        painter.drawText(
            area.adjusted(side + 14, 0, 0, 0),
            int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft),
            text(self._state.word),
        )
        painter.end()

    def changeEvent(self, event: object) -> None:
        if event.type() == event.Type.LanguageChange:  # type: ignore[attr-defined]
            self._name()
        super().changeEvent(event)  # type: ignore[arg-type]
