"""The navigation rail: icon and word for every page, work above, outbox and settings below, Ctrl+1 … Ctrl+9."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import QAbstractButton, QFrame, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from desktop.kit import icons, shown, theme
from desktop.kit.button import entered
from desktop.kit.wrap import Words, say
from i18n.catalog import tr

WIDTH = 96


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the rail: the page's id, its icon and its word. ``low`` places stand at the bottom."""

    id: str
    icon: str
    word: Words
    low: bool = False


class RailButton(QAbstractButton):
    """Icon over word; the chosen one in blue on a soft ground, a count in its corner."""

    def __init__(self, place: Place, key: str) -> None:
        super().__init__()
        self.place, self._key, self._count = place, key, 0
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.speak()

    def set_count(self, count: int) -> None:
        self._count = count
        self.speak()

    def speak(self) -> None:
        word = say(self.place.word)
        self.setAccessibleName(f"{word} {shown.number(self._count)}" if self._count else word)
        self.setToolTip(f"{word} ({self._key})" if self._key else word)
        self.updateGeometry()
        self.update()

    def word_width(self) -> float:
        return QFontMetricsF(theme.font("hint", bold=True)).horizontalAdvance(say(self.place.word))

    def sizeHint(self) -> QSize:
        return QSize(WIDTH - 12, round(theme.scaled(24) + theme.line_height("hint") + 17))

    def minimumSizeHint(self) -> QSize:
        return QSize(64, self.sizeHint().height())

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect())
        on = self.isChecked()
        if on or self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.tone("blue_soft" if on else "hover"))
            painter.drawRoundedRect(box, theme.radius(), theme.radius())
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.tone("focus"), 2))
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), theme.radius(), theme.radius())
        side = theme.scaled(24)
        tone = "blue" if on else "soft"
        icons.draw(painter, QRectF((box.width() - side) / 2, 8, side, side), self.place.icon, tone)
        painter.setFont(theme.font("hint", bold=on))
        painter.setPen(theme.tone(tone))
        area = QRectF(0, side + 9, box.width(), theme.line_height("hint") + 2)
        painter.drawText(area, int(Qt.AlignmentFlag.AlignCenter), say(self.place.word))
        if self._count:
            self._paint_count(painter, box.center().x() + side / 2 - 4)
        painter.end()

    def _paint_count(self, painter: QPainter, x: float) -> None:
        words = shown.number(min(self._count, 999)) + ("+" if self._count > 999 else "")
        font = theme.font("hint", bold=True)
        wide = max(QFontMetricsF(font).horizontalAdvance(words) + 8, theme.scaled(16))
        tall = theme.scaled(16)
        badge = QRectF(min(x, self.width() - wide - 2), 3, wide, tall)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.tone("blue"))
        painter.drawRoundedRect(badge, tall / 2, tall / 2)
        painter.setFont(font)
        painter.setPen(theme.tone("on_blue"))
        painter.drawText(
            badge.adjusted(0, -8, 0, 8).translated(0, theme.drop("hint")), int(Qt.AlignmentFlag.AlignCenter), words
        )

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not entered(self, event):
            super().keyPressEvent(event)

    def enterEvent(self, _event: object) -> None:
        self.update()

    def leaveEvent(self, _event: object) -> None:
        self.update()


class Rail(QScrollArea):
    """All places. ``wanted(id)`` when one is chosen. Scrolls by itself when the text is large and the window low."""

    wanted = Signal(str)

    def __init__(self, places: list[Place], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(tr("Pages"))
        board = QWidget()
        stack = QVBoxLayout(board)
        stack.setContentsMargins(6, 10, 6, 8)
        stack.setSpacing(2)
        self.buttons: dict[str, RailButton] = {}
        ordered = [place for place in places if not place.low] + [place for place in places if place.low]
        stretched = False
        for number, place in enumerate(ordered, 1):
            if place.low and not stretched:
                stack.addStretch(1)
                stretched = True
            button = RailButton(place, f"Ctrl+{number}" if number <= 9 else "")
            button.clicked.connect(lambda _on=False, id=place.id: self._pressed(id))
            stack.addWidget(button)
            self.buttons[place.id] = button
        self.setWidget(board)
        board.setAutoFillBackground(False)  # setWidget had switched it on
        self.viewport().setAutoFillBackground(False)
        self.retheme()

    def order(self) -> list[str]:
        """Page ids from top to bottom: what Ctrl+1, Ctrl+2, … mean."""
        return list(self.buttons)

    def choose(self, id: str) -> None:
        for place, button in self.buttons.items():
            button.setChecked(place == id)
        if chosen := self.buttons.get(id):
            self.ensureWidgetVisible(chosen, 0, 8)

    def _pressed(self, id: str) -> None:
        self.choose(id)  # a second press leaves it chosen
        self.wanted.emit(id)

    def retheme(self) -> None:
        widest = max((button.word_width() for button in self.buttons.values()), default=0)
        self.setFixedWidth(max(WIDTH, round(widest) + 24))
        for button in self.buttons.values():
            button.updateGeometry()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self.focusNextPrevChild(event.key() == Qt.Key.Key_Down)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: object) -> None:
        painter = QPainter(self.viewport())
        painter.fillRect(self.viewport().rect(), theme.tone("surface"))
        painter.end()
        super().paintEvent(event)  # type: ignore[arg-type]

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.setAccessibleName(tr("Pages"))
            for button in self.buttons.values():
                button.speak()
            self.retheme()
        super().changeEvent(event)
