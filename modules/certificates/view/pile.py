"""Parts in one place, one shown: as small as the shown one may be (Qt's own takes the largest of all)."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QStackedWidget, QWidget


class Pile(QStackedWidget):
    """A stack whose size follows what is shown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.currentChanged.connect(lambda _index: self.updateGeometry())

    def minimumSizeHint(self) -> QSize:
        current = self.currentWidget()
        return current.minimumSizeHint() if current is not None else super().minimumSizeHint()

    def sizeHint(self) -> QSize:
        current = self.currentWidget()
        return current.sizeHint() if current is not None else super().sizeHint()

    def hasHeightForWidth(self) -> bool:
        current = self.currentWidget()
        return current is not None and current.hasHeightForWidth()

    def heightForWidth(self, width: int) -> int:
        """How low the shown part can be; Qt's own asks for the hidden parts too and pushed the buttons off low screens."""
        current = self.currentWidget()
        layout = current.layout() if current is not None else None
        return layout.totalMinimumHeightForWidth(width) if layout is not None else -1
