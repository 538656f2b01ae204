"""A form as a file for other programs: Sala's JSON, an XForm, an XLSForm workbook."""

from __future__ import annotations

import json
from pathlib import Path

from modules.contract import Refused
from modules.forms.interchange.sheets import write_workbook
from modules.forms.interchange.xform.writing import write_xform
from modules.forms.model.diagnostics import Diagnostic
from modules.forms.model.first import as_second
from modules.forms.model.form import Form
from modules.forms.model.writing import source
from modules.forms.outfile import writing


def give(form: Form, kind: str) -> tuple[bytes, list[Diagnostic]]:
    """``form`` as ``.json``, ``.xml`` or ``.xlsx``, and what that kind cannot say. ``Refused("FM-400")`` for any other."""
    if kind == ".json":
        return (json.dumps(source(as_second(form)), ensure_ascii=False, indent=1) + "\n").encode("utf-8"), []
    if kind == ".xml":
        return write_xform(form), []
    if kind == ".xlsx":
        return write_workbook(form)
    raise Refused("FM-400", file=kind)


def give_file(form: Form, out: Path) -> list[Diagnostic]:
    """Write ``form`` to ``out``, whose name says the kind; nothing is written when it cannot be made."""
    data, left_out = give(form, out.suffix.lower())
    with writing(str(out)) as file:
        file.write(data)
    return left_out
