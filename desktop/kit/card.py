"""Surfaces: cards with a hairline edge, and coloured panels for states. Painted from tokens, never styled."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QFrame, QLayout, QWidget

from desktop.kit import theme
from desktop.kit.wrap import Words, say


class Card(QFrame):
    """A surface that holds a layout. ``fill``, ``line`` and ``bar`` (a stripe at the left) are tones; "" paints
    none.
    """

    def __init__(
        self,
        layout: QLayout | None = None,
        *,
        fill: str = "surface",
        line: str = "line",
        bar: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._fill, self._line, self._bar = fill, line, bar
        if layout is not None:
            self.setLayout(layout)

    def set_tones(self, *, fill: str, line: str = "line", bar: str = "") -> None:
        self._fill, self._line, self._bar = fill, line, bar
        self.update()

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        self._paint_surface(painter, self._fill, self._line, 1.0)
        painter.end()

    def _paint_surface(self, painter: QPainter, fill: str, line: str, width: float) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.tone(line), width) if line else Qt.PenStyle.NoPen)
        painter.setBrush(theme.tone(fill) if fill else Qt.BrushStyle.NoBrush)
        inset = width / 2
        round_ = theme.radius()
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(inset, inset, -inset, -inset), round_, round_)
        if self._bar:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.tone(self._bar))
            painter.drawRoundedRect(QRectF(0, 0, 5, self.height()), 2.5, 2.5)


class ActionCard(Card):
    """A card that is one large button: click, Enter or Space. ``name`` is what a screen reader says."""

    pressed = Signal()

    def __init__(
        self,
        layout: QLayout | None = None,
        *,
        name: Words,
        fill: str = "surface",
        line: str = "line",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(layout, fill=fill, line=line, parent=parent)
        self._name = name
        self._over = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setMinimumHeight(theme.height("control"))
        self.setAccessibleName(say(name))

    def rename(self, name: Words) -> None:
        self._name = name
        self.setAccessibleName(say(name))

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        fill = "hover" if self._over else self._fill
        if self.hasFocus():
            self._paint_surface(painter, fill, "focus", 2.0)
        else:
            self._paint_surface(painter, fill, self._line, 1.0)
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and not event.modifiers():
            self.pressed.emit()
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.pressed.emit()

    def enterEvent(self, _event: object) -> None:
        self._over = True
        self.update()

    def leaveEvent(self, _event: object) -> None:
        self._over = False
        self.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.update()
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.update()
        super().focusOutEvent(event)

    def changeEvent(self, event: object) -> None:
        if event.type() == event.Type.LanguageChange:  # type: ignore[attr-defined]
            self.setAccessibleName(say(self._name))
        super().changeEvent(event)  # type: ignore[arg-type]
