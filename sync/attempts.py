"""Wrong passphrases are counted on the disk, before each is tried; from the fifth on the next try must wait.

A wait shrinks only by time that this machine's monotonic clock has shown within one start of the machine, so neither a
restart nor a changed wall clock shortens it. Each officer is counted apart: one cannot lock the others out.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sync import ballast, cbor
from sync.clock import Clock
from sync.errors import Refused

FREE: Final = 4  # wrong passphrases that cost no wait
_FIRST_MS: Final = 30_000
_LONGEST_MS: Final = 15 * 60_000
_FILE: Final = "attempts.cbor"
_MAX_FILE: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class _Count:
    wrong: int
    wait_ms: int  # still to be waited at the moment that boot and mono_ms name
    boot: bytes
    mono_ms: int

    def left(self, clock: Clock) -> int:
        if self.boot == clock.boot_id:
            return max(0, self.wait_ms - max(0, clock.mono_ms() - self.mono_ms))
        return self.wait_ms


def delay_ms(wrong: int) -> int:
    """What the next try must wait after ``wrong`` wrong ones."""
    return 0 if wrong <= FREE else min(_LONGEST_MS, _FIRST_MS << min(wrong - FREE - 1, 16))


def begin(home: Path, officer: bytes, clock: Clock) -> int:
    """Count a try before it is made; returns how many wrong ones went before. Refused SY-111: wait ``wait_s``."""
    counts = _read(home)
    fresh = _Count(0, 0, clock.boot_id, clock.mono_ms())
    # No file: somebody removed it, perhaps in order to guess on.
    count = fresh if counts is not None else _after(FREE + 1, clock)
    counts = counts or {}
    count = counts.get(officer, count)
    left = count.left(clock)
    if left:
        if counts.get(officer) is None or count.boot != clock.boot_id:
            counts[officer] = _Count(count.wrong, left, clock.boot_id, clock.mono_ms())
            _write(home, counts)
        raise Refused("SY-111", wait_s=_seconds(left))
    counts[officer] = _after(count.wrong + 1, clock)
    _write(home, counts)
    return count.wrong


def wait_s(home: Path, officer: bytes, clock: Clock) -> int:
    """Seconds until the next try is allowed."""
    count = (_read(home) or {}).get(officer)
    return _seconds(count.left(clock)) if count else 0


def clear(home: Path, officer: bytes) -> None:
    """The passphrase was right: forget this officer's wrong ones. Also makes the file of a new profile."""
    counts = _read(home) or {}
    counts.pop(officer, None)
    _write(home, counts)


def _after(wrong: int, clock: Clock) -> _Count:
    return _Count(wrong, delay_ms(wrong), clock.boot_id, clock.mono_ms())


def _seconds(ms: int) -> int:
    return -(-ms // 1000)


def _read(home: Path) -> dict[bytes, _Count] | None:
    try:
        with (home / _FILE).open("rb") as file:
            return {officer: _count(value) for officer, value in _pairs(cbor.decode(file.read(_MAX_FILE)))}
    except (OSError, cbor.Malformed, ValueError, TypeError):
        return None


def _pairs(value: Any) -> list[tuple[bytes, list[Any]]]:
    return [(bytes.fromhex(officer), count) for officer, count in value.items()]


def _count(value: list[Any]) -> _Count:
    wrong, wait_ms, boot, mono_ms = value
    if not (
        isinstance(boot, bytes) and all(type(number) is int and number >= 0 for number in (wrong, wait_ms, mono_ms))
    ):
        raise ValueError("attempts: count")
    return _Count(wrong, wait_ms, boot, mono_ms)


def _write(home: Path, counts: dict[bytes, _Count]) -> None:
    plain = {officer.hex(): [c.wrong, c.wait_ms, c.boot, c.mono_ms] for officer, c in counts.items()}
    ballast.keep(home / _FILE, cbor.encode(plain))
