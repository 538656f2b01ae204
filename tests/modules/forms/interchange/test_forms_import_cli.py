"""``sala-cli forms import`` and ``forms compare``: any kind of file, everything said about it, nothing unlocked, nothing stored."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from modules.cli import Desk
from modules.contract import Refused
from modules.forms import cli
from modules.forms.interchange import taking
from modules.forms.interchange.giving import give
from modules.forms.library import ASSETS
from modules.forms.model.reading import read_form

ROOT = Path(__file__).parents[4]
SAMPLES = Path(__file__).with_name("samples")
FORMSG = {"form": {"_id": "5f3a1b2c3d4e5f6a7b8c9d0e", "title": "A form", "form_logics": [], "form_fields": [
    {"_id": "0" * 24, "fieldType": "textfield", "title": "Name", "required": True}]}}  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> Any:
    def run(*words: str, as_json: bool = True) -> Any:
        made = CliRunner().invoke(
            cli.commands(), [*words], obj=Desk(tmp_path / "nobody", as_json=as_json, officer=None)
        )
        if made.exception is not None and not isinstance(made.exception, SystemExit):
            raise made.exception
        assert made.exit_code == 0, made.output
        return json.loads(made.output) if as_json else made.output

    return run


def test_every_kind_of_file_is_taken(run: Any, tmp_path: Path) -> None:
    formsg = tmp_path / "form.json"
    formsg.write_text(json.dumps(FORMSG), "utf-8")
    kinds = {}
    for file in (SAMPLES / "household.xml", formsg, ASSETS / "forms/barber-licence-1.json"):
        for suffix in (".xml", ".json", ".xlsx"):
            out = tmp_path / f"{file.stem}{suffix}"
            result = run("import", str(file), "--out", str(out))
            again = taking.take_file(out)
            assert again.form.title[again.form.languages[0]] == next(iter(result["title"].values()))
            if suffix == ".json":
                assert again.json()["def_hash"] == result["def_hash"] or result["kind"] == "format1"
        kinds[file.name] = (result["kind"], result["stored"])
    assert kinds == {
        "household.xml": ("xform", False),
        "form.json": ("formsg", False),
        "barber-licence-1.json": ("format1", False),
    }
    assert not (tmp_path / "nobody").exists()


def test_the_household_says_what_it_needs(run: Any) -> None:
    result = run("import", str(SAMPLES / "household.xml"))
    assert result["count"] == {"field": 36, "group": 4, "repeat": 3}
    assert {"villages.csv", "shops.geojson", "name-km.png", "p0.png"} <= set(result["files"])
    assert {one["code"] for one in result["diagnostics"]} >= {"FM-431", "FM-451"}
    words = run("import", str(SAMPLES / "household.xml"), as_json=False)
    assert "FM-451 note XML" in words
    assert "ជំរឿនគ្រួសារ (household-survey, 1) · xform · km, en" in words


def test_a_newer_version_keeps_its_ids_and_is_compared(run: Any, tmp_path: Path) -> None:
    old = SAMPLES / "small.xml"
    new = tmp_path / "new.xml"
    new.write_text(
        old.read_text("utf-8")
        .replace('version="1"', 'version="2"')
        .replace("<b/>", "<b/><z/>")
        .replace("concat", "join"),
        "utf-8",
    )
    told = run("compare", str(old), str(new))["changes"]
    assert [(one["kind"], one["id"], one["member"]) for one in told] == [
        ("changed", "small", "version"), ("changed", "b", "calculate"), ("added", "z", ""),
    ]  # fmt: skip
    assert run("compare", str(old), str(new), as_json=False).count("\n") == 3
    back = run("import", str(old), "--older", str(new))
    assert [one["code"] for one in back["diagnostics"]] == ["FM-434"]


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [("a.json", b'{"a": 1}', "FM-400"), ("a.txt", b"hello", "FM-400"),
     ("a.json", b"{", "FM-002"), ("a.xml", b"<a/>", "FM-405"),
     ("a.xlsx", b"PK\x03\x04", "FM-406")],
)  # fmt: skip
def test_what_is_no_form_is_refused(tmp_path: Path, name: str, data: bytes, code: str) -> None:
    file = tmp_path / name
    file.write_bytes(data)
    with pytest.raises(Refused) as refused:
        taking.take_file(file)
    assert refused.value.code == code


def test_a_file_that_cannot_be_read_or_is_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="CL-002"):
        taking.take_file(tmp_path / "none")
    big = tmp_path / "big.json"
    with big.open("wb") as file:
        file.truncate(taking.BIGGEST + 1)
    with pytest.raises(Refused, match="FM-403"):
        taking.take_file(big)
    with pytest.raises(Refused, match="FM-400"):
        give(read_form((ASSETS / "forms/barber-licence-1.json").read_bytes()), ".pdf")


def test_the_bounded_process_is_a_verb_that_nobody_sees() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "desktop.cli", "forms", "convert-workbook", ".md"], cwd=ROOT, capture_output=True, timeout=60, check=True,
        input=b"| survey |\n| | type | name | label |\n| | text | a | A |\n", env=os.environ,
    )  # fmt: skip
    assert "<input ref=" in json.loads(made.stdout)["xform"]
    shown = subprocess.run(
        [sys.executable, "-m", "desktop.cli", "forms", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "convert-workbook" not in shown.stdout
    assert "import" in shown.stdout
