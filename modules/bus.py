"""Tells subscribers what a committed command changed. No order is promised; a subscriber's failure never reaches the writer."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from modules.contract import Changed

log = logging.getLogger(__name__)


class Bus:
    """Thread-safe; subscribers run on the thread that committed, so a window hands the news to its own loop."""

    def __init__(self) -> None:
        self._subscribers: list[Callable[[Changed], None]] = []
        self._lock = threading.Lock()

    def subscribe(self, subscriber: Callable[[Changed], None]) -> Callable[[], None]:
        """Call ``subscriber`` after every commit; returns the call that ends it."""
        with self._lock:
            self._subscribers.append(subscriber)

        def unsubscribe() -> None:
            with self._lock:
                if subscriber in self._subscribers:
                    self._subscribers.remove(subscriber)

        return unsubscribe

    def publish(self, changed: Changed) -> None:
        with self._lock:
            subscribers = list(self._subscribers)
        for subscriber in subscribers:
            try:
                subscriber(changed)
            except Exception:  # the record is committed: one broken listener must not look like a failed save
                log.exception("a subscriber failed on a change by %s", changed.origin)
