"""Tables of recipients from outside: bytes, encoding, delimiter, header, rows. Strict, bounded, and never guessing silently."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from modules.contract import Refused
from modules.messages.template import key, value

LARGEST: Final = 20_000_000  # bytes of a file
MOST_ROWS: Final = 30_000
MOST_COLUMNS: Final = 64
LONGEST_CELL: Final = 2_000
_DELIMITERS: Final = ",;\t|"
_SNIFFED: Final = 20  # lines that decide the delimiter
_DAMAGED: Final = re.compile("\u00e1[\u017e\u0178\u009e\u009f]")  # UTF-8 Khmer that was once read as Windows-1252
_PHONE: Final = frozenset(
    map(
        key,
        ("លេខទូរស័ព្ទ", "ទូរស័ព្ទ", "លេខទូរសព្ទ", "ទូរសព្ទ", "phone", "phone number", "telephone", "tel", "mobile", "recipient"),
    )
)


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it stands in the file. ``numbers`` are the rows' numbers as a spreadsheet shows them (the header is 1)."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...]
    name: str = ""
    encoding: str = ""
    delimiter: str = ","

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(map(key, self.header))

    def phone_column(self) -> int:
        """Where the telephone numbers stand. ``Refused("MS-023")`` when no column says so, MS-025 when two do."""
        places = [place for place, name in enumerate(self.keys) if name in _PHONE]
        if not places:
            raise Refused("MS-023", header=", ".join(self.header)[:200])
        if len(places) > 1:
            raise Refused("MS-025", column=", ".join(self.header[place] for place in places))
        return places[0]


def read_file(path: Path) -> Table:
    """The table in a CSV or TSV file. ``Refused`` MS-020 … MS-028 with the reason; nothing is read beyond the bounds."""
    try:
        if path.stat().st_size > LARGEST:
            raise Refused("MS-026", file=path.name, limit=LARGEST // 1_000_000)
        data = path.read_bytes()
    except OSError as error:
        raise Refused("MS-020", file=path.name, reason=error.strerror or type(error).__name__) from error
    return read_bytes(data, path.name)


def read_bytes(data: bytes, name: str = "") -> Table:
    """The table in ``data``; ``name`` is the file's, for words."""
    text, encoding = decode(data, name)
    text = text.lstrip("\ufeff")
    named = re.match(r"sep=(.)\r?\n", text)  # what spreadsheets write to say their delimiter
    skipped = 1 if named else 0
    text = text[named.end() :] if named else text
    delimiter = named[1] if named else _sniff(text)
    rows: list[tuple[str, ...]] = []
    numbers: list[int] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for number, cells in enumerate(reader, start=1 + skipped):
            if any(cell.strip(" \u200b\u00a0") for cell in cells):
                rows.append(tuple(cells))
                numbers.append(number)
            if (
                len(rows) > MOST_ROWS + 1
                or len(cells) > MOST_COLUMNS
                or any(len(cell) > LONGEST_CELL for cell in cells)
            ):
                raise Refused("MS-027", file=name, row=number, rows=MOST_ROWS, columns=MOST_COLUMNS, cell=LONGEST_CELL)
    except csv.Error as error:
        raise Refused("MS-028", file=name, line=reader.line_num + skipped) from error
    if len(rows) < 2:
        raise Refused("MS-024", file=name)
    header = _header(rows[0], name)
    return Table(header, tuple(rows[1:]), tuple(numbers[1:]), name, encoding, delimiter)


def of_records(records: Sequence[dict[str, str]]) -> Table:
    """A table made of values by name (from a flow), as if it had been read."""
    header = tuple(dict.fromkeys(name for record in records for name in record))
    rows = tuple(tuple(str(record.get(name, "")) for name in header) for record in records)
    return Table(_header(header, ""), rows, tuple(range(2, len(rows) + 2)), encoding="", delimiter="")


def decode(data: bytes, name: str = "") -> tuple[str, str]:
    """The text of ``data`` and its encoding: UTF-8 or UTF-16, with or without a byte order mark.

    ``Refused``: MS-021 any other encoding (with the line where it shows), MS-022 Khmer that was damaged on the way.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif data[1:400:2].count(0) > 40 or (b"\0" in data[:400] and data[1:400:2].count(0) > data[:400:2].count(0)):
        encoding = "utf-16-le"
    elif b"\0" in data[:400]:
        encoding = "utf-16-be"
    else:
        encoding = "utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "utf-8"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise Refused("MS-021", file=name, line=data.count(b"\n", 0, error.start) + 1) from error
    if "\0" in text:
        raise Refused("MS-021", file=name, line=text.count("\n", 0, text.index("\0")) + 1)
    if len(_DAMAGED.findall(text, 0, 20_000)) > 1:
        raise Refused("MS-022", file=name)
    return text, encoding.upper()


def _header(cells: Sequence[str], name: str) -> tuple[str, ...]:
    header = tuple(value(cell) for cell in cells)
    while header and not header[-1]:
        header = header[:-1]
    seen: set[str] = set()
    for title in header:
        if not key(title):
            raise Refused("MS-029", file=name, place=header.index(title) + 1)
        if key(title) in seen:
            raise Refused("MS-025", column=title)
        seen.add(key(title))
    return header


def _sniff(text: str) -> str:
    """The delimiter that cuts the first lines into the same, largest number of cells; a comma when none does."""
    lines = [line for line in text[:100_000].splitlines()[:_SNIFFED] if line.strip()]
    if not lines:
        return ","

    def cells(delimiter: str) -> tuple[int, int]:
        made = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        return (made.count(made[0]) if made[0] > 1 else 0), made[0]

    return max(_DELIMITERS, key=cells)
