"""A bound on the speed of the line: bytes pass in small slices, never more in a second than is allowed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

SLICE: Final = 16 << 10  # bytes between two looks at the clock and at the cancel button
_BURST_S: Final = 0.25  # so much may pass at once after a rest
_NAP_S: Final = 0.2  # the longest sleep without a look at the cancel button


class Throttle:
    """A token bucket. ``rate``: bytes a second, 0: no bound."""

    def __init__(
        self, rate: int, *, now: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._rate, self._now, self._sleep = rate, now, sleep
        self._free_at = now()  # when what has passed is paid for

    @property
    def slice(self) -> int:
        """Bytes that should pass at a time."""
        return max(512, min(SLICE, int(self._rate * _BURST_S))) if self._rate else SLICE

    def take(self, count: int, look: Callable[[], None] = lambda: None) -> None:
        """Wait until ``count`` more bytes may pass; ``look`` is called between naps and may raise."""
        look()
        if not self._rate:
            return
        self._free_at = max(self._free_at, self._now() - _BURST_S) + count / self._rate
        while (wait := self._free_at - self._now()) > 0:
            self._sleep(min(wait, _NAP_S))
            look()
