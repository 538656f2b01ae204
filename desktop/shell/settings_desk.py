"""Devices at the desk: does the scanner type, does the printer print?"""

from __future__ import annotations

from desktop.bridge import Bridge
from desktop.kit import theme
from desktop.kit.button import Button
from desktop.kit.fields import LineField
from desktop.kit.layout import column, row
from desktop.kit.wrap import Label
from desktop.shell.settings_parts import Pane
from i18n.catalog import tr

SAMPLE = "ព្រះរាជាណាចក្រកម្ពុជា ជាតិ សាសនា ព្រះមហាក្សត្រ\n០១២៣៤៥៦៧៨៩ 0123456789\nសាលា Sala"


class DeskPane(Pane):
    """A line to scan into, a page to print."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.scan = LineField(
            {"km": "ស្កេនកូដនៅទីនេះ", "en": "Scan a code here"},
            note=lambda: tr("A handheld scanner types like a keyboard. What it reads must appear here at once."),
            icon="scan",
            longest=4000,
        )
        self.scan.edited.connect(self._scanned)
        self.heard = Label("", tone="green", wrap=True)
        self.heard.setVisible(False)
        self.block(lambda: tr("Scanner"), "", column(self.scan, self.heard, spacing=8))
        self.print = Button(lambda: tr("Print a test page…"), icon="print")
        self.print.clicked.connect(self._print)
        self.block(
            lambda: tr("Printer"),
            lambda: tr("The page must show Khmer letters with all their subscripts."),
            row(self.print, None),
        )
        self.end()

    def _scanned(self) -> None:
        read = self.scan.text()
        self.heard.say(lambda: tr("{count} characters read.", count=len(read)))
        self.heard.setVisible(bool(read))

    def _print(self) -> None:
        from PySide6.QtCore import QRectF, Qt
        from PySide6.QtGui import QFont, QPainter
        from PySide6.QtPrintSupport import QPrintDialog, QPrinter
        from PySide6.QtWidgets import QDialog

        printer = QPrinter(QPrinter.PrinterMode.HighResolution)
        dialog = QPrintDialog(printer, self.window())
        dialog.setWindowModality(Qt.WindowModality.WindowModal)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

        def paint() -> None:
            painter = QPainter(printer)
            font = QFont(theme.FAMILY)
            font.setPointSizeF(18)
            painter.setFont(font)
            area = QRectF(printer.pageLayout().paintRectPixels(printer.resolution()))
            area.moveTo(0, 0)
            painter.drawText(area, int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop), SAMPLE)
            painter.end()

        dialog.accepted.connect(paint)
        QDialog.open(dialog)
