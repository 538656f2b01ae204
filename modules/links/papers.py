"""What leaves on paper: one QR as a file, label sheets, posters; each symbol is read back before it is handed out."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from modules.contract import Api, Refused, Row
from modules.links import qr, sheet
from modules.links.records import Links
from modules.links.sheet import Label

SHEET_LIMIT: Final = 2_000  # labels of one file


class Papers:
    """What the commands run."""

    def __init__(self, api: Api, links: Links) -> None:
        self._api = api
        self._links = links

    def picture(self, code: str, out: str) -> dict[str, Any]:
        """The QR of ``code`` as the file ``out`` (.png, .svg, or a poster as .pdf)."""
        row = self._links.rows([code])[0]
        says = self._says(row["code"])
        if Path(out).suffix.lower() == ".pdf":
            path = qr.put(Path(out), self._poster(row, says))
        else:
            path = qr.write(says, row["code"], Path(out))
        return {"path": str(path), "code": row["code"], "payload": says}

    def preview(self, code: str) -> bytes:
        """The QR of ``code`` as PNG bytes."""
        row = self._links.rows([code])[0]
        return qr.png(self._says(row["code"]), row["code"])

    def sheet(self, codes: Sequence[str], out: str) -> dict[str, Any]:
        """Label sheets of ``codes`` as the PDF file ``out``."""
        labels, made = self._labels(codes), io.BytesIO()
        pages = sheet.write(labels, made)
        return {"path": str(qr.put(Path(out), made.getvalue())), "labels": len(labels), "pages": pages}

    def paper(self, codes: Sequence[str], poster: bool = False) -> bytes:
        """The same as PDF bytes, for the preview and the printer; ``poster`` takes the first code."""
        if poster:
            row = self._links.rows(codes[:1])[0]
            return self._poster(row, self._says(row["code"]))
        made = io.BytesIO()
        sheet.write(self._labels(codes), made)
        return made.getvalue()

    def _poster(self, row: Row, says: str) -> bytes:
        made = io.BytesIO()
        qr.verified(says, row["code"])
        sheet.poster(says, row["code"], row["title"], made)
        return made.getvalue()

    def _says(self, code: str) -> str:
        return qr.payload(self._links.short(code), upper=bool(self._api.settings.get("links.qr_upper")))

    def _labels(self, codes: Sequence[str]) -> list[Label]:
        if not 1 <= len(codes) <= SHEET_LIMIT:
            raise Refused("LN-007", count=len(codes), limit=SHEET_LIMIT)
        host = self._links.base().partition("://")[2] + "/"
        rows = self._links.rows(codes)
        return [Label(self._says(row["code"]), host, row["code"], row["title"] or row["host"]) for row in rows]
