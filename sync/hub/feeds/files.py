"""A table as a file: CSV for everybody, XLSX for Excel, Parquet for analysts. Written beside, forced to the disk, then put in place.

Times stand in Phnom Penh's time without a zone in CSV and XLSX (what a spreadsheet shows is what a person reads) and as UTC
instants in Parquet.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from i18n.catalog import Language
from i18n.cells import harmless
from sync import durable
from sync.errors import Known, Refused
from sync.hub.feeds.tables import Table, moment, titles

if TYPE_CHECKING:
    from sync.hub.storage import Storage

FORMATS: Final = ("csv", "xlsx", "parquet")
PHNOM_PENH: Final = timedelta(hours=7)
_SHEET_ROWS: Final = 1_048_575  # of one sheet below its head, by Excel's own limit
_CELL: Final = 32_767  # characters of a cell, by Excel's own limit


def offered() -> list[str]:
    """The formats that this program can write: the packaged one has no Parquet."""
    return [name for name in FORMATS if name != "parquet" or find_spec("duckdb")]


@dataclass(frozen=True, slots=True)
class Written:
    """What a file holds."""

    path: Path
    rows: int
    bytes: int


def write(storage: Storage, table: Table, format: str, path: Path, language: Language) -> Written:
    """Write all rows of ``table`` as one consistent reading. Refused HB-231 unknown format; Known HB-106 the disk refuses,
    HB-232 this program was built without Parquet."""
    writer = {"csv": _csv, "xlsx": _xlsx, "parquet": _parquet}.get(format)
    if writer is None:
        raise Refused("HB-231", format=format[:20])
    with _in_place(path) as part:
        rows = storage.read(lambda tx: writer(part, table, table.rows(tx), language))
    return Written(path, rows, path.stat().st_size)


@contextmanager
def _in_place(path: Path) -> Iterator[Path]:
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        durable.sync_file(part)
        part.replace(path)
        durable.sync_folder(path.parent)
    except OSError as error:
        raise Known("HB-106", file=path.name) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _scratch(part: Path) -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix=".sala-export-", dir=part.parent, ignore_cleanup_errors=True)


# --- CSV


def _csv(part: Path, table: Table, rows: Iterable[Sequence[Any]], language: Language) -> int:
    written = 0
    with part.open("w", encoding="utf-8-sig", newline="") as file:  # the mark at the beginning: Excel then shows Khmer
        writer = csv.writer(file)
        writer.writerow(titles(table, language))
        for row in rows:
            writer.writerow([_cell(value, column.type) for value, column in zip(row, table.columns, strict=True)])
            written += 1
    return written


def _cell(value: Any, type: str) -> str:
    if value is None:
        return ""
    if type == "time":
        return f"{_local(value):%Y-%m-%d %H:%M:%S}"
    if type == "integer":
        return str(value)
    return harmless(str(value))


def _local(ms: int) -> datetime:
    return (moment(ms) + PHNOM_PENH).replace(tzinfo=None)


# --- XLSX


def _xlsx(part: Path, table: Table, rows: Iterable[Sequence[Any]], language: Language) -> int:
    import xlsxwriter

    safe = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    # constant memory: rows go to the disk as they come, beside the file and gone with the folder also when the disk gets full
    with _scratch(part) as scratch, part.open("wb") as file:
        book = xlsxwriter.Workbook(file, {"constant_memory": True, "tmpdir": scratch, **safe})
        styles = {
            "time": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss", "font_name": "Khmer OS Battambang"}),
            "integer": book.add_format({"num_format": "0"}),
            "text": book.add_format({"font_name": "Khmer OS Battambang"}),
            "digest": book.add_format({"font_name": "Courier New"}),
        }
        head = book.add_format({"bold": True, "font_name": "Khmer OS Battambang", "bottom": 1})
        written, sheet, line = 0, None, _SHEET_ROWS
        for row in rows:
            if line >= _SHEET_ROWS:
                sheet, line = _sheet(book, table, head, language), 0
            line += 1
            written += 1
            for place, (value, column) in enumerate(zip(row, table.columns, strict=True)):
                _put(sheet, line, place, value, column.type, styles[column.type])
        if sheet is None:
            _sheet(book, table, head, language)
        book.close()
    return written


def _sheet(book: Any, table: Table, head: Any, language: Language) -> Any:
    number = len(book.worksheets()) + 1
    name = re.sub(r"[\[\]:*?/\\']", " ", table.title[language])[:25]
    sheet = book.add_worksheet(name if number == 1 else f"{name} {number}")
    for place, (title, column) in enumerate(zip(titles(table, language), table.columns, strict=True)):
        sheet.set_column(place, place, {"time": 20, "integer": 12}.get(column.type, 24))
        sheet.write_string(0, place, title, head)
    sheet.freeze_panes(1, 0)
    return sheet


def _put(sheet: Any, line: int, place: int, value: Any, type: str, style: Any) -> None:
    if value is None:
        return
    if type == "time":
        sheet.write_datetime(line, place, _local(value), style)
    elif type == "integer":
        sheet.write_number(line, place, value, style)
    else:
        sheet.write_string(line, place, str(value)[:_CELL], style)


# --- Parquet


def _parquet(part: Path, table: Table, rows: Iterable[Sequence[Any]], _: Language) -> int:
    try:
        import duckdb
    except ImportError as error:
        raise Known("HB-232") from error
    types = {"text": "VARCHAR", "integer": "BIGINT", "time": "TIMESTAMPTZ", "digest": "VARCHAR"}
    columns = ", ".join(f'"{column.key}" {types[column.type]}' for column in table.columns)
    staged = part.with_name(f"{part.name}.stage")  # on the disk: millions of rows do not fit into every memory
    written = 0

    def counted() -> Iterator[list[Any]]:
        nonlocal written
        for row in rows:
            written += 1
            yield [
                moment(value) if column.type == "time" and value is not None else value
                for value, column in zip(row, table.columns, strict=True)
            ]

    try:
        with duckdb.connect(str(staged)) as database:
            database.execute("SET TimeZone = 'UTC'")
            database.execute(f"CREATE TABLE export ({columns})")
            with database.appender("export") as appender:
                appender.append_rows(counted())
            database.execute(f"COPY export TO '{_quoted(part)}' (FORMAT parquet, COMPRESSION zstd)")
    except duckdb.IOException as error:
        raise OSError(str(error)) from error
    finally:
        for left in (staged, staged.with_name(f"{staged.name}.wal")):
            left.unlink(missing_ok=True)
    return written


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
