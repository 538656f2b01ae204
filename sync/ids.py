"""Ids: those of ops, which sort by time (UUID version 7, RFC 9562 §5.7: Python 3.11 has none), and the names of keys to seal to."""

from __future__ import annotations

import secrets
import threading
from hashlib import sha256

_lock = threading.Lock()
_last = 0  # the 74 bits after the time of the last id, so that ids of one millisecond stay in order
_last_ms = -1


def uuid7(wall_ms: int) -> bytes:
    """16 bytes: 48 bits of ``wall_ms``, version, 74 random bits; strictly increasing within one millisecond of one process."""
    global _last, _last_ms
    with _lock:
        if wall_ms == _last_ms:
            _last += 1 + secrets.randbelow(1 << 32)
        else:
            _last_ms, _last = wall_ms, secrets.randbits(73)  # the top bit stays free for the increments
        tail = _last & ((1 << 74) - 1)
    time_part = wall_ms & ((1 << 48) - 1)
    value = time_part << 80 | 0x7 << 76 | (tail >> 62) << 64 | 0b10 << 62 | tail & ((1 << 62) - 1)
    return value.to_bytes(16, "big")


def key_id(public: bytes) -> bytes:
    """The 8 bytes that name an X25519 public key."""
    return sha256(public).digest()[:8]
