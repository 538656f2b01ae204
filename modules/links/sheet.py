"""Paper for links: A4 sheets of 24 labels (63.5 × 33.9 mm, as label paper is cut) and a poster of one link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any, Final

from i18n.catalog import tr
from modules.links import qr

MM: Final = 72 / 25.4
COLUMNS: Final = 3
ROWS: Final = 8
WIDTH: Final = 63.5 * MM
HEIGHT: Final = 33.9 * MM
GAP: Final = 2.5 * MM
LEFT: Final = 7.2 * MM
TOP: Final = 12.9 * MM
QR: Final = 29 * MM  # quiet zone included; read from 25 cm and more
PAGE: Final = (210 * MM, 297 * MM)

_INK: Final = "#16202e"
_SOFT: Final = "#56647a"
_BLUE: Final = "#014f99"
_LINE: Final = 0.86  # grey of the cutting lines


@dataclass(frozen=True, slots=True)
class Label:
    """One label: what the symbol says, the address as people read it, the code, and what it is about."""

    payload: str
    host: str
    code: str
    title: str


def write(labels: Sequence[Label], out: str | IO[bytes]) -> int:
    """Write the sheets to ``out`` (a file name or a stream); the number of pages."""
    from i18n import pdf

    for label in labels:
        qr.verified(label.payload, label.code)
    canvas = _canvas(out, tr("QR labels of short links"))
    per_page = COLUMNS * ROWS
    for start in range(0, len(labels), per_page):
        for place, label in enumerate(labels[start : start + per_page]):
            row, column = divmod(place, COLUMNS)
            _label(pdf, canvas, LEFT + column * (WIDTH + GAP), PAGE[1] - TOP - (row + 1) * HEIGHT, label)
        canvas.showPage()
    canvas.save()
    return -(-len(labels) // per_page)


def poster(payload: str, code: str, title: str, out: str | IO[bytes]) -> None:
    """One link large on A4: read from 1.5 m and more."""
    from i18n import pdf

    canvas = _canvas(out, title or code)
    middle, side = PAGE[0] / 2, 150 * MM
    top, used, bold = 270 * MM, 0.0, "SalaKhmer-Bold"
    if title:
        used = pdf.draw_paragraph(canvas, 25 * MM, top, title, bold, 24, width=160 * MM, align="centre", colour=_INK)
    bottom = min(top - used - 12 * MM, 250 * MM) - side
    pdf.draw_qr(canvas, middle - side / 2, bottom, side, payload, ecc="Q")
    pdf.draw(
        canvas,
        middle,
        bottom - 14 * MM,
        payload.lower().removeprefix("https://"),
        bold,
        26,
        align="centre",
        colour=_BLUE,
    )
    pdf.draw(
        canvas,
        middle,
        bottom - 26 * MM,
        tr("Scan with the camera of a telephone"),
        "SalaKhmer",
        14,
        align="centre",
        colour=_SOFT,
    )
    canvas.showPage()
    canvas.save()


def _canvas(out: str | IO[bytes], title: str) -> Any:
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(out, pagesize=PAGE, lang="km", invariant=1, pageCompression=1)
    canvas.setTitle(title)
    canvas.setCreator("Sala")
    return canvas


def _label(pdf: Any, canvas: Any, x: float, y: float, label: Label) -> None:
    canvas.setStrokeGray(_LINE)
    canvas.setLineWidth(0.4)
    canvas.roundRect(x, y, WIDTH, HEIGHT, 4, stroke=1, fill=0)
    pdf.draw_qr(canvas, x + 1.5 * MM, y + (HEIGHT - QR) / 2, QR, label.payload, ecc="Q")
    left, width = x + QR + 2.5 * MM, WIDTH - QR - 4.5 * MM
    pdf.draw(canvas, left, y + 9.2 * MM, label.host, "SalaKhmer", _fit(pdf, label.host, 7.5, width), colour=_SOFT)
    pdf.draw(
        canvas,
        left,
        y + 4.0 * MM,
        label.code,
        "SalaKhmer-Bold",
        _fit(pdf, label.code, 12, width, "SalaKhmer-Bold"),
        colour=_BLUE,
    )
    _caption(pdf, canvas, left, y + HEIGHT - 2.2 * MM, width, label.title)


def _caption(pdf: Any, canvas: Any, left: float, top: float, width: float, title: str) -> None:
    """The title in at most 18 mm of height: smaller letters before any word is lost."""
    room = 18 * MM
    for size in (9.0, 8.0, 7.0, 6.0):
        leading = size * 1.6
        lines = pdf.wrap(title, "SalaKhmer", size, width)
        if len(lines) * leading <= room or size == 6.0:
            text = "\n".join(line.text for line in lines[: int(room // leading)])
            pdf.draw_paragraph(canvas, left, top, text, "SalaKhmer", size, width=width, leading=leading, colour=_INK)
            return


def _fit(pdf: Any, text: str, size: float, width: float, font: str = "SalaKhmer") -> float:
    """``size``, or what lets ``text`` stand on one line of ``width``."""
    wide = pdf.width(text, font, size)
    return size if wide <= width else float(size * width / wide)
