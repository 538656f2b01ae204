"""``sala-cli forms eval``: an expression on a file of answers, one JSON document, nothing unlocked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from modules.contract import Refused
from modules.forms.xpath import files, trial
from tests.modules.forms.xpath.oracle import FORM

ROOT = Path(__file__).parents[4]
INSTANCE = """<data xmlns="http://www.w3.org/2002/xforms" xmlns:jr="http://openrosa.org/javarosa" id="f">
<age>41</age><row jr:template=""><x>9</x></row><row><x>1</x></row><row><x>2</x></row><name>សុខ</name></data>""".encode()
ANSWERS = json.dumps(
    {"age": 41, "row": [{"x": 1}, {"x": 2}], "name": "សុខ", "ok": True, "chosen": ["a", "c"], "none": None}
).encode()


@pytest.mark.parametrize("answers", [INSTANCE, ANSWERS, b"\xef\xbb\xbf" + ANSWERS, b'{"data": ' + ANSWERS + b"}"])
@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("/data/age + 1", {"value": 42, "type": "number"}), ("age div 2", {"value": 20.5, "type": "number"}),
        ("${age} > 40", {"value": True, "type": "boolean"}),
        ("sum(/data/row/x)", {"value": 3, "type": "number"}), ("/data/row/x", {"value": ["1", "2"], "type": "nodeset"}),
        ("concat(${name}, '!')", {"value": "សុខ!", "type": "string"}),
        ("date('2012-01-31')", {"value": "2012-01-31", "type": "date"}), ("0 div 0", {"value": "NaN", "type": "number"}),
        ("-1 div 0", {"value": "-Infinity", "type": "number"}),
        ("if(true(), 'a', 1)", {"value": "a", "type": "string"}), ("coalesce(/data/none, 7)", {"value": 7, "type": "number"}),
        ("date-time('2012-01-31T10:30')", {"value": "2012-01-31T10:30:00.000+07:00", "type": "date"}),
        ("/data/nothing", {"value": [], "type": "nodeset"}),
    ],
)  # fmt: skip
def test_value_and_type(answers: bytes, expression: str, wanted: dict[str, Any]) -> None:
    assert trial.run(expression, answers) == wanted


def test_answers_as_json_keep_their_types() -> None:
    assert trial.run("/data/ok = true()", ANSWERS)["value"] is True
    assert trial.run("selected(/data/chosen, 'c')", ANSWERS)["value"] is True


def test_an_xform_brings_types_lists_and_words() -> None:
    form = FORM.read_bytes()
    assert trial.run("/data/date + 1", form) == {"value": 15371, "type": "number"}
    assert trial.run("instance('list')/root/item[name = ../../../t]/label", form)["value"] == []
    assert trial.run("instance('list')/root/item[name = /data/row/y]/label", form, at="/data/row[2]/y")["value"] == [
        "Banana"
    ]
    words = (
        b"<model><itext><translation lang='km'><text id='q'><value form='short'>x</value><value>%s</value></text></translation></itext>"
        % "អាយុ".encode()
    )
    assert trial.run("jr:itext('q')", form.replace(b"<model>", words))["value"] == "អាយុ"


def test_where_it_stands() -> None:
    assert trial.run("../x", ANSWERS, at="/data/row[2]/x")["value"] == ["2"]
    assert trial.run(".", ANSWERS, at="/data/age")["value"] == ["41"]
    assert trial.run("${x}", ANSWERS, at="/data/row[2]")["value"] == ["2"]


def test_lists_from_csv() -> None:
    sheet = {"towns": ("towns.csv", "name,label\nk,កំពង់ចាម\np,ភ្នំពេញ\n".encode("utf-8-sig"))}
    assert trial.run("pulldata('towns', 'label', 'name', 'p')", b"{}", lists=sheet)["value"] == "ភ្នំពេញ"
    assert trial.run("instance('towns')/root/item[name = 'k']/label", b"{}", lists=sheet)["value"] == ["កំពង់ចាម"]


@pytest.mark.parametrize(
    "answers",
    [b"", b"{", b"[1]", b"<a", b"<a></b>", b"\xff\xfe", b'{"a":' * 5_000, b"5", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
     b"<h:html xmlns:h='x'><model/></h:html>", b"<a>" * 200 + b"</a>" * 200],
)  # fmt: skip
def test_a_file_that_holds_no_answers_is_refused(answers: bytes) -> None:
    with pytest.raises(Refused) as refused:
        trial.run("1", answers, name="x")
    assert refused.value.code == "FM-316"


@pytest.mark.parametrize("at", ["/data/nowhere", "/data/row[3]", "/data/row[0]", "/other", "/data/row[x]", "//"])
def test_a_place_that_is_not_there_is_refused(at: str) -> None:
    with pytest.raises(Refused) as refused:
        trial.run("1", ANSWERS, at=at)
    assert refused.value.code == "FM-316"


def test_a_name_that_stands_for_two_questions_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        trial.run("${x}", b'{"x": 1, "g": {"x": 2}}')
    assert refused.value.code == "FM-309"


def test_files_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "LARGEST", 100)
    monkeypatch.setattr(files, "LARGEST", 100)
    large = tmp_path / "large.json"
    large.write_bytes(b" " * 101)
    for work in (
        lambda: trial.contents(large),
        lambda: trial.contents(tmp_path / "none"),
        lambda: trial.run("1", b" " * 101),
        lambda: files.read_list(b"a" * 101, name=""),
    ):
        with pytest.raises(Refused) as refused:
            work()
        assert refused.value.code == "FM-316"


def test_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "answers.json").write_bytes(ANSWERS)
    (tmp_path / "towns.csv").write_text("name,label\np,ភ្នំពេញ\n", "utf-8")

    def run(*words: str) -> tuple[int, Any]:
        made = subprocess.run(
            [sys.executable, "-m", "desktop.cli", "--home", str(tmp_path / "home"), "--json", "forms", "eval", *words],
            cwd=ROOT, text=True, capture_output=True, timeout=60, env={**os.environ, "SALA_PASSPHRASE_FILE": str(tmp_path / "none")},
        )  # fmt: skip
        return made.returncode, json.loads(made.stdout)

    answers = str(tmp_path / "answers.json")
    assert run("../x + 1", "--instance", answers, "--at", "/data/row[2]/x") == (0, {"value": 3, "type": "number"})
    towns = f"towns={tmp_path / 'towns.csv'}"
    assert run("pulldata('towns', 'label', 'name', 'p')", "--list", towns) == (0, {"value": "ភ្នំពេញ", "type": "string"})
    code, said = run("1 +")
    assert code == 1 and said["error"]["code"] == "FM-302"
    assert not (tmp_path / "home").exists()
