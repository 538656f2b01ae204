"""The encrypted database of one office: one writer thread, two readers, one transaction a unit of work.

Works run inside :meth:`Store.write` and :meth:`Store.read` and get a connection whose rows answer to names
(``row["title"]``, ``dict(row)``). A work returns data, never a cursor: the connection goes to others when it ends.
"""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from sync import ballast, cipher, durable
from sync.cipher import Connection, DatabaseError, IntegrityError, Row, is_open
from sync.clock import Clock
from sync.errors import Known
from sync.failpoint import failpoint
from sync.guard import Guard
from sync.schema import VERSION

__all__ = ["DATABASE", "Connection", "IntegrityError", "Row", "Store", "failpoint"]

T = TypeVar("T")

DATABASE: Final = "office.db"
READERS: Final = 2
BACKUP_PAGES: Final = 256  # a step of a backup: 1 MiB


class _Here(threading.local):
    """What the current thread is doing with the store."""

    writer = False  # is this the writer thread?
    conn: Connection | None = None  # the connection of the work that runs here
    depth = 0  # 1 in a unit of work, more in its savepoints
    guard: Guard | None = None


class Store:
    """One open office database. Made by :meth:`create` or :meth:`open`; safe to use from any thread."""

    def __init__(self, folder: Path, key: bytes, clock: Clock, *, read_only: bool) -> None:
        self.folder, self.clock, self.read_only = folder, clock, read_only
        self.copied = False  # has an update already kept a copy since this was opened?
        self._key = bytearray(key)
        self._here = _Here()
        self._closed = False
        self._calls: list[Callable[[], None]] = []  # of the unit of work that runs
        self._names: dict[int, frozenset[str]] = {}
        self._opened: list[Connection] = []
        self._readers: queue.LifoQueue[Connection | None] = queue.LifoQueue()
        self._thread = ThreadPoolExecutor(1, "sala-writer", initializer=self._become_writer)
        self._writer = self._connect_all()

    # --- life

    @classmethod
    def create(cls, folder: Path, key: bytes, *, clock: Clock) -> Store:
        """A new, empty database in ``folder``, encrypted with the raw 32-byte ``key``. Known SY-101 if one is there."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if (folder / DATABASE).exists():
            raise Known("SY-101")
        conn = cipher.connect(folder / DATABASE, key, "rwc")
        conn.execute(f"PRAGMA application_id={cipher.APPLICATION_ID}")
        conn.close()
        ballast.lay(folder)
        return cls.open(folder, key, clock=clock)

    @classmethod
    def open(cls, folder: Path, key: bytes, *, clock: Clock, read_only: bool = False) -> Store:
        """The database in ``folder``. ``read_only`` also opens one that a newer Sala has written, for export.

        Known: SY-109 none there, SY-100 the key does not fit, SY-102 damaged, SY-103 written by a newer Sala.
        """
        path = folder / DATABASE
        if not path.exists():
            raise Known("SY-109")
        if path.stat().st_size < cipher.PAGE:
            raise Known("SY-102")
        store = cls(folder, key, clock, read_only=read_only)
        ballast.lay_again(folder)
        return store

    def close(self) -> None:
        """Wait for the works that run, close every connection and wipe the key. A second call does nothing."""
        if self._here.conn is not None or self._here.writer:
            raise RuntimeError("a unit of work cannot close its own store")
        if self._closed:
            return
        self._closed = True
        self._thread.shutdown()
        self._withdraw_readers()
        self._readers.put(None)  # wakes a thread that waits for a reader
        self._disconnect()
        self._key[:] = bytes(len(self._key))

    # --- units of work

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` on the writer thread in one transaction and return its result once that is on the disk.

        Nothing stays if ``work`` raises. Called within a write it joins as a savepoint. Known: SY-104 disk full,
        SY-106 another program holds the database, SY-107 the disk fails, SY-108 read-only, SY-110 locked.
        """
        if self._here.depth:
            return self._nested(work)
        if self.read_only:
            raise Known("SY-108")
        return self._on_writer(lambda: self._unit(work))

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` on this thread against one unchanging state; within a write, against what it has written."""
        if self._here.conn is not None:
            return work(self._here.conn)
        conn = self._readers.get()
        if conn is None:
            self._readers.put(None)
            raise Known("SY-110")
        self._here.conn = conn
        try:
            conn.execute("BEGIN")
            result = work(conn)
            _require_sound(conn)
            return result
        except Exception as error:
            if known := self._known(conn, error):
                raise known from error
            raise
        finally:
            self._here.conn = None
            self._readers.put(self._after(conn))

    def after_commit(self, call: Callable[[], None]) -> None:
        """Within a write: run ``call`` on the writer thread once the transaction is on the disk; dropped with it."""
        if not self._here.depth:
            raise RuntimeError("after_commit belongs inside a write")
        self._calls.append(call)

    @contextmanager
    def authorize(self, prefix: str | None, *, schema: bool = False) -> Iterator[None]:
        """Within a work: this thread's statements reach only tables ``<prefix>_…``; None lifts the restriction.

        ``schema`` also admits creating and changing those tables (migrations).
        """
        conn, before = self._here.conn, self._here.guard
        if conn is None and prefix is None:
            yield  # no statement can run here
            return
        if conn is None:
            raise RuntimeError("authorize belongs inside a work")
        conn.set_authorizer(None)
        guard = Guard(prefix, self._tables(conn), schema) if prefix else None
        self._here.guard = guard
        conn.set_authorizer(guard)
        try:
            yield
        finally:
            self._here.guard = before
            conn.set_authorizer(before)

    # --- care

    def integrity(self) -> list[str]:
        """Check every page and row: SQLite's words for what is wrong, empty when all is sound. May take seconds."""
        return self._on_writer(lambda: cipher.problems(self._writer))

    def backup(self, target: Path, progress: Callable[[int, int], None] | None = None) -> None:
        """Write a copy, encrypted with the same key, of the state at this moment; others may go on writing.

        ``progress(done, total)`` gets pages. ``target`` appears only when the copy is complete and on the disk.
        """
        if self._closed:
            raise Known("SY-110")
        part = target.with_name(target.name + ".part")
        part.unlink(missing_ok=True)
        source = cipher.connect(self.folder / DATABASE, bytes(self._key), "ro")
        copy = cipher.connect(part, bytes(self._key), "rwc")
        try:
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()  # pins the state that is copied
            source.backup(copy, pages=BACKUP_PAGES, progress=_pages(progress))
            _require_sound(source)  # else zeros would have been copied in place of damaged pages
        except DatabaseError as error:
            raise Known(cipher.code(error) or "SY-107") from error
        finally:
            copy.close()
            source.close()
        durable.sync_file(part)
        part.replace(target)
        durable.sync_folder(target.parent)

    def rekey(self, key: bytes, ready: Callable[[], None]) -> None:
        """Encrypt the whole file anew with ``key``; ``ready`` is called when nothing stands in the way any more.

        Known SY-106 while another program has the database open.
        """
        if self._here.conn is not None:
            raise RuntimeError("a unit of work cannot change the key")

        def work() -> None:
            self._withdraw_readers()
            self._disconnect()
            try:
                cipher.rekey(self.folder / DATABASE, bytes(self._key), key, ready)
                self._key[:] = key
            finally:
                self._writer = self._connect_all()

        self._on_writer(work)

    # --- inside

    def _become_writer(self) -> None:
        self._here.writer = True

    def _on_writer(self, call: Callable[[], T]) -> T:
        if self._here.writer:
            return call()  # after a commit
        if self._closed:
            raise Known("SY-110")
        return self._thread.submit(call).result()

    def _unit(self, work: Callable[[Connection], T]) -> T:
        conn = self._writer
        self._calls.clear()
        self._here.conn, self._here.depth = conn, 1
        try:
            failpoint("store")
            conn.execute("BEGIN IMMEDIATE")
            failpoint("store")
            result = work(conn)
            if not is_open(conn):
                raise RuntimeError("the work ended the transaction of its store")
            _require_sound(conn)
            failpoint("store")
            conn.execute("COMMIT")
            failpoint("store")
            assert not is_open(conn), "what is written from now on would be lost"
        except Exception as error:
            if known := self._known(conn, error):
                raise known from error
            raise
        finally:
            self._here.conn, self._here.depth = None, 0
            self._writer = self._after(conn)
        self._run_calls()
        return result

    def _nested(self, work: Callable[[Connection], T]) -> T:
        conn, calls = self._writer, len(self._calls)
        name = f"level_{self._here.depth}"
        self._plainly(conn, f"SAVEPOINT {name}")
        self._here.depth += 1
        try:
            result = work(conn)
        except BaseException:
            del self._calls[calls:]
            if is_open(conn):  # else SQLite itself has rolled everything back (disk full)
                self._plainly(conn, f"ROLLBACK TO {name}")
                self._plainly(conn, f"RELEASE {name}")
            raise
        finally:
            self._here.depth -= 1
        self._plainly(conn, f"RELEASE {name}")
        return result

    def _plainly(self, conn: Connection, sql: str) -> None:
        with self.authorize(None):
            conn.execute(sql)

    def _run_calls(self) -> None:
        calls, self._calls = self._calls, []
        for call in calls:
            try:
                call()
            except Exception:  # noqa: BLE001  the transaction stands; a listener's fault goes to the crash record
                threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread())))

    def _known(self, conn: Connection, error: Exception) -> Known | None:
        """What the environment did, if ``error`` comes from there."""
        code = None if isinstance(error, Known) else cipher.cause(conn, error)
        if code == "SY-104":
            ballast.drop(self.folder)  # room for the outbox to be marked and sent
        return Known(code) if code else None

    def _after(self, conn: Connection) -> Connection:
        """The connection for the next work: free of a transaction, and a new one if this one met a damaged page."""
        if is_open(conn):
            conn.execute("ROLLBACK")
        if cipher.is_sound(conn):
            return conn
        read_only = conn is not self._writer
        fresh = cipher.connect(self.folder / DATABASE, bytes(self._key), "ro" if read_only else "rw")
        try:
            cipher.settle(fresh, journal=False, read_only=read_only or self.read_only)
        except DatabaseError:  # the first page is gone: every work will say so
            fresh.close()
            return conn
        self._opened[self._opened.index(conn)] = fresh
        conn.close()
        return fresh

    def _tables(self, conn: Connection) -> frozenset[str]:
        version = int(cipher.pragma(conn, "schema_version") or 0)
        if version not in self._names:
            rows = conn.execute("SELECT lower(name) FROM sqlite_master").fetchall()
            self._names = {version: frozenset(row[0] for row in rows)}
        return self._names[version]

    def _connect_all(self) -> Connection:
        path, key = self.folder / DATABASE, bytes(self._key)
        try:
            writer = self._keep(cipher.connect(path, key, "rw"))
            cipher.unlock(writer)
            if cipher.pragma(writer, "application_id") != cipher.APPLICATION_ID:
                raise Known("SY-102")
            found = int(cipher.pragma(writer, "user_version") or 0)
            if found > VERSION and not self.read_only:
                raise Known("SY-103", found=found, known=VERSION)
            cipher.settle(writer, journal=True, read_only=self.read_only)
            for _ in range(READERS):
                reader = self._keep(cipher.connect(path, key, "ro"))
                cipher.settle(reader, journal=False, read_only=True)
                self._readers.put(reader)
        except Exception as error:
            self._disconnect()
            if code := cipher.code(error):
                raise Known(code) from error
            raise
        return writer

    def _keep(self, conn: Connection) -> Connection:
        self._opened.append(conn)
        return conn

    def _withdraw_readers(self) -> None:
        for _ in range(READERS):
            self._readers.get()  # waits for a reading work to end

    def _disconnect(self) -> None:
        for conn in reversed(self._opened):  # the writer last: only it can bring the write-ahead log home
            conn.close()
        self._opened.clear()
        self._names.clear()


def _require_sound(conn: Connection) -> None:
    if not cipher.is_sound(conn):
        raise Known("SY-102")


def _pages(progress: Callable[[int, int], None] | None) -> Callable[[int, int, int], None] | None:
    if progress is None:
        return None
    return lambda _status, remaining, total: progress(total - remaining, total)
