"""The tables of a hub on SQLite, made once and copied: making them anew takes longer than most tests that need them."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from sync.hub.storage_sqlite import DATABASE, SqliteStorage


def lay(folder: Path) -> Path:
    """``folder`` with an empty hub's database in it: a hub that is created there finds its tables."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.copyfile(_template(), folder / DATABASE)
    return folder


@cache
def _template() -> Path:
    place = Path(tempfile.mkdtemp(prefix="sala-hub-tables-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    SqliteStorage(place).close()
    return place / DATABASE
