"""Several views in one place, one of them in front."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QStackedWidget, QWidget


class Stack(QStackedWidget):
    """Only the view in front has a say in the size. Qt's own stack asks for the room of the largest view, and for all that
    its lists and texts could show at once, so that a page would scroll for a view that nobody sees.
    """

    def __init__(self, *views: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.currentChanged.connect(lambda _index: self.updateGeometry())
        for view in views:
            self.addWidget(view)

    def hasHeightForWidth(self) -> bool:
        return False

    def minimumSizeHint(self) -> QSize:
        view = self.currentWidget()
        if view is None:
            return QSize(0, 0)
        least, layout = view.minimumSizeHint(), view.layout()
        if layout is not None and layout.hasHeightForWidth():
            least.setHeight(layout.totalMinimumHeightForWidth(max(self.width(), least.width())))
        return least

    def sizeHint(self) -> QSize:
        view = self.currentWidget()
        return view.sizeHint() if view is not None else QSize(0, 0)

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self.updateGeometry()  # words that wrap need another height in another width
