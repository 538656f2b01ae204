"""Group commit: one thread runs the works in the order in which they came, up to 64 of them in one durable transaction.

A work that fails is undone alone and only its caller hears of it; a commit that fails is everybody's, and nothing of it is stored.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Any, Final, TypeVar

from sync.failpoint import failpoint
from sync.hub.storage import Tx

T = TypeVar("T")

GROUP: Final = 64  # works that may share one commit
Work = Callable[[Tx], Any]


class GroupCommit:
    """The writing side of a database.

    ``transaction()`` opens one and commits it at its end, or undoes it when an exception comes through; ``stands()``: whether it is
    still open, so that a single work can be undone; ``explain`` turns what the database raises into what a caller understands.
    """

    def __init__(
        self,
        transaction: Callable[[], AbstractContextManager[Tx]],
        stands: Callable[[], bool],
        before_commit: Callable[[Tx], None],
        explain: Callable[[Exception], Exception],
    ) -> None:
        self._transaction, self._stands = transaction, stands
        self._before_commit, self._explain = before_commit, explain
        self._works: queue.SimpleQueue[tuple[Work, Future[Any]] | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="hub-writer", daemon=True)
        self._thread.start()

    def write(self, work: Callable[[Tx], T]) -> T:
        """Run ``work`` and return when it is durable."""
        self.require_open()
        done: Future[T] = Future()
        self._works.put((work, done))
        return done.result()

    def require_open(self) -> None:
        """RuntimeError after :meth:`close`: nobody must wait for a database that is gone."""
        if self._closed:
            raise RuntimeError("the hub's database is closed")

    def waiting(self) -> int:
        """Works that nobody has begun."""
        return self._works.qsize()

    def close(self) -> bool:
        """Finish the works that wait; False when that was done before."""
        if self._closed:
            return False
        self._closed = True
        self._works.put(None)
        self._thread.join()
        return True

    # --- inside

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

    def _commit(self, group: list[tuple[Work, Future[Any]]]) -> None:
        outcomes: list[tuple[Future[Any], Any, BaseException | None]] = []
        try:
            with self._transaction() as tx:
                for work, done in group:
                    outcomes.append((done, *self._one(tx, work)))
                self._before_commit(tx)
                failpoint("hub:before-commit")
        except Exception as error:  # noqa: BLE001  nothing of the group is stored: every caller must hear it
            for _, done in group:
                done.set_exception(self._explain(error))
            return
        failpoint("hub:after-commit")
        for done, result, failure in outcomes:
            if failure is None:
                done.set_result(result)
            else:
                done.set_exception(failure)

    def _one(self, tx: Tx, work: Work) -> tuple[Any, BaseException | None]:
        tx.execute("SAVEPOINT work")
        try:
            result = work(tx)
        except Exception as error:  # whatever it is, its caller hears it and the others go on
            if not self._stands():  # a full disk or a lost connection undoes everything
                raise
            tx.execute("ROLLBACK TO work")
            tx.execute("RELEASE work")
            return None, self._explain(error)
        tx.execute("RELEASE work")
        return result, None
