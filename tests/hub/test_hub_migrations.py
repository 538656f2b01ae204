"""A database of any release becomes what the schema describes, whole or not at all; nothing heavy is loaded when nothing is to do."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, create_engine

from sync.hub import dialect, migrations, schema
from sync.hub.migrations.versions import v0001_first_release as first
from sync.hub.storage_sqlite import DATABASE, SqliteStorage

ROOT = Path(__file__).parents[2]


def first_release(folder: Path) -> Path:
    """A ``hub.db`` as the first release left it, with one batch of one accepted op."""
    path = folder / DATABASE
    with closing(sqlite3.connect(path)) as made:
        for statement in first.TABLES:
            made.execute(statement)
        made.execute("PRAGMA user_version = 1")
        made.execute(
            "INSERT INTO batch VALUES (1, x'b0', x'd0', x'a0', 1, 1, 5, 'test', 'line', 1, x'010203')",
        )
        made.execute(
            "INSERT INTO op VALUES (7, x'01', x'00', x'd0', 1, x'11', 'a.b', 'f', x'', 1795000000000, x'22', 1, 0, 'accepted', 1)"
        )
        made.execute("INSERT INTO accepted VALUES (1, 7)")
        made.execute("INSERT INTO leaf (idx, hash, data, batch, device) VALUES (0, x'02', x'03', 1, x'd0')")
        made.execute("INSERT INTO meta VALUES ('kept', 'yes'), ('stable-batch', '1')")
        made.commit()
    return path


def test_a_database_of_the_first_release_is_adopted_without_loss(tmp_path: Path) -> None:
    path = first_release(tmp_path)
    SqliteStorage(tmp_path).close()
    with closing(sqlite3.connect(path)) as found:
        assert found.execute("SELECT idx, hash, raw, size FROM batch").fetchall() == [(1, b"\xb0", b"\x01\x02\x03", 3)]
        assert found.execute("SELECT id, hash, device, seq, wall_ms, label FROM op").fetchall() == [
            (7, b"\x01", b"\xd0", 1, 1795000000000, "accepted")
        ]
        assert found.execute("SELECT idx, op, wall_ms FROM accepted").fetchall() == [(1, 7, 1795000000000)]
        assert found.execute("SELECT name, value FROM meta ORDER BY name").fetchall() == [
            ("kept", "yes"), ("stable-entries", "1"),  # counted by the log now
        ]  # fmt: skip
        assert found.execute("PRAGMA user_version").fetchone()[0] == migrations.HEAD
        assert found.execute("SELECT version_num FROM alembic_version").fetchall() == [
            (migrations.revision(migrations.HEAD),)
        ]


def test_an_adopted_database_and_a_new_one_are_the_same(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    definitions = []
    for folder in (old, new):
        folder.mkdir()
        if folder is old:
            first_release(folder)
        SqliteStorage(folder).close()
        with closing(sqlite3.connect(folder / DATABASE)) as found:
            definitions.append(sorted(map(str, found.execute("SELECT type, name, sql FROM sqlite_master"))))
    assert definitions[0] == definitions[1]


def test_a_step_that_is_cut_off_leaves_the_database_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = first_release(tmp_path)
    before = dump(path)

    whole = migrations.upgrade

    def cut_off(*arguments: Any, **more: Any) -> None:
        whole(*arguments, **more)
        raise OSError("cut off")

    with monkeypatch.context() as patch:
        patch.setattr(migrations, "upgrade", cut_off)
        with pytest.raises(OSError, match="cut off"):
            SqliteStorage(tmp_path)
    assert dump(path) == before
    SqliteStorage(tmp_path).close()
    assert dump(path) != before


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as found:
        return [*found.iterdump(), str(found.execute("PRAGMA user_version").fetchone())]


def differences(connection: Connection, described: MetaData) -> list[Any]:
    """What Alembic would have to change; SQLite writes no NOT NULL on keys."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    keys = {(table.name, column.name) for table in described.tables.values() for column in table.primary_key}
    found: list[Any] = []
    for change in compare_metadata(context, described):
        parts = change if isinstance(change, list) else [change]
        found += [part for part in parts if part[0] != "modify_nullable" or (part[2], part[3]) not in keys]
    return found


def test_the_migrated_database_is_what_the_schema_describes(tmp_path: Path) -> None:
    SqliteStorage(tmp_path).close()
    engine = create_engine(f"sqlite:///{tmp_path / DATABASE}")
    with engine.connect() as connection:
        assert differences(connection, schema.tables()) == []
    engine.dispose()


def test_the_newest_step_is_the_one_that_the_hub_asks_for() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_heads() == [migrations.revision(migrations.HEAD)]


def test_nothing_heavy_is_loaded_when_nothing_is_to_do(tmp_path: Path) -> None:
    SqliteStorage(tmp_path).close()
    program = (
        "import sys; from pathlib import Path; import sync.hub.app, sync.hub.centre, sync.hub.cli\n"
        "from sync.hub.storage_sqlite import SqliteStorage\n"
        f"SqliteStorage(Path({str(tmp_path)!r})).close()\n"
        "print([name for name in ('sqlalchemy', 'alembic', 'psycopg') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_table_definitions_are_put_into_postgresqls_words() -> None:
    made = "CREATE TABLE p_x (id INTEGER PRIMARY KEY, n INTEGER NOT NULL, share REAL, raw BLOB, who TEXT NOT NULL)"
    assert dialect.defines(made) and dialect.defines("ALTER TABLE p_x ADD COLUMN m INTEGER")
    assert not dialect.defines("CREATE INDEX p_x_n ON p_x (n)") and not dialect.defines("SELECT 1")
    assert dialect.postgres(made) == (
        "CREATE TABLE p_x (id BIGSERIAL PRIMARY KEY, n BIGINT NOT NULL, share DOUBLE PRECISION, raw BYTEA, "
        'who TEXT COLLATE "C" NOT NULL)'
    )
    assert dialect.postgres(dialect.postgres(made)) == dialect.postgres(made)
