"""Many rows into one table: ``COPY … BINARY`` into it when all are new, else into a temporary table and by one
``INSERT … ON CONFLICT DO NOTHING`` from there.

A few rows that may be there already go the plain way: their round trips cost less than the two statements.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from sync.hub import inserts
from sync.hub.postgres_words import NUL

if TYPE_CHECKING:
    import psycopg

LEAST: Final = 8  # rows from which on copying is quicker


class Bulk:
    """The temporary tables of one connection: one for each table that got many rows at once."""

    def __init__(self) -> None:
        self._copies: set[tuple[str, tuple[str, ...]]] = set()
        self._types: dict[tuple[str, tuple[str, ...]], list[int]] = {}

    def insert(self, connection: psycopg.Connection[Any], sql: str, rows: Sequence[Mapping[str, Any]]) -> int | None:
        """How many rows were new; None when ``sql`` is not such an insert and must go the plain way."""
        found = inserts.read(sql) if len(rows) >= LEAST else None
        if found is None:
            return None
        table, columns = found.table, found.columns
        types = self._kinds(connection, table, columns)
        if (table, columns) not in self._copies:
            self._prepare(connection, table, columns, types)
        names = ", ".join(columns)
        self._copy(connection, f"copy_{table}", columns, types, [[row[name] for name in found.names] for row in rows])
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM copy_{table} {found.tail}")
            fresh = cursor.rowcount
            cursor.execute(
                f"DELETE FROM copy_{table}"
            )  # a truncation makes a new file each time; the commit empties it
        return fresh

    def add(self, connection: psycopg.Connection[Any], table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Put rows into ``table`` that are new for certain."""
        columns = tuple(rows[0])
        types = self._kinds(connection, table, columns)
        self._copy(connection, table, columns, types, [list(row.values()) for row in rows])

    def _copy(
        self, connection: psycopg.Connection[Any], table: str, columns: tuple[str, ...], types: list[int], rows: list[list[Any]]
    ) -> None:  # fmt: skip
        with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)") as copy,
        ):
            copy.set_types(types)
            for row in rows:
                copy.write_row(list(map(_plain, row)))

    def _kinds(self, connection: psycopg.Connection[Any], table: str, columns: tuple[str, ...]) -> list[int]:
        """The types of the columns, by number."""
        if (table, columns) not in self._types:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT attname, atttypid FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0", (table,)
                )
                types = {row["attname"]: int(row["atttypid"]) for row in cursor}
            self._types[table, columns] = [types[name] for name in columns]
        return self._types[table, columns]

    def _prepare(
        self, connection: psycopg.Connection[Any], table: str, columns: tuple[str, ...], types: list[int]
    ) -> None:  # fmt: skip
        made = ", ".join(f"{name} {_NAMES[kind]}" for name, kind in zip(columns, types, strict=True))
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS copy_{table} ({made}) ON COMMIT DELETE ROWS")
        self._copies.add((table, columns))

    def forget(self) -> None:
        """Something was undone, and the making of a temporary table perhaps with it."""
        self._copies.clear()
        self._types.clear()


_NAMES: Final = {17: "BYTEA", 20: "BIGINT", 25: "TEXT", 701: "DOUBLE PRECISION"}  # by the number of the type


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    return value.replace("\0", NUL) if isinstance(value, str) and "\0" in value else value
