"""Provinces, districts, communes and villages: find one by code, Khmer or Latin name, and write it as an address.

The database is read from disk when first asked for and never as a whole. Codes are the official ones of 2, 4, 6 or 8
digits; a village whose official code is missing or shared has a provisional one: ``021405-01``. Store code *and* name.
"""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal, NamedTuple

from i18n.normalise import fold
from i18n.search import PREFIXES, TOKENIZER, index_text, match_query

Level = Literal["province", "district", "commune", "village"]
LEVELS: Final[tuple[Level, ...]] = ("province", "district", "commune", "village")

DATABASE = Path(__file__).resolve().parent.parent / "assets" / "gazetteer" / "gazetteer.sqlite"
SCHEMA: Final = f"""
create table unit(
  id integer primary key, code text not null unique, level integer not null, kind text not null,
  km text not null, en text not null, parent integer
);
create index unit_parent on unit(parent);
create index unit_level on unit(level);
create virtual table find using fts5(km, full, en, content='', columnsize=0, prefix="{PREFIXES}", tokenize="{TOKENIZER}");
"""


class Words(NamedTuple):
    """What a unit of one kind is called before its name."""

    km: str
    en: str


WORDS: Final = {
    "khaet": Words("ខេត្ត", "Khaet"),
    "reach theani": Words("រាជធានី", "Reach Theani"),
    "srok": Words("ស្រុក", "Srok"),
    "khan": Words("ខណ្ឌ", "Khan"),
    "krong": Words("ក្រុង", "Krong"),
    "khum": Words("ឃុំ", "Khum"),
    "sangkat": Words("សង្កាត់", "Sangkat"),
    "phum": Words("ភូមិ", "Phum"),
}


@dataclass(frozen=True, slots=True)
class Unit:
    """One administrative unit. ``kind`` is a key of :data:`WORDS`; ``parent`` is a code, None for a province."""

    code: str
    level: Level
    kind: str
    km: str
    en: str
    parent: str | None

    def full_km(self) -> str:
        """The name after its unit word: ``ខេត្តព្រះសីហនុ``. A name that holds the word already is left alone."""
        word = WORDS[self.kind].km
        return self.km if self.km.startswith(word) else word + self.km

    def full_en(self) -> str:
        """``Khaet Preah Sihanouk``."""
        word = WORDS[self.kind].en
        return self.en if self.en.startswith(word) else f"{word} {self.en}"


_SELECT = "select u.code, u.level, u.kind, u.km, u.en, p.code from unit u left join unit p on p.id = u.parent "
_local = threading.local()


class _InUse:
    """Which file is read; another one is never the same object."""

    def __init__(self, place: Path) -> None:
        self.place = place


_in_use = _InUse(DATABASE)


def use(place: Path | None) -> None:
    """Read ``place`` from now on, on every thread; None: the gazetteer that came with the program."""
    global _in_use
    if (place or DATABASE) != _in_use.place:
        _in_use = _InUse(place or DATABASE)
        unit.cache_clear()
        _spans.cache_clear()


def _base() -> sqlite3.Connection:
    """This thread's read-only connection."""
    base, of = getattr(_local, "base", None), getattr(_local, "of", None)
    if base is None or of is not _in_use:
        of = _in_use
        base = sqlite3.connect(f"{of.place.as_uri()}?mode=ro&immutable=1", uri=True)
        _local.base, _local.of = base, of
    found: sqlite3.Connection = base
    return found


def _units(sql: str, *values: object) -> list[Unit]:
    return [
        Unit(code, LEVELS[level - 1], kind, km, en, parent)
        for code, level, kind, km, en, parent in _base().execute(_SELECT + sql, values)
    ]


@cache
def unit(code: str) -> Unit:
    """The unit of that code; KeyError when there is none."""
    found = _units("where u.code = ?", code)
    if not found:
        raise KeyError(code)
    return found[0]


def children(code: str | None = None) -> list[Unit]:
    """The units directly under ``code`` (None: the provinces), by code."""
    if code is None:
        return _units("where u.level = 1 order by u.id")
    return _units("where p.code = ? order by u.id", code)


def ancestry(code: str) -> list[Unit]:
    """From the province down to the unit itself."""
    chain = [unit(code)]
    while (parent := chain[0].parent) is not None:
        chain.insert(0, unit(parent))
    return chain


def address_km(code: str) -> str:
    """``ភូមិ… ឃុំ… ស្រុក… ខេត្ត…``: the order of Cambodian addresses, smallest first."""
    return " ".join(each.full_km() for each in reversed(ancestry(code)))


def address_en(code: str) -> str:
    """``Phum …, Khum …, Srok …, Khaet …``."""
    return ", ".join(each.full_en() for each in reversed(ancestry(code)))


@cache
def _spans() -> dict[int, tuple[int, int]]:
    """The first and last number of each level."""
    sql = "select min(id), max(id) from unit where level = ?"
    return {level: _base().execute(sql, (level,)).fetchone() for level in (1, 2, 3, 4)}


def _ranges(level: Level | None, within: str | None) -> list[tuple[int, int]]:
    """The numbers of the units that may be found, as ranges: units are numbered so that descendants lie together."""
    base = _base()
    wanted = [LEVELS.index(level) + 1] if level else [1, 2, 3, 4]
    if within is None:
        return [_spans()[each] for each in wanted]
    row = base.execute("select level, id from unit where code = ?", (within,)).fetchone()
    if row is None:
        raise KeyError(within)
    depth, low = row
    high, found = low, []
    while low is not None:
        if depth in wanted:
            found.append((low, high))
        depth += 1
        low, high = base.execute(
            "select min(id), max(id) from unit where parent between ? and ?", (low, high)
        ).fetchone()
    return found


def search(text: str, level: Level | None = None, within: str | None = None, limit: int = 20) -> list[Unit]:
    """Units that match what was typed: best first, larger units before smaller ones.

    Khmer is matched by clusters anywhere in the name, with or without the unit word; Latin by the beginnings of words;
    digits (Khmer or Latin) as the beginning of a code, then in names. ``within`` keeps to one unit and what lies in it.
    """
    folded = fold(text)
    clusters = index_text(text)
    if not clusters:
        return []
    spans = _ranges(level, within)
    numbers: dict[int, None] = {}  # an ordered set
    for sql, values in _tiers(folded, clusters, match_query(text)):
        for low, high in spans:
            if len(numbers) >= limit:
                break
            query = f"{sql} and u between ? and ? order by u limit ?"
            numbers.update((row[0], None) for row in _base().execute(query, (*values, low, high, limit)))
    return [_units("where u.id = ?", number)[0] for number in list(numbers)[:limit]]


def _tiers(folded: str, clusters: str, query: str) -> list[tuple[str, tuple[str, ...]]]:
    """Queries from the best match to the widest; each names the unit's number ``u``."""
    found = "select * from (select rowid as u from find where find match ?) where true"
    tiers: list[tuple[str, tuple[str, ...]]] = []
    if folded.replace("-", "").isdecimal():
        tiers.append(
            ("select * from (select id as u from unit where code >= ? and code < ?) where true", (folded, folded + ":"))
        )
    tiers.append((found, (f'{{km full en}} : ^ "{clusters}" *',)))
    tiers.append((found, (query,)))
    return tiers
