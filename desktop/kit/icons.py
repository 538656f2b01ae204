"""Icons: our own 24 px outline drawings in ``assets/icons``, tinted with a token when they are painted."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QWidget

from desktop.kit import theme


@lru_cache(maxsize=256)
def _source(name: str) -> str:
    return (theme.ASSETS / "icons" / f"{name}.svg").read_text("utf-8")


@lru_cache(maxsize=512)
def _pixmap(name: str, color: str, size: int, ratio: float) -> QPixmap:
    made = QPixmap(round(size * ratio), round(size * ratio))
    made.fill(Qt.GlobalColor.transparent)
    svg = QSvgRenderer(QByteArray(_source(name).replace("currentColor", color).encode()))
    painter = QPainter(made)
    svg.render(painter, QRectF(0, 0, made.width(), made.height()))
    painter.end()
    made.setDevicePixelRatio(ratio)
    return made


def pixmap(name: str, tone: str = "ink", size: int = 24, ratio: float = 2.0) -> QPixmap:
    """The drawing ``name`` in the colour ``tone``, ``size`` logical pixels wide. Unknown names raise
    FileNotFoundError.
    """
    return _pixmap(name, theme.tone(tone).name(), size, ratio)


def icon(name: str, tone: str = "ink", size: int = 24) -> QIcon:
    """For Qt's own widgets; take it again in ``retheme()``."""
    return QIcon(pixmap(name, tone, size))


def draw(painter: QPainter, rect: QRectF, name: str, tone: str) -> None:
    """Paint the drawing centred in ``rect``, as large as fits."""
    size = int(min(rect.width(), rect.height()))
    device = painter.device()
    ratio = device.devicePixelRatioF() if device is not None else 1.0
    picture = pixmap(name, tone, size, max(ratio, 1.0))
    painter.drawPixmap(round(rect.center().x() - size / 2), round(rect.center().y() - size / 2), size, size, picture)


def beside(painter: QPainter, x: float, y: float, height: float, name: str, tone: str, *, size: int = 20) -> float:
    """Paint an icon before words that are centred in ``height`` from ``y``; returns the icon's width in pixels."""
    side = theme.scaled(size)
    draw(painter, QRectF(x, y + (height - side) / 2 - theme.lift(), side, side), name, tone)
    return float(side)


class Picture(QWidget):
    """An icon on its own; decoration only, so it carries no name and takes no focus."""

    def __init__(self, name: str, tone: str = "soft", size: int = 24, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name, self._tone, self._size = name, tone, size
        self.retheme()

    def show_icon(self, name: str, tone: str) -> None:
        self._name, self._tone = name, tone
        self.update()

    def retheme(self) -> None:
        side = theme.scaled(self._size)
        self.setFixedSize(QSize(side, side))

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        draw(painter, QRectF(self.rect()), self._name, self._tone)
        painter.end()
