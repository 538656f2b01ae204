"""A published gazetteer: checked, laid beside the profile, used from then on instead of the one that came with the program."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from i18n import gazetteer
from modules.contract import Refused
from sync import durable

FOLDER: Final = "ref"
_LEAST: Final = {1: 20, 2: 150}  # units of a level below which it cannot be the country
_ODD: Final = """SELECT 1 FROM unit u LEFT JOIN unit p ON p.id = u.parent
    WHERE typeof(u.code) || typeof(u.km) || typeof(u.en) <> 'texttexttext' OR u.code GLOB '*[^0-9-]*' OR u.kind NOT IN ({kinds})
    OR u.level NOT IN (1, 2, 3, 4) OR (u.parent IS NULL) <> (u.level = 1) OR (u.level > 1 AND p.level IS NOT u.level - 1) LIMIT 1"""
_HEAD: Final = b"SQLite format 3\x00"


def take_gazetteer(home: Path, name: str, data: bytes) -> None:
    """Use ``data`` from now on. Refused SY-464 when it is not the country's gazetteer."""
    place = _place(home, sha256(data).hexdigest())
    if not data.startswith(_HEAD):
        raise Refused("SY-464", name=name)
    place.parent.mkdir(parents=True, exist_ok=True)
    durable.replace(place, data)
    try:
        _check(place)
    except (sqlite3.Error, ValueError) as error:
        place.unlink()
        raise Refused("SY-464", name=name) from error
    gazetteer.use(place)


def use(home: Path, data: bytes | None) -> None:
    """When a profile is opened: the published gazetteer ``data`` if it was taken in, else the program's own."""
    place = _place(home, sha256(data).hexdigest()) if data else None
    if data is not None and place is not None:
        if not place.exists() or sha256(place.read_bytes()).digest() != sha256(data).digest():
            place.parent.mkdir(parents=True, exist_ok=True)
            durable.replace(place, data)
        for older in place.parent.glob("geo-*.sqlite"):
            if older != place:
                with suppress(OSError):  # another program may still be reading it
                    older.unlink()
    gazetteer.use(place)


def _place(home: Path, digest: str) -> Path:
    return home / FOLDER / f"geo-{digest[:16]}.sqlite"


def _check(place: Path) -> None:
    base = sqlite3.connect(f"{place.as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        counted = dict(base.execute("SELECT level, count(*) FROM unit GROUP BY level").fetchall())
        base.execute("SELECT rowid FROM find WHERE find MATCH 'x' LIMIT 1").fetchall()
        base.execute("SELECT u.code, u.kind, u.km, u.en, u.parent FROM unit u LIMIT 1").fetchall()
        if any(counted.get(level, 0) < least for level, least in _LEAST.items()):
            raise ValueError("too few units")
        kinds = ", ".join("?" * len(gazetteer.WORDS))
        if base.execute(_ODD.format(kinds=kinds), tuple(gazetteer.WORDS)).fetchone():
            raise ValueError("a unit that is none")
        if base.execute("PRAGMA quick_check").fetchone()[0] != "ok":
            raise ValueError("damaged")
    finally:
        base.close()
