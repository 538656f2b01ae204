"""The receipt: one A5 page in official Khmer with the case's number, fee, due day, both calendars and a QR code."""

from __future__ import annotations

from datetime import date
from io import BytesIO
from typing import Any, Final, NamedTuple

from i18n import dates, numbers
from modules.contract import Json
from modules.forms import words

_WIDTH: Final = 419.53  # points: A5 upright, 148 × 210 mm
_HEIGHT: Final = 595.28
_MARGIN: Final = 34
_LABELS: Final = 118  # width of the column of labels
_INK, _SOFT, _BLUE, _LINE = "#16202e", "#56647a", "#014f99", "#c9d2dd"


class _Look(NamedTuple):
    font: str
    size: float
    leading: float
    colour: str


_STRONG: Final = _Look("SalaKhmer-Bold", 10.5, 17.5, _INK)
_PLAIN: Final = _Look("SalaKhmer", 9.5, 17, _INK)
_SMALL: Final = _Look("SalaKhmer", 8, 14.5, _SOFT)


def render(case: Json, office: Json, copy: int) -> bytes:
    """The PDF of ``case`` (as ``forms.show`` gives it). ``copy`` 0 is the original, n the n-th counted copy."""
    from reportlab.pdfgen.canvas import Canvas

    from i18n import pdf

    pdf.register_fonts()
    made = BytesIO()
    page = Canvas(made, pagesize=(_WIDTH, _HEIGHT), lang="km", invariant=1)
    page.setTitle(f"{case['receipt']} {case['title']['km']}")
    page.setAuthor(office["name"]["km"])
    y = _head(page, pdf, case, office, copy)
    y = _rows(page, pdf, case, y)
    _foot(page, pdf, case, office, y)
    page.save()
    return made.getvalue()


def _head(page: Any, pdf: Any, case: Json, office: Json, copy: int) -> float:
    middle = _WIDTH / 2
    pdf.draw(page, middle, _HEIGHT - 42, "ព្រះរាជាណាចក្រកម្ពុជា", "Muol", 12, align="centre", colour=_INK)
    pdf.draw(page, middle, _HEIGHT - 63, "ជាតិ សាសនា ព្រះមហាក្សត្រ", "Muol", 10.5, align="centre", colour=_INK)
    page.setStrokeColor(_BLUE)
    page.setLineWidth(0.8)
    page.line(middle - 26, _HEIGHT - 77, middle + 26, _HEIGHT - 77)
    pdf.draw(page, _MARGIN, _HEIGHT - 98, office["name"]["km"], "SalaKhmer-Bold", 9.5, colour=_INK)
    pdf.draw(page, _MARGIN, _HEIGHT - 114, "ការិយាល័យច្រកចេញចូលតែមួយ", "SalaKhmer", 9, colour=_SOFT)
    right = _WIDTH - _MARGIN
    pdf.draw(page, right, _HEIGHT - 98, case["receipt"], "SalaKhmer-Bold", 12, align="right", colour=_BLUE)
    if copy:
        pdf.draw(
            page,
            right,
            _HEIGHT - 114,
            f"ច្បាប់ចម្លងទី{numbers.khmer_digits(copy)}",
            "SalaKhmer",
            9,
            align="right",
            colour=_SOFT,
        )
    if case["state"] == "withdrawn":
        pdf.draw(
            page,
            right,
            _HEIGHT - (130 if copy else 114),
            "បានដកវិញ",
            "SalaKhmer-Bold",
            9,
            align="right",
            colour="#b3261e",
        )
    pdf.draw(page, middle, _HEIGHT - 148, "បង្កាន់ដៃទទួលពាក្យស្នើសុំ", "Muol", 12.5, align="centre", colour=_BLUE)
    pdf.draw(page, middle, _HEIGHT - 163, "Application receipt", "SalaKhmer", 8.5, align="centre", colour=_SOFT)
    return _HEIGHT - 174


def _rows(page: Any, pdf: Any, case: Json, y: float) -> float:
    service = case["service_row"]
    received, due = date.fromisoformat(case["received"]), date.fromisoformat(case["due"])
    phone = words.phone(case["phone"], "khmer") if case["phone"] else ""
    days = numbers.khmer_digits(service["days"])
    table = [
        ("សេវា", "Service", [(case["title"]["km"], _STRONG), (case["title"]["en"], _SMALL)]),
        ("អ្នកស្នើសុំ", "Applicant", [(case["person"], _STRONG), (case["latin"], _PLAIN)]),
        ("លេខទូរសព្ទ", "Phone", [(phone, _PLAIN)]),
        ("ថ្ងៃទទួលពាក្យ", "Received", [(dates.official_date(received), _PLAIN)]),
        ("ថ្លៃសេវា", "Fee", [(numbers.riel(case["fee"], "khmer"), _STRONG), (numbers.riel_in_words(case["fee"]), _PLAIN)]),
        ("ថ្ងៃកំណត់យ៉ាងយូរ", "Due at the latest", [(dates.official_date(due), _STRONG), (f"ក្នុងរយៈពេល {days} ថ្ងៃធ្វើការ", _SMALL)]),
    ]  # fmt: skip
    for khmer, english, lines in table:
        shown = [(text, look) for text, look in lines if text]
        if shown:
            y = _row(page, pdf, y, khmer, english, shown)
    page.setStrokeColor(_LINE)
    page.line(_MARGIN, y, _WIDTH - _MARGIN, y)
    return y


def _row(page: Any, pdf: Any, y: float, khmer: str, english: str, lines: list[tuple[str, _Look]]) -> float:
    page.setStrokeColor(_LINE)
    page.setLineWidth(0.5)
    page.line(_MARGIN, y, _WIDTH - _MARGIN, y)
    pdf.draw(page, _MARGIN, y - 15, khmer, "SalaKhmer", 9.5, colour=_INK)
    pdf.draw(page, _MARGIN, y - 26.5, english, "SalaKhmer", 7, colour=_SOFT)
    top, left = y - 4, _MARGIN + _LABELS
    for text, look in lines:
        top -= pdf.draw_paragraph(
            page,
            left,
            top,
            text,
            font=look.font,
            size=look.size,
            width=_WIDTH - _MARGIN - left,
            leading=look.leading,
            colour=look.colour,
        )
    return float(min(top - 2, y - 32))


def _foot(page: Any, pdf: Any, case: Json, office: Json, y: float) -> None:
    legal = case["service_row"]["legal"]["title"]["km"]
    y -= 4
    y -= pdf.draw_paragraph(
        page, _MARGIN, y, f"ថ្លៃសេវា និងរយៈពេល យោងតាម{legal}។", font="SalaKhmer", size=8,
        width=_WIDTH - 2 * _MARGIN, colour=_SOFT,
    )  # fmt: skip
    side = 98
    pdf.draw_qr(page, _MARGIN - 8, 44, side, case["qr"])
    code = case["qr"].rpartition(":")[2]
    pdf.draw(page, _MARGIN - 8 + side / 2, 36, code, "SalaKhmer", 7.5, align="centre", colour=_SOFT)
    received = date.fromisoformat(case["received"])
    place = office["name"]["km"].removeprefix("សាលា")
    centre = (_MARGIN + side + _WIDTH - _MARGIN) / 2 + 6
    top = min(y - 18, 152)
    pdf.draw(page, centre, top, dates.lunar_line(received), "SalaKhmer", 8.5, align="centre", colour=_INK)
    pdf.draw(page, centre, top - 15, dates.solar_line(received, place), "SalaKhmer", 8.5, align="centre", colour=_INK)
    pdf.draw(page, centre, top - 32, "មន្ត្រីទទួលពាក្យ", "SalaKhmer-Bold", 9.5, align="centre", colour=_INK)
    pdf.draw(page, centre, 44, case["officer_name"], "SalaKhmer-Bold", 10, align="centre", colour=_INK)
    pdf.draw(
        page,
        _WIDTH / 2,
        19,
        "សូមយកបង្កាន់ដៃនេះមកជាមួយ នៅពេលទទួលលិខិត ឬសាកសួរព័ត៌មាន។",
        "SalaKhmer",
        8,
        align="centre",
        colour=_SOFT,
    )
