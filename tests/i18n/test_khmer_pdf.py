"""Khmer on paper: exact text, right pictures, lines that end between words (acceptance checks 8, 9 and 10)."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import SimpleDocTemplate, Table

from i18n import pdf
from i18n.pdf_shape import shape
from i18n.segment import clusters

poppler = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler's pdftotext is not installed")
FONTS = ("SalaKhmer", "SalaKhmer-Bold", "Muol", "Siemreap")


def squeeze(text: str) -> str:
    return re.sub(r"[\s\u200b\ufeff]+", "", text)


def by_pdfium(path: Path) -> str:
    document = pypdfium2.PdfDocument(path)
    text = "".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    return text


def by_poppler(path: Path) -> str:
    return subprocess.run(["pdftotext", "-enc", "UTF-8", path, "-"], capture_output=True, check=True).stdout.decode()


def picture(path: Path, scale: float = 4) -> Image.Image:
    document = pypdfium2.PdfDocument(path)
    image = document[0].render(scale=scale).to_pil().convert("L")
    document.close()
    return image


def ink(image: Image.Image, left: float, right: float, scale: float = 4) -> tuple[int, int]:
    """First and last row with ink between two places (points) of the page."""
    column = image.crop((round(left * scale), 0, round(right * scale), image.height)).point(lambda v: 255 * (v < 128))
    box = column.getbbox()
    assert box is not None
    return box[1], box[3]


@pytest.fixture
def sample_page(tmp_path: Path, khmer_samples: dict[str, str]) -> Path:
    path = tmp_path / "samples.pdf"
    page = Canvas(str(path), pagesize=A4, lang="km", invariant=1)
    top = 800.0
    for text in khmer_samples.values():
        top -= pdf.draw_paragraph(page, 60, top, text, size=12, width=450)
    page.save()
    return path


def test_text_without_spaces_breaks_at_words(khmer_samples: dict[str, str]) -> None:
    lines = pdf.wrap(khmer_samples["nospace"], "SalaKhmer", 12, 240)
    assert [line.text for line in lines] == [
        "ក្រសួងប្រៃសណីយ៍និងទូរគមនាគមន៍បានរៀបចំឱ្យមាន",
        "ប្រព័ន្ធផ្ទៀងផ្ទាត់វិញ្ញាបនបត្រសម្រាប់មន្ត្រីរាជការនៅតាម",
        "ខេត្តស្រុកដែលមិនមានអ៊ីនធឺណិត",
    ]
    assert [round(line.width(), 1) for line in lines] == [231.0, 234.6, 142.4]


def test_typed_zero_width_spaces_and_line_ends_are_respected() -> None:
    word = "ទូរគមនាគមន៍"
    half = pdf.width("នាគមន៍", size=12) + 1  # the whole word does not fit
    assert [line.text for line in pdf.wrap("ទូរគម\u200bនាគមន៍", size=12, width=half)] == ["ទូរគម", "នាគមន៍"]
    assert [line.text for line in pdf.wrap(f"{word}\n\n{word} ", width=400)] == [word, "", word]
    assert [line.text for line in pdf.wrap("", width=400)] == [""]
    assert [line.text for line in pdf.wrap("ក\n", width=400)] == ["ក", ""]


def test_extraction_returns_every_sample(sample_page: Path, khmer_samples: dict[str, str]) -> None:
    text = by_pdfium(sample_page)
    for name, sample in khmer_samples.items():
        assert squeeze(sample) in squeeze(text), name
    assert not re.search("[\ue000-\uf8ff]", text)
    assert sample_page.stat().st_size <= 40_000


@poppler
def test_poppler_returns_every_sample(sample_page: Path, khmer_samples: dict[str, str]) -> None:
    text = by_poppler(sample_page)
    for name, sample in khmer_samples.items():
        assert squeeze(sample) in squeeze(text), name
    assert not re.search("[\ue000-\uf8ff]", text)


def test_search_in_the_reader_finds_a_word(sample_page: Path) -> None:
    document = pypdfium2.PdfDocument(sample_page)
    assert document[0].get_textpage().search("វិញ្ញាបនបត្រ").get_next() is not None
    document.close()


def test_long_prose_is_exact_in_every_reader(tmp_path: Path, khmer_samples: dict[str, str]) -> None:
    path = tmp_path / "prose.pdf"
    paragraphs = [pdf.KhmerParagraph(khmer_samples["prose"] * 3, size=12) for _ in range(200)]
    document = SimpleDocTemplate(str(path))
    document.build(paragraphs)
    wanted = squeeze(khmer_samples["prose"]) * 600
    assert squeeze(by_pdfium(path)) == wanted
    if shutil.which("pdftotext"):
        assert squeeze(by_poppler(path)) == wanted


@pytest.mark.parametrize("font", FONTS)
def test_the_baseline_returns_after_stacked_marks(tmp_path: Path, font: str) -> None:
    path = tmp_path / "nation.pdf"
    page = Canvas(str(path), pagesize=(600, 120))
    before, first, between, last = "ព្រះរា", "ជា", "ណាចក្រកម្ពុ", "ជា"
    pdf.draw(page, 20, 50, before + first + between + last, font, 40)
    page.save()
    image = picture(path)
    left = 20 + pdf.width(before, font, 40)
    right = 20 + pdf.width(before + first + between, font, 40)
    wide = pdf.width(first, font, 40)
    trim = wide * 0.3  # neighbours may lean over
    assert ink(image, left + trim, left + wide - 1) == ink(image, right + trim, right + wide - 1)


def test_latin_first_text_is_shaped(tmp_path: Path) -> None:
    for name, text in (("mixed", "Form.gov.kh៖ ទម្រង់"), ("khmer", "ទម្រង់")):
        page = Canvas(str(tmp_path / f"{name}.pdf"), pagesize=(400, 100))
        pdf.draw(page, 380, 40, text, size=36, align="right")
        page.save()
    wide = pdf.width("ទម្រង់", size=36)
    box = (round((380 - wide) * 4), 0, 1600, 400)
    mixed, khmer = (picture(tmp_path / f"{name}.pdf").crop(box) for name in ("mixed", "khmer"))
    assert mixed.tobytes() == khmer.tobytes()
    assert [glyph.code for glyph in shape("PDFឯកសារ", "SalaKhmer").glyphs[3:]] == [
        glyph.code for glyph in shape("ឯកសារ", "SalaKhmer").glyphs
    ]


def test_a_word_wider_than_its_column_is_cut_between_clusters_and_stays_whole(tmp_path: Path) -> None:
    text = "ស្ត្រីខ្មែរព្រះរាជាណាចក្រ" * 3 + "x" * 60
    lines = pdf.wrap(text, size=12, width=40)
    assert "".join(line.text for line in lines) == text
    assert all(line.width() <= 40 for line in lines)
    assert all(clusters(line.text)[0][0] not in "\u17d2\u17b8\u17c1\u17c2" for line in lines)
    path = tmp_path / "narrow.pdf"
    page = Canvas(str(path))
    pdf.draw_paragraph(page, 60, 800, text, size=12, width=40)
    page.save()
    assert squeeze(by_pdfium(path)) == text


@settings(max_examples=60, deadline=None)
@given(
    st.text(
        st.one_of(st.characters(min_codepoint=0x1780, max_codepoint=0x17E9), st.sampled_from(" aB1(។\n")), max_size=40
    ),
    st.sampled_from([30.0, 80.0, 300.0]),
)
def test_lines_lose_nothing_and_fit(text: str, width: float) -> None:
    lines = pdf.wrap(text, width=width)
    assert squeeze("".join(line.text for line in lines)) == squeeze(text)
    assert all(line.width() <= width + 0.001 or len(clusters(line.text)) == 1 for line in lines)


def test_the_drawn_width_is_the_computed_width(tmp_path: Path) -> None:
    path = tmp_path / "width.pdf"
    page = Canvas(str(path), pagesize=(600, 100))
    wide = pdf.draw(page, 300, 40, "ប្រជាពលរដ្ឋ 2026 ទាំងអស់", size=30, align="centre", colour="#014F99")
    page.save()
    box = picture(path).point(lambda v: 255 * (v < 200)).getbbox()
    assert box is not None
    assert abs((box[0] + box[2]) / 8 - 300) < 2
    assert abs((box[2] - box[0]) / 4 - wide) < 4


def test_the_canvas_keeps_its_font_and_colour(tmp_path: Path) -> None:
    def page(path: Path, *, khmer: bool) -> bytes:
        canvas = Canvas(str(path), pagesize=(200, 200))
        canvas.setFont("Helvetica", 20)
        canvas.setFillColorRGB(1, 0, 0)
        if khmer:
            pdf.draw(canvas, 20, 150, "ក្រសួង", size=20, colour="#014F99")
        canvas.drawString(20, 20, "Hello")
        canvas.save()
        document = pypdfium2.PdfDocument(path)
        bottom = document[0].render(scale=2).to_pil().crop((0, 300, 400, 400)).tobytes()
        document.close()
        return bottom

    assert page(tmp_path / "a.pdf", khmer=True) == page(tmp_path / "b.pdf", khmer=False)


@pytest.mark.parametrize("text", ["", "\u200b", "\u200d", " ", "\n", "\ufeff"])
def test_what_has_no_picture_is_drawn_as_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "nothing.pdf"
    page = Canvas(str(path))
    pdf.draw(page, 60, 700, text)
    pdf.draw_paragraph(page, 60, 600, text, width=100)
    page.save()
    assert pdf.width(text) <= pdf.width(" ")
    assert picture(path, 1).getextrema() == (255, 255)


def test_wrong_colours_and_fonts_are_refused() -> None:
    with pytest.raises(ValueError, match="not a colour"):
        pdf.draw(Canvas("unsaved.pdf"), 0, 0, "ក", colour="blue")
    with pytest.raises(KeyError):
        pdf.width("ក", "Helvetica")


def test_spans_of_several_looks_share_a_paragraph(tmp_path: Path) -> None:
    path = tmp_path / "spans.pdf"
    page = Canvas(str(path))
    spans = [
        pdf.Span(""),
        pdf.Span("ឈ្មោះ៖"),
        pdf.Span(" ", "SalaKhmer-Bold"),
        pdf.Span("សុខ ស្រីមុំ", "SalaKhmer-Bold", 14, "#014F99"),
        pdf.Span(" ភេទស្រី", size=9),
    ]
    assert pdf.draw_paragraph(page, 60, 800, spans, width=300) == pytest.approx(14 * pdf.LEADING)
    assert pdf.draw_paragraph(page, 60, 700, [], width=300) > 0
    page.save()
    assert squeeze(by_pdfium(path)) == "ឈ្មោះ៖សុខស្រីមុំភេទស្រី"


def test_paragraphs_split_over_pages_and_live_in_tables(tmp_path: Path, khmer_samples: dict[str, str]) -> None:
    path = tmp_path / "table.pdf"
    long = khmer_samples["prose"] * 40
    cells: list[list[Any]] = [
        [pdf.KhmerParagraph("លេខ", "SalaKhmer-Bold", align="centre"), pdf.KhmerParagraph("ឈ្មោះ", "SalaKhmer-Bold")],
        [pdf.KhmerParagraph("១"), pdf.KhmerParagraph(khmer_samples["nospace"])],
    ]
    document = SimpleDocTemplate(str(path), pagesize=A4)
    document.build([pdf.KhmerParagraph(long, space_before=6, space_after=6), Table(cells, colWidths=[50, 150])])
    assert document.page >= 3
    assert squeeze(by_pdfium(path)) == squeeze(long + "លេខឈ្មោះ១" + khmer_samples["nospace"])


def test_a_paragraph_knows_its_narrowest_column() -> None:
    paragraph = pdf.KhmerParagraph("ក្រសួងប្រៃសណីយ៍និង", size=10)
    assert paragraph.minWidth() == pytest.approx(pdf.width("ប្រៃសណីយ៍", size=10))
    assert paragraph.wrap(200, 1000) == (200, 10 * pdf.LEADING)
    assert paragraph.split(200, 1) == []
    assert pdf.KhmerParagraph([]).minWidth() == 0


def test_the_same_page_gives_the_same_bytes(tmp_path: Path, khmer_samples: dict[str, str]) -> None:
    made = []
    for name in ("a", "b"):
        page = Canvas(str(tmp_path / name), lang="km", invariant=1)
        pdf.draw_paragraph(page, 60, 800, khmer_samples["prose"], width=300)
        page.save()
        made.append((tmp_path / name).read_bytes())
    assert made[0] == made[1]


@pytest.mark.parametrize("payload", [b"\x00\xff\x80binary", "https://example.gov.kh/r/0306-17", "ព្រះរាជាណាចក្រ"])
def test_qr_codes_are_read_back_from_the_page(tmp_path: Path, payload: str | bytes) -> None:
    path = tmp_path / "qr.pdf"
    page = Canvas(str(path), pagesize=(200, 200))
    page.setFillColorRGB(0.5, 0.5, 0.5)
    page.rect(0, 0, 200, 200, fill=1)
    pdf.draw_qr(page, 50, 50, 100, payload, "Q")
    page.save()
    document = pypdfium2.PdfDocument(path)
    image = document[0].render(scale=4).to_pil()
    document.close()
    (code,) = zxingcpp.read_barcodes(image)
    assert code.bytes == (payload if isinstance(payload, bytes) else payload.encode())
    assert path.stat().st_size < 8000


def test_a_payload_too_long_for_one_code_is_refused() -> None:
    with pytest.raises(ValueError):
        pdf.draw_qr(Canvas("unsaved.pdf"), 0, 0, 100, b"x" * 3000)
