"""A module's SQL reaches its own tables and nothing else."""

from __future__ import annotations

import pytest

from sync.cipher import DatabaseError
from sync.store import Connection, Store

ALLOWED = [
    "SELECT * FROM demo_note",
    "SELECT count(*) FROM demo_note",
    "SELECT rowid FROM demo_note",
    "INSERT INTO demo_note(words) VALUES ('x') RETURNING id",
    "INSERT INTO demo_note(id, words) VALUES (7, 'x') ON CONFLICT(id) DO UPDATE SET words = excluded.words",
    "UPDATE demo_note SET words = 'y' WHERE id = 1",
    "DELETE FROM demo_note",
    "REPLACE INTO demo_note(id, words) VALUES (1, 'z')",
    "SELECT upper(words) FROM demo_note WHERE words LIKE 'a%' ORDER BY id LIMIT 3",
    "SELECT value FROM json_each('[1]')",
    "SELECT count(*) FROM json_each('[1]')",
    "WITH own AS (SELECT 1 AS z) SELECT count(*) FROM own",
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT count(*) FROM r",
    "SELECT count(*) FROM (SELECT words FROM demo_note)",
    "INSERT INTO demo_find(words) VALUES ('a b')",
    "SELECT words FROM demo_find WHERE demo_find MATCH 'a'",
    "SELECT * FROM demo_view",
    "EXPLAIN QUERY PLAN SELECT * FROM demo_note",
]

DENIED = [
    "SELECT * FROM officer",
    "SELECT count(*) FROM officer",
    "SELECT COUNT(*) FROM OFFICER",
    "SELECT rowid FROM op",
    "SELECT * FROM demonstration",
    "SELECT words FROM demo_note WHERE id IN (SELECT seq FROM op)",
    "SELECT * FROM demo_spy",
    "INSERT INTO floor VALUES ('op.prunable', 9)",
    "INSERT INTO demo_note(words) SELECT name FROM officer",
    "UPDATE floor SET value = 1",
    "DELETE FROM audit",
    "SELECT * FROM sqlite_master",
    "SELECT count(*) FROM sqlite_schema",
    "SELECT * FROM pragma_table_info('officer')",
    "SELECT count(*) FROM pragma_table_list",
    "PRAGMA key = 'x'",
    "PRAGMA rekey = 'x'",
    "PRAGMA writable_schema = ON",
    "PRAGMA foreign_keys",
    "ATTACH 'other.db' AS other",
    "DETACH main",
    "SELECT load_extension('x')",
    "SELECT sqlcipher_export('x')",
    "CREATE TABLE demo_new (id INTEGER)",
    "CREATE TEMP TABLE demo_temp (id INTEGER)",
    "CREATE INDEX demo_index ON demo_note(words)",
    "CREATE TRIGGER demo_t AFTER INSERT ON demo_note BEGIN SELECT 1; END",
    "DROP TABLE demo_note",
    "ALTER TABLE demo_note ADD COLUMN more TEXT",
    "ANALYZE",
    "REINDEX",
    "VACUUM",
    "COMMIT",
    "ROLLBACK",
    "BEGIN",
    "SAVEPOINT mine",
]


@pytest.fixture
def guarded(store: Store) -> Store:
    def more(conn: Connection) -> None:
        conn.execute("CREATE VIRTUAL TABLE demo_find USING fts5(words)")
        conn.execute("CREATE VIEW demo_view AS SELECT words FROM demo_note")
        conn.execute("CREATE VIEW demo_spy AS SELECT name FROM officer")
        conn.execute("CREATE TABLE demonstration (id INTEGER) STRICT")

    store.write(more)
    return store


@pytest.mark.parametrize("sql", ALLOWED)
def test_a_module_uses_its_own_tables(guarded: Store, sql: str) -> None:
    def work(conn: Connection) -> None:
        with guarded.authorize("demo"):
            conn.execute(sql).fetchall()

    guarded.write(work)


@pytest.mark.parametrize("sql", DENIED)
def test_a_module_reaches_nothing_else(guarded: Store, sql: str) -> None:
    def work(conn: Connection) -> None:
        with (
            guarded.authorize("demo"),
            pytest.raises(DatabaseError, match=r"not authorized|prohibited|within a transaction"),
        ):
            conn.execute(sql).fetchall()

    guarded.write(work)
    assert guarded.read(lambda conn: conn.execute("SELECT count(*) FROM demo_note").fetchone()[0]) == 0


def test_a_statement_that_the_core_has_used_is_judged_anew(guarded: Store) -> None:
    """SQLite asks when it compiles; a compiled statement of the core must not serve a module."""
    secret = "SELECT secret FROM officer"

    def work(conn: Connection) -> None:
        conn.execute(secret).fetchall()
        with guarded.authorize("demo"), pytest.raises(DatabaseError, match="prohibited"):
            conn.execute(secret).fetchall()
        conn.execute(secret).fetchall()

    guarded.write(work)
    guarded.read(work)


def test_the_core_may_step_in_and_the_restriction_returns(guarded: Store) -> None:
    def work(conn: Connection) -> None:
        with guarded.authorize("demo"):
            with guarded.authorize(None):
                conn.execute("SELECT count(*) FROM officer").fetchall()
                with guarded.authorize("other"), pytest.raises(DatabaseError):
                    conn.execute("SELECT * FROM demo_note")
            with pytest.raises(DatabaseError):
                conn.execute("SELECT count(*) FROM officer")
            guarded.write(lambda inner: inner.execute("INSERT INTO demo_note(words) VALUES ('nested')"))
        conn.execute("SELECT count(*) FROM officer").fetchall()

    guarded.write(work)


def test_the_restriction_ends_with_an_error(guarded: Store) -> None:
    def work(conn: Connection) -> None:
        with pytest.raises(ZeroDivisionError), guarded.authorize("demo"):
            raise ZeroDivisionError
        conn.execute("SELECT * FROM officer")

    guarded.write(work)


def test_new_tables_are_known_to_the_guard_at_once(guarded: Store) -> None:
    def work(conn: Connection) -> None:
        with guarded.authorize("demo"):
            conn.execute("WITH fresh AS (SELECT 1 AS z) SELECT count(*) FROM fresh").fetchall()
        conn.execute("CREATE TABLE fresh (id INTEGER) STRICT")
        with guarded.authorize("demo"), pytest.raises(DatabaseError):
            conn.execute("SELECT count(*) FROM fresh")

    guarded.write(work)
