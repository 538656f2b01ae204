"""Whose turn it is to work beside the log, over all hub processes of one database: an advisory lock on a connection of its own.

It only saves work: cursors keep what is made right when the lock is lost with its connection in the middle.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from sync.hub.postgres_connection import connect, explain

if TYPE_CHECKING:
    from psycopg import Connection

KEY: Final = 0x53414C43  # "SALC", after those of the writers


class Turn:
    """The turn of this process and its threads. Known HB-162 when the server is away."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._here = threading.Lock()  # one connection: one thread of this process
        self._connection: Connection[Any] | None = None

    @contextmanager
    def taken(self, *, wait: bool) -> Iterator[bool]:
        """Have the turn; without ``wait`` False, and nothing, when somebody else has it."""
        if not self._here.acquire(blocking=wait):
            yield False
            return
        try:
            yield self._take(wait=wait)
        finally:
            self._let_go()
            self._here.release()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    # --- inside

    def _take(self, *, wait: bool) -> bool:
        import psycopg

        try:
            if self._connection is None or self._connection.closed:
                self._connection = connect(self._url)
            if wait:
                self._connection.execute("SELECT pg_advisory_xact_lock(%s)", [KEY])
                return True
            found = self._connection.execute("SELECT pg_try_advisory_xact_lock(%s) AS mine", [KEY]).fetchone()
            return bool(found and found["mine"])
        except psycopg.Error as error:
            raise explain(error) from error

    def _let_go(self) -> None:
        import psycopg

        if self._connection is not None and not self._connection.closed:
            with suppress(psycopg.Error):  # the connection broke: the lock went with it
                self._connection.rollback()
