"""Bursts of uploads: receipts are awaited, what is made of the records is not. While a burst lasts, work beside the log gives way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

QUIET_S: Final = 0.5  # without an upload: the burst is over; storing a thousand records takes longer than a tenth
LONGEST_S: Final = 30  # so long work beside gives way; then it goes on at its full pace, whatever comes
SHARE: Final = 9  # it rests so many times as long as it worked
_REST_S: Final = 1  # at most, at once

Rest = Callable[[float], None]  # told after each piece of work how many seconds that took


def never(_worked_s: float) -> None:
    """The rest of whoever is waited for."""


class Burst:
    """When uploads came, and how long work beside them rests."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._began = self._last = clock() - QUIET_S

    def came(self) -> None:
        """An upload came."""
        now = self._clock()
        with self._lock:
            if now - self._last >= QUIET_S:
                self._began = now
            self._last = now

    def rest(self, worked_s: float) -> None:
        """Give way after a piece of work of so many seconds, if uploads come just now."""
        now = self._clock()
        if now - self._last < QUIET_S and now - self._began < LONGEST_S:
            self._sleep(min(SHARE * worked_s, _REST_S))
