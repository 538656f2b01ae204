"""Bursts of uploads: receipts are awaited, what is made of the records is not. While a burst lasts, work beside the log gives way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

QUIET_S: Final = 0.1  # without an upload, and none being stored: the burst is over
HELD_S: Final = 10  # so long work beside waits for that end; then it goes on in small pieces
SHARE: Final = 9  # between two of them it rests so many times as long as it worked
LONGEST_S: Final = 30  # from then on it goes on at its full pace, whatever comes
_REST_S: Final = 1  # at most, at once

Rest = Callable[[float], None]  # called before each piece of work, with the seconds that the one before it took


def never(_worked_s: float) -> None:
    """The rest of whoever is waited for."""


class Burst:
    """When uploads came, and how long work beside them rests. ``sleep`` takes seconds; true from it ends every rest."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], object] | None = None
    ) -> None:
        self._ended = threading.Event()
        self._clock, self._sleep = clock, sleep or self._ended.wait
        self._lock = threading.Lock()
        self._taking = 0
        self._began = self._last = clock() - QUIET_S

    @contextmanager
    def taking(self) -> Iterator[None]:
        """While one upload is being checked and stored."""
        with self._lock:
            self._note()
            self._taking += 1
        try:
            yield
        finally:
            with self._lock:
                self._taking -= 1
                self._last = self._clock()

    def came(self) -> None:
        """Something came that was not stored by :meth:`taking`."""
        with self._lock:
            self._note()

    def rest(self, worked_s: float) -> None:
        """Give way before the next piece of work, if uploads come just now. The piece before it took ``worked_s``."""
        while not self._ended.is_set() and (lasted := self._lasted()) is not None and lasted < LONGEST_S:
            if lasted >= HELD_S:
                self._sleep(min(SHARE * worked_s, _REST_S))
                return
            self._sleep(QUIET_S)

    def end(self) -> None:
        """Nobody rests any more."""
        self._ended.set()

    def _note(self) -> None:
        now = self._clock()
        if not self._lasts(now):
            self._began = now
        self._last = now

    def _lasts(self, now: float) -> bool:
        return self._taking > 0 or now - self._last < QUIET_S

    def _lasted(self) -> float | None:
        """Seconds since the burst began; None when there is none."""
        with self._lock:
            now = self._clock()
            return now - self._began if self._lasts(now) else None
