"""Single-use nonces for signed requests: no clock and no log-in is needed, and a copied request is worth nothing."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from typing import Final

SIZE: Final = 16
MOST: Final = 100_000  # open nonces; the oldest give way, and their holder is simply given another one


class Nonces:
    """The open nonces of one process; a restart forgets them, and every device is given a new one."""

    def __init__(self) -> None:
        self._open: OrderedDict[bytes, None] = OrderedDict()
        self._lock = threading.Lock()

    def give(self) -> bytes:
        nonce = secrets.token_bytes(SIZE)
        with self._lock:
            self._open[nonce] = None
            if len(self._open) > MOST:
                self._open.popitem(last=False)
        return nonce

    def spend(self, nonce: bytes) -> bool:
        """Whether ``nonce`` was open; it is not afterwards."""
        with self._lock:
            return self._open.pop(nonce, self) is None
