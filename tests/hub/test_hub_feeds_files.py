"""Tables as files: what is written is what stands in the database, in Khmer, and no spreadsheet runs it."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.errors import Known, Refused
from sync.hub.centre import Centre
from sync.hub.feeds import files, tables
from sync.hub.feeds.tables import Column, Table
from tests.hub.laptop import NOW, Laptop, join

TITLE = {"km": "សាក", "en": "Test"}


def of(*types: str) -> Table:
    """A table of one column for each type."""
    return Table("t", TITLE, [Column(f"c{n}", TITLE, kind) for n, kind in enumerate(types)], "", ("c0",))  # type: ignore[arg-type]


class Rows:
    """A database that answers every reading with the same rows."""

    def __init__(self, *rows: tuple[Any, ...]) -> None:
        self.found = rows

    def stream(self, _sql: str) -> Iterator[dict[str, Any]]:
        for row in self.found:
            yield {f"c{n}": value for n, value in enumerate(row)}

    def read(self, work: Any) -> Any:
        return work(self)


def in_csv(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def write(folder: Path, format: str, table: Table, *rows: tuple[Any, ...]) -> Path:
    path = folder / f"out.{format}"
    files.write(Rows(*rows), table, format, path, "km")  # type: ignore[arg-type]
    return path


def test_csv_begins_with_the_mark_that_lets_excel_show_khmer(tmp_path: Path) -> None:
    path = write(tmp_path, "csv", of("text"), ("សូមជម្រាបសួរ",))
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert in_csv(path) == [["សាក"], ["សូមជម្រាបសួរ"]]


def test_times_stand_as_phnom_penh_reads_them(tmp_path: Path) -> None:
    ms = int(datetime(2026, 11, 18, 23, 30, tzinfo=UTC).timestamp() * 1000)
    assert in_csv(write(tmp_path, "csv", of("time"), (ms,), (None,)))[1:] == [["2026-11-19 06:30:00"], [""]]


@pytest.mark.parametrize(
    "text", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3+cmd", "\t=1", "\r=1", '=HYPERLINK("http://x")']
)
def test_no_spreadsheet_runs_a_text(tmp_path: Path, text: str) -> None:
    assert in_csv(write(tmp_path, "csv", of("text"), (text,)))[1][0].startswith("'")
    sheet = zipfile.ZipFile(write(tmp_path, "xlsx", of("text"), (text,))).read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in sheet


@pytest.mark.parametrize("text", ["+855 12 345 678", "-12", "-12.5", "0306-1-12", ""])
def test_numbers_and_telephone_numbers_stay_as_they_are(tmp_path: Path, text: str) -> None:
    assert in_csv(write(tmp_path, "csv", of("text"), (text,)))[1:] in ([[text]], [[]])


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(max_size=40), st.integers(-(2**53), 2**53)), max_size=20))
def test_parquet_gives_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, int]]
) -> None:
    rows = [(text.replace("\0", "").encode("utf-8", "ignore").decode(), number) for text, number in rows]
    path = write(tmp_path_factory.mktemp("parquet"), "parquet", of("text", "integer"), *rows)
    with duckdb.connect() as database:
        assert database.execute("SELECT c0, c1 FROM read_parquet(?)", [str(path)]).fetchall() == rows


def test_parquet_keeps_instants_and_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, "parquet", of("time", "text"), (NOW, None), (None, ""))
    with duckdb.connect() as database:
        found = database.execute("SELECT epoch_ms(c0), c1 FROM read_parquet(?)", [str(path)]).fetchall()
    assert found == [(NOW, None), (None, "")]


def test_a_table_longer_than_a_sheet_goes_on_in_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_SHEET_ROWS", 3)
    book = zipfile.ZipFile(write(tmp_path, "xlsx", of("integer"), *((n,) for n in range(7))))
    assert len([name for name in book.namelist() if name.startswith("xl/worksheets/sheet")]) == 3


def test_an_empty_table_still_has_its_heads(tmp_path: Path) -> None:
    for format in files.FORMATS:
        assert write(tmp_path, format, of("text")).stat().st_size > 0
    assert in_csv(tmp_path / "out.csv") == [["សាក"]]


def test_what_was_there_stays_when_the_disk_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "csv", of("text"), ("ចាស់",))
    before = path.read_bytes()

    def full(_part: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.durable, "sync_file", full)
    with pytest.raises(Known) as refused:
        write(tmp_path, "csv", of("text"), ("ថ្មី",))
    assert refused.value.code == "HB-106"
    assert path.read_bytes() == before
    assert [place.name for place in tmp_path.iterdir()] == ["out.csv"]


def test_an_unknown_format_or_table_is_refused(tmp_path: Path, centre: Centre) -> None:
    with pytest.raises(Refused) as refused:
        files.write(centre.storage, tables.OWN[0], "docx", tmp_path / "x", "km")
    assert refused.value.code == "HB-231"
    with pytest.raises(Refused) as refused:
        tables.find(centre.runner.projections, "op; DROP TABLE op")
    assert refused.value.code == "HB-230"


def test_every_table_of_the_hub_can_be_written_and_says_what_it_holds(tmp_path: Path, centre: Centre) -> None:
    laptop = join(centre, Laptop())
    centre.ingest.take(laptop.batch(3))
    centre.settle()
    for table in tables.listed(centre.runner.projections):
        for format in files.FORMATS:
            written = files.write(centre.storage, table, format, tmp_path / f"{table.name}.{format}", "en")
            assert written.rows == centre.storage.read(table.count), table.name
            assert set(table.key) <= {column.key for column in table.columns}, table.name
    records = in_csv(tmp_path / "records.csv")
    assert [row[1:6] for row in records[1:]] == [["0306", "1", str(n), "links.created", "links"] for n in (1, 2, 3)]
    assert records[1][6] == "accepted"
    assert len(bytes.fromhex(records[1][0])) == 32
