"""Rows, columns and pages that scroll only downwards."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLayout, QLayoutItem, QScrollArea, QVBoxLayout, QWidget

from desktop.kit import theme

Part = QWidget | QLayout | int | None
"""A part of a row or column: a widget, a layout, a gap in pixels, or None for a stretch."""

LEAST_PAGE = 600  # pixels: the window never grows because a page with very large text is wider

Margins = tuple[int, int, int, int]


def _fill(box: QBoxLayout, parts: tuple[Part, ...], spacing: int, margins: Margins) -> None:
    box.setSpacing(spacing)
    box.setContentsMargins(*margins)
    for part in parts:
        if part is None:
            box.addStretch(1)
        elif isinstance(part, int):
            box.addSpacing(part)
        elif isinstance(part, QLayout):
            box.addLayout(part)
        else:
            box.addWidget(part)


def row(*parts: Part, spacing: int = 8, margins: Margins = (0, 0, 0, 0)) -> QHBoxLayout:
    """Parts beside each other."""
    box = QHBoxLayout()
    _fill(box, parts, spacing, margins)
    return box


def column(*parts: Part, spacing: int = 8, margins: Margins = (0, 0, 0, 0)) -> QVBoxLayout:
    """Parts under each other."""
    box = QVBoxLayout()
    _fill(box, parts, spacing, margins)
    return box


def holder(layout: QLayout, parent: QWidget | None = None) -> QWidget:
    """A plain widget that holds ``layout``."""
    made = QWidget(parent)
    made.setLayout(layout)
    return made


class Rule(QWidget):
    """A hairline."""

    def __init__(self, *, vertical: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        if vertical:
            self.setFixedWidth(1)
        else:
            self.setFixedHeight(1)

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.tone("line"))
        painter.end()


class Scroll(QScrollArea):
    """Holds a page that may be taller than the window; it is never wider, and follows the keyboard focus."""

    def __init__(self, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(content)
        self.viewport().setAutoFillBackground(False)
        content.setAutoFillBackground(False)

    def _fit(self) -> None:
        """The content is as high as its words need in this width; by itself Qt asks for more when labels wrap."""
        content = self.widget()
        layout = content.layout() if content else None
        if content is not None and layout is not None and layout.hasHeightForWidth():
            content.setMinimumHeight(max(1, layout.minimumHeightForWidth(self.viewport().width())))

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()
        super().resizeEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.widget() and event.type() == QEvent.Type.LayoutRequest:
            self._fit()
        return super().eventFilter(watched, event)

    def minimumSizeHint(self) -> QSize:
        content = self.widget()
        return QSize(content.minimumSizeHint().width() if content else 0, 80)


class Beside(QWidget):
    """Words at the left and their buttons at the right; where both do not fit the buttons go under the words."""

    def __init__(self, left: QWidget, right: QWidget, *, least: int = 220, spacing: int = 16) -> None:
        super().__init__()
        self._left, self._right, self._least = left, right, least
        self._box = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        _fill(self._box, (left, right), spacing, (0, 0, 0, 0))
        self._box.setStretch(0, 1)
        self.setLayout(self._box)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        fits = theme.scaled(self._least) + self._box.spacing() + self._right.sizeHint().width() <= self.width()
        way = QBoxLayout.Direction.LeftToRight if fits else QBoxLayout.Direction.TopToBottom
        if way != self._box.direction():
            self._box.setDirection(way)

    def minimumSizeHint(self) -> QSize:
        return QSize(self._right.minimumSizeHint().width(), super().minimumSizeHint().height())


class PageScroll(QScrollArea):
    """Holds one page: exactly as large as the window's room, and scrolled only when the page cannot be that low.

    Pages keep lists and texts that scroll by themselves; this one is for large text on a low screen.
    """

    def __init__(self, page: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(page)
        self.viewport().setAutoFillBackground(False)
        page.setAutoFillBackground(False)

    def _fit(self) -> None:
        page = self.widget()
        if page is None:
            return
        room, least = self.contentsRect(), page.minimumSizeHint()
        if self._least_height(page, room.width()) > room.height():
            room.setWidth(room.width() - self.verticalScrollBar().sizeHint().width())
        wide = max(room.width(), least.width())
        page.resize(wide, max(room.height(), self._least_height(page, wide)))

    def _least_height(self, page: QWidget, wide: int) -> int:
        """How low ``page`` can be in ``wide`` without cutting anything; words that wrap need more in little width."""
        layout = page.layout()
        if layout is None or not layout.hasHeightForWidth():
            return page.minimumSizeHint().height()
        return layout.totalMinimumHeightForWidth(wide)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.widget() and event.type() == QEvent.Type.LayoutRequest:
            self._fit()
        return super().eventFilter(watched, event)

    def minimumSizeHint(self) -> QSize:
        page = self.widget()
        return QSize(min(LEAST_PAGE, page.minimumSizeHint().width()) if page else 0, 120)


class Wrapped(QLayout):
    """Parts beside each other that go on in the next line when the row is full: for buttons and chips at any text
    size.
    """

    def __init__(self, *parts: QWidget, spacing: int = 8, top: bool = False) -> None:
        super().__init__()
        self._top = top  # parts of different heights stand at the top of their line, not in its middle
        self._items: list[QLayoutItem] = []
        self.setSpacing(spacing)
        self.setContentsMargins(0, 0, 0, 0)
        for part in parts:
            self.addWidget(part)

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:  # Qt asks past the end and wants None
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._place(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._place(rect, move=True)

    def sizeHint(self) -> QSize:
        shown = [item.sizeHint() for item in self._items if not item.isEmpty()]
        width = sum(size.width() for size in shown) + self.spacing() * max(0, len(shown) - 1)
        return QSize(width, max((size.height() for size in shown), default=0))

    def minimumSize(self) -> QSize:
        size = QSize()
        for item in self._items:
            if not item.isEmpty():
                size = size.expandedTo(item.minimumSize())
        return size

    def _place(self, rect: QRect, *, move: bool) -> int:
        y, between = rect.y(), min(8, self.spacing())
        for line in self._lines(rect.width()):
            tallest = max(item.sizeHint().height() for item in line)
            x = rect.x()
            for item in line:
                size = item.sizeHint()
                wide = min(size.width(), rect.width())
                if move:
                    lower = 0 if self._top else (tallest - size.height()) // 2
                    item.setGeometry(QRect(x, y + lower, wide, size.height()))
                x += wide + self.spacing()
            y += tallest + between
        return max(0, y - between - rect.y())

    def _lines(self, width: int) -> list[list[QLayoutItem]]:
        """The items that stand in each line of ``width``."""
        lines: list[list[QLayoutItem]] = []
        left = -1
        for item in self._items:
            if item.isEmpty():
                continue
            needed = item.sizeHint().width() + self.spacing()
            if needed - self.spacing() > left:
                lines.append([])
                left = width
            lines[-1].append(item)
            left -= needed
        return lines
