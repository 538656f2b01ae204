"""Paper: a PDF to a printer, page by page as pictures of 300 dots an inch, so that paper equals preview."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QDialog, QWidget

from desktop.kit.preview import page_count, page_image

DOTS = 300
A4_INCHES = 8.27


def print_pdf(parent: QWidget, pdf: bytes, then: Callable[[int], None] | None = None) -> None:
    """Open the print dialog for ``pdf``; printing happens when the person agrees. ValueError when it is no PDF.

    ``then(pages)`` is called when the pages were handed to the printer: only then is something printed.
    """
    from PySide6.QtPrintSupport import QPrintDialog, QPrinter

    count = page_count(pdf)
    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    printer.setFullPage(True)
    printer.setFromTo(1, count)
    dialog = QPrintDialog(printer, parent.window())
    dialog.setMinMax(1, count)
    dialog.setWindowModality(Qt.WindowModality.WindowModal)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

    def go() -> None:
        pages = paint_pages(printer, pdf)
        if then is not None:
            then(pages)

    dialog.accepted.connect(go)
    QDialog.open(dialog)  # QPrintDialog's own open() wants a slot by name


def paint_pages(printer: object, pdf: bytes) -> int:
    """Paint the pages that ``printer`` (a QPrinter) asks for; returns how many."""
    from PySide6.QtPrintSupport import QPrinter

    if not isinstance(printer, QPrinter):
        raise TypeError("a QPrinter is needed")
    count = page_count(pdf)
    first = max(1, printer.fromPage() or 1)
    last = min(count, printer.toPage() or count)
    painter = QPainter(printer)
    area = printer.pageLayout().fullRectPixels(printer.resolution())
    for number in range(first - 1, last):
        if number > first - 1:
            printer.newPage()
        image = page_image(pdf, number, width=round(A4_INCHES * DOTS))
        size = image.size().scaled(area.size(), Qt.AspectRatioMode.KeepAspectRatio)
        painter.drawImage(QRect(area.topLeft(), size), image)
    painter.end()
    return max(0, last - first + 1)
