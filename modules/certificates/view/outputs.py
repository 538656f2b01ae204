"""Paper and files of a certificate: the print dialog and the save dialog. A print counts after the printer took it."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QWidget

from desktop.kit import files
from desktop.kit.desk import Desk
from i18n.catalog import tr

SHEET_WIDTH = 1_000  # pixels of the picture of a sheet

Then = Callable[[], None]


def show_sheet(desk: Desk, id: str, show: Callable[[bytes], object]) -> None:
    """Hand the picture of the sheet of certificate ``id`` to ``show``."""

    def arrived(sheet: Mapping[str, Any]) -> None:
        show(b64decode(sheet["png"]))

    desk.run("certificates.paper", then=arrived, id=id, width=SHEET_WIDTH)


def print_sheet(parent: QWidget, desk: Desk, id: str, then: Then) -> None:
    """Print certificate ``id`` after the person agreed in the dialog; ``then`` when it was printed and counted."""
    desk.run("certificates.paper", then=lambda sheet: _dialog(parent, desk, id, sheet, then), id=id)


def _dialog(parent: QWidget, desk: Desk, id: str, sheet: Mapping[str, Any], then: Then) -> None:
    from PySide6.QtPrintSupport import QPrintDialog, QPrinter

    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    printer.setFullPage(True)
    printer.setDocName(sheet["number"])
    dialog = QPrintDialog(printer, parent.window())
    dialog.setWindowModality(Qt.WindowModality.WindowModal)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.accepted.connect(lambda: put_on_paper(printer, desk, id, sheet, then))
    QDialog.open(dialog)


def put_on_paper(printer: Any, desk: Desk, id: str, sheet: Mapping[str, Any], then: Then) -> None:
    """Paint the sheet on ``printer``; counted only when the printer took it."""
    from PySide6.QtPrintSupport import QPrinter

    from desktop.kit.printing import paint_pages

    printed = paint_pages(printer, b64decode(sheet["pdf"]))
    if not printed or printer.printerState() in (QPrinter.PrinterState.Aborted, QPrinter.PrinterState.Error):
        desk.show_note(tr("The printer did not take it; no copy was counted"))
        return

    def done(_result: object) -> None:
        desk.show_note(tr("Printed, copy {copy}", copy=sheet["copy"]))
        then()

    desk.run("certificates.note_print", then=done, id=id, copy=sheet["copy"], way="printer", sha256=sheet["sha256"])


def save_sheet(parent: QWidget, desk: Desk, id: str, number: str, then: Then) -> None:
    """Ask where to, write the PDF of certificate ``id`` there, and count the copy."""

    def write(path: Path) -> None:
        desk.run("certificates.pdf", then=done, id=id, out=str(path))

    def done(result: Mapping[str, Any]) -> None:
        desk.show_note(tr("Saved as {file}, copy {copy}", file=Path(result["path"]).name, copy=result["copy"]))
        then()

    files.save_file(parent, lambda: tr("Save as PDF"), f"{number}.pdf", write)
