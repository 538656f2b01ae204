"""Changes that come close together reach the pages as one."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject, Signal

from desktop.kit.timers import single_shot
from modules.contract import Changed

BURST_MS = 50


class Bursts(QObject):
    """Gathers changes from any thread; ``told(Changed)`` comes on the GUI thread, ``BURST_MS`` after the first of a burst."""

    told = Signal(object)  # Changed: kinds and ids of the whole burst; its origin, "" when there were several
    _began = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._changes: list[Changed] = []
        self._lock = threading.Lock()
        self._burst = single_shot(self, BURST_MS, self._tell)
        self._began.connect(self._begin)

    def hear(self, change: Changed) -> None:
        """On the thread that committed."""
        with self._lock:
            first = not self._changes
            self._changes.append(change)
        if first:
            self._began.emit()

    def stop(self) -> None:
        """On the GUI thread: what has not been told by now is not told any more."""
        self._burst.stop()

    def _begin(self) -> None:
        if not self._burst.isActive():
            self._burst.start()

    def _tell(self) -> None:
        with self._lock:
            changes, self._changes = self._changes, []
        if not changes:
            return
        origins = {change.origin for change in changes}
        self.told.emit(
            Changed(
                frozenset().union(*(change.kinds for change in changes)),
                frozenset().union(*(change.ids for change in changes)),
                origins.pop() if len(origins) == 1 else "",
            )
        )
