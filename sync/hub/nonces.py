"""Single-use nonces for signed requests: no clock and no log-in is needed, and a copied request is worth nothing.

A nonce carries its age under a key, so giving one costs no memory; only those that a device has truly spent are remembered, until they
are too old anyway. A hub of one process keeps key and memory to itself, and a restart ends all nonces. Hub processes that share a
database share them too: a laptop may get its nonce from one and spend it at another, and never twice.
"""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sync.clock import Clock
    from sync.hub.storage import Storage, Tx

SIZE: Final = 16
LIFE_MS: Final = 600_000
_STAMP: Final = 5  # bytes of milliseconds since the process began: 34 years
_HEAD: Final = 8  # with three random bytes
_SINCE_MS: Final = 1_704_067_200_000  # 2024: five bytes of milliseconds last until 2058
_PURPOSE: Final = b"sala/nonces/v1"


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
        return _mark(self._key, head)


class SharedNonces:
    """The nonces of all processes over one database. ``secret`` is known to all of them."""

    def __init__(self, storage: Storage, clock: Clock, secret: bytes) -> None:
        self._storage, self._clock = storage, clock
        self._key = hmac.digest(secret, _PURPOSE, "sha256")
        self._swept = 0

    def give(self) -> bytes:
        """A fresh nonce."""
        head = self._now().to_bytes(_STAMP, "big") + secrets.token_bytes(_HEAD - _STAMP)
        return head + _mark(self._key, head)

    def spend(self, nonce: bytes) -> bool:
        """Use up ``nonce``, after the request's signature held; False unless it is ours, young, and nobody has spent it."""
        head, now = nonce[:_HEAD], self._now()
        if len(nonce) != SIZE or not hmac.compare_digest(_mark(self._key, head), nonce[_HEAD:]):
            return False
        if (
            abs(now - int.from_bytes(nonce[:_STAMP], "big")) > LIFE_MS
        ):  # the clocks of several machines may differ a little
            return False
        return self._storage.write(lambda tx: self._spend(tx, nonce, now))

    def _spend(self, tx: Tx, nonce: bytes, now: int) -> bool:
        if now - self._swept > LIFE_MS:
            self._swept = now
            tx.execute("DELETE FROM nonce WHERE spent_ms < :before", {"before": now - 3 * LIFE_MS})
        sql = "INSERT INTO nonce (nonce, spent_ms) VALUES (:nonce, :now) ON CONFLICT (nonce) DO NOTHING"
        return bool(tx.execute(sql, {"nonce": nonce, "now": now}))

    def _now(self) -> int:
        return self._clock.wall_ms() - _SINCE_MS


def _mark(key: bytes, head: bytes) -> bytes:
    return hmac.digest(key, head, "sha256")[: SIZE - _HEAD]
