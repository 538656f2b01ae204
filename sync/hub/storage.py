"""What the hub asks of a database: SQLite and PostgreSQL keep the same contract and pass the same tests.

SQL uses named parameters (``:hash``) and only what both databases understand (``INSERT … ON CONFLICT``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from sync.hub.objects import Objects

T = TypeVar("T")
Row = dict[str, Any]


class Tx(Protocol):
    """One open transaction, or one consistent reading."""

    objects: Objects | None  # where the raw bytes of batches lie that are not in their rows

    def execute(self, sql: str, values: Mapping[str, Any] | None = None, /) -> int:
        """Run one writing statement; the number of rows that it touched."""
        ...

    def execute_many(self, sql: str, rows: Sequence[Mapping[str, Any]], /) -> int: ...
    def query(self, sql: str, values: Mapping[str, Any] | None = None, /) -> list[Row]: ...
    def one(self, sql: str, values: Mapping[str, Any] | None = None, /) -> Row | None: ...
    def stream(self, sql: str, values: Mapping[str, Any] | None = None, /) -> Iterator[Row]:
        """The rows one after the other, a bounded number of them in memory: for exports of millions."""
        ...


class Storage(Protocol):
    """A database of the hub."""

    def write(self, work: Callable[[Tx], T]) -> T:
        """Run ``work`` in one transaction and return when it is durable; works that come together may share one."""
        ...

    def write_beside(self, work: Callable[[Tx], T]) -> T:
        """As :meth:`write`, for what stands beside the log: the tables of projections and their cursors. Nothing is signed with it,
        and where the database allows it, ingest does not wait for it."""
        ...

    def read(self, work: Callable[[Tx], T]) -> T:
        """Run ``work`` over one consistent reading."""
        ...

    def close(self) -> None: ...

    objects: Objects | None  # what every transaction is given
    before_commit: Callable[[Tx], None]  # runs once a group inside its transaction (the log signs its checkpoint there)
