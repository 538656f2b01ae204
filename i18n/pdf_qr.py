"""QR codes as vectors in PDF: sharp in print at every size, a few kilobytes."""

from __future__ import annotations

from itertools import groupby
from typing import Any, Final, Literal

QUIET: Final = 4  # modules of white around the code, as the standard asks


def draw_qr(
    canvas: Any, x: float, y: float, size: float, payload: str | bytes, ecc: Literal["L", "M", "Q", "H"] = "M"
) -> None:
    """Draw a QR code of ``payload``, lower left corner at (x, y), sides of ``size`` points with the quiet zone.

    ValueError when the payload is too long for one code.
    """
    import zxingcpp

    barcode = zxingcpp.create_barcode(payload, zxingcpp.BarcodeFormat.QRCode, ec_level=ecc)
    picture: Any = zxingcpp.write_barcode_to_image(barcode, scale=1, add_quiet_zones=False)
    modules: Any = memoryview(picture).tolist()  # one byte a module, 0 is dark
    module = size / (len(modules) + 2 * QUIET)
    canvas.saveState()
    canvas.setFillGray(1)
    canvas.rect(x, y, size, size, stroke=0, fill=1)
    canvas.setFillGray(0)
    dark = canvas.beginPath()
    for row, values in enumerate(modules):
        column = 0
        for value, group in groupby(values):
            length = len(list(group))
            if value == 0:
                left, bottom = x + (QUIET + column) * module, y + size - (QUIET + row + 1) * module
                dark.rect(left, bottom, length * module, module)
            column += length
    canvas.drawPath(dark, stroke=0, fill=1)
    canvas.restoreState()
