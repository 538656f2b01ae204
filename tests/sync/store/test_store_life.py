"""Making, opening, refusing and closing an encrypted store."""

from __future__ import annotations

import random
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sync import cipher, schema
from sync.clock import SetClock
from sync.errors import Known
from sync.store import DATABASE, Connection, Store

KEY = bytes(range(32))
CANARY = "សម្ងាត់បំផុត-canary-4711"


def put(words: str) -> Callable[[Connection], Any]:
    return lambda conn: conn.execute("INSERT INTO demo_note(words) VALUES (?)", (words,))


def notes(conn: Connection) -> list[str]:
    return [row["words"] for row in conn.execute("SELECT words FROM demo_note ORDER BY id")]


def copy_of(store: Store, folder: Path) -> Path:
    """The profile as a power cut would leave it now."""
    return shutil.copytree(store.folder, folder / "copy")


def test_sqlite_utils_works_with_the_cipher_library() -> None:
    import sqlite_utils

    assert sqlite_utils.db.sqlite3.__name__ == cipher.MODULE  # type: ignore[attr-defined]


def test_what_was_written_is_there_after_reopening(store: Store, clock: SetClock) -> None:
    store.write(put("ពាក្យ"))
    store.close()
    again = Store.open(store.folder, KEY, clock=clock)
    try:
        assert again.read(notes) == ["ពាក្យ"]
        assert again.integrity() == []
    finally:
        again.close()


def test_closing_leaves_one_file(store: Store) -> None:
    store.write(put("ពាក្យ"))
    store.close()
    assert [path.name for path in store.folder.iterdir()] == [DATABASE]


def test_every_connection_holds_the_settings(store: Store) -> None:
    def settings(conn: Connection) -> dict[str, Any]:
        names = [*cipher.SETTINGS, "journal_mode", "cipher_status", "application_id", "user_version", "query_only"]
        return {name: cipher.pragma(conn, name) for name in names}

    common = {
        **cipher.SETTINGS,
        "journal_mode": "wal",
        "cipher_status": "1",
        "application_id": 0x53414C41,
        "user_version": schema.VERSION,
    }
    assert store.write(settings) == {**common, "query_only": 0}
    assert store.read(settings) == {**common, "query_only": 1}


def test_a_connection_that_does_not_hold_its_settings_is_a_bug(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cipher.SETTINGS, "no_such_pragma", 1)
    store.close()
    with pytest.raises(RuntimeError, match="no_such_pragma"):
        Store.open(store.folder, KEY, clock=store.clock)


def test_a_second_database_is_never_put_over_the_first(store: Store, clock: SetClock) -> None:
    with pytest.raises(Known, match="SY-101"):
        Store.create(store.folder, KEY, clock=clock)


def test_no_database_is_said(tmp_path: Path, clock: SetClock) -> None:
    with pytest.raises(Known, match="SY-109"):
        Store.open(tmp_path, KEY, clock=clock)


def test_another_key_opens_nothing(store: Store, clock: SetClock) -> None:
    store.close()
    with pytest.raises(Known, match="SY-100"):
        Store.open(store.folder, bytes(32), clock=clock)


def test_a_key_has_32_bytes(store: Store, clock: SetClock) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Store.open(store.folder, b"short", clock=clock)


def test_nothing_written_stands_in_the_clear(store: Store, tmp_path: Path) -> None:
    store.write(put(CANARY * 200))
    store.write(lambda conn: conn.execute("INSERT INTO search_text(rowid, kind, text) VALUES (1, 'k', ?)", (CANARY,)))
    store.backup(tmp_path / "backup.db")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"office.db", "office.db-wal", "office.db-shm", "backup.db"} <= {path.name for path in files}
    for path in files:
        assert CANARY.encode() not in path.read_bytes(), path
        assert b"SQLite format 3" not in path.read_bytes(), path
        assert b"CREATE TABLE" not in path.read_bytes(), path


def test_a_newer_database_is_refused_but_opens_for_export(store: Store, clock: SetClock) -> None:
    store.write(put("kept"))
    store.write(lambda conn: conn.execute(f"PRAGMA user_version={schema.VERSION + 1}"))
    store.close()
    with pytest.raises(Known, match="SY-103") as refused:
        Store.open(store.folder, KEY, clock=clock)
    assert refused.value.values == {"found": schema.VERSION + 1, "known": schema.VERSION}
    exporting = Store.open(store.folder, KEY, clock=clock, read_only=True)
    try:
        assert exporting.read(notes) == ["kept"]
        with pytest.raises(Known, match="SY-108"):
            exporting.write(put("more"))
    finally:
        exporting.close()


def test_a_file_of_another_program_is_refused(store: Store, clock: SetClock) -> None:
    store.write(lambda conn: conn.execute("PRAGMA application_id=7"))
    store.close()
    with pytest.raises(Known, match="SY-102"):
        Store.open(store.folder, KEY, clock=clock)


@pytest.mark.parametrize("size", [0, 100, 4_095])
def test_a_file_that_was_cut_short_is_damaged(store: Store, clock: SetClock, size: int) -> None:
    store.close()
    path = store.folder / DATABASE
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(Known, match="SY-102"):
        Store.open(store.folder, KEY, clock=clock)


def test_a_folder_that_cannot_be_opened_says_so(store: Store, clock: SetClock) -> None:
    store.close()
    (store.folder / DATABASE).unlink()
    (store.folder / DATABASE).mkdir()
    (store.folder / DATABASE / "x").touch()
    with pytest.raises(Known, match=r"SY-10[27]"):
        Store.open(store.folder, KEY, clock=clock)


def read_all(folder: Path, clock: SetClock) -> list[str]:
    """What a damaged store admits: a Known, or the findings of the integrity run."""
    try:
        opened = Store.open(folder, KEY, clock=clock)
    except Known as error:
        return [error.code]
    try:
        return opened.integrity()
    except Known as error:
        return [error.code]
    finally:
        opened.close()


def test_thirty_flipped_bits_are_thirty_findings(store: Store, clock: SetClock) -> None:
    for number in range(60):
        store.write(put(f"{number} " + "ក" * 400))
    store.close()
    path = store.folder / DATABASE
    sound = path.read_bytes()
    assert len(sound) > 40 * 4_096
    chance = random.Random(20)
    for _ in range(30):
        damaged = bytearray(sound)
        place = chance.randrange(len(damaged))
        damaged[place] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        assert read_all(store.folder, clock), place
    path.write_bytes(sound)
    assert read_all(store.folder, clock) == []


def test_reading_a_damaged_page_says_so(store: Store, clock: SetClock) -> None:
    for number in range(60):
        store.write(put(f"{number} " + "ក" * 400))
    store.close()
    path = store.folder / DATABASE
    data = bytearray(path.read_bytes())
    for page in range(2, len(data) // 4_096):
        data[page * 4_096 + 50] ^= 1
    path.write_bytes(data)
    with pytest.raises(Known, match=r"SY-10[02]"):  # noqa: PT012
        opened = Store.open(store.folder, KEY, clock=clock)
        try:
            opened.read(notes)
        finally:
            opened.close()


def test_a_broken_reference_is_found(store: Store) -> None:
    def break_it(conn: Connection) -> None:
        conn.execute("INSERT INTO chunk(hash, blob, n, size) VALUES (x'00', x'11', 0, 1)")

    store.write(lambda conn: conn.execute("INSERT INTO blob VALUES (x'11', x'', x'', 1, 'text/plain', 0)"))
    store.write(break_it)
    store.close()
    bare = cipher.connect(store.folder / DATABASE, KEY, "rw")
    bare.execute("PRAGMA foreign_keys=OFF")
    bare.execute("DELETE FROM blob")
    bare.close()
    assert any("chunk" in finding for finding in read_all(store.folder, store.clock))  # type: ignore[arg-type]


def test_closing_twice_is_once_and_nothing_works_afterwards(store: Store, tmp_path: Path) -> None:
    store.close()
    store.close()
    for call in (
        lambda: store.write(notes),
        lambda: store.read(notes),
        lambda: store.integrity(),
        lambda: store.backup(tmp_path / "b.db"),
    ):
        with pytest.raises(Known, match="SY-110"):
            call()
    assert not any(store._key)


def test_a_reader_that_waited_learns_that_the_store_was_closed(store: Store) -> None:
    entered, go = threading.Barrier(3), threading.Event()
    refused: list[str] = []

    def hold(conn: Connection) -> None:
        entered.wait()
        go.wait()

    def wait_and_read() -> None:
        try:
            store.read(notes)
        except Known as error:
            refused.append(error.code)

    holders = [threading.Thread(target=store.read, args=(hold,)) for _ in range(2)]
    for thread in holders:
        thread.start()
    entered.wait()
    waiter = threading.Thread(target=wait_and_read)
    waiter.start()
    closer = threading.Thread(target=store.close)
    closer.start()
    while not store._closed:
        pass
    go.set()
    for thread in (*holders, waiter, closer):
        thread.join()
    assert refused in ([], ["SY-110"])  # it may have got a reader just before the close
    with pytest.raises(Known, match="SY-110"):
        store.read(notes)


def test_a_work_cannot_close_or_rekey_its_own_store(store: Store) -> None:
    for close in (store.close, lambda: store.rekey(bytes(32), lambda: None)):
        with pytest.raises(RuntimeError, match="unit of work"):
            store.write(lambda conn, close=close: close())
        with pytest.raises(RuntimeError, match="unit of work"):
            store.read(lambda conn, close=close: close())


def test_the_key_can_be_changed(store: Store, clock: SetClock) -> None:
    store.write(put("before"))
    asked: list[int] = []
    store.rekey(bytes(32), lambda: asked.append(1))
    store.write(put("after"))
    assert store.read(notes) == ["before", "after"]
    assert asked == [1]
    store.close()
    with pytest.raises(Known, match="SY-100"):
        Store.open(store.folder, KEY, clock=clock)
    Store.open(store.folder, bytes(32), clock=clock).close()


def test_the_key_is_not_changed_under_another_program(
    store: Store, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cipher, "BUSY_MS", 50)
    other = cipher.connect(store.folder / DATABASE, KEY, "ro")
    other.execute("SELECT count(*) FROM sqlite_master").fetchone()
    asked: list[int] = []
    with pytest.raises(Known, match="SY-106"):
        store.rekey(bytes(32), lambda: asked.append(1))
    other.close()
    assert asked == []
    store.write(put("still the old key"))
    store.close()
    Store.open(store.folder, KEY, clock=clock).close()


def test_a_backup_opens_with_the_same_key_and_says_how_far_it_is(store: Store, tmp_path: Path, clock: SetClock) -> None:
    store.write(lambda conn: conn.executemany("INSERT INTO demo_note(words) VALUES (?)", [("ខ" * 2_000,)] * 300))
    steps: list[tuple[int, int]] = []
    store.backup(tmp_path / "office.db", lambda done, total: steps.append((done, total)))
    assert len(steps) > 1
    assert steps == sorted(steps)
    assert steps[-1][0] == steps[-1][1]
    copy = Store.open(tmp_path, KEY, clock=clock)
    try:
        assert copy.read(notes) == store.read(notes)
        assert copy.integrity() == []
    finally:
        copy.close()


def test_a_backup_does_not_wait_for_a_write_and_holds_the_state_before_it(
    store: Store, tmp_path: Path, clock: SetClock
) -> None:
    store.write(put("committed"))

    def write_and_back_up(conn: Connection) -> None:
        put("not committed")(conn)
        worker = threading.Thread(target=store.backup, args=(tmp_path / "office.db",))
        worker.start()
        worker.join(20)
        assert not worker.is_alive()

    store.write(write_and_back_up)
    copy = Store.open(tmp_path, KEY, clock=clock)
    try:
        assert copy.read(notes) == ["committed"]
    finally:
        copy.close()


def test_a_backup_of_a_damaged_file_is_refused_and_leaves_nothing(store: Store, tmp_path: Path) -> None:
    store.write(lambda conn: conn.executemany("INSERT INTO demo_note(words) VALUES (?)", [("ខ" * 2_000,)] * 300))
    store.write(lambda conn: None)
    folder = copy_of(store, tmp_path)
    store.close()
    path = folder / DATABASE
    path.write_bytes((store.folder / DATABASE).read_bytes())
    for name in (f"{DATABASE}-wal", f"{DATABASE}-shm"):
        (folder / name).unlink(missing_ok=True)
    data = bytearray(path.read_bytes())
    data[-2_000] ^= 1
    path.write_bytes(data)
    damaged = Store.open(folder, KEY, clock=store.clock)
    try:
        with pytest.raises(Known, match="SY-102"):
            damaged.backup(tmp_path / "out.db")
    finally:
        damaged.close()
    assert not (tmp_path / "out.db").exists()


def test_the_backup_of_a_crash_copy_is_whole(store: Store, tmp_path: Path, clock: SetClock) -> None:
    store.write(put("in the write-ahead log only"))
    copy = Store.open(copy_of(store, tmp_path), KEY, clock=clock)
    try:
        assert copy.read(notes) == ["in the write-ahead log only"]
    finally:
        copy.close()


def test_a_backup_of_an_unreadable_file_is_refused(store: Store, tmp_path: Path) -> None:
    path = store.folder / DATABASE
    store.close()
    opened = Store.open(store.folder, KEY, clock=store.clock)
    data = bytearray(path.read_bytes())
    data[1_000] ^= 1
    path.write_bytes(data)
    try:
        with pytest.raises(Known, match="SY-102"):
            opened.backup(tmp_path / "out.db")
    finally:
        opened.close()
