"""Work off the GUI thread, results back on it. Two threads for commands, one for replication; no event loop of their own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from PySide6.QtCore import QObject, Qt, Signal

T = TypeVar("T")

log = logging.getLogger(__name__)


class Worker(QObject):
    """Runs calls on its threads. Lives on the GUI thread, where every answer arrives."""

    _answers = Signal(object)
    bug = Signal(object)  # an exception that nobody expected

    def __init__(self, threads: int, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._stopped = threading.Event()
        self._answers.connect(self._answer, Qt.ConnectionType.QueuedConnection)

    def run(
        self, call: Callable[[], T], then: Callable[[T], None], failed: Callable[[Exception], None] | None = None
    ) -> Future[None] | None:
        """Call ``call`` on a thread; then ``then(result)``, or ``failed(exception)``, on the GUI thread."""

        if self._stopped.is_set():  # a timer of a window that is going away
            return None

        def work() -> None:
            try:
                result = call()
            except Exception as error:  # noqa: BLE001  # whatever broke is told on the GUI thread
                answer: Callable[[], None] = _refusal(error, failed or self.bug.emit)
            else:
                answer = _result(result, then)
            if not self._stopped.is_set():
                self._answers.emit(answer)

        return self._pool.submit(work)

    def post(self, call: Callable[[], None]) -> None:
        """From any thread: ``call`` soon, on the GUI thread."""
        if not self._stopped.is_set():
            self._answers.emit(call)

    def silence(self) -> None:
        """Nothing is delivered any more."""
        self._stopped.set()

    def stop(self) -> None:
        """Wait for what runs; what has not begun is dropped. Any thread."""
        self._stopped.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _answer(self, answer: Callable[[], None]) -> None:
        if not self._stopped.is_set():
            answer()


def _result(result: T, then: Callable[[T], None]) -> Callable[[], None]:
    return lambda: then(result)


def _refusal(error: Exception, failed: Callable[[Exception], None]) -> Callable[[], None]:
    return lambda: failed(error)
