"""The prepared fonts: both scripts, roomy metrics, every word without a missing glyph (acceptance check 11)."""

from __future__ import annotations

from gettext import GNUTranslations

import pytest
import uharfbuzz
from fontTools.ttLib import TTFont

from i18n.catalog import LOCALE
from i18n.normalise import store
from i18n.pdf_shape import FONT_FILES, FONTS, shape

DOTTED_CIRCLE = 0x25CC
BROKEN = {"បង្គងឃ្មុំុ", "ពោធិ៍លំ្យុ"}  # typing errors of the official list; normal order mends the second


def interface_words() -> list[str]:
    with (LOCALE / "km" / "LC_MESSAGES" / "sala.mo").open("rb") as compiled:
        catalogue = GNUTranslations(compiled)
    return [line for english, khmer in catalogue._catalog.items() if english for line in khmer.splitlines()]  # type: ignore[attr-defined]


def glyph_names(font: uharfbuzz.Font, text: str) -> list[int]:
    buffer = uharfbuzz.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    buffer.script, buffer.language, buffer.direction = "Khmr", "km", "ltr"
    uharfbuzz.shape(font, buffer)
    return [info.codepoint for info in buffer.glyph_infos]


@pytest.mark.parametrize("file", FONT_FILES.values())
def test_every_place_name_and_word_of_the_interface_has_its_glyphs(file: str, place_names: list[str]) -> None:
    font = uharfbuzz.Font(uharfbuzz.Face(uharfbuzz.Blob((FONTS / file).read_bytes())))
    circle = font.get_nominal_glyph(DOTTED_CIRCLE)
    words = place_names + (interface_words() if file.startswith("Sala") else [])
    circled = set()
    for word in words:
        glyphs = glyph_names(font, word)
        assert 0 not in glyphs, f"{word!r} has a letter without a glyph in {file}"
        if circle in glyphs:
            circled.add(word)
    assert circled <= {store(word) for word in BROKEN}
    assert all(circle in glyph_names(font, word) for word in BROKEN)


@pytest.mark.parametrize("style", ["Regular", "Bold"])
def test_the_line_box_holds_khmer_stacks_on_every_system(style: str) -> None:
    font = TTFont(FONTS / f"SalaKhmer-{style}.ttf")
    em = font["head"].unitsPerEm
    os2, hhea = font["OS/2"], font["hhea"]
    assert (hhea.ascent, -hhea.descent) == (os2.usWinAscent, os2.usWinDescent) == (round(1.12 * em), round(0.76 * em))
    assert (os2.sTypoAscender, -os2.sTypoDescender, os2.sTypoLineGap) == (hhea.ascent, -hhea.descent, 0)
    assert font["name"].getDebugName(1) == "Sala Khmer"
    assert font["name"].getDebugName(2) == style
    assert "fvar" not in font
    assert {ord(letter) for letter in "Aaz09@é–“”…កអហ្៛០៩"} <= set(font.getBestCmap())


def test_bold_is_bold() -> None:
    assert shape("ក្រសួង", "SalaKhmer-Bold").advance > shape("ក្រសួង", "SalaKhmer").advance


def test_licences_stand_beside_the_fonts() -> None:
    assert "SIL OPEN FONT LICENSE" in (FONTS / "SalaKhmer-OFL.txt").read_text("utf-8")
    assert "LESSER GENERAL PUBLIC LICENSE" in (FONTS / "KhmerOS-LGPL-2.1.txt").read_text("utf-8")
    assert "Danh Hong" in (FONTS / "KhmerOS-copyright.txt").read_text("utf-8")
