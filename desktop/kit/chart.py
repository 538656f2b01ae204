"""Small bars of a week or of any few values. The numbers are words too: for a screen reader, and under the pointer."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.kit import theme
from desktop.kit.wrap import Words, say
from i18n.numbers import format_number


class Bars(QWidget):
    """``show_values([("ច", 44), …], name=…)``; the last bar is the strong one (today)."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._values: list[tuple[Words, int]] = []
        self._name: Words = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_values(self, values: Sequence[tuple[Words, int]], *, name: Words) -> None:
        self._values, self._name = list(values), name
        self._speak()
        self.update()

    def _speak(self) -> None:
        figures = ", ".join(f"{say(word)} {value}" for word, value in self._values)
        self.setAccessibleName(say(self._name))
        self.setAccessibleDescription(figures)
        self.setToolTip(figures)

    def sizeHint(self) -> QSize:
        return QSize(200, theme.scaled(120))

    def minimumSizeHint(self) -> QSize:
        return QSize(120, theme.scaled(110))

    def paintEvent(self, _event: object) -> None:
        if not self._values:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        under = theme.line_height("hint") + 2
        above = theme.line_height("hint")
        tall = self.height() - under - above
        wide = self.width() / len(self._values)
        most = max(1, *(value for _, value in self._values)) if len(self._values) > 1 else max(1, self._values[0][1])
        painter.setFont(theme.font("hint"))
        centre = int(Qt.AlignmentFlag.AlignCenter)
        for number, (word, value) in enumerate(self._values):
            today = number == len(self._values) - 1
            bar = max(2.0, tall * value / most) if value else 2.0
            top = above + tall - bar
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.tone("blue" if today else "bar"))
            painter.drawRoundedRect(QRectF(number * wide + wide * 0.22, top, wide * 0.56, bar), 3, 3)
            painter.setPen(theme.tone("blue" if today else "soft"))
            painter.drawText(QRectF(number * wide, self.height() - under, wide, under), centre, say(word))
            if value:
                painter.drawText(QRectF(number * wide, top - above, wide, above), centre, format_number(value))
        painter.end()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._speak()
            self.update()
        super().changeEvent(event)
