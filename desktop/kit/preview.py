"""A page of a PDF or a picture, as it will be on paper. The reader is loaded when the first document comes."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPen
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from desktop.kit import theme
from desktop.kit.button import IconButton
from desktop.kit.layout import column, row
from desktop.kit.wrap import Label, Words, say
from i18n import pdfium
from i18n.catalog import tr

MOST_BYTES = 60_000_000
MOST_PIXELS = 40_000_000


def page_image(pdf: bytes, page: int, *, width: int) -> QImage:
    """Page ``page`` (from 0) of a PDF, ``width`` pixels wide. ValueError when it cannot be read or is too large."""
    import pypdfium2

    if len(pdf) > MOST_BYTES:
        raise ValueError("too large")
    with pdfium.LOCK:
        return _drawn(pypdfium2, pdf, page, width)


def _drawn(pypdfium2: Any, pdf: bytes, page: int, width: int) -> QImage:
    try:
        document = pypdfium2.PdfDocument(pdf)
    except pypdfium2.PdfiumError as reason:
        raise ValueError("not a readable PDF") from reason
    try:
        drawn = document[page]
        points_wide, points_high = drawn.get_size()
        scale = min(width / points_wide, (MOST_PIXELS / (points_wide * points_high)) ** 0.5)
        bitmap = drawn.render(scale=scale, rev_byteorder=True, prefer_bgrx=True)
        image = QImage(
            bytes(bitmap.buffer), bitmap.width, bitmap.height, bitmap.stride, QImage.Format.Format_RGBX8888
        ).copy()
        bitmap.close()
        drawn.close()
        return image
    finally:
        document.close()


def page_count(pdf: bytes) -> int:
    """ValueError when it is no readable PDF."""
    import pypdfium2

    with pdfium.LOCK:
        try:
            document = pypdfium2.PdfDocument(pdf)
        except pypdfium2.PdfiumError as reason:
            raise ValueError("not a readable PDF") from reason
        count = len(document)
        document.close()
    return count


class _Sheet(QWidget):
    """The picture on its paper edge, as wide as there is room."""

    def __init__(self) -> None:
        super().__init__()
        self.image = QImage()
        self.zoom = 1.0

    def hasHeightForWidth(self) -> bool:
        return True

    def fit(self, width: int) -> None:
        if self.image.isNull():
            self.setFixedSize(QSize(max(width, 50), 50))
            return
        wide = max(50, round(width * self.zoom))
        self.setFixedSize(QSize(wide, max(50, round(wide * self.image.height() / self.image.width()))))

    def paintEvent(self, _event: object) -> None:
        if self.image.isNull():
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawImage(area, self.image)
        painter.setPen(QPen(theme.tone("line"), 1))
        painter.drawRect(area)
        painter.end()


class Preview(QWidget):
    """Shows a PDF page by page, or a picture; zoom with + and −, pages with Page Up and Page Down."""

    page_shown = Signal(int)

    def __init__(self, *, name: Words = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pdf: bytes | None = None
        self._pages, self._page = 0, 0
        self._sheet = _Sheet()
        self._scroll = QScrollArea()
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self._scroll.setWidget(self._sheet)
        self._scroll.setAccessibleName(say(name) or tr("Preview"))
        self._where = Label("", size="note", tone="soft")
        self._back = IconButton("chevron-left", lambda: tr("Page before"))
        self._next = IconButton("chevron-right", lambda: tr("Next page"))
        self._less = IconButton("minus", lambda: tr("Smaller"))
        self._more = IconButton("plus", lambda: tr("Larger"))
        self._back.clicked.connect(lambda: self.show_page(self._page - 1))
        self._next.clicked.connect(lambda: self.show_page(self._page + 1))
        self._less.clicked.connect(lambda: self._zoom(1 / 1.25))
        self._more.clicked.connect(lambda: self._zoom(1.25))
        bar = row(self._back, self._where, self._next, None, self._less, self._more, spacing=4)
        self.setLayout(column(bar, self._scroll, spacing=8))
        self._update_bar()

    def show_pdf(self, pdf: bytes) -> bool:
        """Show the first page; False when it cannot be read."""
        try:
            self._pages = page_count(pdf)
        except ValueError:
            self.clear()
            return False
        self._pdf = pdf
        self.show_page(0)
        return True

    def show_image(self, data: bytes) -> bool:
        """Show a picture file (PNG, JPEG, …); False when it cannot be read."""
        from PySide6.QtCore import QBuffer, QByteArray, QIODevice
        from PySide6.QtGui import QImageReader

        held = QByteArray(data)
        buffer = QBuffer(held)
        buffer.open(QIODevice.OpenModeFlag.ReadOnly)
        reader = QImageReader(buffer)
        reader.setAutoTransform(True)
        size = reader.size()
        if size.isValid() and size.width() * size.height() > MOST_PIXELS:
            size.scale(4000, 4000, Qt.AspectRatioMode.KeepAspectRatio)
            reader.setScaledSize(size)
        image = reader.read()
        self._pdf, self._pages, self._page = None, 0, 0
        self._sheet.image = image
        self._fit()
        self._update_bar()
        return not image.isNull()

    def clear(self) -> None:
        self._pdf, self._pages, self._page = None, 0, 0
        self._sheet.image = QImage()
        self._sheet.update()
        self._update_bar()

    def show_page(self, page: int) -> None:
        if self._pdf is None or not 0 <= page < self._pages:
            return
        self._page = page
        self._sheet.image = page_image(self._pdf, page, width=round(900 * max(1.0, self._sheet.zoom)))
        self._fit()
        self._update_bar()
        self.page_shown.emit(page)

    def _zoom(self, factor: float) -> None:
        self._sheet.zoom = min(4.0, max(0.5, self._sheet.zoom * factor))
        self.show_page(self._page)
        self._fit()

    def _fit(self) -> None:
        wide = self._scroll.contentsRect().width() - 2
        image = self._sheet.image
        if not image.isNull() and wide * self._sheet.zoom * image.height() > self._scroll.height() * image.width():
            wide -= (
                self._scroll.verticalScrollBar().sizeHint().width()
            )  # it will be there: no bar at the foot because of it
        self._sheet.fit(wide)
        self._sheet.update()

    def _update_bar(self) -> None:
        several = self._pages > 1
        for part in (self._back, self._next, self._where):
            part.setVisible(several)
        self._where.say(f"{self._page + 1} / {self._pages}")
        self._back.setEnabled(self._page > 0)
        self._next.setEnabled(self._page + 1 < self._pages)
        for part in (self._less, self._more):
            part.setVisible(not self._sheet.image.isNull())

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._fit()
