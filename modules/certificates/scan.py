"""Finds codes in one picture. A fast pass first; only a picture without a readable code is worked on further.

Small modules and photocopies defeat the plain decoder; enlarged twice and sharpened they are read. A decoder may also
read wrongly, so the caller says which texts are sound, and a text that is not sound is taken only when nothing better
is found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_CODES: Final = 50  # of one picture
_WORK_SIDE: Final = 2_400  # pixels: a larger picture is made smaller before it is worked on
_LARGE_SIDE: Final = 3_600  # pixels: what is worked on is enlarged up to this


def codes(picture: Image, sound: Callable[[str], bool], *, thorough: bool = True) -> list[str]:
    """The texts of all codes of ``picture``, each once, top to bottom; not ``thorough``: the fast pass only."""
    grey = picture if picture.mode == "L" else picture.convert("L")
    doubtful: list[str] = []
    for attempt, formats in _attempts(grey):
        found = _read(attempt, formats)
        if any(sound(text) for text in found):
            return found
        doubtful = doubtful or found
        if not thorough:
            break
    return doubtful


def _attempts(picture: Image) -> Iterator[tuple[Image, str]]:
    """The picture as it is, then ever more worked on: against small modules, specks, blur, low contrast."""
    from PIL import Image, ImageFilter, ImageOps

    yield picture, "QRCode"
    work = picture
    if max(picture.size) > _WORK_SIDE:
        work = ImageOps.contain(picture, (_WORK_SIDE, _WORK_SIDE), Image.Resampling.BOX)
    factor = max(1, min(2, _LARGE_SIDE // max(work.size)))
    size = (work.width * factor, work.height * factor)
    sharpen = ImageFilter.UnsharpMask(radius=2, percent=120, threshold=0)

    yield work.resize(size, Image.Resampling.BICUBIC).filter(sharpen), "QRCode"
    calm = work.filter(ImageFilter.MedianFilter(3))
    yield calm, "QRCode"
    yield calm.resize(size, Image.Resampling.BICUBIC).filter(sharpen), "QRCode"
    yield ImageOps.autocontrast(work, cutoff=2).resize(size, Image.Resampling.BICUBIC).filter(sharpen), "QRCode"
    yield work.resize(size, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(2)), "QRCode"
    yield work, "AllMatrix"


def _read(picture: Image, formats: str) -> list[str]:
    import zxingcpp

    found: list[Any] = zxingcpp.read_barcodes(picture, formats=getattr(zxingcpp.BarcodeFormat, formats))
    found = sorted(found, key=lambda code: (code.position.top_left.y, code.position.top_left.x))
    texts = [code.text for code in found if code.valid]
    return list(dict.fromkeys(texts))[:MAX_CODES]
