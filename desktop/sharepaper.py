"""The custodians' sheets: one A4 page a share with its text, its QR code and what to do with it; and a text file each."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from i18n.catalog import tr

if TYPE_CHECKING:
    from nacl.public import PrivateKey

    from sync.shares import Share

MM: Final = 72 / 25.4
_LEFT: Final = 25 * MM
_WIDTH: Final = 160 * MM


def write(private: PrivateKey, folder: Path, holders: Sequence[str] = ()) -> list[Path]:
    """Split ``private`` and write ``share-1.txt``, ``share-1.pdf`` … into ``folder``. ``Known("SY-371")`` when that fails."""
    from modules import people
    from sync import shares

    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for share in shares.split(private):
        holder = holders[share.number - 1] if share.number <= len(holders) else ""
        text = shares.text(share)
        for suffix, data in ((".txt", (text + "\n").encode()), (".pdf", page(share, text, holder))):
            place = folder / f"share-{share.number}{suffix}"
            people.write(place, data)
            made.append(place)
    return made


def page(share: Share, text: str, holder: str) -> bytes:
    """One sheet."""
    from reportlab.pdfgen.canvas import Canvas

    from i18n import pdf
    from sync import shares

    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(210 * MM, 297 * MM), lang="km", pageCompression=1)
    canvas.setTitle(tr("Share of the recovery key"))
    canvas.setCreator("Sala")
    y = 297 * MM - 30 * MM
    y = _words(
        pdf, canvas, tr("Share {n} of {all} of the recovery key", n=share.number, all=shares.SHARES), y, 20, bold=True
    )
    y = _words(pdf, canvas, tr("Key {name}", name=share.key_id.hex()), y, 11)
    y = _words(pdf, canvas, tr("Custodian: {name}", name=holder or "…………………………………"), y - 4 * MM, 13)
    pdf.draw_qr(canvas, _LEFT, y - 72 * MM, 68 * MM, text, ecc="Q")
    groups = text.split()
    for row in range(0, len(groups), 4):
        canvas.setFont("Courier-Bold", 15)
        canvas.drawString(_LEFT + 78 * MM, y - 14 * MM - row // 4 * 10 * MM, "  ".join(groups[row : row + 4]))
    y -= 84 * MM
    for sentence in (
        tr(
            "Any {n} of the {all} shares open every laptop of the province. One alone opens nothing.",
            n=shares.NEEDED,
            all=shares.SHARES,
        ),
        tr("Keep this sheet in a closed envelope, apart from the others. Never photograph it, never send it."),
        tr("When the custodian changes, split the key anew and destroy the old sheets together."),
    ):
        y = _words(pdf, canvas, sentence, y - 2 * MM, 12)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def _words(pdf: Any, canvas: Any, text: str, y: float, size: float, *, bold: bool = False) -> float:
    """A paragraph from ``y`` down; where it ends."""
    font = "SalaKhmer-Bold" if bold else "SalaKhmer"
    used: float = pdf.draw_paragraph(canvas, _LEFT, y, text, font, size, width=_WIDTH)
    return y - used
