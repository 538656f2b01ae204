"""Puts certificates on paper: the sheet as PDF, proved by reading it back, every copy counted.

A print is recorded only after the file exists and the code on its page was read from a 150 dpi picture of it, so that a
paper which no scanner reads never leaves the office as printed.
"""

from __future__ import annotations

import hashlib
import io
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from i18n.catalog import LANGUAGES
from i18n.dates import moment
from i18n.errors import Known, Refused, explain
from modules.certificates import filling, kh1, paper, scan, sources, templates
from modules.certificates.claims import NUMBER, Claims, parse
from modules.certificates.issue import Issue, expiry
from modules.certificates.offices import letterhead
from modules.contract import Api, Row
from sync import durable

PROOF_DPI: Final = 150


class Prints:
    """The commands that make paper."""

    def __init__(self, api: Api, issue: Issue) -> None:
        self._api = api
        self._issue = issue

    def pdf(self, *, id: str, out: str) -> dict[str, Any]:
        """Write the sheet to ``out`` (a file, or a folder that gets ``<number>.pdf``) and count the copy.

        ``Refused("CT-140")`` unknown · ``Known``: CT-150 cannot be written · CT-151 the code cannot be read back ·
        CT-152 printed elsewhere at the same moment.
        """
        row = self._row(id)
        target = Path(out).expanduser()
        if target.is_dir():
            target /= f"{row['number']}.pdf"
        copy = row["prints"] + 1
        self._write(target, self._sheet(row, copy))
        try:
            data = target.read_bytes()
            prove(data, row["text"])
            digest = hashlib.sha256(data).hexdigest()
            self._api.call("certificates.note_print", id=row["id"], copy=copy, way="file", sha256=digest)
        except (Known, Refused):
            with suppress(OSError):
                target.unlink()
            raise
        return {"path": str(target), "number": row["number"], "copy": copy, "sha256": digest}

    def paper(self, *, id: str, width: int = 0) -> dict[str, Any]:
        """The proved sheet for a printer, as base64. It counts when ``note_print`` is told that it was printed.

        With ``width`` also its picture, so many pixels wide, as base64 of a PNG.
        """
        row = self._row(id)
        copy = row["prints"] + 1
        data = self._sheet(row, copy)
        prove(data, row["text"])
        return {
            "pdf": b64encode(data).decode("ascii"),
            "png": _picture(data, width),
            "number": row["number"],
            "copy": copy,
            "sha256": hashlib.sha256(data).hexdigest(),
        }

    def note_print(self, *, id: str, copy: int, way: str, sha256: str) -> dict[str, Any]:
        """Count a copy that exists now. ``Known("CT-152")`` when that copy was counted meanwhile."""
        row = self._row(id)
        if copy != row["prints"] + 1:
            raise Known("CT-152", number=row["number"])
        store = self._api.store
        store.execute(
            "INSERT INTO certificates_print (id, certificate, copy, way, sha256, officer, printed_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
            self._api.new_id(), row["id"], copy, way, sha256, self._api.officer().id, self._api.clock.wall_ms(),
        )  # fmt: skip
        store.execute("UPDATE certificates_issued SET prints = ? WHERE id = ?", copy, row["id"])
        store.touch("certificates.issued", row["id"])
        self._api.audit("printed", row["id"])
        return {"id": row["id"], "copy": copy}

    def preview(
        self, *, template: str, data: Mapping[str, Any] | None = None, source: str | None = None,
        valid_until: str | None = None, width: int = 0,
    ) -> dict[str, Any]:  # fmt: skip
        """The sheet as it will look, marked as a sample, and what is still wrong: ``{"pdf", "png", "data", "problems"}``.

        ``problems`` holds for each field one sentence in both languages; ``png`` is there when a ``width`` is asked.
        """
        found = templates.find(template)
        if data is None:
            data = filling.from_form(self._api, found, source) if source else {}
        taken, problems = filling.take(found, data)
        words = {
            name: {language: explain(problem, language).what for language in LANGUAGES}
            for name, problem in problems.items()
        }
        today = moment(self._api.clock.wall_ms()).date()
        end: date | None = None
        try:
            end = expiry(found, today, valid_until)
        except Refused as refused:
            words["valid_until"] = {language: explain(refused, language).what for language in LANGUAGES}
        sheet = paper.compose(
            found, filling.shown(found, taken), letterhead(self._api.office), number=self._next_number(), day=today,
            expires=end, text=None,
        )  # fmt: skip
        fits = paper.fits(sheet)
        if not fits:
            words["sheet"] = {language: explain(Refused("CT-121"), language).what for language in LANGUAGES}
        drawn = paper.draw(sheet) if fits else None
        return {
            "pdf": b64encode(drawn).decode("ascii") if drawn else None,
            "png": _picture(drawn, width) if drawn else None,
            "data": dict(data),
            "problems": words,
        }

    def _next_number(self) -> str:
        from modules.certificates import numbering

        leases = self._api.leases.active(numbering.RESOURCE)
        return numbering.block(leases[0]).number(leases[0].used) if leases else "…"

    def _row(self, id: str) -> Row:
        rows = self._api.store.query("SELECT * FROM certificates_issued WHERE id = ? OR number = ?", id, id)
        if not rows:
            raise Refused("CT-140", id=id)
        return rows[0]

    def _sheet(self, row: Row, copy: int) -> bytes:
        claims = parse(kh1.read(row["text"]).payload)
        template = templates.find(row["template"], row["version"])
        sheet = self._issue.sheet(template, _taken(template, claims), str(claims.fields[NUMBER]), claims, row["text"])
        return paper.draw(replace(sheet, copy=copy))

    def _write(self, target: Path, data: bytes) -> None:
        try:
            durable.replace(target, data)
        except OSError as error:
            raise Known("CT-150", file=target.name) from error


def prove(data: bytes, text: str) -> None:
    """Read the sheet back as a scanner would. ``Known("CT-151")`` unless page and attachment carry exactly ``text``."""
    printed = [code for page in sources.pages(data, PROOF_DPI) for code in scan.codes(page, lambda code: code == text)]
    attached = [found.text for found in sources.attached(data)]
    if text not in printed or attached != [text]:
        raise Known("CT-151")


def _picture(data: bytes, width: int) -> str | None:
    if not width:
        return None
    out = io.BytesIO()
    sources.pages(data, round(width / (paper.WIDTH / 25.4)), colour=True)[0].save(out, "PNG", compress_level=1)
    return b64encode(out.getvalue()).decode("ascii")


def _taken(template: templates.Template, claims: Claims) -> filling.Values:
    return {field.name: claims.fields[field.number] for field in template.fields if field.number in claims.fields}
