"""Group commit: one thread runs the works that came, up to 64 of them in one durable transaction.

Works of one kind (batches) are done with one call for all of them, which asks the database a few things instead of a few things each.
A work that fails is undone alone and only its caller hears of it: when a call for many fails, all of it is undone and each is done
alone. A commit that fails is everybody's, and nothing of it is stored.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from sync.failpoint import failpoint
from sync.hub.storage import Tx

T = TypeVar("T")
Item = TypeVar("Item")

GROUP: Final = 64  # works that may share one commit
Together = Callable[[Tx, Sequence[Any]], Sequence[Any]]  # the results of so many items, in their order
Outcome = tuple[Any, BaseException | None]


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One thing to do, and where its caller waits."""

    work: Together
    item: Any
    done: Future[Any] = field(default_factory=Future)


class GroupCommit:
    """The writing side of a database.

    ``transaction()`` opens one and commits it at its end, or undoes it when an exception comes through; ``stands()``: whether it is
    still open, so that a single work can be undone; ``explain`` turns what the database raises into what a caller understands;
    ``gather()`` waits a moment for works that are about to come.
    """

    def __init__(
        self,
        transaction: Callable[[], AbstractContextManager[Tx]],
        stands: Callable[[], bool],
        before_commit: Callable[[Tx], None],
        explain: Callable[[Exception], Exception],
        gather: Callable[[], None] = lambda: None,
    ) -> None:
        self._transaction, self._stands = transaction, stands
        self._before_commit, self._explain, self._gather = before_commit, explain, gather
        self._works: queue.SimpleQueue[Asked | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="hub-writer", daemon=True)
        self._thread.start()

    def write(self, work: Callable[[Tx], T]) -> T:
        """Run ``work`` and return when it is durable."""
        return self.write_together(lambda tx, _: [work(tx)], None)

    def write_together(self, work: Callable[[Tx, Sequence[Item]], Sequence[T]], item: Item) -> T:
        """What ``work`` makes of ``item``, when it is durable; items that come together are given to one call of the same ``work``."""
        self.require_open()
        asked = Asked(work, item)
        self._works.put(asked)
        found: T = asked.done.result()
        return found

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
            self._gather()
            self._commit(first)

    def _more(self) -> Iterator[Asked]:
        """What else has come meanwhile, as much as one group may hold."""
        for _ in range(GROUP - 1):
            if self._works.empty():
                return
            following = self._works.get()
            if following is None:
                self._works.put(None)
                return
            yield following

    def _commit(self, first: Asked) -> None:
        group, outcomes = [first], list[tuple[Asked, Outcome]]()
        try:
            with self._transaction() as tx:
                group += self._more()  # now: another process may have kept the database for long
                kinds: dict[
                    Together, list[Asked]
                ] = {}  # nobody waits for a neighbour, so the order between kinds is free
                for asked in group:
                    kinds.setdefault(asked.work, []).append(asked)
                for alike in kinds.values():
                    outcomes += zip(alike, self._all(tx, alike), strict=True)
                self._before_commit(tx)
                failpoint("hub:before-commit")
        except Exception as error:  # noqa: BLE001  nothing of the group is stored: every caller must hear it
            for asked in group:
                asked.done.set_exception(self._explain(error))
            return
        failpoint("hub:after-commit")
        for asked, (result, failure) in outcomes:
            if failure is None:
                asked.done.set_result(result)
            else:
                asked.done.set_exception(failure)

    def _all(self, tx: Tx, alike: list[Asked]) -> list[Outcome]:
        """What became of works of one kind, in their order."""
        results, failure = self._try(tx, alike)
        if failure is None:
            return [(result, None) for result in results]
        if len(alike) == 1:
            return [(None, failure)]
        return [found for asked in alike for found in self._all(tx, [asked])]

    def _try(self, tx: Tx, alike: list[Asked]) -> tuple[Sequence[Any], BaseException | None]:
        """One call for all of them: it holds, or leaves nothing but its failure."""
        tx.execute("SAVEPOINT work")
        try:
            results = alike[0].work(tx, [asked.item for asked in alike])
        except Exception as error:  # whatever it is, its caller hears it and the others go on
            if not self._stands():  # a full disk or a lost connection undoes everything
                raise
            tx.execute("ROLLBACK TO work")
            tx.execute("RELEASE work")
            return (), self._explain(error)
        tx.execute("RELEASE work")
        return results, None
