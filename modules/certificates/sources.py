"""Takes whatever an officer drops, pastes or scans, and finds the codes in it: PDF, picture, text.

Sizes are bounded before anything is opened; nothing that a file asks for (links, scripts, forms) is followed. PDFium is
not safe for several threads, so all of it stands behind one lock.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from i18n import pdfium
from i18n.errors import Refused
from modules.certificates.scan import codes

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_FILE: Final = 64 * 1024 * 1024  # bytes
MAX_TEXT: Final = 64 * 1024  # characters
MAX_PIXELS: Final = 60_000_000
MAX_PAGES: Final = 200
THOROUGH_PAGES: Final = 6  # of a PDF in which nothing was found at once
ATTACHMENT_LIMIT: Final = 16 * 1024  # bytes: a credential is far smaller
PICTURES: Final = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP")
SUFFIXES: Final = frozenset(
    {".pdf", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif", ".webp", ".txt", ".kh1", ".json"}
)

_PAGE_SIDE = 5_000  # pixels of a rendered page at most, whatever its paper size

Kind = Literal["pdf", "picture", "text"]
Sound = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Found:
    """One code: its text, its page (from 1; 0 where there are no pages), and whether it was attached or seen."""

    text: str
    page: int = 0
    attached: bool = False


@dataclass(slots=True)
class Contents:
    """What a source held. ``readable`` is False for a file that cannot be opened as what it claims to be."""

    kind: Kind
    found: list[Found] = field(default_factory=list)
    readable: bool = True
    pdf_signatures: int = 0


def open_source(source: str | bytes, sound: Sound) -> Contents:
    """Everything in ``source``: bytes of a file, a path, or a text. ``Refused``: CT-201 no such file · CT-202 too large."""
    if isinstance(source, bytes):
        return _of_bytes(source, "", sound)
    path = _path(source)
    if path is None:
        if len(source) > MAX_TEXT:
            raise Refused("CT-202", file="", most=f"{MAX_TEXT // 1024} KB")
        return Contents("text", [Found(source)])
    try:
        if path.stat().st_size > MAX_FILE:
            raise Refused("CT-202", file=path.name, most=f"{MAX_FILE // 1024 // 1024} MB")
        data = path.read_bytes()
    except OSError as error:
        raise Refused("CT-201", file=path.name) from error
    return _of_bytes(data, path.name, sound)


def _path(source: str) -> Path | None:
    """The file that ``source`` names; None when it is a text. A name that looks like a file must be one."""
    if len(source) > 1_024 or "\n" in source or "\0" in source or source.startswith(("KH1:", "http:", "https:", "{")):
        return None
    path = Path(source)
    try:
        if path.is_file():
            return path
    except OSError:
        return None
    return path if path.suffix.lower() in SUFFIXES and "://" not in source else None


def _of_bytes(data: bytes, name: str, sound: Sound) -> Contents:
    if len(data) > MAX_FILE:
        raise Refused("CT-202", file=name, most=f"{MAX_FILE // 1024 // 1024} MB")
    if b"%PDF-" in data[:1024]:
        return _pdf(data, sound)
    picture = _picture(data)
    if picture is not None:
        return Contents("picture", [Found(text) for text in codes(picture, sound)])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Contents("picture", readable=False)
    if len(text) > MAX_TEXT:
        raise Refused("CT-202", file=name, most=f"{MAX_TEXT // 1024} KB")
    return Contents("text", [Found(text)]) if text.isprintable() or "\n" in text else Contents("text", readable=False)


def _picture(data: bytes) -> Image | None:
    import warnings

    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data), formats=PICTURES)
            if picture.width * picture.height > MAX_PIXELS:
                raise Refused("CT-202", file="", most=f"{MAX_PIXELS // 1_000_000} MP")
            picture.draft("L", picture.size)
            return ImageOps.exif_transpose(_on_white(picture)).convert("L")
    except (UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning, OSError, SyntaxError):
        return None
    except (ValueError, EOFError, MemoryError):
        return None


def _on_white(picture: Image) -> Image:
    """A transparent picture as it looks on paper."""
    from PIL import Image

    if picture.mode not in ("RGBA", "LA", "PA") and "transparency" not in picture.info:
        return picture
    layer = picture.convert("RGBA")
    ground = Image.new("RGBA", layer.size, "white")
    ground.alpha_composite(layer)
    return ground


def _pdf(data: bytes, sound: Sound) -> Contents:
    import pypdfium2
    import pypdfium2.raw

    with pdfium.LOCK:
        try:
            document = pypdfium2.PdfDocument(data)
        except pypdfium2.PdfiumError:
            return Contents("pdf", readable=False)
        try:
            if len(document) > MAX_PAGES:
                raise Refused("CT-203", most=MAX_PAGES)
            signatures = pypdfium2.raw.FPDF_GetSignatureCount(document.raw)
            found = [*_attached(document), *_printed(document, sound)]
        finally:
            document.close()
    return Contents("pdf", found, pdf_signatures=max(0, signatures))


def _attached(document: Any) -> Iterator[Found]:
    """Credentials that travel inside the file."""
    import pypdfium2

    for index in range(min(document.count_attachments(), 50)):
        attachment = document.get_attachment(index)
        try:
            if not attachment.get_name().lower().endswith(".kh1"):
                continue
            data = bytes(attachment.get_data())
        except pypdfium2.PdfiumError:
            continue
        if len(data) <= ATTACHMENT_LIMIT:
            yield Found(data.decode("utf-8", "replace"), attached=True)


def _printed(document: Any, sound: Sound) -> list[Found]:
    """Codes on the pages: all pages at 150 dpi; when none has any, the first few at 300 dpi with every means."""
    found = []
    for page in range(len(document)):
        found += [Found(text, page + 1) for text in codes(render(document, page, 150), sound, thorough=False)]
    if any(sound(each.text) for each in found):
        return found
    for page in range(min(len(document), THOROUGH_PAGES)):
        texts = codes(render(document, page, 300), sound)
        found += [Found(text, page + 1) for text in texts if Found(text, page + 1) not in found]
    return found


def render(document: Any, page: int, dpi: int, *, colour: bool = False) -> Image:
    """Page ``page`` (from 0) of an open PDFium document. Hold the lock of this file (see :func:`pages`)."""
    sheet = document[page]
    width, height = sheet.get_size()
    scale = min(dpi / 72, _PAGE_SIDE / max(width, height, 1))
    bitmap = sheet.render(scale=scale, grayscale=not colour, may_draw_forms=False)
    picture: Image = bitmap.to_pil().convert("RGB" if colour else "L").copy()
    bitmap.close()
    sheet.close()
    return picture


def pages(data: bytes, dpi: int, *, colour: bool = False) -> list[Image]:
    """Every page of our own PDF as a picture, grey unless ``colour`` is wanted."""
    import pypdfium2

    with pdfium.LOCK:
        document = pypdfium2.PdfDocument(data)
        try:
            return [render(document, page, dpi, colour=colour) for page in range(len(document))]
        finally:
            document.close()


def attached(data: bytes) -> list[Found]:
    """The credentials that our own PDF carries as attachments."""
    import pypdfium2

    with pdfium.LOCK:
        document = pypdfium2.PdfDocument(data)
        try:
            return list(_attached(document))
        finally:
            document.close()
