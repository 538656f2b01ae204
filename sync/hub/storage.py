"""What the hub asks of a database: SQLite and PostgreSQL keep the same contract and pass the same tests.

SQL uses named parameters (``:hash``) and only what both databases understand (``INSERT … ON CONFLICT``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from sync.hub.objects import Objects

T = TypeVar("T")
Item = TypeVar("Item")
Row = dict[str, Any]


class Tx(Protocol):
    """One open transaction, or one consistent reading."""

    objects: Objects | None  # where the raw bytes of batches lie that are not in their rows
    receipts: dict[
        int, str
    ]  # of the batches of this transaction by number: filled when the log is sealed, good once it is committed

    def execute(self, sql: str, values: Mapping[str, Any] | None = None, /) -> int:
        """Run one writing statement; the number of rows that it touched."""
        ...

    def execute_many(self, sql: str, rows: Sequence[Mapping[str, Any]], /) -> int: ...
    def add(self, table: str, rows: Sequence[Mapping[str, Any]], /) -> None:
        """Put rows into ``table`` that are new for certain, all with the same columns; a conflict is an error."""
        ...

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

    def write_together(self, work: Callable[[Tx, Sequence[Item]], Sequence[T]], item: Item) -> T:
        """As :meth:`write` for ``work(tx, [item])``; items that come together may be given to one call, results in their order. When
        it fails, all of it is undone and each item gets a call of its own: one never touches another."""
        ...

    def write_beside(self, work: Callable[[Tx], T]) -> T:
        """As :meth:`write`, for what stands beside the log: the tables of projections and their cursors. Nothing is signed with it,
        and where the database allows it, ingest does not wait for it."""
        ...

    def turn(self, *, wait: bool = True) -> AbstractContextManager[bool]:
        """Whoever works beside the log has it meanwhile: of two that began the same piece, one would throw its work away. Over all
        processes where several may serve a database. ``wait``: for whoever has it; without, False when somebody does."""
        ...

    def read(self, work: Callable[[Tx], T]) -> T:
        """Run ``work`` over one consistent reading."""
        ...

    def ask(self, sql: str, values: Mapping[str, Any], /) -> list[Row]:
        """One question with a reading of its own: cheaper than :meth:`read`."""
        ...

    def close(self) -> None: ...

    objects: Objects | None  # what every transaction is given
    before_commit: Callable[[Tx], None]  # runs once a group inside its transaction (the log signs its checkpoint there)
    before_group: Callable[
        [], None
    ]  # waits a moment for works that are about to come: the fewer groups, the less each costs


def listed(name: str, values: Sequence[Any]) -> tuple[str, dict[str, Any]]:
    """``(:name0, :name1, …)`` for ``IN``, and its values: at least one. Only a few lengths exist, so that databases know the statement
    again: the last value fills up."""
    length = 1 << (len(values) - 1).bit_length()
    found = {f"{name}{n}": values[min(n, len(values) - 1)] for n in range(length)}
    return f"({', '.join(f':{key}' for key in found)})", found
