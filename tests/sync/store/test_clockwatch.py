"""What a laptop knows of its clock: a law over every jump, and the words that an op carries."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sync import clockwatch, marks, ops, outbox
from sync.clock import SetClock
from sync.keys import Unlocked

HOUR = 3_600_000
YEARS_3 = 3 * 365 * 24 * HOUR


def contact(profile: Unlocked, hub_ms: int) -> None:
    def work(conn: Any) -> None:
        marks.raise_floor(conn, marks.HUB_TIME, hub_ms)
        clockwatch.anchor(conn, profile.store.clock, hub_ms)

    profile.store.write(work)


def state(profile: Unlocked) -> clockwatch.State:
    return profile.store.read(lambda conn: clockwatch.state(conn, profile.store.clock))


def note(profile: Unlocked) -> str:
    def work(conn: Any) -> None:
        ops.append(
            conn,
            profile,
            profile.store.clock,
            kind="demo.note",
            record="r",
            form="demo",
            def_hash=None,
            body={},
            sealed=False,
        )

    profile.store.write(work)
    return str(profile.store.read(lambda conn: outbox.history(conn, "r"))[-1]["clock"])


def test_without_any_contact_only_a_jump_shows(profile: Unlocked, clock: SetClock) -> None:
    assert state(profile).doubt == ""
    assert note(profile) == ""
    clock.advance(HOUR)
    assert note(profile) == ""
    clock.wall += 8 * HOUR
    assert note(profile) == "jumped"
    assert note(profile) == "", "from there on nothing is known to be wrong"


def test_three_years_back(profile: Unlocked, clock: SetClock) -> None:
    true = clock.wall
    contact(profile, true)
    clock.wall -= YEARS_3
    found = state(profile)
    assert (found.doubt, found.ahead_ms, found.now_ms) == ("behind", -YEARS_3, true)
    assert note(profile) == "behind"
    clock.boot_id, clock.mono = b"another!", 5
    assert note(profile) == "behind", "also after a restart: the floor stays"


def test_eight_hours_ahead(profile: Unlocked, clock: SetClock) -> None:
    true = clock.wall
    contact(profile, true)
    clock.wall += 8 * HOUR
    clock.advance(60_000)
    assert state(profile) == clockwatch.State("off", 8 * HOUR, true + 60_000)
    assert [note(profile), note(profile)] == ["off", "off"]


def test_what_the_last_contact_said_is_remembered_over_a_restart(profile: Unlocked, clock: SetClock) -> None:
    true = clock.wall
    clock.wall += 8 * HOUR
    contact(profile, true)
    clock.boot_id, clock.mono = b"another!", 0
    clock.wall += HOUR
    assert state(profile) == clockwatch.State("off", 8 * HOUR, true + HOUR)


@settings(max_examples=200, deadline=None)
@given(wall=st.integers(0, 1 << 45), floor=st.integers(0, 1 << 45), received=st.none() | st.integers(0, 1 << 45))
def test_the_centre_doubts_what_contradicts_its_own_times(wall: int, floor: int, received: int | None) -> None:
    found = clockwatch.suspicious(wall, floor, received)
    assert (found == "behind") == (wall < floor - 120_000)
    if found == "":
        assert received is None or wall <= received + 120_000
    if found == "off":
        assert received is not None
        assert wall > received + 120_000
