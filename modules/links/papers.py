"""What leaves on paper: one QR as a file, label sheets, posters; each symbol is read back before it is handed out."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from modules.contract import Api, Refused
from modules.links import qr
from modules.links.records import Links

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
        path = qr.write(says, row["code"], row["title"], Path(out))
        return {"path": str(path), "code": row["code"], "payload": says}

    def preview(self, code: str) -> bytes:
        """The QR of ``code`` as PNG bytes."""
        row = self._links.rows([code])[0]
        return qr.png(self._says(row["code"]), row["code"])

    def sheet(self, codes: Sequence[str], out: str) -> dict[str, Any]:
        """Label sheets of ``codes`` as the PDF file ``out``."""
        from modules.links.sheet import write

        labels, made = self._labels(codes), io.BytesIO()
        pages = write(labels, made)
        return {"path": str(qr.put(Path(out), made.getvalue())), "labels": len(labels), "pages": pages}

    def paper(self, codes: Sequence[str], poster: bool = False) -> bytes:
        """The same as PDF bytes, for the preview and the printer; ``poster`` takes the first code."""
        from modules.links import sheet

        made = io.BytesIO()
        if poster:
            row = self._links.rows(codes[:1])[0]
            qr.verified(self._says(row["code"]), row["code"])
            sheet.poster(self._says(row["code"]), row["code"], row["title"], made)
        else:
            sheet.write(self._labels(codes), made)
        return made.getvalue()

    def _says(self, code: str) -> str:
        return qr.payload(self._links.short(code), upper=bool(self._api.settings.get("links.qr_upper")))

    def _labels(self, codes: Sequence[str]) -> list[Any]:
        from modules.links.sheet import Label

        if not 1 <= len(codes) <= SHEET_LIMIT:
            raise Refused("LN-007", count=len(codes), limit=SHEET_LIMIT)
        host = self._links.base().partition("://")[2] + "/"
        rows = self._links.rows(codes)
        return [Label(self._says(row["code"]), host, row["code"], row["title"] or row["host"]) for row in rows]
