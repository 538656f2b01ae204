"""Whose turn it is to compute: Python lets one thread at a time, and changes them only every few milliseconds.

The thread that writes waits for the database many times in a transaction. If others compute meanwhile, it loses its turn each time:
with seven of them a commit took twenty times as long, and everybody waits for commits. So batches are checked one at a time, and none
while a group is being stored.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

GATHER_S: Final = 0.05  # no batch waits longer for its neighbours


class Turns:
    """One at a time, and whoever stores goes first."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._taken = False
        self._storing = 0
        self._waiting = 0  # of those that check

    @contextmanager
    def checking(self) -> Iterator[None]:
        """The turn of one that checks."""
        with self._changed:
            self._waiting += 1
            self._changed.wait_for(lambda: not self._taken and not self._storing)
            self._waiting -= 1
            self._taken = True
        try:
            yield
        finally:
            self._free()

    def gather(self, longest_s: float = GATHER_S) -> None:
        """Let those that wait for their turn to check have it first: their batches then share the group that is about to begin."""
        with self._changed:
            self._changed.wait_for(lambda: not self._taken and not self._waiting, longest_s)

    @contextmanager
    def storing(self) -> Iterator[None]:
        """The turn of the one that stores: the next, whoever waits."""
        with self._changed:
            self._storing += 1
            self._changed.wait_for(lambda: not self._taken)
            self._taken = True
        try:
            yield
        finally:
            with self._changed:
                self._storing -= 1
            self._free()

    def _free(self) -> None:
        with self._changed:
            self._taken = False
            self._changed.notify_all()
