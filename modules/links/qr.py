"""QR codes of short links: drawn, read back from their own pixels, and only then handed out."""

from __future__ import annotations

import io
from pathlib import Path
from typing import IO, Any, Final

from modules.contract import Known, Refused
from sync import durable

LEVEL: Final = "Q"  # a quarter of the symbol may be dirty or torn
_PIXELS: Final = 8  # of one module in a picture: 264 pixels for a usual code, sharp at 5 cm in print


def payload(short: str, *, upper: bool) -> str:
    """What the symbol says. In upper case it is alphanumeric mode: one size smaller, so easier to scan from afar."""
    return short.upper() if upper else short


def verified(text: str, code: str) -> Any:
    """The symbol of ``text``, read back. ``Known("LN-010")`` when it does not read as itself."""
    import zxingcpp

    symbol = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level=LEVEL)
    pixels = zxingcpp.write_barcode_to_image(symbol, scale=2)
    read = zxingcpp.read_barcode(pixels, try_rotate=False, try_downscale=False, try_invert=False)
    if read is None or read.text != text:
        raise Known("LN-010", link=code)
    return symbol


def write(text: str, code: str, out: Path) -> Path:
    """One QR as ``out`` (.png or .svg). ``Refused("LN-008")`` for anything else."""
    import zxingcpp

    suffix = out.suffix.lower()
    if suffix == ".png":
        return put(out, png(text, code))
    if suffix == ".svg":
        return put(out, zxingcpp.write_barcode_to_svg(verified(text, code), scale=_PIXELS).encode())
    raise Refused("LN-008", suffix=suffix or out.name)


def png(text: str, code: str) -> bytes:
    """One QR as PNG bytes, for the screen."""
    made = io.BytesIO()
    _png(verified(text, code), made)
    return made.getvalue()


def _png(symbol: Any, out: IO[bytes]) -> None:
    import zxingcpp
    from PIL import Image

    picture: Any = zxingcpp.write_barcode_to_image(symbol, scale=_PIXELS)
    height, width = picture.shape
    Image.frombytes("L", (width, height), bytes(picture)).convert("1").save(out, "PNG", dpi=(300, 300))


def put(out: Path, data: bytes) -> Path:
    """Write a whole file or none: beside its place, onto the disk, then renamed. ``Known("LN-009")`` when that fails."""
    try:
        durable.replace(out, data)
    except OSError as error:
        raise Known("LN-009", file=out.name, reason=error.strerror or type(error).__name__) from error
    return out
