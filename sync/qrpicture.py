"""QR codes as pixels: drawn for a screen, a file or an animated picture, and found again in whatever picture is given.

Reading is bounded before a picture is unpacked: bytes, pixels, frames. A picture may hold many codes, and may move.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sync.errors import Known
from sync.limits import MAX_FRAMES, MAX_PICTURE, MAX_PIXELS
from sync.qrframes import PER_SECOND

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS: Final = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF")
_SCALE: Final = 6  # pixels of one module
_LARGE: Final = 3_600  # pixels: a picture without a readable code is enlarged up to this


def matrix(text: str, scale: int = 1) -> tuple[int, bytes]:
    """Side and pixels (one byte each, 0 is dark) of the code of ``text``, with its quiet zone."""
    import zxingcpp

    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="L")
    pixels: Any = zxingcpp.write_barcode_to_image(code, scale=scale)
    return int(pixels.shape[0]), bytes(pixels)


def png(text: str, scale: int = _SCALE) -> bytes:
    """One code as PNG."""
    made = io.BytesIO()
    _image(text, scale).save(made, "PNG", dpi=(300, 300))
    return made.getvalue()


def moving(texts: Sequence[str], scale: int = _SCALE) -> bytes:
    """Codes one after the other, again and again, as GIF; a single one stands still."""
    frames = [_image(text, scale) for text in texts]
    side = max(frame.width for frame in frames)
    frames = [_centred(frame, side) for frame in frames]
    made = io.BytesIO()
    frames[0].save(
        made, "GIF", save_all=True, append_images=frames[1:], duration=1000 // PER_SECOND, loop=0, optimize=False
    )
    return made.getvalue()


def _image(text: str, scale: int) -> Image:
    from PIL import Image

    side, pixels = matrix(text, scale)
    return Image.frombytes("L", (side, side), pixels).convert("1")


def _centred(image: Image, side: int) -> Image:
    """The last code of a set may be smaller than the others."""
    from PIL import Image

    if image.width == side:
        return image
    paper = Image.new("1", (side, side), 1)
    paper.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return paper


def texts(source: Path | bytes) -> list[str]:
    """What the QR codes of a picture say, each once. Known: SY-453 no picture, SY-452 no code in it."""
    found: dict[str, None] = {}
    for image in _frames(source):
        for text in _codes(image):
            found.setdefault(text)
    if not found:
        raise Known("SY-452")
    return list(found)


def _frames(source: Path | bytes) -> Iterator[Image]:
    from PIL import Image, ImageSequence, UnidentifiedImageError

    try:
        if isinstance(source, Path):
            with source.open("rb") as file:
                source = file.read(MAX_PICTURE + 1)
        if len(source) > MAX_PICTURE:
            raise Known("SY-453", reason=f"> {MAX_PICTURE >> 20} MB")
        with Image.open(io.BytesIO(source), formats=FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise Known("SY-453", reason=f"{picture.width} × {picture.height}")
            for number, image in enumerate(ImageSequence.Iterator(picture)):
                if number >= MAX_FRAMES:
                    return
                yield image.convert("L")
    except (OSError, ValueError, SyntaxError, EOFError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise Known("SY-453", reason=type(error).__name__) from error


def _codes(image: Image) -> list[str]:
    """A fast look; only when it finds nothing the picture is enlarged and sharpened."""
    from PIL import Image, ImageFilter

    found = _read(image)
    if not found and max(image.size) * 2 <= _LARGE:
        large = image.resize((image.width * 2, image.height * 2), Image.Resampling.BICUBIC)
        found = _read(large.filter(ImageFilter.UnsharpMask(radius=2, percent=120, threshold=0)))
    return found


def _read(image: Image) -> list[str]:
    import zxingcpp

    codes = zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode]))
    return [code.text for code in codes if code.valid]
