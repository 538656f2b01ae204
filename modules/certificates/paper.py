"""The A4 sheet of a certificate: layout of a Cambodian official document, QR code, credential attached. Same data, same bytes.

Measures are millimetres from the lower left corner unless a name says points.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from i18n.catalog import tr_in
from i18n.dates import lunar_line, official_date
from i18n.numbers import khmer_digits
from modules.certificates.offices import Letterhead
from modules.certificates.templates import Template

MM: Final = 72 / 25.4
WIDTH, HEIGHT = 210.0, 297.0
LEFT, RIGHT = 25.0, 20.0  # margins: the left one is for the binder
MODULE_MM: Final = 0.5  # of the QR code: 0.45 is the least that survives a photocopy
QR_LEAST_MM: Final = 38.0  # with its quiet zone: at least 30 mm of code
ECC: Final = "M"
ATTACHMENT: Final = "credential.kh1"

_BODY, _LEADING_MOST, _LEADING_LEAST = 11.5, 22.0, 18.8  # points
_FIRST_LINE = "\u00a0" * 10  # the first line of a paragraph stands in, as in letters
_JOINER = "\u2060"
_GAP = 0.35  # lines between opening, rows and closing
_TITLE, _BODY_TOP, _SIGNATURE_TOP = 210.0, 202.0, 94.0
_LABEL_WIDTH = 48.0
_INDENT = 12.0
_INK, _SOFT, _LINE = "#000000", "#444444", "#8A7440"


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything that stands on one sheet. ``copy`` counts prints: 1 is the original; ``text`` None: a preview."""

    heads: Sequence[str]  # administration lines, top left
    number: str
    title: str
    opening: Sequence[str]
    rows: Sequence[tuple[str, str]]
    closing: Sequence[str]
    place: str  # before the solar date
    day: date
    signatory: str
    headline: str  # the value that is set in Muol among the rows
    text: str | None
    copy: int = 1


def draw(sheet: Sheet) -> bytes:
    """The PDF of ``sheet``; ValueError when the body is too long for one page."""
    from reportlab.pdfgen.canvas import Canvas

    from i18n.pdf import register_fonts

    register_fonts()
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(WIDTH * MM, HEIGHT * MM), invariant=1, lang="km", pageCompression=1)
    canvas.setTitle(f"{sheet.title} {sheet.number}")
    canvas.setAuthor(sheet.heads[-1])
    canvas.setCreator("Sala")
    if sheet.text is None:
        _preview_mark(canvas)
    _frame(canvas)
    _nation(canvas)
    _heads(canvas, sheet)
    y = _body(canvas, sheet)
    _signature(canvas, sheet, y)
    _code(canvas, sheet)
    if sheet.text is not None:
        _attach(canvas, sheet.text.encode("ascii"))
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def _text(
    canvas: Any, x: float, y: float, text: str, font: str, size: float, align: str = "left", colour: str = _INK
) -> float:
    from i18n.pdf import draw as draw_text

    used: float = draw_text(canvas, x * MM, y * MM, text, font, size, align=align, colour=colour)  # type: ignore[arg-type]
    return used / MM


def _frame(canvas: Any) -> None:
    """A double line around the sheet, as on licences that hang on a wall."""
    from reportlab.lib.colors import HexColor

    canvas.saveState()
    canvas.setStrokeColor(HexColor(_LINE))
    for inset, weight in ((9.0, 1.4), (11.0, 0.4)):
        canvas.setLineWidth(weight)
        canvas.rect(inset * MM, inset * MM, (WIDTH - 2 * inset) * MM, (HEIGHT - 2 * inset) * MM)
    canvas.restoreState()


def _nation(canvas: Any) -> None:
    middle = WIDTH / 2
    _text(canvas, middle, 271, "ព្រះរាជាណាចក្រកម្ពុជា", "Muol", 15, "centre")
    _text(canvas, middle, 261.5, "ជាតិ សាសនា ព្រះមហាក្សត្រ", "Muol", 12.5, "centre")
    _ornament(canvas, middle, 253.5)


def _ornament(canvas: Any, x: float, y: float) -> None:
    """The small line under the motto: a rule that thins out on both sides of three lozenges."""
    from reportlab.lib.colors import HexColor

    canvas.saveState()
    canvas.setFillColor(HexColor(_LINE))
    for offset, size in ((0.0, 1.5), (-4.2, 0.9), (4.2, 0.9)):
        _polygon(
            canvas, [(x + offset - size, y), (x + offset, y + size), (x + offset + size, y), (x + offset, y - size)]
        )
    for side in (-1, 1):
        _polygon(canvas, [(x + side * 6.4, y + 0.35), (x + side * 19, y), (x + side * 6.4, y - 0.35)])
    canvas.restoreState()


def _polygon(canvas: Any, points: Sequence[tuple[float, float]]) -> None:
    path = canvas.beginPath()
    path.moveTo(points[0][0] * MM, points[0][1] * MM)
    for x, y in points[1:]:
        path.lineTo(x * MM, y * MM)
    path.close()
    canvas.drawPath(path, stroke=0, fill=1)


def _heads(canvas: Any, sheet: Sheet) -> None:
    y = 243.0
    for head in sheet.heads:
        _text(canvas, LEFT, y, head, "Muol", 11)
        y -= 7.6
    _text(canvas, LEFT, y - 0.4, f"លេខ៖ {khmer_digits(sheet.number)}", "Siemreap", 11.5)
    if sheet.copy > 1:
        words = f"ច្បាប់បោះពុម្ពលើកទី{khmer_digits(sheet.copy)}"
        _text(canvas, WIDTH - RIGHT, 243, words, "Siemreap", 10, "right", _SOFT)


@dataclass(frozen=True, slots=True)
class _Block:
    """Wrapped lines beside each other: a paragraph, or label, colon and value of a row. ``x`` and ``width`` in mm."""

    columns: Sequence[tuple[float, Sequence[Any]]]  # x, lines

    def height(self) -> int:
        """In lines."""
        return max(len(lines) for _, lines in self.columns)


def _blocks(sheet: Sheet) -> list[_Block]:
    from i18n.pdf import wrap

    def lines(text: str, width: float, font: str = "Siemreap") -> Sequence[Any]:
        wrapped: Sequence[Any] = wrap(text, font, _BODY, width * MM)
        return wrapped

    width = WIDTH - LEFT - RIGHT
    blocks = [_Block([(LEFT, lines(_FIRST_LINE + line, width))]) for line in sheet.opening]
    left = LEFT + _INDENT
    value_x = left + _LABEL_WIDTH + 4.5
    for label, value in sheet.rows:
        font = "Muol" if value == sheet.headline else "Siemreap"
        columns = [
            (left, lines(f"- {label}", _LABEL_WIDTH)),
            (left + _LABEL_WIDTH, lines("៖", 4)),
            (value_x, lines(_whole_phrases(value, font, WIDTH - RIGHT - value_x), WIDTH - RIGHT - value_x, font)),
        ]
        blocks.append(_Block(columns))
    return blocks + [_Block([(LEFT, lines(_FIRST_LINE + line, width))]) for line in sheet.closing]


def _whole_phrases(text: str, font: str, width: float) -> str:
    """An address breaks between its parts (``ស្រុក…``, ``ខេត្ត…``), not inside one: joiners hold together what fits."""
    from i18n.pdf import width as text_width
    from i18n.segment import line_pieces

    held = [
        _JOINER.join(line_pieces(phrase)) if text_width(phrase, font, _BODY) <= width * MM else phrase
        for phrase in text.split(" ")
    ]
    return " ".join(held)


def _leading(blocks: Sequence[_Block]) -> float:
    """Points from line to line that fill the room, not more than looks well."""
    room = (_BODY_TOP - _SIGNATURE_TOP) * MM
    return min(_LEADING_MOST, room / (sum(block.height() for block in blocks) + 2 * _GAP))


def _body(canvas: Any, sheet: Sheet) -> float:
    """Title, opening, rows, closing; the height where they end. Lines stand closer when there is much to say."""
    from i18n.pdf_text import draw_lines

    _text(canvas, WIDTH / 2, _TITLE, sheet.title, "Muol", 18, "centre")
    blocks = _blocks(sheet)
    leading = _leading(blocks)
    if leading < _LEADING_LEAST:
        raise ValueError("too long for one sheet")
    gaps = {len(sheet.opening), len(sheet.opening) + len(sheet.rows)}
    top = _BODY_TOP
    for index, block in enumerate(blocks):
        top -= _GAP * leading / MM if index in gaps else 0
        for x, lines in block.columns:
            draw_lines(canvas, x * MM, top * MM, lines, WIDTH * MM, "left", leading)
        top -= block.height() * leading / MM
    return top


def _signature(canvas: Any, sheet: Sheet, top: float) -> None:
    """Both calendars, place, office of the one who signs, and room for the hand and the stamp."""
    middle = WIDTH - RIGHT - 43
    y = min(top - 8, _SIGNATURE_TOP)
    _text(canvas, middle, y, lunar_line(sheet.day), "Siemreap", 10.5, "centre")
    _text(canvas, middle, y - 7.4, f"{sheet.place} {official_date(sheet.day)}", "Siemreap", 10.5, "centre")
    _text(canvas, middle, y - 16.4, sheet.signatory, "Muol", 11.5, "centre")


def _code(canvas: Any, sheet: Sheet) -> None:
    """The QR code, its caption, and what the seal is (and is not)."""
    from i18n.pdf import draw_qr

    foot = 24.0
    if sheet.text is None:
        side = QR_LEAST_MM
        canvas.saveState()
        canvas.setDash(2, 2)
        canvas.setLineWidth(0.5)
        canvas.rect(LEFT * MM, foot * MM, side * MM, side * MM)
        canvas.restoreState()
    else:
        side = code_side(sheet.text)
        draw_qr(canvas, (LEFT - 2) * MM, foot * MM, side * MM, sheet.text, ecc=ECC)
    _text(canvas, LEFT, foot - 3.2, tr_in("km", "Office seal (integrity)"), "Siemreap", 8.5)
    _text(canvas, LEFT, foot - 7.2, f"Office seal (integrity) · {sheet.number}", "SalaKhmer", 7.2, colour=_SOFT)
    notes = (tr_in("km", "Scan with Sala to check, even without internet."),)
    for step, note in enumerate(notes):
        _text(canvas, WIDTH - RIGHT, foot - 7.2 - 4 * step, note, "SalaKhmer", 7.2, "right", _SOFT)


def modules(text: str) -> int:
    """Modules on one side of the QR code of ``text``, without quiet zone."""
    import zxingcpp

    barcode = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level=ECC)
    width: int = zxingcpp.write_barcode_to_image(barcode, scale=1, add_quiet_zones=False).shape[1]
    return width


def code_side(text: str) -> float:
    """Millimetres of the QR code with its quiet zone of four modules."""
    return max(QR_LEAST_MM, (modules(text) + 8) * MODULE_MM)


def _preview_mark(canvas: Any) -> None:
    """Across the sheet, under its words: nobody takes a preview for a certificate."""
    canvas.saveState()
    canvas.translate(WIDTH / 2 * MM, 150 * MM)
    canvas.rotate(35)
    _text(canvas, 0, 0, "គំរូ · មិនមែនវិញ្ញាបនបត្រ", "Muol", 34, "centre", "#E3E3E3")
    canvas.restoreState()


def _attach(canvas: Any, data: bytes) -> None:
    """Put the credential into the file, so that the file proves itself without its picture."""
    from reportlab.pdfbase.pdfdoc import PDFArray, PDFDictionary, PDFName, PDFStream, PDFString

    document = canvas._doc
    kept = PDFStream(content=data, filters=[])
    kept.dictionary["Type"] = PDFName("EmbeddedFile")
    kept.dictionary["Subtype"] = PDFName("text/plain")
    kept.dictionary["Params"] = PDFDictionary({"Size": len(data)})
    file = PDFDictionary(
        {
            "Type": PDFName("Filespec"),
            "F": PDFString(ATTACHMENT),
            "UF": PDFString(ATTACHMENT),
            "Desc": PDFString("KH1 credential"),
            "EF": PDFDictionary({"F": document.Reference(kept)}),
        }
    )
    names = PDFDictionary({"Names": PDFArray([PDFString(ATTACHMENT), document.Reference(file)])})
    document.Catalog.Names = PDFDictionary({"EmbeddedFiles": names})


def fits(sheet: Sheet) -> bool:
    """Whether the words of ``sheet`` find room on one page."""
    from i18n.pdf import register_fonts

    register_fonts()
    return _leading(_blocks(sheet)) >= _LEADING_LEAST


def compose(
    template: Template, shown: Mapping[str, str], head: Letterhead, *, number: str, day: date, expires: date | None,
    text: str | None,
) -> Sheet:  # fmt: skip
    """The sheet of a template filled with Khmer ``shown`` values by field name; what is missing leaves a dotted line."""
    blank = "" if text else "…" * 12
    ends = official_date(expires) if expires else ""
    slots = {field.name: shown.get(field.name, blank) for field in template.fields}
    slots |= {"office": head.office, "expires": ends}
    rows = []
    for row in template.paper.rows:
        if row in template.joined:
            joined = template.joined[row]
            label, value = joined.label["km"], " ".join(shown[part] for part in joined.of if shown.get(part))
        else:
            label, value = template.field(row).label["km"], shown.get(row, "")
        if value or blank:
            rows.append((label, value or blank))
    return Sheet(
        heads=head.heads,
        number=number,
        title=template.paper.title,
        opening=[line.format(**slots) for line in template.paper.opening],
        rows=rows,
        closing=[_ended(line.format(**slots)) for line in template.paper.closing],
        place=head.place,
        day=day,
        signatory=head.signatory,
        headline=shown.get(template.headline, ""),
        text=text,
    )


def _ended(line: str) -> str:
    """A sentence ends with its sign, whoever typed it."""
    return f"{line.rstrip(' ។')}។"
