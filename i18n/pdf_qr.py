"""QR codes as vectors in PDF: sharp in print at every size, a few kilobytes."""

from __future__ import annotations

import re
from typing import Any, Final, Literal

QUIET: Final = 4  # modules of white around the code, as the standard asks

_DARK: Final = re.compile(rb"\0+")


def draw_qr(
    canvas: Any, x: float, y: float, size: float, payload: str | bytes, ecc: Literal["L", "M", "Q", "H"] = "M"
) -> None:
    """Draw a QR code of ``payload``, lower left corner at (x, y), sides of ``size`` points with the quiet zone.

    ValueError when the payload is too long for one code.
    """
    import zxingcpp

    barcode = zxingcpp.create_barcode(payload, zxingcpp.BarcodeFormat.QRCode, ec_level=ecc)
    picture: Any = zxingcpp.write_barcode_to_image(barcode, scale=1, add_quiet_zones=False)
    side = picture.shape[0]
    pixels = bytes(picture)  # one byte a module, 0 is dark
    module = size / (side + 2 * QUIET)
    canvas.saveState()
    canvas.setFillGray(1)
    canvas.rect(x, y, size, size, stroke=0, fill=1)
    canvas.setFillGray(0)
    canvas.translate(x + QUIET * module, y + size - QUIET * module)
    canvas.scale(module, -module)
    dark = [
        f"{run.start()} {row} {run.end() - run.start()} 1 re"
        for row in range(side)
        for run in _DARK.finditer(pixels[row * side : (row + 1) * side])
    ]
    canvas._code.append(" ".join([*dark, "f"]))  # whole modules: the canvas would format some 700 lengths a code
    canvas.restoreState()
