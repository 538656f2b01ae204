"""Khmer on paper: the one door to PDF text, paragraphs and QR codes. Import it where a PDF is made, not at start-up.

Pictures are right (subscripts, split vowels, robat, mixed scripts, breaks between words) and the text copies and
searches exactly. Lengths are points, colours ``#rrggbb``, ``y`` counts upwards from the foot of the page.
Fonts: ``SalaKhmer``, ``SalaKhmer-Bold`` (text, Khmer and Latin), ``Muol`` (titles), ``Siemreap`` (official letters).

::

    from reportlab.lib.pagesizes import A5
    from reportlab.pdfgen.canvas import Canvas
    from i18n import pdf

    page = Canvas("receipt.pdf", pagesize=A5, lang="km", invariant=1)
    pdf.draw(page, 210, 560, "ព្រះរាជាណាចក្រកម្ពុជា", "Muol", 12, align="centre")
    pdf.draw(page, 210, 540, "ជាតិ សាសនា ព្រះមហាក្សត្រ", "Muol", 11, align="centre")
    used = pdf.draw_paragraph(page, 40, 500, "បានទទួលពាក្យស្នើសុំ…", size=11, width=340)
    pdf.draw_qr(page, 40, 40, 90, "https://example.gov.kh/r/0306-17")
    page.save()

In stories and tables use ``pdf.KhmerParagraph("…", "SalaKhmer-Bold", 11, align="centre")``; for words of another look
inside one paragraph give a list of ``pdf.Span(text, font, size, colour)``.
"""

from __future__ import annotations

from i18n.pdf_flow import KhmerParagraph
from i18n.pdf_qr import draw_qr
from i18n.pdf_shape import register_fonts
from i18n.pdf_text import LEADING, Align, Line, Span, draw, draw_paragraph, width, wrap, wrap_spans

__all__ = [
    "LEADING", "Align", "KhmerParagraph", "Line", "Span", "draw", "draw_paragraph", "draw_qr", "register_fonts",
    "width", "wrap", "wrap_spans",
]  # fmt: skip
