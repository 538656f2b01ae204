"""Cuts ICU's data library down to what a Khmer and English program asks for: 33 MB become five.

ICU keeps its data as one constant in a library of its own: a header, a sorted table of names, then the items. What is left out
are other languages' names and dictionaries, converters of old encodings and transliterations; a program that asks for one gets
the root locale, as on a system where that language was not installed. The code libraries stay as they are.
"""

from __future__ import annotations

import re
import struct
import subprocess
import tempfile
from pathlib import Path
from typing import Final

LANGUAGES: Final = frozenset({"km", "en"})
_MAGIC: Final = b"\xda\x27"  # at byte 2 of the header
_COMMON: Final = b"CmnD"  # at byte 12: "common data"
_STEP: Final = 16  # items start at multiples of this
_LOCALE: Final = re.compile(r"(?!res_index)([a-z]{2,3})(_\w+)?\.res")
_LEFT_OUT: Final = re.compile(r"\.(cnv|spp)$|^(translit|rbnf)/|^unames\.icu$|^brkitr/(?!khmer)\w+dict\.dict$")


class NotIcuData(ValueError):
    """The bytes are not what ICU 73 to 78 write."""


def kept(name: str) -> bool:
    """Whether the program needs the item ``name`` (``brkitr/khmerdict.dict``), without the package's own prefix."""
    locale = _LOCALE.fullmatch(name.rpartition("/")[2])
    return not _LEFT_OUT.search(name) and (locale is None or locale[1] in LANGUAGES)


def items(data: bytes) -> tuple[bytes, list[tuple[str, bytes]]]:
    """The header and every ``(full name, content)`` of a common data file, in its order."""
    if len(data) < 32 or data[2:4] != _MAGIC or data[12:16] != _COMMON:
        raise NotIcuData("no ICU common data")
    start = struct.unpack_from("<H", data)[0]
    table = data[start:]
    count = struct.unpack_from("<I", table)[0]
    entries = [struct.unpack_from("<II", table, 4 + 8 * place) for place in range(count)]
    ends = [place for _, place in entries[1:]] + [len(table)]
    if not entries or any(end < place for (_, place), end in zip(entries, ends, strict=True)):
        raise NotIcuData("the table of names is not sorted as expected")
    return data[:start], [
        (table[name : table.index(b"\0", name)].decode("ascii"), table[place:end])
        for (name, place), end in zip(entries, ends, strict=True)
    ]


def trim(data: bytes) -> bytes:
    """The same common data with only the items that are :func:`kept`."""
    header, every = items(data)
    chosen = [(name, content) for name, content in every if kept(name.partition("/")[2])]
    names = b"".join(name.encode("ascii") + b"\0" for name, _ in chosen)
    place = 4 + 8 * len(chosen)
    table = struct.pack("<I", len(chosen))
    body = b""
    content_at = _up(place + len(names))
    for name, content in chosen:
        table += struct.pack("<II", place, content_at + len(body))
        place += len(name) + 1
        body += content + bytes(_up(len(content)) - len(content))
    return header + (table + names).ljust(content_at, b"\0") + body


def _up(length: int) -> int:
    return -length % _STEP + length


def trim_library(library: Path) -> tuple[int, int]:
    """Replace ``library`` (``libicudata…so…``) by a small one of the same name and symbol; returns bytes before and after."""
    before = library.read_bytes()
    symbols = _run("readelf", "--dyn-syms", "-W", str(library))
    symbol = re.search(r": ([0-9a-f]+) +(\w+) OBJECT +GLOBAL +DEFAULT +\d+ (icudt\d+_dat)", symbols)
    soname = re.search(r"\(SONAME\).*\[(.+)]", _run("readelf", "-d", str(library)))
    if symbol is None or soname is None:
        raise NotIcuData(f"{library.name} exports no ICU data")
    start = before.index(_COMMON) - 12
    data = before[start : start + int(symbol[2], 0)]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "icu.dat").write_bytes(trim(data))
        (Path(folder) / "icu.s").write_text(
            f'.section .rodata\n.balign {_STEP}\n.globl {symbol[3]}\n.type {symbol[3]}, %object\n{symbol[3]}: .incbin "icu.dat"\n'
            f'.size {symbol[3]}, . - {symbol[3]}\n.section .note.GNU-stack,"",%progbits\n'
        )
        _run("as", "-o", "icu.o", "icu.s", folder=folder)
        plain = ("-z", "noexecstack", "--build-id=none")
        _run("ld", "-shared", "-soname", soname[1], *plain, "-o", "icu.so", "icu.o", folder=folder)
        small = (Path(folder) / "icu.so").read_bytes()
    library.write_bytes(small)
    return len(before), len(small)


def _run(*command: str, folder: str | None = None) -> str:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
