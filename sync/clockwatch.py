"""What is known of this machine's clock. Nothing is ever refused for it: records carry the doubt, the centre adds its own time.

The only times that count are those that the centre has signed: the floor (the latest of them), and an anchor, the centre's
time at a moment of this machine's monotonic clock. Within one start of the machine the anchor says what time it is now.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from sync.marks import ANCHOR_BOOT, ANCHOR_HUB, ANCHOR_MONO, HUB_TIME, SKEW, floor, mark, set_mark

if TYPE_CHECKING:
    from sync.clock import Clock
    from sync.store import Connection

TOLERATED_MS: Final = 120_000  # less than this is no skew
Doubt = Literal["", "behind", "off", "jumped"]


@dataclass(frozen=True, slots=True)
class State:
    """``doubt``: "" none · behind: earlier than the centre's last signed time · off: differs from the anchor by more than two
    minutes · jumped: moved against the monotonic clock since the last op. ``ahead_ms``: by how much it is ahead, as far as
    is known; ``now_ms``: the best estimate of the true time."""

    doubt: Doubt
    ahead_ms: int
    now_ms: int


def anchor(conn: Connection, clock: Clock, hub_ms: int) -> None:
    """The centre has just signed ``hub_ms``: from here the monotonic clock counts."""
    set_mark(conn, ANCHOR_HUB, hub_ms)
    set_mark(conn, ANCHOR_MONO, clock.mono_ms())
    set_mark(conn, ANCHOR_BOOT, _boot(clock.boot_id))
    set_mark(conn, SKEW, clock.wall_ms() - hub_ms)


def state(conn: Connection, clock: Clock) -> State:
    """What is known of the clock now."""
    wall, known = clock.wall_ms(), floor(conn, HUB_TIME)
    if _anchored(conn, clock):
        now = max(known, mark(conn, ANCHOR_HUB) + clock.mono_ms() - mark(conn, ANCHOR_MONO))
        ahead = wall - now
        return State("" if abs(ahead) <= TOLERATED_MS else "behind" if wall < known else "off", ahead, now)
    if wall < known - TOLERATED_MS:
        return State("behind", wall - known, known)
    skew = mark(conn, SKEW)  # as it was at the last contact, before this machine was started anew
    if abs(skew) > TOLERATED_MS and wall - skew >= known:
        return State("off", skew, wall - skew)
    return State("", 0, max(wall, known))


def doubt(conn: Connection, clock: Clock, before: tuple[int, int, bytes] | None) -> Doubt:
    """What an op that is made now carries. ``before``: wall, monotonic time and boot id of the op before it."""
    found = state(conn, clock).doubt
    if found or before is None or before[2] != clock.boot_id or _anchored(conn, clock):
        return found  # with an anchor it is known that the clock is right now, whatever it did before
    drift = (clock.wall_ms() - before[0]) - (clock.mono_ms() - before[1])
    return "jumped" if abs(drift) > TOLERATED_MS else ""


def suspicious(wall_ms: int, hub_floor_ms: int, received_ms: int | None = None) -> Doubt:
    """What the centre, or anybody, sees in an op itself: its time lies before a time that the centre had signed already, or
    after the time at which the centre received it."""
    if wall_ms < hub_floor_ms - TOLERATED_MS:
        return "behind"
    if received_ms is not None and wall_ms > received_ms + TOLERATED_MS:
        return "off"
    return ""


def _anchored(conn: Connection, clock: Clock) -> bool:
    """Has the centre signed a time since this machine was started?"""
    return mark(conn, ANCHOR_HUB) > 0 and mark(conn, ANCHOR_BOOT) == _boot(clock.boot_id)


def _boot(boot_id: bytes) -> int:
    return int.from_bytes(boot_id[:6], "big")
