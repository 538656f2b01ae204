"""Buttons: one that names its effect (primary), quiet ones, icons alone. The key that does the same is written on
it.
"""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QKeySequence, QPainter, QPen
from PySide6.QtWidgets import QAbstractButton, QPushButton, QSizePolicy, QWidget

from desktop.kit import icons, theme
from desktop.kit.wrap import Words, say

Kind = Literal["primary", "normal", "quiet", "danger"]

_TONES: dict[str, tuple[str, str, str, str]] = {  # kind: fill, fill under the pointer, edge, ink
    "primary": ("blue", "blue_deep", "", "on_blue"),
    "normal": ("surface", "hover", "line", "ink"),
    "quiet": ("", "hover", "", "blue"),
    "danger": ("surface", "red_soft", "red", "red"),
}


class Button(QPushButton):
    """A push button. ``kind``: primary (one a page, 44 px), normal, quiet (no edge), danger (cannot be undone).

    ``key`` is the hint after the words ("Ctrl+Enter"); the shell or the page binds it. ``small=True`` gives 36 px for
    rows.
    """

    def __init__(
        self,
        words: Words,
        *,
        kind: Kind = "normal",
        key: str = "",
        icon: str = "",
        small: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._words, self._kind, self._icon, self._small = words, kind, icon, small
        self._key = key.replace("+", " ")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAutoDefault(False)
        self.retheme()
        self._show()

    def say(self, words: Words, *, icon: str | None = None) -> None:
        """Show other words."""
        self._words = words
        if icon is not None:
            self._icon = icon
        self._show()

    def set_kind(self, kind: Kind) -> None:
        self._kind = kind
        self.update()

    def retheme(self) -> None:
        self.setFont(theme.font("label", bold=self._kind != "quiet" or not self._small))
        self.updateGeometry()

    def _show(self) -> None:
        plain = say(self._words)
        self.setText(plain.replace("&", "&&"))
        self.setAccessibleName(plain)
        if self._key:
            self.setAccessibleDescription(self._key)
        self.updateGeometry()
        self.update()

    def words(self) -> str:
        return say(self._words)

    def _parts(self) -> tuple[float, float, float, float]:
        """Widths of icon, words, hint and the padding."""
        icon = theme.scaled(20) + 8.0 if self._icon else 0.0
        words = QFontMetricsF(self.font()).horizontalAdvance(self.words())
        hint = QFontMetricsF(theme.font("hint")).horizontalAdvance(self._key) + 10.0 if self._key else 0.0
        return icon, words, hint, 12.0 if self._small or self._kind == "quiet" else 20.0

    def sizeHint(self) -> QSize:
        icon, words, hint, pad = self._parts()
        height = theme.height("row" if self._small else "control")
        return QSize(round(icon + words + hint + 2 * pad + 0.5), height)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, _event: object) -> None:
        fill, over, edge, ink = _TONES[self._kind]
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self.isEnabled():
            fill, edge, ink = (
                ("grey_soft", "", "faint") if self._kind == "primary" else (fill, edge and "line", "faint")
            )
        elif self.isDown() or self.isChecked():
            fill = "blue_soft" if self._kind in ("normal", "quiet") else over
        elif self.underMouse():
            fill = over
        if fill or edge:
            painter.setPen(QPen(theme.tone(edge), 1) if edge else Qt.PenStyle.NoPen)
            painter.setBrush(theme.tone(fill) if fill else Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), theme.radius(), theme.radius())
        if self.hasFocus():
            self._paint_focus(painter)
        self._paint_words(painter, ink)
        painter.end()

    def _paint_focus(self, painter: QPainter) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.tone("focus"), 2))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), theme.radius(), theme.radius())
        if self._kind == "primary":  # the ring of a blue button must be seen on blue
            painter.setPen(QPen(theme.tone("on_blue"), 1.5))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(3, 3, -3, -3), theme.radius() - 2, theme.radius() - 2)

    def _paint_words(self, painter: QPainter, ink: str) -> None:
        icon, words, hint, _ = self._parts()
        x = max(4.0, (self.width() - icon - words - hint) / 2)
        if icon:
            icons.beside(painter, x, 0, self.height(), self._icon, ink)
            x += icon
        painter.setFont(self.font())
        painter.setPen(theme.tone(ink))
        middle = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.drawText(QRectF(x, 0, words + 2, self.height()), middle, self.words())
        if hint:
            painter.setFont(theme.font("hint"))
            painter.setPen(theme.tone(ink if self._kind == "primary" else "faint"))
            painter.drawText(QRectF(x + words + 10, 0, hint, self.height()), middle, self._key)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._show()
        super().changeEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not entered(self, event):
            super().keyPressEvent(event)


def entered(button: QAbstractButton, event: QKeyEvent) -> bool:
    """Press ``button`` when ``event`` is Enter: Space alone would do on some systems, and nobody guesses which."""
    keys = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter) or keys != Qt.KeyboardModifier.NoModifier:
        return False
    if not event.isAutoRepeat():
        button.click()
    return True


class IconButton(QPushButton):
    """An icon alone, 32 px or more; ``name`` is its tooltip and what a screen reader says."""

    def __init__(
        self,
        icon: str,
        name: Words,
        *,
        tone: str = "soft",
        key: str = "",
        size: int = 20,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._icon, self._name, self._tone, self._key, self._size = icon, name, tone, key, size
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAutoDefault(False)
        if key:
            self.setShortcut(QKeySequence(key))
        self.retheme()
        self._show()

    def show_icon(self, icon: str, name: Words, tone: str | None = None) -> None:
        self._icon, self._name = icon, name
        self._tone = tone or self._tone
        self._show()

    def retheme(self) -> None:
        self.setFixedSize(theme.height("target"), theme.height("target"))

    def _show(self) -> None:
        name = say(self._name)
        self.setAccessibleName(name)
        self.setToolTip(f"{name} ({self._key})" if self._key else name)
        self.update()

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        chosen = self.isDown() or self.isChecked()
        if self.isEnabled() and (chosen or self.underMouse()):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.tone("blue_soft" if chosen else "hover"))
            painter.drawRoundedRect(box, theme.radius(), theme.radius())
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.tone("focus"), 2))
            painter.drawRoundedRect(box, theme.radius(), theme.radius())
        side = theme.scaled(self._size)
        tone = "faint" if not self.isEnabled() else "blue" if chosen else self._tone
        icons.draw(painter, QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side), self._icon, tone)
        painter.end()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._show()
        super().changeEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not entered(self, event):
            super().keyPressEvent(event)
