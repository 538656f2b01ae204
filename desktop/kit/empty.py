"""Empty states that teach: what will be here, and the one thing to do first."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from desktop.kit import icons, theme
from desktop.kit.button import Button
from desktop.kit.layout import column, row
from desktop.kit.wrap import Label, Words, say


class _Medal(QWidget):
    """A large icon on a soft disc."""

    def __init__(self, icon: str) -> None:
        super().__init__()
        self._icon = icon
        self.setFixedSize(72, 72)

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.tone("blue_soft"))
        painter.drawEllipse(QRectF(self.rect()))
        icons.draw(painter, QRectF(20, 20, 32, 32), self._icon, "blue")
        painter.end()


class Empty(QWidget):
    """Shown instead of an empty list. ``acted`` when its button is pressed."""

    acted = Signal()

    def __init__(
        self, icon: str, title: Words, teach: Words, *, action: Words = "", key: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        middle = Qt.AlignmentFlag.AlignHCenter
        self.title = Label(title, size="heading", bold=True, wrap=True)
        self.teach = Label(teach, size="note", tone="soft", wrap=True)
        self.button = Button(action, key=key)
        if not say(action):
            self.button.hide()
        self.button.clicked.connect(self.acted)
        for label in (self.title, self.teach):
            label.setAlignment(middle)
        medal = _Medal(icon)
        block = column(spacing=8)
        block.addWidget(medal, 0, middle)
        block.addSpacing(8)
        block.addWidget(self.title)
        block.addWidget(self.teach)
        block.addSpacing(12)
        block.addWidget(self.button, 0, middle)
        self._keeper = keeper = QWidget()
        keeper.setLayout(block)
        self.retheme()
        self.setLayout(column(None, row(None, keeper, None), None, margins=(24, 24, 24, 24)))

    def retheme(self) -> None:
        self._keeper.setFixedWidth(min(theme.scaled(460), max(240, self.width() - 48)))

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self.retheme()
