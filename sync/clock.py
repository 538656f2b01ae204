"""Time, injected everywhere: wall clock, monotonic clock, boot id. Nothing in Sala is refused for a wrong clock (SYNC §13)."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """What every layer asks for the time. All values are integers."""

    def wall_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC by the machine's clock, right or wrong."""
        ...

    def mono_ms(self) -> int:
        """Milliseconds of a clock that never goes back while ``boot_id`` stays the same."""
        ...

    @property
    def boot_id(self) -> bytes:
        """8 bytes that change with every start of the machine."""
        ...


def _machine_boot_id() -> bytes:
    kernel = Path("/proc/sys/kernel/random/boot_id")
    try:
        return bytes.fromhex(kernel.read_text("ascii").strip().replace("-", ""))[:8]
    except (OSError, ValueError):
        return os.urandom(8)  # no such file (Windows): one id a process is still monotonic within it


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's own clocks."""

    boot_id: bytes = field(default_factory=_machine_boot_id)

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def mono_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000


@dataclass(slots=True)
class SetClock:
    """A clock that stands where it is put: for replays, simulation and tests."""

    wall: int
    mono: int = 0
    boot_id: bytes = b"\0" * 8

    def wall_ms(self) -> int:
        return self.wall

    def mono_ms(self) -> int:
        return self.mono

    def advance(self, ms: int) -> None:
        self.wall += ms
        self.mono += ms
