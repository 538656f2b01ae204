"""How much a workbook holds, counted from its bytes before anything reads it: rows with something in them, cells, bytes unpacked."""

from __future__ import annotations

import zipfile
import zlib
from io import BytesIO
from typing import Final

from modules.contract import Refused

SIZE_LIMIT: Final = 20_000_000  # bytes of the file
UNPACKED: Final = 400_000_000  # bytes of all its parts, as the archive declares them
READ: Final = 200_000_000  # bytes of one sheet that are looked at
MOST_ROWS: Final = 100_000  # rows with something in them, of one sheet
MOST_CELLS: Final = 1_000_000
MOST_PARTS: Final = 2_000
_BLANK_END: Final = 60  # the converter stops reading a sheet after so many blank rows
_CHUNK: Final = 1 << 20


def check_workbook(data: bytes, *, name: str = "") -> None:
    """``Refused``: FM-407 too many rows or cells, FM-403 too many bytes, FM-406 not a workbook. A tail of blank rows is not counted."""
    if len(data) > SIZE_LIMIT:
        raise Refused("FM-403", form=name, reason=f"larger than {SIZE_LIMIT} bytes")
    if not data.startswith(b"PK"):
        return  # an old .xls holds at most 65,536 rows; text is bounded by its bytes
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            parts = archive.infolist()
            if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > UNPACKED:
                raise Refused("FM-403", form=name, reason=f"unpacks to more than {UNPACKED} bytes")
            for part in parts:
                if part.filename.startswith("xl/worksheets/") and part.filename.endswith(".xml"):
                    _count(archive, part)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError, ValueError) as error:
        raise Refused("FM-406", form=name, reason=str(error)[:200]) from error


def _count(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    sheet = part.filename.rpartition("/")[2]
    rows = cells = blank = taken = 0
    rest = b""
    with archive.open(part) as file:
        while chunk := file.read(_CHUNK):
            taken += len(chunk)
            pieces = (rest + chunk).split(b"<row")
            rest = pieces.pop()
            for piece in pieces:
                inside = _filled(piece)
                cells += inside
                rows += bool(inside)
                blank = 0 if inside else blank + 1
            if rows > MOST_ROWS or len(rest) > 16 * _CHUNK:
                raise Refused("FM-407", sheet=sheet, count=f"> {rows}", most=MOST_ROWS)
            if cells > MOST_CELLS:
                raise Refused("FM-407", sheet=sheet, count=f"> {cells}", most=MOST_CELLS)
            if blank > 2 * _BLANK_END:
                return
            if taken > READ:
                raise Refused("FM-407", sheet=sheet, count=f"> {taken} B", most=READ)


def _filled(row: bytes) -> int:
    """Cells of one row with a value: a number, a shared or an inline text."""
    return row.count(b"<v>") + row.count(b"<v ") + row.count(b"<is>") + row.count(b"<is ")
