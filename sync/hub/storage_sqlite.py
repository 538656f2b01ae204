"""The hub on SQLite: WAL with full synchronisation, one writer and a few readers."""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sync.errors import Known
from sync.hub import inserts, migrations
from sync.hub.grouping import GroupCommit
from sync.hub.storage import Row, Tx

if TYPE_CHECKING:
    from sync.hub.objects import Objects

T = TypeVar("T")
Item = TypeVar("Item")

DATABASE: Final = "hub.db"
READERS: Final = 4
_CHECKPOINT: Final = (
    8_192  # pages (32 MiB): those of indices over hashes change with every commit and are written back once for many
)
_ROWS: Final = 100  # of one INSERT


class SqliteTx:
    """:class:`sync.hub.storage.Tx` over one connection."""

    def __init__(self, connection: sqlite3.Connection, objects: Objects | None = None) -> None:
        self._connection = connection
        self.objects = objects
        self.receipts: dict[int, str] = {}

    def execute(self, sql: str, values: Mapping[str, Any] | None = None, /) -> int:
        return self._connection.execute(sql, dict(values or {})).rowcount

    def execute_many(self, sql: str, rows: Sequence[Mapping[str, Any]], /) -> int:
        """Rows go in by the hundred: for each single one sqlite3 would give other threads a turn, and wait for its own again."""
        found = inserts.read(sql)
        if found is None:
            return self._connection.executemany(sql, rows).rowcount
        return self._insert(found, rows)

    def add(self, table: str, rows: Sequence[Mapping[str, Any]], /) -> None:
        if rows:
            names = tuple(rows[0])
            self._insert(inserts.Insert(table, names, names, ""), rows)

    def _insert(self, into: inserts.Insert, rows: Sequence[Mapping[str, Any]]) -> int:
        total = 0
        for start in range(0, len(rows), _ROWS):
            part = rows[start : start + _ROWS]
            one = f"({', '.join('?' * len(into.names))})"
            many = f"INSERT INTO {into.table} ({', '.join(into.columns)}) VALUES {', '.join([one] * len(part))} {into.tail}"
            total += self._connection.execute(many, [row[name] for row in part for name in into.names]).rowcount
        return total

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
        self.before_group: Callable[[], None] = lambda: None
        self.objects: Objects | None = None
        self._turn = threading.Lock()
        self._readers: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        self._writer = self._connect()
        self._prepare()
        for _ in range(READERS):
            self._readers.put(self._connect(read_only=True))
        self._group = GroupCommit(
            self._transaction, lambda: self._writer.in_transaction, lambda tx: self.before_commit(tx), _environment,
            lambda: self.before_group(),
        )  # fmt: skip

    def write(self, work: Callable[[Tx], T]) -> T:
        return self._group.write(work)

    def write_together(self, work: Callable[[Tx, Sequence[Item]], Sequence[T]], item: Item) -> T:
        return self._group.write_together(work, item)

    def write_beside(self, work: Callable[[Tx], T]) -> T:
        return self._group.write(work)  # a file has one writer

    @contextmanager
    def turn(self, *, wait: bool = True) -> Iterator[bool]:
        mine = self._turn.acquire(blocking=wait)  # one process serves a file
        try:
            yield mine
        finally:
            if mine:
                self._turn.release()

    def read(self, work: Callable[[Tx], T]) -> T:
        self._group.require_open()
        connection = self._readers.get()
        try:
            connection.execute("BEGIN")
            try:
                return work(SqliteTx(connection, self.objects))
            finally:
                connection.execute("ROLLBACK")
        finally:
            self._readers.put(connection)

    def ask(self, sql: str, values: Mapping[str, Any], /) -> list[Row]:
        return self.read(lambda tx: tx.query(sql, values))

    def close(self) -> None:
        """Finish the works that wait and let the file go. Once more does no harm."""
        if self._group.close():
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
            connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT}")
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
    def _transaction(self) -> Iterator[Tx]:
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            yield SqliteTx(self._writer, self.objects)
            self._writer.execute("COMMIT")
        except BaseException:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            raise


def _environment(error: Exception) -> Exception:
    """A full disk is no bug: say so."""
    if isinstance(error, sqlite3.OperationalError) and "full" in str(error):
        return Known("HB-102")
    return error
