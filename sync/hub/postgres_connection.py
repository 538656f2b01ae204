"""One connection to PostgreSQL: transactions over it, and what it must be like."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sync.errors import Known
from sync.hub.postgres_bulk import Bulk
from sync.hub.postgres_words import adapt, statement, without_nul
from sync.hub.storage import Row, Tx

if TYPE_CHECKING:
    from psycopg import Connection

    from sync.hub.objects import Objects

WAIT_S: Final = 10  # for a connection or a reader
_PAGE: Final = 500  # rows of a stream in memory
ASKED: Final = {
    "fsync": ("on",),
    "full_page_writes": ("on",),
    "synchronous_commit": ("on", "remote_apply"),
    "server_encoding": ("UTF8",),
}


class PostgresTx:
    """:class:`sync.hub.storage.Tx` over one connection."""

    def __init__(self, connection: Connection[Any], bulk: Bulk | None = None, objects: Objects | None = None) -> None:
        self._connection = connection
        self.objects = objects
        self.receipts: dict[int, str] = {}
        self._bulk = bulk or Bulk()

    def execute(self, sql: str, values: Mapping[str, Any] | None = None, /) -> int:
        if sql.startswith("ROLLBACK"):
            self._bulk.forget()
        with self._connection.cursor() as cursor:
            return int(_run(cursor, sql, values or {}).rowcount)

    def execute_many(self, sql: str, rows: Sequence[Mapping[str, Any]], /) -> int:
        copied = self._bulk.insert(self._connection, sql, rows)
        if copied is not None:
            return copied
        with self._connection.cursor() as cursor:
            try:
                cursor.executemany(statement(sql), rows)
            except _data_error() as error:
                _require_nul(error)
                cursor.executemany(statement(sql), [without_nul(row) for row in rows])
            return max(cursor.rowcount, 0)

    def add(self, table: str, rows: Sequence[Mapping[str, Any]], /) -> None:
        if rows:
            self._bulk.add(self._connection, table, rows)

    def query(self, sql: str, values: Mapping[str, Any] | None = None, /) -> list[Row]:
        with self._connection.cursor(binary=True) as cursor:
            rows: list[Row] = _run(cursor, sql, values or {}).fetchall()
            return rows

    def one(self, sql: str, values: Mapping[str, Any] | None = None, /) -> Row | None:
        with self._connection.cursor(binary=True) as cursor:
            found: Row | None = _run(cursor, sql, values or {}).fetchone()
            return found

    def stream(self, sql: str, values: Mapping[str, Any] | None = None, /) -> Iterator[Row]:
        with self._connection.cursor(name="stream", binary=True) as cursor:
            cursor.itersize = _PAGE
            yield from _run(cursor, sql, values or {})


def _run(cursor: Any, sql: str, values: Mapping[str, Any]) -> Any:
    try:
        return cursor.execute(statement(sql), values)
    except _data_error() as error:
        _require_nul(error)
        return cursor.execute(statement(sql), without_nul(values))


def _data_error() -> type[Exception]:
    import psycopg

    return psycopg.DataError


def _require_nul(error: Exception) -> None:
    """Go on only after a U+0000, which psycopg refuses before anything is sent; raise the error again otherwise."""
    if "NUL" not in str(error):
        raise error


class Writer:
    """A connection that writes: one transaction at a time over all processes that hold the same advisory lock ``key``."""

    def __init__(self, url: str, key: int, begin: Callable[[Tx], None] = lambda _tx: None) -> None:
        self._url, self._key, self._begin = url, key, begin
        self._bulk = Bulk()
        self.objects: Objects | None = None
        self.connection: Connection[Any] | None = connect(url)

    @contextmanager
    def transaction(self) -> Iterator[Tx]:
        """A transaction that holds the lock; it ends with a durable commit, or leaves nothing."""
        if self.connection is None or self.connection.closed:
            self.connection = None  # the server was away: try again every time
            self.connection = connect(self._url)
            self._bulk.forget()
        connection = self.connection
        tx = PostgresTx(connection, self._bulk, self.objects)
        try:
            tx.execute("SELECT pg_advisory_xact_lock(:key)", {"key": self._key})
            self._begin(tx)
            yield tx
            connection.commit()
        except BaseException:
            self._bulk.forget()
            if not connection.closed:
                connection.rollback()
            raise

    def stands(self) -> bool:
        """A failed statement leaves the transaction open for its savepoint; a lost connection does not."""
        return self.connection is not None and not self.connection.closed

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()


def connect(url: str) -> Connection[Any]:
    """A connection whose commits are durable. Known HB-162 unreachable, HB-163 not durable."""
    import psycopg

    try:
        connection = psycopg.connect(url, **settings())
    except psycopg.Error as error:
        raise explain(error) from error
    try:
        adapt(connection)
        _require_durable(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def settings() -> dict[str, Any]:
    """What every connection is opened with."""
    from psycopg.rows import dict_row

    return {
        "row_factory": dict_row, "connect_timeout": WAIT_S, "application_name": "sala-hub", "prepare_threshold": 3,
        "options": "-c jit=off -c timezone=UTC -c client_min_messages=warning",
    }  # fmt: skip


def reading(connection: Connection[Any]) -> None:
    """Make a connection a reader: it sees one moment and writes nothing."""
    import psycopg

    adapt(connection)
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.read_only = True


def _require_durable(connection: Connection[Any]) -> None:
    """Known HB-163 when what this server acknowledges could be gone after a power cut."""
    tx = PostgresTx(connection)
    if tx.query("SHOW synchronous_commit")[0]["synchronous_commit"] != "remote_apply":
        tx.execute("SET synchronous_commit = on")
    connection.commit()
    for name, allowed in ASKED.items():
        found = tx.query(f"SHOW {name}")[0][name]
        if found not in allowed:
            raise Known("HB-163", setting=f"{name} = {found}")
    connection.commit()


def busy(error: Exception) -> bool:
    """Whether a lock was not given in time."""
    import psycopg

    return isinstance(error, psycopg.errors.LockNotAvailable)


def explain(error: Exception) -> Exception:
    """A full disk and a server that is away are no bugs: say so. HB-102, HB-162."""
    import psycopg
    from psycopg_pool import PoolTimeout

    if isinstance(error, psycopg.errors.DiskFull):
        return Known("HB-102")
    if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
        return error
    away = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout)
    if isinstance(error, away) and not isinstance(error, psycopg.errors.QueryCanceled):
        return Known("HB-162")
    return error
