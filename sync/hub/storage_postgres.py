"""The hub on PostgreSQL: the same contract as on SQLite, for several hub processes over one database.

One writer at a time over all processes, held by an advisory lock that lives as long as its transaction: the log is strictly serial, the
order of acceptance has no holes, labels never race. Projections have a lock of their own, so that a receipt never waits for them, and
one process at a time works beside the log.
Parsing and checking, which cost most, go on in parallel in every process. A commit returns when the server has flushed it: the
connection asks for it, and a server that was told not to flush is refused.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sync.errors import Known
from sync.hub import migrations, postgres_months
from sync.hub.grouping import GroupCommit
from sync.hub.postgres_connection import WAIT_S, PostgresTx, Writer, busy, explain, reading, settings
from sync.hub.postgres_turn import Turn
from sync.hub.storage import Row, Tx

if TYPE_CHECKING:
    from psycopg import Connection

    from sync.hub.objects import Objects

T = TypeVar("T")
Item = TypeVar("Item")
logger = logging.getLogger(__name__)

READERS: Final = 8
WRITER: Final = 0x53414C41  # "SALA": the advisory lock of whoever writes
BESIDE: Final = 0x53414C42  # and of whoever writes beside: projections
_MONTH_CHECK_S: Final = 3_600


class PostgresStorage:
    """One database of a server. ``before_commit`` runs once a group inside its transaction (the log signs its checkpoint there)."""

    def __init__(
        self, url: str, *, before_commit: Callable[[Tx], None] = lambda _tx: None, now_ms: Callable[[], int] | None = None
    ) -> None:  # fmt: skip
        from psycopg_pool import ConnectionPool

        self._url = url
        self.before_commit = before_commit
        self.before_group: Callable[[], None] = lambda: None
        self._now_ms = now_ms or (lambda: time.time_ns() // 1_000_000)
        self._months_checked = time.monotonic()
        self._writer = Writer(url, WRITER, self._keep_months)
        try:
            self._prepare()
            self._beside = Writer(url, BESIDE)
            self._turn = Turn(url)
        except BaseException:
            self._writer.close()
            raise
        self._readers: ConnectionPool[Connection[Any]] = ConnectionPool(
            url, kwargs=settings(), configure=reading, min_size=1, max_size=READERS, timeout=WAIT_S, open=True, name="hub-readers"
        )  # fmt: skip
        self._group = GroupCommit(
            self._writer.transaction,
            self._writer.stands,
            lambda tx: self.before_commit(tx),
            explain,
            lambda: self.before_group(),
        )
        self._group_beside = GroupCommit(self._beside.transaction, self._beside.stands, lambda _tx: None, explain)

    @property
    def objects(self) -> Objects | None:
        """Where raw batches lie that are not in their rows."""
        return self._writer.objects

    @objects.setter
    def objects(self, place: Objects | None) -> None:
        self._writer.objects = self._beside.objects = place

    def write(self, work: Callable[[Tx], T]) -> T:
        return self._group.write(work)

    def write_together(self, work: Callable[[Tx, Sequence[Item]], Sequence[T]], item: Item) -> T:
        return self._group.write_together(work, item)

    def write_beside(self, work: Callable[[Tx], T]) -> T:
        return self._group_beside.write(work)

    def turn(self, *, wait: bool = True) -> AbstractContextManager[bool]:
        return self._turn.taken(wait=wait)

    def read(self, work: Callable[[Tx], T]) -> T:
        with self._reader() as connection:
            try:
                return work(PostgresTx(connection, objects=self.objects))
            finally:
                if not connection.closed:
                    connection.rollback()

    def ask(self, sql: str, values: Mapping[str, Any], /) -> list[Row]:
        with self._reader() as connection:
            connection.autocommit = True  # one statement sees one moment anyway: nothing to begin, nothing to end
            try:
                return PostgresTx(connection).query(sql, values)
            finally:
                if not connection.closed:
                    connection.autocommit = False

    @contextmanager
    def _reader(self) -> Iterator[Connection[Any]]:
        import psycopg
        from psycopg_pool import PoolTimeout

        self._group.require_open()
        try:
            with self._readers.connection() as connection:
                yield connection
        except (psycopg.Error, PoolTimeout) as error:
            raise explain(error) from error

    def close(self) -> None:
        """Finish the works that wait and let the server go. Once more does no harm."""
        if self._group.close():
            self._group_beside.close()
            self._readers.close()
            self._writer.close()
            self._beside.close()
            self._turn.close()

    # --- inside

    def _prepare(self) -> None:
        """Bring the tables to this program's release; whoever comes at the same time waits."""
        with self._writer.transaction() as tx:
            found = 0
            if tx.query("SELECT to_regclass('alembic_version') IS NOT NULL AS yes")[0]["yes"]:
                found = int(tx.query("SELECT version_num FROM alembic_version")[0]["version_num"])
            if found > migrations.HEAD:
                raise Known("HB-101", found=found, known=migrations.HEAD)
            if found < migrations.HEAD:
                migrations.upgrade_postgres(self._writer.connection)  # type: ignore[arg-type]
            _count_on(tx)
            postgres_months.ensure(tx, self._now_ms())

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
            if not busy(error):
                raise
            logger.warning("the partitions of the next months must wait for a reader")
            tx.execute("ROLLBACK TO months")
        else:
            tx.execute("SET LOCAL lock_timeout = 0")
            if made:
                logger.info("new partitions: %s", ", ".join(made))
        tx.execute("RELEASE months")


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
