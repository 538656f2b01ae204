"""Answers that another module holds, in words: which question, which answer, who it is about, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from i18n.catalog import LANGUAGES
from i18n.errors import SalaError
from modules.contract import Refused
from modules.forms import words
from modules.forms.definition import Definition, Field
from modules.forms.library import Library

_NOBODY = {"km": "", "latin": ""}


def read_back(library: Library, def_hash: str, answers: Mapping[str, Any]) -> dict[str, Any]:
    """``{"known", "title", "person", "rows": [{"section", "label", "value", "files"}]}``; texts are ``{"km", "en"}``.

    A definition that this program does not carry is not known: rows then hold the bare names and values.
    """
    try:
        form = library.pinned(def_hash)
    except Refused:
        rows = [_bare(name, value) for name, value in answers.items()]
        return {"known": False, "title": {"km": "", "en": ""}, "person": _NOBODY, "rows": rows}
    rows = [
        _row(section.title, field, answers[field.id])
        for section in form.sections
        for field in section.fields
        if answers.get(field.id) is not None
    ]
    return {"known": True, "title": dict(form.title), "person": _person(form, answers), "rows": rows}


def _person(form: Definition, answers: Mapping[str, Any]) -> Mapping[str, str]:
    match answers.get(form.roles.get("person", "")):
        case {"km": str(km), "latin": str(latin)}:
            return {"km": km, "latin": latin}
    return _NOBODY


def _row(section: Mapping[str, str], field: Field, value: Any) -> dict[str, Any]:
    try:
        value_words = {language: words.shown(field, value, language) for language in LANGUAGES}
    except (SalaError, LookupError, TypeError, ValueError):  # an older or a hostile laptop: show what stands there
        value_words = {language: str(value)[:2_000] for language in LANGUAGES}
    files = value if field.type == "attachment" and isinstance(value, list) else []
    return {
        "section": dict(section), "label": dict(field.label), "value": value_words,
        "files": [_file(one) for one in files if isinstance(one, dict)],
    }  # fmt: skip


def _file(value: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value.get(name, ""))[:200] for name in ("blob", "name", "media")}


def _bare(name: str, value: Any) -> dict[str, Any]:
    text = str(value)[:2_000]
    return {
        "section": {"km": "", "en": ""},
        "label": {"km": name, "en": name},
        "value": {"km": text, "en": text},
        "files": [],
    }
