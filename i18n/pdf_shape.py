"""Shaped Khmer in PDF: from text to positioned glyphs, and from glyphs to the operators of one document.

ReportLab's own shaping loses Khmer in four ways (none without its bidi package, a baseline that stays low after stacked
marks, Latin-first text left unshaped, broken words destroyed), and its glyphs without a character copy as private-use
codes. So HarfBuzz is asked directly, with the script set, and ReportLab only subsets the font. What is copied and
searched comes from ``/ActualText`` (see :mod:`i18n.pdf_text`).
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

FONTS = Path(__file__).resolve().parent.parent / "assets" / "fonts"
FONT_FILES: Final = {
    "SalaKhmer": "SalaKhmer-Regular.ttf",
    "SalaKhmer-Bold": "SalaKhmer-Bold.ttf",
    "Muol": "KhmerOSmuollight.ttf",
    "Siemreap": "KhmerOSsiemreap.ttf",
}


class Glyph(NamedTuple):
    """One glyph; lengths in thousandths of the font size."""

    code: int  # the character (real or private-use) that stands for it in this font
    width: float  # what the PDF reader advances by itself
    advance: float
    x_offset: float
    y_offset: float


@dataclass(frozen=True, slots=True)
class Shaped:
    """A piece of text in glyphs. ``plain``: every glyph stands for its character, so the text copies right as it is."""

    glyphs: tuple[Glyph, ...]
    advance: float
    plain: bool


def register_fonts() -> None:
    """Make the document fonts known to ReportLab; at once when they are already."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    known = set(pdfmetrics.getRegisteredFontNames())
    for name, file in FONT_FILES.items():
        if name not in known:
            pdfmetrics.registerFont(TTFont(name, str(FONTS / file), asciiReadable=0))


@cache
def _font(name: str) -> tuple[Any, Any]:
    """ReportLab's and HarfBuzz's font of that name. KeyError for a font that is none of ours."""
    from reportlab.pdfbase import pdfmetrics

    if name not in FONT_FILES:
        raise KeyError(name)
    register_fonts()
    font = pdfmetrics.getFont(name)
    return font, font.hbFont()


def _is_khmer(text: str) -> bool:
    return any("\u1780" <= letter <= "\u17ff" or "\u19e0" <= letter <= "\u19ff" for letter in text)


@lru_cache(maxsize=32768)
def shape(text: str, font_name: str) -> Shaped:
    """``text`` (one script run or mixed, no line end) in the glyphs of the font."""
    import uharfbuzz

    font, harfbuzz = _font(font_name)
    if not text:
        return Shaped((), 0.0, True)  # HarfBuzz gives no positions for nothing
    buffer = uharfbuzz.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    if _is_khmer(text):  # HarfBuzz guesses by the first strong letter, which may be Latin
        buffer.script, buffer.language, buffer.direction = "Khmr", "km", "ltr"
    uharfbuzz.shape(harfbuzz, buffer, {"kern": True, "liga": True})
    scale = 1000 / harfbuzz.face.upem
    glyphs = []
    for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        code = _code(font, harfbuzz, info.codepoint, position.x_advance * scale)
        glyphs.append(
            Glyph(
                code,
                font.face.charWidths[code],
                position.x_advance * scale,
                position.x_offset * scale,
                position.y_offset * scale,
            )
        )
    plain = [glyph.code for glyph in glyphs] == [ord(letter) for letter in text]
    return Shaped(tuple(glyphs), sum(glyph.advance for glyph in glyphs), plain)


def _code(font: Any, harfbuzz: Any, number: int, advance: float) -> int:
    """The character by which ReportLab can name the glyph; a private one when the font maps none to it."""
    known: list[int] = font.face.glyphToChar.get(number, [])
    if known:
        return known[0]
    return int(font.hbAddPrivate(harfbuzz.glyph_to_string(number), number, round(advance)))


class Run(NamedTuple):
    """Glyphs of one font subset at one height, ready to be written."""

    subset: int
    y_offset: float
    operator: str


_written: weakref.WeakKeyDictionary[Any, dict[tuple[str, str], tuple[Run, ...]]] = weakref.WeakKeyDictionary()


def runs(text: str, font_name: str, canvas: Any) -> tuple[Run, ...]:
    """The operators that draw ``text`` in this canvas's document, the same for every size."""
    written = _written.setdefault(canvas._doc, {})
    found = written.get((text, font_name))
    if found is None:
        found = written[text, font_name] = tuple(_operators(shape(text, font_name), _font(font_name)[0], canvas))
    return found


def _operators(shaped: Shaped, font: Any, canvas: Any) -> Iterator[Run]:
    subset, height, parts = -1, 0.0, list[bytes | float]()
    for glyph in shaped.glyphs:
        ((here, code),) = font.splitString(chr(glyph.code), canvas._doc)
        if parts and (here != subset or glyph.y_offset != height):
            yield Run(subset, height, _show(parts, canvas))
            parts = []
        subset, height = here, glyph.y_offset
        parts += (-glyph.x_offset, code, glyph.width - glyph.advance + glyph.x_offset)
    if parts:
        yield Run(subset, height, _show(parts, canvas))


def _show(parts: list[bytes | float], canvas: Any) -> str:
    """One TJ operator: strings, and moves to the left in thousandths."""
    shown: list[str] = []
    text, move = b"", 0.0
    for part in [*parts, b""]:
        if isinstance(part, float | int):
            move += part
            continue
        if round(move, 2):
            if text:
                shown.append(f"({canvas._escape(text)})")
                text = b""
            shown.append(f"{round(move, 2):g}")
            move = 0.0
        text += part
    if text:
        shown.append(f"({canvas._escape(text)})")
    return f"[{' '.join(shown)}] TJ"


def subset_name(font_name: str, subset: int, canvas: Any) -> str:
    """The resource name of one subset of the font in this canvas's document."""
    return str(_font(font_name)[0].getSubsetInternalName(subset, canvas._doc))
