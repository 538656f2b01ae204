"""A file from outside as a form: what it is, the form that it makes, and everything that is to be said about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from modules.contract import Refused
from modules.forms.definition import load_json
from modules.forms.interchange.counting import SIZE_LIMIT as WORKBOOK_LIMIT
from modules.forms.interchange.formsg import is_formsg, read_formsg
from modules.forms.interchange.workbook import file_type, read_workbook
from modules.forms.interchange.xform.reading import read_xform
from modules.forms.interchange.xml import SIZE_LIMIT as XML_LIMIT
from modules.forms.model.diagnostics import Diagnostic, worst_first
from modules.forms.model.form import ChoiceList, Field, Form
from modules.forms.model.identity import count, keep_ids
from modules.forms.model.lint import lint
from modules.forms.model.reading import SIZE_LIMIT, form_of_source, read_form
from modules.forms.model.writing import digest
from modules.forms.model.writing import source as json_of

BIGGEST: Final = max(WORKBOOK_LIMIT, XML_LIMIT, SIZE_LIMIT)  # bytes of any file


@dataclass(frozen=True)
class Taken:
    """A form, what is said about it, and the files that it needs beside it."""

    form: Form
    said: list[Diagnostic] = field(default_factory=list)

    @property
    def files(self) -> list[str]:
        """Names of the files with choices, pictures, sounds and videos, each once."""
        return sorted({*_lists(self.form.lists), *_media(self.form)})

    def json(self) -> dict[str, Any]:
        """What the command line shows."""
        form = self.form
        return {
            "kind": form.origin.kind, "id": form.id, "version": form.version, "title": dict(form.title),
            "languages": list(form.languages), "def_hash": digest(form), "count": count(form),
            "choices": {name: len(one.rows) for name, one in form.lists.items()}, "files": self.files,
            "diagnostics": [one.json() for one in self.said],
        }  # fmt: skip


def take(data: bytes, *, name: str = "", older: Form | None = None) -> Taken:
    """The form in ``data``, whatever kind it is. With ``older``, the version before: its ids are kept, and what is lost is said.

    ``Refused``: FM-400 no form, FM-403 too large, and what the reader of its kind refuses.
    """
    if len(data) > BIGGEST:
        raise Refused("FM-403", form=name, reason=f"larger than {BIGGEST} bytes")
    form, notes = _read(data, name)
    if older is not None and form.origin.kind not in ("sala", "format1"):
        form = form_of_source(json_of(keep_ids(form, older)), name=name)
    return Taken(form, worst_first([*notes, *lint(form, older)]))


def _read(data: bytes, name: str) -> tuple[Form, list[Diagnostic]]:
    start = data[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"<") or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return read_xform(data, name=name)
    if start.startswith(b"{"):
        data = data.removeprefix(b"\xef\xbb\xbf")
        source = load_json(data, name=name, limit=SIZE_LIMIT)
        if "sala_form" in source:
            return read_form(data, name=name), []
        if is_formsg(source):
            return read_formsg(data, name=name)
        raise Refused("FM-400", file=name)
    if file_type(data, name):
        return read_workbook(data, name=name)
    raise Refused("FM-400", file=name)


def take_file(path: Path, *, older: Form | None = None) -> Taken:
    """:func:`take` of a file. ``Refused("CL-002")`` when it cannot be read; a file that is too large is not read."""
    try:
        if path.stat().st_size > BIGGEST:
            raise Refused("FM-403", form=path.name, reason=f"larger than {BIGGEST} bytes")
        data = path.read_bytes()
    except OSError as error:
        raise Refused("CL-002", file=path.name, reason=str(error.strerror)) from error
    return take(data, name=path.name, older=older)


def _lists(lists: Mapping[str, ChoiceList]) -> set[str]:
    return {one.file for one in lists.values() if one.file}


def _media(form: Form) -> set[str]:
    """Files that labels and choices name; texts of other forms (short, guidance) are no files."""
    kinds = ("image", "audio", "video", "big-image")
    every = [item.media for item in form.fields() if isinstance(item, Field)]
    every += [row.media for one in form.lists.values() for row in one.rows]
    return {
        file for media in every for kind in kinds for file in media.get(kind, {}).values() if file and "${" not in file
    }
