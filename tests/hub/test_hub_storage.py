"""The storage contract: one durable commit for many works, a failing work is undone alone, a failing commit is everybody's."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from sync.errors import Known
from sync.hub import grouping
from sync.hub.storage import Tx
from sync.hub.storage_postgres import PostgresStorage
from sync.hub.storage_sqlite import DATABASE, SqliteStorage

Made = SqliteStorage | PostgresStorage


@pytest.fixture
def opened(tmp_path: Path, database: str | None) -> Callable[[], Made]:
    """Opens the same database every time."""
    return lambda: SqliteStorage(tmp_path) if database is None else PostgresStorage(database)


@pytest.fixture
def storage(opened: Callable[[], Made]) -> Iterator[Made]:
    made = opened()
    yield made
    made.close()


def put(name: str) -> Callable[[Tx], int]:
    return lambda tx: tx.execute("INSERT INTO meta (name, value) VALUES (:n, '')", {"n": name})


def names(storage: Made) -> list[str]:
    return [row["name"] for row in storage.read(lambda tx: tx.query("SELECT name FROM meta ORDER BY name"))]


def test_sqlite_keeps_what_it_acknowledges(tmp_path: Path) -> None:
    storage = SqliteStorage(tmp_path)
    mode, full = (
        storage._writer.execute("PRAGMA journal_mode").fetchone(),
        storage._writer.execute("PRAGMA synchronous").fetchone(),
    )
    assert (mode[0], full[0]) == ("wal", 2)
    storage.close()


def test_works_that_come_together_share_a_commit(storage: Made) -> None:
    commits: list[int] = []
    storage.before_commit = lambda tx: commits.append(tx.query("SELECT count(*) AS n FROM meta")[0]["n"])
    held, go = threading.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        held.set()
        go.wait(5)

    threads = [threading.Thread(target=storage.write, args=(slow,))]
    threads[0].start()
    held.wait(5)
    threads += [threading.Thread(target=storage.write, args=(put(f"{n:02}"),)) for n in range(20)]
    for thread in threads[1:]:
        thread.start()
    while storage._group.waiting() < 20:
        pass
    go.set()
    for thread in threads:
        thread.join()
    assert commits == [0, 20]


def test_a_work_that_fails_is_undone_alone(storage: Made) -> None:
    held, go = threading.Event(), threading.Event()
    threading.Thread(target=storage.write, args=(lambda tx: (held.set(), go.wait(5)),)).start()
    held.wait(5)
    outcomes: dict[str, BaseException | None] = {}

    def run(name: str, *, fail: bool) -> None:
        def work(tx: Tx) -> None:
            tx.execute("INSERT INTO meta (name, value) VALUES (:n, '')", {"n": name})
            if fail:
                raise ValueError(name)

        try:
            storage.write(work)
        except ValueError as error:
            outcomes[name] = error
        else:
            outcomes[name] = None

    threads = [threading.Thread(target=run, args=(name,), kwargs={"fail": name == "b"}) for name in "abc"]
    for thread in threads:
        thread.start()
    while storage._group.waiting() < 3:
        pass
    go.set()
    for thread in threads:
        thread.join()
    assert names(storage) == ["a", "c"]
    assert isinstance(outcomes["b"], ValueError) and outcomes["a"] is None is outcomes["c"]


def test_a_commit_that_fails_is_everybodys_and_leaves_nothing(storage: Made) -> None:
    def broken(tx: Tx) -> None:
        if tx.query("SELECT 1 AS yes FROM meta"):
            raise OSError("signing failed")

    storage.before_commit = broken
    with pytest.raises(OSError, match="signing failed"):
        storage.write(put("a"))
    assert names(storage) == []
    storage.before_commit = lambda _tx: None
    storage.write(put("b"))
    assert names(storage) == ["b"]


def test_a_work_whose_statement_fails_is_undone_alone(storage: Made) -> None:
    storage.write(put("a"))
    with pytest.raises(Exception, match=r"(?i)unique"):
        storage.write(put("a"))
    storage.write(put("b"))
    assert names(storage) == ["a", "b"]


@pytest.mark.parametrize("n", [1, 250])
def test_rows_that_are_new_for_certain_go_in_at_once_or_not_at_all(storage: Made, n: int) -> None:
    rows = [{"name": f"{number:03}", "value": f"{number}\N{SYMBOL FOR NULL}"} for number in range(n)]
    storage.write(lambda tx: tx.add("meta", []))
    storage.write(lambda tx: tx.add("meta", rows))
    assert names(storage) == [row["name"] for row in rows]
    with pytest.raises(Exception, match=r"(?i)unique"):
        storage.write(lambda tx: tx.add("meta", [{"name": "new", "value": ""}, rows[-1]]))
    assert names(storage) == [row["name"] for row in rows]


def test_rows_come_one_after_the_other(storage: Made) -> None:
    for n in range(3):
        storage.write(put(str(n)))
    rows = storage.read(
        lambda tx: [row["name"] for row in tx.stream("SELECT name FROM meta WHERE name > :n ORDER BY name", {"n": "0"})]
    )
    assert rows == ["1", "2"]


def test_a_full_disk_is_said_in_words(storage: Made) -> None:
    if isinstance(storage, SqliteStorage):
        pages = storage._writer.execute("PRAGMA page_count").fetchone()[0]
        storage._writer.execute(f"PRAGMA max_page_count = {pages + 2}")
        full = "INSERT INTO meta (name, value) VALUES ('big', :v)"
    else:
        full = "DO $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$"
    with pytest.raises(Known) as known:
        storage.write(lambda tx: tx.execute(full, {"v": "x" * 100_000} if ":v" in full else None))
    assert known.value.code == "HB-102"
    assert names(storage) == []
    storage.write(put("small"))
    assert names(storage) == ["small"]


def test_a_reader_sees_one_moment(storage: Made) -> None:
    def twice(tx: Tx) -> tuple[int, int]:
        first = tx.query("SELECT count(*) AS n FROM meta")[0]["n"]
        storage.write(put("between"))
        return first, tx.query("SELECT count(*) AS n FROM meta")[0]["n"]

    assert storage.read(twice) == (0, 0)


def test_a_reader_cannot_write(storage: Made) -> None:
    with pytest.raises((sqlite3.OperationalError, psycopg.errors.ReadOnlySqlTransaction)):
        storage.read(put("x"))


def test_a_newer_database_is_not_touched(tmp_path: Path) -> None:
    SqliteStorage(tmp_path).close()
    with sqlite3.connect(tmp_path / DATABASE) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(Known) as known:
        SqliteStorage(tmp_path)
    assert known.value.code == "HB-101"


def test_a_closed_database_says_so_and_closes_twice(storage: Made) -> None:
    storage.close()
    storage.close()
    with pytest.raises(RuntimeError, match="closed"):
        storage.write(put("x"))


def test_a_group_has_a_bound(storage: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "GROUP", 2)
    sizes: list[int] = []
    storage.before_commit = lambda tx: sizes.append(tx.query("SELECT count(*) AS n FROM meta")[0]["n"])
    threads = [threading.Thread(target=storage.write, args=(put(str(n)),)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sizes[-1] == 6 and all(after - before <= 2 for before, after in zip([0, *sizes], sizes, strict=False))


def test_the_turn_beside_the_log_is_given_to_one_at_a_time(opened: Callable[[], Made], storage: Made) -> None:
    other = storage if isinstance(storage, SqliteStorage) else opened()  # one process serves a file, several a server
    order: list[str] = []

    def work() -> None:
        with other.turn() as mine:
            order.append(f"other {mine}")

    thread = threading.Thread(target=work)
    try:
        with storage.turn() as mine, other.turn(wait=False) as second:
            assert (mine, second) == (True, False)
            thread.start()
            storage.write_beside(put("x"))  # whoever has the turn may write, and so may everybody else
            other.write(put("y"))
            order.append("first")
        thread.join(10)
        assert order == ["first", "other True"]
        with pytest.raises(ZeroDivisionError), storage.turn():
            raise ZeroDivisionError
        with other.turn(wait=False) as free:
            assert free
    finally:
        other.close()
