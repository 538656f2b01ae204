"""Khmer PDF pages."""

from __future__ import annotations

import io
from pathlib import Path

from tests.bench.rows import Row, best_rate

PROSE = "ក្រសួងប្រៃសណីយ៍និងទូរគមនាគមន៍បានរៀបចំឱ្យមានប្រព័ន្ធផ្ទៀងផ្ទាត់វិញ្ញាបនបត្រសម្រាប់មន្ត្រីរាជការនៅតាមខេត្តស្រុកដែលមិនមានអ៊ីនធឺណិត "


def rows(folder: Path) -> list[Row]:
    from reportlab.pdfgen.canvas import Canvas

    from i18n import pdf

    pdf.register_fonts()

    def write() -> int:
        canvas = Canvas(io.BytesIO())
        for page in range(40):
            pdf.draw_paragraph(canvas, 60, 780, PROSE * 8 + str(page), "Siemreap", 12, width=470)
            canvas.showPage()
        canvas.save()
        return 40

    return [Row("Khmer PDF", best_rate(write, 3), "pages/s", 30, better="more")]
