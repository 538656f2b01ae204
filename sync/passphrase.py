"""From an officer's passphrase to a key: Argon2id, as slow as this machine allows without annoying its officer."""

from __future__ import annotations

import time
import unicodedata
from dataclasses import dataclass
from typing import Final

from nacl import pwhash

from sync.errors import Refused

SALT: Final = 16
LEAST: Final = 8  # characters
LONGEST: Final = 256

_MEMORY: Final = 64 << 20  # bytes; fits a 4 GB laptop with a browser open
_SECONDS: Final = 0.5  # what one guess must cost
_MOST_OPS: Final = 64


@dataclass(frozen=True, slots=True)
class Cost:
    """Argon2id's passes over memory and its memory in bytes."""

    ops: int
    memory: int

    def bearable(self) -> bool:
        """Whether a slots file may ask for this; guards against one that would freeze the machine."""
        return 1 <= self.ops <= 4 * _MOST_OPS and pwhash.argon2id.MEMLIMIT_MIN <= self.memory <= 1 << 30


def check(passphrase: str) -> None:
    """Refused SY-113 unless ``passphrase`` is long enough to be worth anything."""
    if not LEAST <= len(_normal(passphrase)) <= LONGEST:
        raise Refused("SY-113", least=LEAST)


def derive(passphrase: str, salt: bytes, cost: Cost) -> bytes:
    """32 bytes that only this passphrase gives with this salt."""
    return pwhash.argon2id.kdf(32, _normal(passphrase).encode(), salt, opslimit=cost.ops, memlimit=cost.memory)


def measured_cost() -> Cost:
    """The cost that makes one guess take at least half a second on this machine; measured once, at enrolment."""
    ops = 2
    while (seconds := _time(ops)) < _SECONDS and ops < _MOST_OPS:
        ops = min(_MOST_OPS, max(ops + 1, round(ops * _SECONDS / seconds + 0.5)))
    return Cost(ops, _MEMORY)


def _time(ops: int) -> float:
    """Seconds of this thread's work: what else the machine does meanwhile must not make a guess cheaper for ever."""
    start = time.thread_time()
    derive("measure", bytes(SALT), Cost(ops, _MEMORY))
    return max(time.thread_time() - start, 0.01)


def _normal(passphrase: str) -> str:
    """Keyboards disagree about composed letters and about the invisible space between Khmer words."""
    return unicodedata.normalize("NFC", passphrase).replace("\u200b", "").strip()
