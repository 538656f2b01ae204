"""An XLSForm as the model: counted, converted in a process of its own, then read as the XForm that it is."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from modules.contract import Refused
from modules.forms.interchange.counting import check_workbook
from modules.forms.interchange.xform.reading import read_xform
from modules.forms.model.diagnostics import Diagnostic
from modules.forms.model.form import Form

SECONDS: Final = 90  # by the clock, for one workbook
_BIGGEST: Final = 64_000_000  # bytes of an answer
_ROW: Final = re.compile(r"\[row\s*:\s*(\d+)\]\s*", re.IGNORECASE)
_SHEET: Final = re.compile(r"[Oo]n the '([^']+)' sheet,?\s*")
_NAMED: Final = re.compile(r"'([^']+)'")
# What the converter says → the code that says it in both languages. Else its English words stand in FM-406 or FM-454.
_KNOWN: Final[Mapping[str, re.Pattern[str]]] = {
    code: re.compile(pattern, re.IGNORECASE)
    for code, pattern in {
        "FM-471": r"unknown question type|question with no type",
        "FM-472": r"could not find the name '|there is no survey element named",
        "FM-473": r"must be unique within their nearest parent|name must be unique|repeat names must unique|appears more than once",
        "FM-474": r"unmatched (begin|end)|'(begin|end)[_ ]|no matching",
        "FM-475": r"list name not in (external )?choices sheet",
        "FM-476": r"names must begin with a letter|question or group with no name|reserved for form metadata",
        "FM-477": r"has no label|choices should have a label",
        "FM-478": r"choice names must be unique",
        "FM-479": r"missing calculation",
    }.items()
}  # fmt: skip


def file_type(data: bytes, name: str) -> str:
    """The kind of table that ``data`` is by its bytes, then by its name; "" for none."""
    if data.startswith(b"PK\x03\x04"):
        return ".xlsx"
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return ".xls"
    suffix = Path(name).suffix.lower()
    return suffix if suffix in (".csv", ".md") else ""


def read_workbook(data: bytes, *, name: str = "") -> tuple[Form, list[Diagnostic]]:
    """The form of an XLSForm and what is to be said about it, by sheet and row.

    ``Refused``: FM-403, FM-407 too large, FM-406 and FM-47n a mistake of the author, FM-408 stopped, FM-409 no converter.
    """
    kind = file_type(data, name)
    if not kind:
        raise Refused("FM-400", file=name)
    answer = _answer(check_workbook(data, name=name), kind, name)
    if answer.get("missing"):
        raise Refused("FM-409")
    if "error" in answer:
        found = diagnostic(str(answer["error"]), "refused")
        raise Refused(found.code, **found.values, problems=[found.json()])
    form, notes = read_xform(str(answer["xform"]).encode("utf-8"), name=name)
    said = [diagnostic(part, "warning") for one in answer["warnings"] for part in str(one).split("\n") if part.strip()]
    if answer.get("itemsets"):
        notes.append(Diagnostic(code="FM-460", grade="note", values={"file": "itemsets.csv"}))
    return dataclasses.replace(form, origin=dataclasses.replace(form.origin, kind="xlsform")), [*said, *notes]


def _answer(data: bytes, kind: str, name: str) -> Mapping[str, Any]:
    """What the converter says."""
    try:
        done = subprocess.run(
            [*_program(), kind], input=data, capture_output=True, timeout=SECONDS, check=False, cwd=Path(__file__).parents[3],
        )  # fmt: skip
        if done.returncode or len(done.stdout) > _BIGGEST:
            raise Refused("FM-408", form=name)
        answer = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError, OSError) as error:
        raise Refused("FM-408", form=name) from error
    if not isinstance(answer, dict):
        raise Refused("FM-408", form=name)
    return answer


def _program() -> list[str]:
    """How the converter is started: from the checkout by Python, from the packaged program by its command line."""
    if getattr(sys, "frozen", False):
        return [
            str(Path(sys.executable).with_name("sala-cli" + Path(sys.executable).suffix)),
            "forms",
            "convert-workbook",
        ]
    return [sys.executable, "-m", "modules.forms.interchange.converter"]


def diagnostic(message: str, grade: Any) -> Diagnostic:
    """A sentence of the converter as a diagnostic with its sheet and row."""
    row, sheet = _ROW.search(message), _SHEET.search(message)
    place: dict[str, Any] = {
        "sheet": sheet[1] if sheet else "survey" if row else "",
        "row": int(row[1]) if row else None,
    }
    words = " ".join(_SHEET.sub("", _ROW.sub("", message)).split())[:300]
    for code, pattern in _KNOWN.items():
        if pattern.search(message):
            named = _NAMED.findall(words)
            detail = named[-1] if named else words.rpartition(": ")[2][:60]
            shown = {"sheet": place["sheet"] or "survey", "row": place["row"] or "?", "detail": detail}
            return Diagnostic(code=code, grade=grade, **place, values=shown)
    code = "FM-406" if grade == "refused" else "FM-454"
    where = f"[{place['sheet']} {place['row']}] " if row else ""
    return Diagnostic(code=code, grade=grade, **place, values={"reason": where + words})
