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


def check_workbook(data: bytes, *, name: str = "") -> bytes:
    """The workbook without tails of blank rows, which would cost seconds and memory.

    ``Refused``: FM-407 too many rows or cells, FM-403 too many bytes, FM-406 not a workbook.
    """
    if len(data) > SIZE_LIMIT:
        raise Refused("FM-403", form=name, reason=f"larger than {SIZE_LIMIT} bytes")
    if not data.startswith(b"PK"):
        return data  # an old .xls holds at most 65,536 rows; text is bounded by its bytes
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            parts = archive.infolist()
            if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > UNPACKED:
                raise Refused("FM-403", form=name, reason=f"unpacks to more than {UNPACKED} bytes")
            shorter = {
                part.filename: trimmed
                for part in parts
                if part.filename.startswith("xl/worksheets/") and part.filename.endswith(".xml")
                if (trimmed := _count(archive, part)) is not None
            }
            return _with(archive, shorter) if shorter else data
    except (zipfile.BadZipFile, zlib.error, RuntimeError, OSError, EOFError, ValueError) as error:
        raise Refused("FM-406", form=name, reason=str(error)[:200]) from error


def _with(archive: zipfile.ZipFile, shorter: dict[str, bytes]) -> bytes:
    """The same archive with other sheets."""
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as copy:
        for part in archive.infolist():
            copy.writestr(part.filename, shorter.get(part.filename) or archive.read(part))
    return made.getvalue()


def _count(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bytes | None:
    """Count one sheet; what is to stand in its place when it ends in blank rows."""
    sheet = part.filename.rpartition("/")[2]
    rows = cells = blank = 0
    kept, rest = bytearray(), b""
    last = 0  # length of what is kept, up to the last row with something in it
    with archive.open(part) as file:
        while chunk := file.read(_CHUNK):
            head, *pieces = (rest + chunk).split(b"<row")
            if not pieces:
                rest = head
                continue
            kept += head
            rest = b"<row" + pieces.pop()
            for piece in pieces:
                row = b"<row" + piece
                kept += row
                inside = _filled(row)
                cells += inside
                rows += bool(inside)
                blank = 0 if inside else blank + 1
                last = len(kept) if inside or not last else last
            if rows > MOST_ROWS or len(rest) > 16 * _CHUNK:
                raise Refused("FM-407", sheet=sheet, count=f"> {rows}", most=MOST_ROWS)
            if cells > MOST_CELLS:
                raise Refused("FM-407", sheet=sheet, count=f"> {cells}", most=MOST_CELLS)
            if blank > 2 * _BLANK_END:
                return bytes(kept[:last]) + b"</sheetData></worksheet>"
            if len(kept) > READ:
                raise Refused("FM-407", sheet=sheet, count=f"> {len(kept)} B", most=READ)
    return None


def _filled(row: bytes) -> int:
    """Cells of one row with a value: a number, a shared or an inline text."""
    return row.count(b"<v>") + row.count(b"<v ") + row.count(b"<is>") + row.count(b"<is ")
