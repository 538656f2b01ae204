"""How many requests one address may make. Whoever comes too fast is told when to come again (503, Retry-After): a laptop waits
and loses nothing. A whole office may stand behind one address, so the bound is wide; it stops floods, not mornings.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

BURST: Final = 2_000  # requests at once
A_SECOND: Final = 100  # requests a second for ever
_ADDRESSES: Final = 10_000  # remembered; the oldest is forgotten first


class Pace:
    """A token bucket an address."""

    def __init__(
        self, burst: int = BURST, a_second: float = A_SECOND, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst, self._a_second, self._clock = burst, a_second, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, when
        self._lock = threading.Lock()

    def wait_s(self, address: str) -> int:
        """0: go on. Otherwise the seconds until the next request of ``address`` is welcome."""
        now = self._clock()
        with self._lock:
            tokens, since = self._buckets.pop(address, (float(self._burst), now))
            tokens = min(self._burst, tokens + (now - since) * self._a_second)
            welcome = tokens >= 1
            self._buckets[address] = (tokens - 1 if welcome else tokens, now)
            if len(self._buckets) > _ADDRESSES:
                self._buckets.popitem(last=False)
        return 0 if welcome else max(1, round((1 - tokens) / self._a_second))
