"""Bring the tables of one migration set up to date: a copy before, one transaction a step, newer files refused."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar, cast

from sync import ballast, cipher
from sync.errors import Known
from sync.failpoint import failpoint
from sync.schema import VERSION, register
from sync.store import DATABASE, Connection, Store

if TYPE_CHECKING:
    from sqlite_utils import Migrations

Step = TypeVar("Step", bound=Callable[..., object])

COPIES: Final = "before-update"  # folder beside the database
_KEPT: Final = 2


class _Names:
    """Learns the names of the steps without loading sqlite-utils, which most starts do not need."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, *, name: str | None = None, transactional: bool = True) -> Callable[[Step], Step]:
        if not transactional:
            raise ValueError("a step of the store is always one transaction")

        def note(step: Step) -> Step:
            self.names.append(name or step.__name__)
            return step

        return note


def install(store: Store) -> None:
    """Bring the store's own tables up to this version."""
    migrate(store, "sync", register)


def migrate(store: Store, name: str, register: Callable[[Migrations], None]) -> None:
    """Apply the steps that ``register`` adds and that the file lacks. A module's steps reach only its own tables.

    A step that fails leaves nothing, and the steps before it stay. Known: SY-103 the file knows steps that this program
    does not; SY-120 too little room for the copy.
    """
    every = _Names()
    register(cast("Migrations", every))
    done = store.read(lambda conn: _applied(conn, name))
    if unknown := [step for step in done if step not in every.names]:
        raise Known("SY-103", found=unknown[0], known=", ".join(every.names[-1:]))
    pending = [step for step in every.names if step not in done]
    if pending and done:
        _keep_copy(store, name)
    for place in range(len(pending)):
        store.write(partial(_apply, store, name, register, pending[place + 1 :]))


def _applied(conn: Connection, name: str) -> list[str]:
    if conn.execute("SELECT 1 FROM sqlite_master WHERE name = '_sqlite_migrations'").fetchone() is None:
        return []
    rows = conn.execute("SELECT name FROM _sqlite_migrations WHERE migration_set = ? ORDER BY rowid", (name,))
    return [row["name"] for row in rows]


def _apply(
    store: Store, name: str, register: Callable[[Migrations], None], later: Sequence[str], conn: Connection
) -> None:
    import sqlite_utils

    if sys.modules["sqlite_utils.db"].sqlite3.__name__ != cipher.MODULE:
        raise RuntimeError("sqlite_utils was imported before the store; data would be lost")
    steps = sqlite_utils.Migrations(name)
    register(steps)
    db = sqlite_utils.Database(conn, strict=True)
    steps.ensure_migrations_table(db)
    _ = db.supports_strict  # found out by making a table, which no module may do later
    own = name == "sync"
    before = _foreign(conn, name)
    with nullcontext() if own else store.authorize(name, schema=True):
        steps.apply(db, stop_before=later)
    if own and not later:
        conn.execute(f"PRAGMA user_version={VERSION}")
    if not own and _foreign(conn, name) != before:
        raise PermissionError(f"module {name} gave a table a name that is not its own")
    failpoint("migrate")


def _foreign(conn: Connection, name: str) -> set[str]:
    """Tables and views that do not belong to the set ``name``: a new name in RENAME TO passes every other check."""
    rows = conn.execute("SELECT lower(name) FROM sqlite_master WHERE type IN ('table', 'view')")
    return {row[0] for row in rows if not row[0].startswith(f"{name}_")}


def _keep_copy(store: Store, name: str) -> None:
    if store.copied:
        return  # one update brings new steps for many modules; one copy covers them
    folder = store.folder / COPIES
    folder.mkdir(exist_ok=True)
    size = (store.folder / DATABASE).stat().st_size
    if ballast.free(store.folder) < 2 * size:
        raise Known("SY-120", needed_mib=2 * size // ballast.MIB + 1)
    for old in copies(store.folder)[: -_KEPT + 1]:
        old.unlink()
    store.backup(folder / f"{store.clock.wall_ms():015d}-{name}.db")
    store.copied = True


def copies(folder: Path) -> list[Path]:
    """The copies that updates have left, oldest first."""
    return sorted((folder / COPIES).glob("*.db"))
