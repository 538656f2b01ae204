"""Partitions by month of the device's clock: old months can be moved to slower disks, dumped or compressed apart.

What lies in no month of its own (a clock gone wild, data that a stick brought years later) goes into the default partition, so nothing
is ever refused for its date. A month gets its partition ahead of time; when rows came before it, they are moved into it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from sync.hub.storage import Tx

TABLES: Final = ("batch", "op")
AHEAD: Final = 2  # months after this one that already have a partition
MANY: Final = 10_000  # rows of one past month in the default partition that are worth one of their own
_OLDEST: Final = (2020, 1)  # no laptop ran Sala before


def bounds(year: int, month: int) -> tuple[int, int]:
    """First millisecond of the month, and of the one after it (UTC)."""
    return _first_ms(year, month), _first_ms(*following(year, month))


def _first_ms(year: int, month: int) -> int:
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp() * 1000)


def following(year: int, month: int, n: int = 1) -> tuple[int, int]:
    """The month ``n`` months later."""
    months = year * 12 + month - 1 + n
    return months // 12, months % 12 + 1


def month_of(ms: int) -> tuple[int, int]:
    """The month of a time."""
    moment = datetime.fromtimestamp(ms / 1000, UTC)
    return moment.year, moment.month


def ensure(tx: Tx, now_ms: int) -> list[str]:
    """Make the partitions of this month and the next ones, and of past months that fill the default; the names of the new ones."""
    now = month_of(now_ms)
    made: list[str] = []
    for table in TABLES:
        wanted = {following(*now, n) for n in range(AHEAD + 1)} | _crowded(tx, table, now)
        made += [name for year, month in sorted(wanted) if (name := _make(tx, table, year, month))]
    return made


def partitions(tx: Tx) -> list[dict[str, Any]]:
    """Every partition with its rows (estimated) and bytes, for the console and the command line."""
    return tx.query(
        """SELECT p.relname AS table_name, c.relname AS name, greatest(c.reltuples, 0)::bigint AS n, pg_total_relation_size(c.oid) AS bytes
           FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
           WHERE p.relkind = 'p' ORDER BY p.relname, c.relname"""
    )


def _crowded(tx: Tx, table: str, now: tuple[int, int]) -> set[tuple[int, int]]:
    """Past months with many rows in the default partition."""
    row = tx.query(f"SELECT count(*) AS n, min(wall_ms) AS first FROM {table}_default WHERE wall_ms < :end AND wall_ms >= :start",
                   {"start": bounds(*_OLDEST)[0], "end": bounds(*now)[0]})[0]  # fmt: skip
    found: set[tuple[int, int]] = set()
    month = month_of(row["first"]) if row["n"] >= MANY else now
    while month < now:
        lo, hi = bounds(*month)
        sql = f"SELECT count(*) AS n FROM {table}_default WHERE wall_ms >= :lo AND wall_ms < :hi"
        if tx.query(sql, {"lo": lo, "hi": hi})[0]["n"] >= MANY:
            found.add(month)
        month = following(*month)
    return found


def _make(tx: Tx, table: str, year: int, month: int) -> str:
    """The partition's name when it is new, else nothing."""
    name = f"{table}_{year}_{month:02}"
    if tx.one(
        "SELECT 1 AS yes FROM pg_class WHERE relname = :name AND relnamespace = current_schema()::regnamespace",
        {"name": name},
    ):
        return ""
    lo, hi = bounds(year, month)
    tx.execute(f"CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
    tx.execute(
        f"WITH moved AS (DELETE FROM {table}_default WHERE wall_ms >= {lo} AND wall_ms < {hi} RETURNING *) "
        f"INSERT INTO {name} SELECT * FROM moved"
    )
    tx.execute(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({lo}) TO ({hi})")
    return name
