"""Units of work: all or nothing, one at a time, seen by readers when they are done."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sync import ballast, cipher
from sync.clock import SetClock
from sync.errors import Known, Refused
from sync.store import DATABASE, Connection, IntegrityError, Store

KEY = bytes(range(32))


def put(words: str) -> Callable[[Connection], Any]:
    return lambda conn: conn.execute("INSERT INTO demo_note(words) VALUES (?)", (words,)).lastrowid


def notes(conn: Connection) -> list[str]:
    return [row["words"] for row in conn.execute("SELECT words FROM demo_note ORDER BY id")]


def test_a_write_returns_what_its_work_returns_and_rows_answer_to_names(store: Store) -> None:
    assert store.write(put("one")) == 1
    assert store.read(lambda conn: [dict(row) for row in conn.execute("SELECT * FROM demo_note")]) == [
        {"id": 1, "words": "one"}
    ]


def test_works_run_on_one_thread_of_their_own(store: Store) -> None:
    def who(conn: Connection) -> str:
        return threading.current_thread().name

    assert store.write(who) == store.write(who)
    assert store.write(who) != threading.current_thread().name
    assert store.read(who) == threading.current_thread().name


def test_nothing_stays_of_a_work_that_raises(store: Store) -> None:
    def work(conn: Connection) -> None:
        put("lost")(conn)
        raise Refused("SY-112", name="x")

    with pytest.raises(Refused, match="SY-112"):
        store.write(work)
    with pytest.raises(ZeroDivisionError):
        store.write(lambda conn: (put("lost")(conn), 1 // 0))
    with pytest.raises(IntegrityError):
        store.write(lambda conn: conn.execute("INSERT INTO demo_note(words) VALUES (NULL)"))
    assert store.read(notes) == []
    store.write(put("kept"))
    assert store.read(notes) == ["kept"]


def test_even_leaving_the_program_rolls_back(store: Store) -> None:
    def leave(conn: Connection) -> None:
        put("lost")(conn)
        raise SystemExit

    with pytest.raises(SystemExit):
        store.write(leave)
    assert store.read(notes) == []


def test_a_write_inside_a_write_is_a_savepoint(store: Store) -> None:
    def inner(conn: Connection) -> None:
        put("inner")(conn)
        store.write(put("innermost"))
        raise Refused("SY-112", name="x")

    def outer(conn: Connection) -> list[str]:
        put("outer")(conn)
        with pytest.raises(Refused):
            store.write(inner)
        store.write(put("second"))
        return store.read(notes)  # the same transaction

    assert store.write(outer) == ["outer", "second"]
    assert store.read(notes) == ["outer", "second"]


def test_calls_run_after_the_commit_and_only_then(store: Store) -> None:
    heard: list[str] = []

    def dropped(conn: Connection) -> None:
        store.after_commit(lambda: heard.append("dropped"))
        raise Refused("SY-112", name="x")

    def work(conn: Connection) -> None:
        store.after_commit(lambda: heard.append(f"committed {store.read(notes)}"))
        put("a")(conn)
        with pytest.raises(Refused):
            store.write(dropped)
        store.write(lambda conn: store.after_commit(lambda: heard.append("nested")))
        assert heard == []

    store.write(work)
    assert heard == ["committed ['a']", "nested"]
    with pytest.raises(Refused):
        store.write(dropped)
    store.write(put("b"))
    assert heard == ["committed ['a']", "nested"]


def test_a_call_after_the_commit_may_write(store: Store) -> None:
    store.write(lambda conn: store.after_commit(lambda: store.write(put("from the call"))))
    assert store.read(notes) == ["from the call"]
    found: list[list[str]] = []
    store.write(lambda conn: store.after_commit(lambda: found.append(store.integrity())))
    assert found == [[]]


def test_the_writer_thread_cannot_close_the_store(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    caught: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", caught.append)
    store.write(lambda conn: store.after_commit(store.close))
    assert caught[0].exc_type is RuntimeError


def test_a_failing_call_neither_undoes_the_write_nor_silences_the_others(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    caught: list[Any] = []
    heard: list[int] = []
    monkeypatch.setattr(threading, "excepthook", caught.append)

    def work(conn: Connection) -> None:
        put("kept")(conn)
        store.after_commit(lambda: 1 // 0)
        store.after_commit(lambda: heard.append(1))

    store.write(work)
    assert store.read(notes) == ["kept"]
    assert [args.exc_type for args in caught] == [ZeroDivisionError]
    assert heard == [1]


def test_after_commit_and_authorize_belong_inside_a_work(store: Store) -> None:
    with pytest.raises(RuntimeError, match="inside a write"):
        store.after_commit(lambda: None)
    with pytest.raises(RuntimeError, match="inside a write"):
        store.read(lambda conn: store.after_commit(lambda: None))
    with pytest.raises(RuntimeError, match="inside a work"), store.authorize("demo"):
        pass
    with store.authorize(None):  # lifts nothing where nothing runs
        assert store.read(notes) == []


def test_a_work_that_commits_by_itself_is_a_bug_that_shows(store: Store) -> None:
    with pytest.raises(RuntimeError, match="ended the transaction"):
        store.write(lambda conn: (put("x")(conn), conn.execute("COMMIT")))
    store.write(put("y"))
    assert store.read(notes) == ["x", "y"]


def test_readers_see_one_state_while_a_writer_goes_on(store: Store) -> None:
    store.write(put("before"))

    def look_twice(conn: Connection) -> tuple[list[str], list[str]]:
        first = notes(conn)
        store.write(put("after"))  # from this thread, through the writer
        return first, notes(conn)

    assert store.read(look_twice) == (["before"], ["before"])
    assert store.read(notes) == ["before", "after"]


def test_a_read_inside_a_read_is_the_same_state(store: Store) -> None:
    assert store.read(lambda outer: store.read(lambda inner: inner is outer))


def test_readers_cannot_write(store: Store) -> None:
    with pytest.raises(Known, match="SY-107"):
        store.read(put("no"))
    assert store.read(notes) == []


def test_a_wrong_statement_is_a_bug_not_a_known_failure(store: Store) -> None:
    with pytest.raises(cipher.DatabaseError, match="no such table"):
        store.read(lambda conn: conn.execute("SELECT * FROM nowhere"))
    with pytest.raises(cipher.DatabaseError, match="no such table"):
        store.write(lambda conn: conn.execute("SELECT * FROM nowhere"))


def test_many_threads_read_then_update_the_same_row(store: Store) -> None:
    store.write(lambda conn: conn.execute("INSERT INTO floor VALUES ('count', 0)"))

    def count_up(conn: Connection) -> None:
        value = conn.execute("SELECT value FROM floor WHERE name = 'count'").fetchone()["value"]
        conn.execute("UPDATE floor SET value = ? WHERE name = 'count'", (value + 1,))

    def work() -> None:
        for _ in range(40):
            store.write(count_up)
            store.read(notes)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.read(lambda conn: conn.execute("SELECT value FROM floor").fetchone()[0]) == 160


def test_two_programs_take_turns(store: Store, clock: SetClock) -> None:
    other = Store.open(store.folder, KEY, clock=clock)
    try:
        for number in range(10):
            store.write(put(f"a{number}"))
            other.write(put(f"b{number}"))
        assert len(other.read(notes)) == 20
    finally:
        other.close()


def test_a_database_that_another_program_holds_is_said(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write(lambda conn: None)
    store._writer.execute("PRAGMA busy_timeout=50")
    other = cipher.connect(store.folder / DATABASE, KEY, "rw")
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Known, match="SY-106"):
        store.write(put("x"))
    other.execute("ROLLBACK")
    other.close()
    store.write(put("y"))
    assert store.read(notes) == ["y"]


# --- a full disk


def fill(conn: Connection) -> None:
    pages = int(cipher.pragma(conn, "page_count") or 0)
    conn.execute(f"PRAGMA max_page_count={pages + 2}")


def test_a_full_disk_is_known_and_leaves_nothing_half_written(store: Store) -> None:
    store.write(put("before"))
    store.write(fill)

    def work(conn: Connection) -> None:
        put("half")(conn)
        for _ in range(50):
            put("ក" * 2_000)(conn)

    with pytest.raises(Known, match="SY-104"):
        store.write(work)
    with pytest.raises(Known, match="SY-104"):
        store.write(lambda conn: store.write(work))
    assert store.read(notes) == ["before"]
    assert store.integrity() == []
    store.write(lambda conn: conn.execute("PRAGMA max_page_count=1000000"))
    store.write(work)
    assert len(store.read(notes)) == 52


def test_the_ballast_goes_when_the_disk_is_full_and_returns_with_room(
    tmp_path: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ballast.VARIABLE, "2")
    store = Store.create(tmp_path / "home", KEY, clock=clock)
    path = tmp_path / "home" / "ballast"
    assert path.stat().st_size == 2 << 20
    assert path.stat().st_blocks * 512 >= 2 << 20
    store.write(lambda conn: conn.execute("CREATE TABLE demo_note (id INTEGER PRIMARY KEY, words TEXT) STRICT"))
    store.write(fill)
    for _ in range(2):
        with pytest.raises(Known, match="SY-104"):
            store.write(put("ក" * 40_000))
        assert path.stat().st_size == 0
    store.close()
    monkeypatch.setattr(ballast, "free", lambda folder: 100 << 20)
    Store.open(tmp_path / "home", KEY, clock=clock).close()
    assert path.stat().st_size == 0
    monkeypatch.setattr(ballast, "free", lambda folder: 300 << 20)
    Store.open(tmp_path / "home", KEY, clock=clock).close()
    assert path.stat().st_size == 2 << 20


def test_new_work_is_refused_below_200_mib(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    ballast.check(store.folder)
    monkeypatch.setattr(ballast, "free", lambda folder: (200 << 20) - 1)
    with pytest.raises(Known, match="SY-105") as refused:
        ballast.check(store.folder)
    assert refused.value.values == {"free_mib": 199, "needed_mib": 200}
    store.write(put("what is begun may be finished"))


# --- pages that rot while the program runs


def rot(store: Store, page_from_end: int = 1) -> None:
    """Flip a bit in the middle of a page of the open database file."""
    path = store.folder / DATABASE
    data = bytearray(path.read_bytes())
    data[-4_096 * page_from_end + 2_000] ^= 1
    path.write_bytes(data)


def long_values(store: Store) -> None:
    store.write(lambda conn: conn.executemany("INSERT INTO demo_note(words) VALUES (?)", [("x" * 9_000,)] * 300))
    store.write(lambda conn: put("y" * 9_000)(conn))
    store.close()


def test_a_damaged_long_value_is_never_handed_out(store: Store, clock: SetClock) -> None:
    """SQLite itself would return zeros in place of the damaged page."""
    long_values(store)
    rot(store)
    opened = Store.open(store.folder, KEY, clock=clock)

    def last(conn: Connection) -> str:
        return str(conn.execute("SELECT words FROM demo_note WHERE id = 301").fetchone()[0])

    def first(conn: Connection) -> str:
        return str(conn.execute("SELECT words FROM demo_note WHERE id = 1").fetchone()[0])

    try:
        for _ in range(3):  # each of the readers, and one of them again
            with pytest.raises(Known, match="SY-102"):
                opened.read(last)
            assert opened.read(first) == "x" * 9_000  # the rest stays readable
        with pytest.raises(Known, match="SY-102"):
            opened.write(lambda conn: put(last(conn))(conn))
        opened.write(lambda conn: conn.execute("INSERT INTO floor VALUES ('x', 1)"))
        assert opened.read(lambda conn: conn.execute("SELECT value FROM floor").fetchone()[0]) == 1
        with pytest.raises(Known, match="SY-102"):
            opened.backup(store.folder.parent / "copy.db")
    finally:
        opened.close()


def test_a_work_that_stumbles_over_the_zeros_is_explained_too(store: Store, clock: SetClock) -> None:
    long_values(store)
    rot(store)
    opened = Store.open(store.folder, KEY, clock=clock)

    def parse(conn: Connection) -> None:
        text = conn.execute("SELECT words FROM demo_note WHERE id = 301").fetchone()[0]
        raise ValueError(text[:3])

    try:
        with pytest.raises(Known, match="SY-102"):
            opened.read(parse)
    finally:
        opened.close()


def test_when_the_first_page_goes_every_work_says_so(store: Store, clock: SetClock) -> None:
    long_values(store)
    opened = Store.open(store.folder, KEY, clock=clock)
    path = store.folder / DATABASE
    data = bytearray(path.read_bytes())
    for page in range(1, len(data) // 4_096 - 1):
        data[4_096 * page + 2_000] ^= 1
    data[2_000] ^= 1
    path.write_bytes(data)

    def count(conn: Connection) -> int:
        return int(conn.execute("SELECT sum(length(words)) FROM demo_note").fetchone()[0])

    try:
        for _ in range(3):
            with pytest.raises(Known, match=r"SY-10[02]"):
                opened.read(count)
        for _ in range(2):
            with pytest.raises(Known, match=r"SY-10[02]"):
                opened.write(count)
    finally:
        opened.close()
