"""The line under the top bar that moves while the program works."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QTimer
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from desktop.kit import theme
from i18n.catalog import tr


class WorkingBar(QWidget):
    """Three pixels that move while something takes longer than a moment."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(3)
        self._at = 0
        self._tick = QTimer(self)
        self._tick.setInterval(60)
        self._tick.timeout.connect(self._move)

    def show_working(self, working: bool) -> None:
        if working:
            self._tick.start()
        else:
            self._tick.stop()
        self.setAccessibleName(tr("Working…") if working else "")
        self.update()

    def _move(self) -> None:
        self._at = (self._at + 4) % 100
        self.update()

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.fillRect(QRectF(0, 0, self.width(), 1), theme.tone("line"))
        if self._tick.isActive():
            wide = self.width() * 0.3
            painter.fillRect(QRectF((self.width() + wide) * self._at / 100 - wide, 0, wide, 3), theme.tone("blue"))
        painter.end()
