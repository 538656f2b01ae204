"""The hub on PostgreSQL: the same contract as on SQLite, for several hub processes over one database.

One writer at a time over all processes, held by an advisory lock that lives as long as its transaction: the log is strictly serial, the
order of acceptance has no holes, labels never race. Parsing and checking, which cost most, go on in parallel in every process. A commit
returns when the server has flushed it: the connection asks for it, and a server that was told not to flush is refused.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sync.errors import Known
from sync.hub import migrations, postgres_months
from sync.hub.grouping import GroupCommit
from sync.hub.postgres_bulk import Bulk
from sync.hub.postgres_words import adapt, statement, without_nul
from sync.hub.storage import Row, Tx

if TYPE_CHECKING:
    from psycopg import Connection

T = TypeVar("T")
logger = logging.getLogger(__name__)

READERS: Final = 8
WAIT_S: Final = 10  # for a connection or a reader
WRITER: Final = 0x53414C41  # "SALA": the advisory lock of whoever writes
_PAGE: Final = 500  # rows of a stream in memory
_ASKED: Final = {
    "fsync": ("on",),
    "full_page_writes": ("on",),
    "synchronous_commit": ("on", "remote_apply"),
    "server_encoding": ("UTF8",),
}
_MONTH_CHECK_S: Final = 3_600


class PostgresTx:
    """:class:`sync.hub.storage.Tx` over one connection."""

    def __init__(self, connection: Connection[Any], bulk: Bulk | None = None) -> None:
        self._connection = connection
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


class PostgresStorage:
    """One database of a server. ``before_commit`` runs once a group inside its transaction (the log signs its checkpoint there)."""

    def __init__(
        self, url: str, *, before_commit: Callable[[Tx], None] = lambda _tx: None, now_ms: Callable[[], int] | None = None
    ) -> None:  # fmt: skip
        from psycopg_pool import ConnectionPool

        self._url = url
        self.before_commit = before_commit
        self._now_ms = now_ms or (lambda: time.time_ns() // 1_000_000)
        self._bulk = Bulk()
        self._months_checked = time.monotonic()
        self._connection: Connection[Any] | None = self._connect()
        try:
            self._prepare(self._connection)
        except BaseException:
            self._connection.close()
            raise
        self._readers: ConnectionPool[Connection[Any]] = ConnectionPool(
            url, kwargs=_settings(), configure=_reader, min_size=1, max_size=READERS, timeout=WAIT_S, open=True, name="hub-readers"
        )  # fmt: skip
        self._group = GroupCommit(self._transaction, self._stands, lambda tx: self.before_commit(tx), _environment)

    def write(self, work: Callable[[Tx], T]) -> T:
        return self._group.write(work)

    def read(self, work: Callable[[Tx], T]) -> T:
        import psycopg
        from psycopg_pool import PoolTimeout

        self._group.require_open()
        try:
            with self._readers.connection() as connection:
                try:
                    return work(PostgresTx(connection))
                finally:
                    if not connection.closed:
                        connection.rollback()
        except (psycopg.Error, PoolTimeout) as error:
            raise _environment(error) from error

    def close(self) -> None:
        """Finish the works that wait and let the server go. Once more does no harm."""
        if self._group.close():
            self._readers.close()
            if self._connection is not None:
                self._connection.close()

    # --- inside

    def _connect(self) -> Connection[Any]:
        import psycopg

        try:
            connection = psycopg.connect(self._url, **_settings())
        except psycopg.Error as error:
            raise _environment(error) from error
        try:
            adapt(connection)
            _require_durable(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: Connection[Any]) -> None:
        """Bring the tables to this program's release; whoever comes at the same time waits."""
        tx = PostgresTx(connection)
        with connection.transaction():
            _lock(tx)
            found = 0
            if tx.query("SELECT to_regclass('alembic_version') IS NOT NULL AS yes")[0]["yes"]:
                found = int(tx.query("SELECT version_num FROM alembic_version")[0]["version_num"])
            if found > migrations.HEAD:
                raise Known("HB-101", found=found, known=migrations.HEAD)
            if found < migrations.HEAD:
                migrations.upgrade_postgres(connection)
            _count_on(tx)
            postgres_months.ensure(tx, self._now_ms())

    @contextmanager
    def _transaction(self) -> Iterator[Tx]:
        if self._connection is None or self._connection.closed:
            self._connection = None  # the server was away: try again with every group
            self._connection = self._connect()
            self._bulk.forget()
        connection = self._connection
        tx = PostgresTx(connection, self._bulk)
        try:
            _lock(tx)
            self._keep_months(tx)
            yield tx
            connection.commit()
        except BaseException:
            self._bulk.forget()
            if not connection.closed:
                connection.rollback()
            raise

    def _keep_months(self, tx: Tx) -> None:
        """Once an hour. A long reading (an export) may hold the tables: then the next hour will do, ingest does not wait."""
        if time.monotonic() - self._months_checked < _MONTH_CHECK_S:
            return
        self._months_checked = time.monotonic()
        tx.execute("SAVEPOINT months")
        try:
            tx.execute("SET LOCAL lock_timeout = '2s'")
            made = postgres_months.ensure(tx, self._now_ms())
        except Exception as error:
            if not _busy(error):
                raise
            logger.warning("the partitions of the next months must wait for a reader")
            tx.execute("ROLLBACK TO months")
        else:
            tx.execute("SET LOCAL lock_timeout = 0")
            if made:
                logger.info("new partitions: %s", ", ".join(made))
        tx.execute("RELEASE months")

    def _stands(self) -> bool:
        """A failed statement leaves the transaction open for its savepoint; a lost connection does not."""
        return self._connection is not None and not self._connection.closed


def _settings() -> dict[str, Any]:
    from psycopg.rows import dict_row

    return {
        "row_factory": dict_row, "connect_timeout": WAIT_S, "application_name": "sala-hub", "prepare_threshold": 3,
        "options": "-c jit=off -c timezone=UTC -c client_min_messages=warning",
    }  # fmt: skip


def _reader(connection: Connection[Any]) -> None:
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
    for name, allowed in _ASKED.items():
        found = tx.query(f"SHOW {name}")[0][name]
        if found not in allowed:
            raise Known("HB-163", setting=f"{name} = {found}")
    connection.commit()


def _lock(tx: Tx) -> None:
    tx.execute("SELECT pg_advisory_xact_lock(:key)", {"key": WRITER})


def _count_on(tx: Tx) -> None:
    """Set every counter behind the largest number in use: rows that a restore wrote with their numbers do not move it."""
    for row in tx.query(
        """SELECT c.table_name, c.column_name FROM information_schema.columns c
           WHERE c.table_schema = current_schema() AND c.column_default LIKE 'nextval(%' AND EXISTS (
               SELECT 1 FROM pg_class r WHERE r.relname = c.table_name AND r.relnamespace = current_schema()::regnamespace
               AND NOT r.relispartition)
           ORDER BY c.table_name, c.column_name"""
    ):
        table, column = row["table_name"], row["column_name"]
        tx.query(
            f"""SELECT setval(pg_get_serial_sequence('{table}', '{column}'), max({column})) AS reached FROM {table}
                HAVING max({column}) IS NOT NULL"""
        )


def _busy(error: Exception) -> bool:
    import psycopg

    return isinstance(error, psycopg.errors.LockNotAvailable)


def _environment(error: Exception) -> Exception:
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
