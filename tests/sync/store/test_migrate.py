"""Updates of tables: one transaction a step, a copy before, newer files refused, modules kept to their own tables."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sync import ballast, cipher, schema
from sync.clock import SetClock
from sync.errors import Known
from sync.migrate import copies, migrate
from sync.store import Connection, Store

KEY = bytes(range(32))
Register = Callable[[Any], None]


def steps(*functions: Callable[[Any], None]) -> Register:
    def register(migrations: Any) -> None:
        for function in functions:
            migrations()(function)

    return register


def first(db: Any) -> None:
    db["demo_things"].create({"id": str, "words": str}, pk="id")


def second(db: Any) -> None:
    db["demo_things"].insert({"id": "1", "words": "ពាក្យ"})
    db["demo_things"].add_column("more", str)
    db["demo_things"].transform(rename={"more": "much_more"})
    db["demo_things"].create_index(["words"])
    db["demo_things"].enable_fts(["words"], create_triggers=True)


def third(db: Any) -> None:
    db["demo_things"].insert({"id": "2", "words": "half"})
    raise ZeroDivisionError


def tables(store: Store) -> set[str]:
    return store.read(lambda conn: {row[0] for row in conn.execute("SELECT name FROM sqlite_master")})


def things(conn: Connection) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in conn.execute("SELECT id, words FROM demo_things ORDER BY id")]


def applied(store: Store, name: str) -> list[str]:
    query = "SELECT name FROM _sqlite_migrations WHERE migration_set = ? ORDER BY id"
    return store.read(lambda conn: [row[0] for row in conn.execute(query, (name,))])


def test_the_tables_of_the_store_itself(store: Store) -> None:
    wanted = {"op", "batch", "receipt", "checkpoint", "floor", "lease", "inbox", "publication", "blob", "chunk", "office",
              "officer", "identity", "draft", "audit", "search", "search_text"}  # fmt: skip
    assert wanted <= tables(store)
    assert applied(store, "sync") == [step.__name__ for step in schema.STEPS]
    assert store.read(lambda conn: cipher.pragma(conn, "user_version")) == schema.VERSION
    loose = store.read(
        lambda conn: [
            row[0]
            for row in conn.execute("SELECT name FROM pragma_table_list WHERE type = 'table' AND strict = 0")
            if not row[0].startswith(("sqlite_", "_sqlite_"))
        ]
    )
    assert loose == []


def test_steps_are_applied_once_and_in_order(store: Store) -> None:
    migrate(store, "demo", steps(first))
    migrate(store, "demo", steps(first, second))
    migrate(store, "demo", steps(first, second))
    assert applied(store, "demo") == ["first", "second"]
    assert store.read(things) == [("1", "ពាក្យ")]
    assert store.read(lambda conn: cipher.pragma(conn, "user_version")) == schema.VERSION


def test_nothing_to_do_does_not_load_sqlite_utils(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from sync import migrate
from sync.clock import SystemClock
from sync.store import Store
Store.create(Path(sys.argv[1]), bytes(32), clock=SystemClock()).close()
def run():
    store = Store.open(Path(sys.argv[1]), bytes(32), clock=SystemClock())
    migrate.install(store)
    store.close()
run()
for name in [name for name in sys.modules if name.startswith("sqlite_utils")]:
    del sys.modules[name]
run()
assert "sqlite_utils" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "home")], check=True, timeout=60)


def test_a_step_that_fails_leaves_nothing_and_those_before_it_stay(store: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        migrate(store, "demo", steps(first, second, third))
    assert applied(store, "demo") == ["first", "second"]
    assert store.read(things) == [("1", "ពាក្យ")]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM audit",
        "UPDATE officer SET role = 'it'",
        "DROP TABLE op",
        "CREATE TABLE elsewhere (id INTEGER)",
        "CREATE TRIGGER demo_spy AFTER INSERT ON op BEGIN SELECT 1; END",
        "CREATE INDEX demo_index ON op(kind)",
        "PRAGMA writable_schema = ON",
        "ATTACH 'x' AS x",
        "COMMIT",
    ],
)
def test_a_module_migrates_its_own_tables_only(store: Store, sql: str) -> None:
    def trespass(db: Any) -> None:
        db.execute(sql)

    with pytest.raises(cipher.DatabaseError, match=r"not authorized|prohibited"):
        migrate(store, "demo", steps(first, trespass))
    assert applied(store, "demo") == ["first"]


def test_a_module_cannot_rename_its_table_out_of_its_own(store: Store) -> None:
    def escape(db: Any) -> None:
        db.execute("ALTER TABLE demo_things RENAME TO office_more")

    with pytest.raises(PermissionError, match="not its own"):
        migrate(store, "demo", steps(first, escape))
    assert applied(store, "demo") == ["first"]
    assert "demo_things" in tables(store)


def test_steps_of_a_newer_program_are_refused(store: Store) -> None:
    migrate(store, "demo", steps(first, second))
    with pytest.raises(Known, match="SY-103") as refused:
        migrate(store, "demo", steps(first))
    assert refused.value.values == {"found": "second", "known": "first"}
    with pytest.raises(Known, match="SY-103"):
        migrate(store, "demo", steps())


def test_a_step_outside_a_transaction_is_a_bug(store: Store) -> None:
    def register(migrations: Any) -> None:
        migrations(transactional=False)(first)

    with pytest.raises(ValueError, match="one transaction"):
        migrate(store, "demo", register)


def test_a_step_may_carry_another_name(store: Store) -> None:
    def register(migrations: Any) -> None:
        migrations(name="0001")(first)

    migrate(store, "demo", register)
    assert applied(store, "demo") == ["0001"]


def test_a_copy_is_kept_before_tables_change(store: Store, clock: SetClock) -> None:
    migrate(store, "demo", steps(first))
    assert copies(store.folder) == []  # new tables endanger nothing
    migrate(store, "demo", steps(first, second))
    assert len(copies(store.folder)) == 1

    def another(db: Any) -> None:
        db["demo_things"].insert({"id": "9", "words": "x"})

    migrate(store, "demo", steps(first, second, another))
    assert len(copies(store.folder)) == 1  # one update, one copy
    copy = cipher.connect(copies(store.folder)[0], KEY, "ro")
    assert copy.execute("SELECT count(*) FROM demo_things").fetchone()[0] == 0
    copy.close()


def test_the_two_newest_copies_stay(store: Store, clock: SetClock) -> None:
    done: list[Callable[[Any], None]] = [first]
    migrate(store, "demo", steps(*done))
    for number in range(4):

        def step(db: Any, number: int = number) -> None:
            db["demo_things"].insert({"id": f"n{number}", "words": "x"})

        step.__name__ = f"step_{number}"
        done.append(step)
        clock.advance(1_000)
        store.copied = False  # as after another start
        migrate(store, "demo", steps(*done))
    assert [path.name for path in copies(store.folder)] == [
        f"{clock.wall - 1_000:015d}-demo.db",
        f"{clock.wall:015d}-demo.db",
    ]


def test_without_room_for_the_copy_nothing_begins(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate(store, "demo", steps(first))
    monkeypatch.setattr(ballast, "free", lambda folder: 1_000)
    with pytest.raises(Known, match="SY-120"):
        migrate(store, "demo", steps(first, second))
    assert applied(store, "demo") == ["first"]


def test_sqlite_utils_with_the_wrong_library_is_a_bug(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    import sqlite3

    import sqlite_utils

    monkeypatch.setattr(sqlite_utils.db, "sqlite3", sqlite3)
    with pytest.raises(RuntimeError, match="lost"):
        migrate(store, "demo", steps(first))


def test_a_power_cut_in_every_step_of_the_first_migration_leaves_it_whole_or_absent(
    tmp_path: Path, clock: SetClock, run_python: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    script = """
import sys
from pathlib import Path
from sync import migrate
from sync.clock import SystemClock
from sync.store import DATABASE, Store
folder = Path(sys.argv[1])
make = Store.open if (folder / DATABASE).exists() else Store.create
store = make(folder, bytes(32), clock=SystemClock())
migrate.install(store)
store.close()
"""
    for name in ("migrate:1", "store:1", "store:2", "store:3", "store:4"):
        home = tmp_path / name.replace(":", "-")
        assert run_python(script, home, failpoint=name).returncode == -9
        assert run_python(script, home).returncode == 0
        opened = Store.open(home, bytes(32), clock=clock)
        assert opened.integrity() == []
        assert "op" in tables(opened)
        opened.close()
