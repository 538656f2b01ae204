"""The model as an XLSForm workbook. What its columns cannot say is told, not dropped in silence."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final

from modules.contract import Refused
from modules.forms.interchange.languages import name as language_name
from modules.forms.interchange.rows import Rows
from modules.forms.model.diagnostics import Diagnostic
from modules.forms.model.form import NEUTRAL, Form

LONGEST: Final = 32_767  # characters of one cell
_FIRST: Final[Mapping[str, tuple[str, ...]]] = {
    "survey": ("type", "name"), "choices": ("list_name", "name"), "entities": ("list_name",), "settings": ("form_title", "form_id"),
}  # fmt: skip


def write_workbook(form: Form) -> tuple[bytes, list[Diagnostic]]:
    """The workbook (.xlsx) and what it cannot say. ``Refused``: FM-409 no openpyxl, FM-404 a character that no cell may hold."""
    rows = Rows(form)
    rows.fill()
    settings = _settings(form, rows)
    tables = {"survey": rows.survey, "choices": rows.choices, "entities": rows.entities, "settings": [settings]}
    return _book(tables, rows), rows.notes


def _settings(form: Form, rows: Rows) -> dict[str, str]:
    """The one row of the sheet settings."""
    meta, origin = form.meta, form.origin
    submission = dict(meta.submission)
    made = {
        "form_title": form.title.get(form.languages[0]) or next(iter(form.title.values()), form.id),
        "form_id": origin.form_id or form.id,
        "version": str(form.version) if meta.version_text is None else meta.version_text,
        "default_language": "" if form.languages == (NEUTRAL,) else language_name(form.languages[0], origin.languages),
        "instance_name": rows.expression(meta.instance_name),
        "public_key": meta.public_key,
        "submission_url": submission.pop("action", ""),
        "auto_send": submission.pop("orx:auto-send", ""),
        "auto_delete": submission.pop("orx:auto-delete", ""),
        "style": origin.body.get("class", ""),
        "name": "" if origin.root == "data" else origin.root,
        "namespaces": " ".join(f'{prefix}="{space}"' for prefix, space in origin.namespaces.items()),
    }
    submission.pop("method", "")
    for what in submission:
        rows.cannot(what, form.id)
    for present, what in ((form.checks, "checks"), (form.roles, "roles"), (origin.instance, "attributes of the instance"),
                          (meta.nodes, "bound attributes and meta nodes"), (origin.xml, "elements of the model")):  # fmt: skip
        if present:
            rows.cannot(what, form.id)
    return {column: value for column, value in made.items() if value}


def _book(tables: Mapping[str, list[dict[str, str]]], rows: Rows) -> bytes:
    try:
        from openpyxl import Workbook
        from openpyxl.utils.exceptions import IllegalCharacterError
    except ImportError as error:
        raise Refused("FM-409") from error
    book = Workbook()
    del book[book.sheetnames[0]]
    for name, table in tables.items():
        if not table and name not in ("survey", "settings"):
            continue
        sheet = book.create_sheet(name)
        columns = list(dict.fromkeys((*_FIRST[name], *(column for row in table for column in row))))
        sheet.append(columns)
        for number, row in enumerate(table, 2):
            for place, column in enumerate(columns, 1):
                value = row.get(column, "")
                if len(value) > LONGEST:
                    rows.cannot(f"more than {LONGEST} characters", row.get("name", name))
                if value:
                    try:
                        _put(sheet.cell(number, place), value)
                    except IllegalCharacterError as error:
                        raise Refused("FM-404", reason=repr(value[:40])) from error
    made = BytesIO()
    book.save(made)
    return made.getvalue()


def _put(cell: Any, value: str) -> None:
    """A text, never a formula."""
    cell.value = value
    cell.data_type = "s"
