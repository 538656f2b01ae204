"""What time can be relied on: the machine's clock, bounded by the newest time that the centre has signed.

A clock set back revives nothing: the centre's time is a floor. A clock far ahead condemns nothing: then only what the
floor already proves is said. Times from other laptops' certificates are no evidence, since one wrong clock would poison
them all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

TOLERANCE_S: Final = 300  # clocks of two machines differ
AHEAD_S: Final = 1_500 * 86_400  # a Buddhist year or a mistyped decade, not a laptop that was long without a line
_END_S: Final = 253_402_300_799  # 9999-12-31


@dataclass(frozen=True, slots=True)
class Now:
    """The present lies between ``earliest_s`` and ``latest_s``; both are the clock unless it is ``suspect``."""

    earliest_s: int
    latest_s: int
    suspect: bool
    floor_s: int  # the newest time known to be past; 0: none


def watch(wall_s: int, known_s: Iterable[int]) -> Now:
    """The present by a clock that shows ``wall_s``, given times that the centre has signed."""
    floor = max(known_s, default=0)
    if wall_s < floor - TOLERANCE_S:
        return Now(floor, _END_S, True, floor)
    if floor and wall_s > floor + AHEAD_S:
        return Now(floor, wall_s, True, floor)
    return Now(wall_s, wall_s, False, floor)
