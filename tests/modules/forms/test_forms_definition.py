"""Definitions: the grammar, what it cannot say, the canonical hash, and that a changed file is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.contract import Refused
from modules.forms import library as shelf
from modules.forms.definition import canonical, digest, load_json, parse
from modules.forms.library import ASSETS, Library, pin

FORMS = ["barber-licence", "birth-extract-copy", "copy-legalisation", "general-application"]
TEXT = {"km": "ក", "en": "a"}
Y = {"id": "y", "type": "text", "label": TEXT}


def small(**field: Any) -> dict[str, Any]:
    """The smallest form: a name, and one field more when given."""
    fields = [{"id": "who", "type": "name", "label": TEXT}]
    if field:
        fields.append({"id": "x", "label": TEXT, **field})
    return {
        "sala_form": 1, "id": "a-form", "version": 1, "service": None, "title": TEXT, "roles": {"person": "who"},
        "sections": [{"id": "one", "title": TEXT, "fields": fields}],
    }  # fmt: skip


def read(source: dict[str, Any]) -> Any:
    return parse(json.dumps(source).encode(), name="a-form")


def test_every_shipped_form_is_read_and_is_the_pinned_one() -> None:
    library = Library()
    assert [form.id for form in library.forms()] == FORMS
    assert library.index == pin(), "run: python -m modules.forms.library"
    for form in library.forms():
        assert library.pinned(form.def_hash) is form
        assert {"applicant", "phone", "address", "fee"} <= {field.id for field in form.fields()}


def test_the_hash_is_of_the_content_and_not_of_the_spaces() -> None:
    path = ASSETS / "forms/barber-licence-1.json"
    source = json.loads(path.read_text("utf-8"))
    turned = json.dumps(dict(reversed(source.items())), indent=7, ensure_ascii=True).encode()
    assert parse(turned).def_hash == parse(path.read_bytes()).def_hash


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("forms", "services"):
        shutil.copytree(ASSETS / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("form", FORMS)
def test_a_tampered_definition_is_refused(folder: Path, form: str) -> None:
    path = folder / f"forms/{form}-1.json"
    path.write_text(path.read_text("utf-8").replace('"required": true', '"required": false', 1), "utf-8")
    with pytest.raises(Refused, match="FM-001"):
        Library(folder).current(form)


def test_a_definition_under_another_name_is_refused(folder: Path) -> None:
    shutil.copy(folder / "forms/copy-legalisation-1.json", folder / "forms/barber-licence-1.json")
    with pytest.raises(Refused, match="FM-001"):
        Library(folder).current("barber-licence")


def test_a_changed_fee_or_holiday_is_refused(folder: Path) -> None:
    for name in ("catalogue.json", "holidays.json"):
        path = folder / "services" / name
        path.write_text(path.read_text("utf-8").replace("20000", "2000").replace('"days": 3', '"days": 30'), "utf-8")
    library = Library(folder)
    for read_it in (lambda: library.catalogue, lambda: library.holidays):
        with pytest.raises(Refused, match="FM-001"):
            read_it()


def test_a_missing_file_and_an_unknown_form_say_so(folder: Path) -> None:
    (folder / "forms/barber-licence-1.json").unlink()
    library = Library(folder)
    with pytest.raises(Refused, match="FM-001"):
        library.current("barber-licence")
    with pytest.raises(Refused, match="FM-003"):
        library.current("no-such-form")
    with pytest.raises(Refused, match="FM-005"):
        library.pinned("00" * 32)


def test_an_older_version_stays_readable_beside_the_newer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = json.loads((folder / "forms/barber-licence-1.json").read_text("utf-8"))
    first = digest(source)
    source["version"] = 2
    (folder / "forms/barber-licence-2.json").write_text(json.dumps(source), "utf-8")
    monkeypatch.setattr(shelf, "ASSETS", folder)
    (folder / "forms/index.json").write_text(json.dumps(pin(folder)), "utf-8")
    library = Library(folder)
    assert library.current("barber-licence").version == 2
    assert library.pinned(first).version == 1


FLAWS: list[tuple[str, Callable[[dict[str, Any]], None]]] = [
    ("no sections", lambda form: form["sections"].clear()),
    ("an unknown key", lambda form: form.update(script="import os")),
    ("an unknown field type", lambda form: form["sections"][0]["fields"][0].update(type="eval")),
    ("a rule of another type", lambda form: form["sections"][0]["fields"][0].update(max=3)),
    ("a field twice", lambda form: form["sections"][0]["fields"].append(form["sections"][0]["fields"][0])),
    ("a section twice", lambda form: form["sections"].append({**form["sections"][0], "fields": [Y]})),
    ("a label without Khmer", lambda form: form["title"].pop("km")),
    ("a role of the wrong type", lambda form: form["roles"].update(phone="who")),
    ("a role without a field", lambda form: form["roles"].update(phone="nobody")),
    ("a flow field that is none", lambda form: form.update(flow_fields=["nobody"])),
    ("version 0", lambda form: form.update(version=0)),
    ("Khmer out of order", lambda form: form["title"].update(km="ស្រ្តី")),
    ("a hidden space in Khmer", lambda form: form["title"].update(km="ក\u200bខ")),
]  # fmt: skip


@pytest.mark.parametrize("change", [flaw for _, flaw in FLAWS], ids=[name for name, _ in FLAWS])
def test_a_flawed_definition_is_refused(change: Callable[[dict[str, Any]], None]) -> None:
    form = deepcopy(small())
    read(form)
    change(form)
    with pytest.raises(Refused, match="FM-002"):
        read(form)


BAD_FIELDS: list[dict[str, Any]] = [
    {"type": "number", "min": 3, "max": 2},
    {"type": "number", "min": "3"},
    {"type": "text", "min_length": 5, "max_length": 2},
    {"type": "date", "min": "2026-02-30"},
    {"type": "date", "max": "yesterday"},
    {"type": "choice"},
    {"type": "choice", "options": [{"id": "a", "label": TEXT}, {"id": "a", "label": TEXT}]},
    {"type": "fee", "times": "who"},
    {"type": "attachment", "accept": ["application/x-msdownload"]},
    {"type": "attachment", "max_bytes": 10**9},
    {"type": "text", "show_if": {"field": "later", "equals": "a"}},
    {"type": "text", "show_if": {"field": "x", "equals": "a"}},
    {"type": "text", "show_if": {"field": "who", "equals": "a"}},
    {"type": "text", "show_if": {"field": "who"}},
]


@pytest.mark.parametrize("field", BAD_FIELDS, ids=str)
def test_a_flawed_field_is_refused(field: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="FM-002"):
        read(small(**field))


def test_a_condition_compares_with_the_type_of_its_field() -> None:
    form = small(type="yes_no")
    form["sections"][0]["fields"].append(
        {"id": "y", "type": "text", "label": TEXT, "show_if": {"field": "x", "equals": True}}
    )
    read(form)
    form["sections"][0]["fields"][2]["show_if"]["equals"] = "yes"
    with pytest.raises(Refused, match="FM-002"):
        read(form)


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{", b'{"a":1,"a":2}', b'{"a":NaN}', b"\xff\xfe", b'{"a":' + b"[" * 100_000, b" " * 1_000_001],
    ids=["empty", "list", "cut", "twice", "nan", "utf16", "deep", "large"],
)
def test_data_that_is_no_plain_object_is_refused(data: bytes) -> None:
    with pytest.raises(Refused, match="FM-002"):
        parse(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), json_values, max_size=5))
def test_canonical_bytes_are_one_form(value: dict[str, Any]) -> None:
    try:
        once = canonical(value)
    except UnicodeEncodeError:
        return  # a lone surrogate is no text
    again = load_json(json.dumps(value, indent=2).encode(), name="", limit=10**6)
    assert canonical(again) == once
    assert load_json(once, name="", limit=10**6) == value
