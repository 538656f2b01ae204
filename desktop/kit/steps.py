"""Steps of a longer work (the wizard, a campaign): number, word, and whether it is done, now or later."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.kit import icons, theme
from desktop.kit.wrap import Words, say
from i18n.catalog import tr


class Steps(QWidget):
    """A row of steps. It only tells where one is: moving is done by the page's buttons."""

    def __init__(self, steps: Sequence[Words], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._steps = list(steps)
        self._now = 0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._speak()

    def set_now(self, number: int) -> None:
        """Step ``number`` (from 0) is being done; those before it are done."""
        self._now = number
        self._speak()
        self.update()

    def _speak(self) -> None:
        shown = min(self._now, len(self._steps) - 1)
        self.setAccessibleName(
            tr("Step {now} of {all}: {word}", now=shown + 1, all=len(self._steps), word=say(self._steps[shown]))
        )

    def sizeHint(self) -> QSize:
        return QSize(400, round(theme.line_height("note") + 12))

    def minimumSizeHint(self) -> QSize:
        return QSize(100, self.sizeHint().height())

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side = theme.scaled(26)
        metrics = QFontMetricsF(theme.font("note", bold=True))
        needed = [side + 8 + metrics.horizontalAdvance(say(step)) + 24 for step in self._steps]
        words = sum(needed) <= self.width()
        x = 0.0
        for number, step in enumerate(self._steps):
            shown = words or number == self._now
            self._paint_step(painter, x, side, number, say(step) if shown else "")
            x += needed[number] if shown else side + 12
        painter.end()

    def _paint_step(self, painter: QPainter, x: float, side: int, number: int, word: str) -> None:
        done, now = number < self._now, number == self._now
        disc = QRectF(x, (self.height() - side) / 2, side, side)
        painter.setPen(QPen(theme.tone("blue" if done or now else "edge"), 1.5))
        painter.setBrush(theme.tone("blue" if now else "blue_soft" if done else "surface"))
        painter.drawEllipse(disc.adjusted(1, 1, -1, -1))
        if done:
            icons.draw(painter, disc.adjusted(5, 5, -5, -5), "check", "blue")
        else:
            painter.setFont(theme.font("small", bold=True))
            painter.setPen(theme.tone("on_blue" if now else "soft"))
            painter.drawText(
                disc.translated(0, theme.drop("small")), int(Qt.AlignmentFlag.AlignCenter), str(number + 1)
            )
        painter.setFont(theme.font("note", bold=now))
        painter.setPen(theme.tone("ink" if now else "soft"))
        area = QRectF(disc.right() + 8, 0, self.width() - disc.right(), self.height())
        painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), word)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._speak()
            self.update()
        super().changeEvent(event)
