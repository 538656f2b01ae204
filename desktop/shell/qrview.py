"""QR codes on the screen, large enough to be photographed: one stands still, several come one after the other."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.kit import shown, theme
from i18n.catalog import tr

SIDE = 340  # pixels at 100 % text size


class QrView(QWidget):
    """``show_texts`` shows codes; several change eight times a second. Space or a click stops and goes on."""

    def __init__(self, side: int = SIDE, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._side, self._at = side, 0
        self._texts: list[str] = []
        self._images: dict[int, QImage] = {}
        self._tick = QTimer(self)
        self._tick.timeout.connect(self._next)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("QR code"))

    def show_texts(self, texts: Sequence[str]) -> None:
        """Show these codes from the first on; none hides the view."""
        from sync.qrframes import PER_SECOND

        self._texts, self._images, self._at = list(texts), {}, 0
        self.setVisible(bool(texts))
        self.updateGeometry()
        self._tick.stop()
        if len(self._texts) > 1:
            self._tick.start(1000 // PER_SECOND)
        self._speak()
        self.update()

    def texts(self) -> list[str]:
        """What is shown."""
        return list(self._texts)

    def running(self) -> bool:
        return self._tick.isActive()

    def toggle(self) -> None:
        """Stop at this code, or go on."""
        if len(self._texts) > 1:
            if self._tick.isActive():
                self._tick.stop()
            else:
                self._tick.start()
            self._speak()

    def _next(self) -> None:
        self._at = (self._at + 1) % len(self._texts)
        self.update()

    def _speak(self) -> None:
        count = len(self._texts)
        name = tr("QR code") if count < 2 else tr("{count} QR codes, one after the other", count=shown.number(count))
        self.setAccessibleName(name)
        self.setToolTip(tr("Space stops and goes on") if count > 1 else "")

    def _image(self) -> QImage:
        if self._at not in self._images:
            from sync.qrpicture import matrix

            side, pixels = matrix(self._texts[self._at])
            self._images[self._at] = QImage(pixels, side, side, side, QImage.Format.Format_Grayscale8).copy()
        return self._images[self._at]

    def _length(self) -> int:
        """The side of the code: smaller where the window is low, so that all of it is seen at once."""
        return min(theme.scaled(self._side), max(200, self.window().height() - 330))

    def sizeHint(self) -> QSize:
        side = self._length()
        return QSize(side, side + (theme.scaled(26) if len(self._texts) > 1 else 0))

    minimumSizeHint = sizeHint

    def paintEvent(self, _event: object) -> None:
        if not self._texts:
            return
        painter = QPainter(self)
        side = self._length()
        painter.fillRect(0, 0, side, side, Qt.GlobalColor.white)  # in every theme: cameras want it so
        image = self._image()
        dots = self.devicePixelRatioF()  # a module is a whole number of the screen's own dots, as many as fit
        scale = max(1, int(side * dots) // image.width()) / dots
        edge = int((side - image.width() * scale) * dots / 2) / dots
        painter.drawImage(QRectF(edge, edge, image.width() * scale, image.height() * scale), image)
        painter.setPen(QPen(theme.tone("focus" if self.hasFocus() else "line"), 2 if self.hasFocus() else 1))
        painter.drawRect(QRectF(0.5, 0.5, side - 1, side - 1))
        if len(self._texts) > 1:
            painter.setFont(theme.font("note"))
            painter.setPen(theme.tone("soft"))
            words = tr("Code {at} of {count}", at=shown.number(self._at + 1), count=shown.number(len(self._texts)))
            painter.drawText(QRectF(0, side, side, theme.scaled(26)), int(Qt.AlignmentFlag.AlignCenter), words)
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space:
            self.toggle()
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self.toggle()

    def retheme(self) -> None:
        self.updateGeometry()

    def focusInEvent(self, event: object) -> None:
        self.update()
        super().focusInEvent(event)  # type: ignore[arg-type]

    def focusOutEvent(self, event: object) -> None:
        self.update()
        super().focusOutEvent(event)  # type: ignore[arg-type]
