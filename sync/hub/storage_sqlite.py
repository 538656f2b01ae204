"""The hub on SQLite: WAL with full synchronisation, one writer thread, and up to 64 works in one durable commit."""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from sync.errors import Known
from sync.failpoint import failpoint
from sync.hub import migrations
from sync.hub.storage import Row, Tx

T = TypeVar("T")

DATABASE: Final = "hub.db"
GROUP: Final = 64  # works that may share one commit
READERS: Final = 4


class SqliteTx:
    """:class:`sync.hub.storage.Tx` over one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, values: Mapping[str, Any] | None = None, /) -> int:
        return self._connection.execute(sql, dict(values or {})).rowcount

    def execute_many(self, sql: str, rows: Sequence[Mapping[str, Any]], /) -> int:
        return self._connection.executemany(sql, rows).rowcount

    def query(self, sql: str, values: Mapping[str, Any] | None = None, /) -> list[Row]:
        cursor = self._connection.execute(sql, dict(values or {}))
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def one(self, sql: str, values: Mapping[str, Any] | None = None, /) -> Row | None:
        rows = self.query(sql, values)
        return rows[0] if rows else None

    def stream(self, sql: str, values: Mapping[str, Any] | None = None, /) -> Iterator[Row]:
        cursor = self._connection.execute(sql, dict(values or {}))
        names = [column[0] for column in cursor.description]
        for row in cursor:
            yield dict(zip(names, row, strict=True))


class SqliteStorage:
    """One database file. ``before_commit`` runs once a group inside its transaction (the log signs its checkpoint there)."""

    def __init__(self, folder: Path, *, before_commit: Callable[[Tx], None] = lambda _tx: None) -> None:
        self._path = folder / DATABASE
        self.before_commit = before_commit
        self._works: queue.SimpleQueue[tuple[Callable[[Tx], Any], Future[Any]] | None] = queue.SimpleQueue()
        self._readers: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        self._closed = False
        self._writer = self._connect()
        self._prepare()
        for _ in range(READERS):
            self._readers.put(self._connect(read_only=True))
        self._thread = threading.Thread(target=self._run, name="hub-writer", daemon=True)
        self._thread.start()

    def write(self, work: Callable[[Tx], T]) -> T:
        if self._closed:
            raise RuntimeError("the hub's database is closed")
        done: Future[T] = Future()
        self._works.put((work, done))
        return done.result()

    def read(self, work: Callable[[Tx], T]) -> T:
        connection = self._readers.get()
        try:
            connection.execute("BEGIN")
            try:
                return work(SqliteTx(connection))
            finally:
                connection.execute("ROLLBACK")
        finally:
            self._readers.put(connection)

    def close(self) -> None:
        """Finish the works that wait and let the file go. Once more does no harm."""
        if self._closed:
            return
        self._closed = True
        self._works.put(None)
        self._thread.join()
        self._writer.close()
        for _ in range(READERS):
            self._readers.get().close()

    # --- inside

    def _connect(self, *, read_only: bool = False) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, cached_statements=256)
        connection.execute("PRAGMA busy_timeout = 5000")
        connection.execute("PRAGMA trusted_schema = OFF")
        if read_only:
            connection.execute("PRAGMA query_only = ON")
        else:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA cache_size = -65536")
        return connection

    def _prepare(self) -> None:
        found = self._writer.execute("PRAGMA user_version").fetchone()[0]
        if found > migrations.HEAD:
            raise Known("HB-101", found=found, known=migrations.HEAD)
        if found < migrations.HEAD:
            with self._transaction():
                migrations.upgrade_sqlite(self._writer, adopted=1 if found == 1 else 0)  # 1: made before Alembic came
                self._writer.execute(f"PRAGMA user_version = {migrations.HEAD}")

    @contextmanager
    def _transaction(self) -> Any:
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            yield
            failpoint("hub:before-commit")
            self._writer.execute("COMMIT")
        except BaseException:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            raise

    def _run(self) -> None:
        while (first := self._works.get()) is not None:
            group = [first]
            while len(group) < GROUP and not self._works.empty():
                following = self._works.get()
                if following is None:
                    self._works.put(None)
                    break
                group.append(following)
            self._commit(group)

    def _commit(self, group: list[tuple[Callable[[Tx], Any], Future[Any]]]) -> None:
        """One transaction for the group; a work that fails is undone alone and the others go on."""
        outcomes: list[tuple[Future[Any], Any, BaseException | None]] = []
        tx = SqliteTx(self._writer)
        try:
            with self._transaction():
                for work, done in group:
                    outcomes.append((done, *self._one(tx, work)))
                self.before_commit(tx)
        except Exception as error:  # noqa: BLE001  nothing of the group is stored: every caller must hear it
            for _, done in group:
                done.set_exception(_environment(error))
            return
        failpoint("hub:after-commit")
        for done, result, failure in outcomes:
            if failure is None:
                done.set_result(result)
            else:
                done.set_exception(failure)

    def _one(self, tx: Tx, work: Callable[[Tx], Any]) -> tuple[Any, BaseException | None]:
        self._writer.execute("SAVEPOINT work")
        try:
            result = work(tx)
        except Exception as error:  # whatever it is, its caller hears it and the others go on
            if not self._writer.in_transaction:  # a full disk rolls back everything
                raise
            self._writer.execute("ROLLBACK TO work")
            self._writer.execute("RELEASE work")
            return None, _environment(error)
        self._writer.execute("RELEASE work")
        return result, None


def _environment(error: Exception) -> Exception:
    """A full disk is no bug: say so."""
    if isinstance(error, sqlite3.OperationalError) and "full" in str(error):
        return Known("HB-102")
    return error
