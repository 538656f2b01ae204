"""Single-use nonces for signed requests: no clock and no log-in is needed, and a copied request is worth nothing.

A nonce carries its age under a key that lives as long as this process, so giving one costs no memory and a restart ends
them all; only those that a device has truly spent are remembered, until they are too old anyway.
"""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

SIZE: Final = 16
LIFE_MS: Final = 600_000
_STAMP: Final = 5  # bytes of milliseconds since the process began: 34 years
_HEAD: Final = 8  # with three random bytes


class Nonces:
    """The nonces of one process."""

    def __init__(self, mono_ms: Callable[[], int] = lambda: time.monotonic_ns() // 1_000_000) -> None:
        self._mono_ms = mono_ms
        self._began = mono_ms()
        self._key = secrets.token_bytes(32)
        self._spent: OrderedDict[bytes, int] = OrderedDict()
        self._lock = threading.Lock()

    def give(self) -> bytes:
        """A fresh nonce."""
        head = self._now().to_bytes(_STAMP, "big") + secrets.token_bytes(_HEAD - _STAMP)
        return head + self._mark(head)

    def spend(self, nonce: bytes) -> bool:
        """Use up ``nonce``, after the request's signature held; False unless it is ours, young, and was not spent."""
        head, now = nonce[:_HEAD], self._now()
        if len(nonce) != SIZE or not hmac.compare_digest(self._mark(head), nonce[_HEAD:]):
            return False
        if now - int.from_bytes(nonce[:_STAMP], "big") > LIFE_MS:
            return False
        with self._lock:
            while self._spent and now - next(iter(self._spent.values())) > LIFE_MS:
                self._spent.popitem(last=False)
            if nonce in self._spent:
                return False
            self._spent[nonce] = now
            return True

    def _now(self) -> int:
        return self._mono_ms() - self._began

    def _mark(self, head: bytes) -> bytes:
        return hmac.digest(self._key, head, "sha256")[: SIZE - _HEAD]
