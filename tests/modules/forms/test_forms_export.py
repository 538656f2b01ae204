"""Exports: a table that Excel opens in Khmer, data that programs read, nothing that runs."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.contract import Known
from modules.forms.export import guard


@pytest.fixture
def run(session: Any) -> Any:
    return session.commands.run


def table(path: Path) -> list[dict[str, str]]:
    assert path.read_bytes().startswith(b"\xef\xbb\xbf"), "Excel needs the mark to read Khmer"
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_a_table_for_people(run: Any, finished: Any, tmp_path: Path) -> None:
    first = finished()
    second = finished(sign=False, remarks='=HYPERLINK("http://x")')
    run("forms.withdraw", id=second["id"], reason="x")
    out = tmp_path / "បញ្ជី.csv"
    assert run("forms.export", form="barber-licence", format="csv", out=str(out))["rows"] == 2
    rows = table(out)
    assert [row["លេខបង្កាន់ដៃ"] for row in rows] == [first["receipt"], second["receipt"]]
    assert rows[0]["គោត្តនាម និងនាម"] == "លឹម ស្រីមុំ" and rows[0]["គោត្តនាម និងនាម (ឡាតាំង)"] == "LIM SREYMOM"
    assert rows[0]["ភេទ"] == "ស្រី" and rows[0]["ថ្លៃសេវា (រៀល)"] == "20000" and rows[0]["មានផ្លាកសញ្ញាយីហោ"] == "បាទ/ចាស"
    assert rows[0]["ទីលំនៅបច្ចុប្បន្ន"].startswith("១២ ផ្លូវជាតិលេខ២ ភូមិ") and rows[0]["ទីលំនៅបច្ចុប្បន្ន (លេខកូដ)"] == "03060101"
    assert rows[0]["សេវាដែលផ្តល់"] == "កាត់សក់ និង កោរពុកមាត់"
    assert rows[1]["អក្សរលើផ្លាកសញ្ញា"] == "" and rows[1]["ស្ថានភាព"] == "បានដកវិញ"
    assert rows[1]["កំណត់សម្គាល់"].startswith("'=")


def test_a_table_for_programs(run: Any, finished: Any, tmp_path: Path) -> None:
    finished()
    out = tmp_path / "x.csv"
    run("forms.export", form="barber-licence", format="csv", out=str(out), header="ids", language="en")
    (row,) = table(out)
    assert row["applicant.km"] == "លឹម ស្រីមុំ" and row["address.code"] == "03060101" and row["services"] == "cut;shave"
    assert (
        row["sex"] == "female"
        and row["sign"] == "true"
        and row["dob"] == "1990-05-17"
        and row["phone"] == "+85512345678"
    )
    assert "fee" in row and row["state"] == "finished"


def test_lines_of_json_hold_what_is_stored(run: Any, finished: Any, tmp_path: Path) -> None:
    made = [finished("general-application")["id"] for _ in range(3)]
    out = tmp_path / "x.jsonl"
    run("forms.export", form="general-application", format="jsonl", out=str(out))
    records = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [record["id"] for record in records] == made
    assert records[0]["answers"] == run("forms.show", id=made[0])["answers"]


def test_an_export_is_noted_and_a_failed_one_leaves_nothing(
    session: Any, run: Any, finished: Any, tmp_path: Path
) -> None:
    finished("general-application")
    with pytest.raises(Known, match="FM-040"):
        run("forms.export", form="general-application", format="csv", out=str(tmp_path))
    assert list(tmp_path.glob("*.csv")) == []
    run("forms.export", form="general-application", format="csv", out=str(tmp_path / "x.csv"))
    event = session.store.read(
        lambda c: c.execute("SELECT event FROM audit ORDER BY seq DESC LIMIT 1").fetchone()["event"]
    )
    assert "exported" in str(event)


@pytest.mark.parametrize(
    ("cell", "kept"),
    [("=1+1", "'=1+1"), ("@SUM(A1)", "'@SUM(A1)"), ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"), ("-5", "-5"), ("+855 12", "+855 12"),
     ("\t=1", "'\t=1"), ("ក=1", "ក=1"), ("", ""), (5, 5)],
)  # fmt: skip
def test_no_cell_is_a_formula(cell: Any, kept: Any) -> None:
    assert guard(cell) == kept


@given(st.text(max_size=20))
def test_the_guard_only_ever_adds_one_apostrophe(cell: str) -> None:
    assert guard(cell) in (cell, f"'{cell}")
    assert not str(guard(cell)).startswith(("=", "@", "\t", "\r"))
