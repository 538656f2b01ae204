"""Submissions given out as a table (CSV for Excel) or as data (one JSON object a line), all versions of a form together."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from i18n.catalog import Language
from i18n.cells import harmless
from i18n.dates import short_moment
from modules.contract import Api, Row
from modules.forms import words
from modules.forms.definition import Definition, Field
from modules.forms.library import Library
from modules.forms.outfile import writing

_STEP: Final = 500  # submissions read at a time
_HEAD: Final[tuple[tuple[str, Mapping[str, str]], ...]] = (
    ("receipt", {"km": "លេខបង្កាន់ដៃ", "en": "Receipt"}),
    ("service", {"km": "សេវា", "en": "Service"}),
    ("state", {"km": "ស្ថានភាព", "en": "State"}),
    ("received", {"km": "បានទទួល", "en": "Received"}),
    ("due", {"km": "ថ្ងៃកំណត់", "en": "Due"}),
    ("fee", {"km": "ថ្លៃសេវា (រៀល)", "en": "Fee (riel)"}),
)
_STATE: Final = {"finished": {"km": "បានបញ្ចប់", "en": "finished"}, "withdrawn": {"km": "បានដកវិញ", "en": "withdrawn"}}


class Export:
    """``forms.export``."""

    def __init__(self, api: Api, library: Library) -> None:
        self._api = api
        self._library = library

    def export(
        self, *, form: str, format: str, out: str, language: Language = "km", header: str = "labels"
    ) -> dict[str, Any]:
        """Write every submission of ``form`` to ``out``, oldest first; returns ``{"path", "rows", "format"}``.

        CSV: UTF-8 with BOM, one row a submission, ``header`` labels (for people) or ids (for programs); cells that a
        spreadsheet would run as a formula begin with an apostrophe. JSONL: stored values, nothing translated.
        """
        newest = self._library.current(form)
        write = self._jsonl if format == "jsonl" else self._csv
        with writing(out) as file:
            count = write(file, newest, language, header == "labels")
        self._api.call("forms.note_given", what="exported", record=form)
        return {"path": out, "rows": count, "format": format}

    def _rows(self, form: str) -> Iterator[Row]:
        after = ""
        while rows := self._api.store.query(
            "SELECT * FROM forms_submission WHERE form = ? AND id > ? ORDER BY id LIMIT ?", form, after, _STEP
        ):
            yield from rows
            after = rows[-1]["id"]

    def _jsonl(self, file: Any, form: Definition, _language: Language, _labels: bool) -> int:
        count = 0
        for row in self._rows(form.id):
            record = {
                "id": row["id"], "receipt": row["receipt"], "form": row["form"], "version": row["version"],
                "def_hash": row["def_hash"], "service": row["service"], "state": row["state"], "opened": row["opened"],
                "received": row["received"], "received_ms": row["received_ms"], "due": row["due"], "fee": row["fee"],
                "op": row["op"], "last_op": row["last_op"], "answers": json.loads(row["answers"]),
            }  # fmt: skip
            file.write((json.dumps(record, ensure_ascii=False) + "\n").encode())
            count += 1
        return count

    def _csv(self, file: Any, form: Definition, language: Language, labels: bool) -> int:
        text = io.TextIOWrapper(file, "utf-8-sig", newline="", write_through=True)
        sheet = csv.writer(text)
        columns = [column for field in self._all_fields(form) for column in _columns(field, language, labels)]
        sheet.writerow(
            [title[language] if labels else name for name, title in _HEAD] + [title for _, _, title in columns]
        )
        count = 0
        for row in self._rows(form.id):
            answers = json.loads(row["answers"])
            head = [
                row["receipt"], self._library.catalogue.service(row["service"]).title[language] if labels else row["service"],
                _STATE[row["state"]][language] if labels else row["state"],
                short_moment(row["received_ms"]) if labels else row["received"], row["due"], row["fee"],
            ]  # fmt: skip
            cells = [_cell(field, part, answers.get(field.id), language, labels) for field, part, _ in columns]
            sheet.writerow([guard(cell) for cell in [*head, *cells]])
            count += 1
        text.detach()
        return count

    def _all_fields(self, newest: Definition) -> list[Field]:
        """The fields of every version that submissions were made with; a field that was removed keeps its column."""
        fields = {field.id: field for field in newest.fields() if field.type != "fee"}
        for row in self._api.store.query("SELECT DISTINCT def_hash FROM forms_submission WHERE form = ?", newest.id):
            for field in self._library.pinned(row["def_hash"]).fields():
                if field.type != "fee":
                    fields.setdefault(field.id, field)
        return list(fields.values())


_PARTS: Final[Mapping[str, tuple[str, ...]]] = {"name": ("km", "latin"), "address": ("text", "code")}
_PART_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "km": {"km": "", "en": ""},
    "latin": {"km": " (ឡាតាំង)", "en": " (Latin)"},
    "text": {"km": "", "en": ""},
    "code": {"km": " (លេខកូដ)", "en": " (code)"},
}


def _columns(field: Field, language: Language, labels: bool) -> list[tuple[Field, str, str]]:
    """A field's columns: a name has two, an address has its words and its code."""
    parts = _PARTS.get(field.type, ("",))
    if labels:
        return [(field, part, field.label[language] + (_PART_WORDS[part][language] if part else "")) for part in parts]
    return [(field, part, f"{field.id}.{part}" if part else field.id) for part in parts]


def _cell(field: Field, part: str, value: Any, language: Language, labels: bool) -> Any:
    if value is None:
        return ""
    if field.type == "name":
        return value[part]
    if field.type == "address":
        return value["code"] if part == "code" else words.address(value, language)
    if field.type in ("number", "date", "phone", "id_card") or (field.type in ("choice", "yes_no") and not labels):
        return str(value).lower() if isinstance(value, bool) else value
    if field.type == "choices" and not labels:
        return ";".join(value)
    return words.shown(field, value, language)


def guard(cell: Any) -> Any:
    """``cell`` so that no spreadsheet runs it."""
    return harmless(cell) if isinstance(cell, str) else cell
