"""The laws of bursts: work beside gives way to uploads, for a bounded time, and never without any."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from sync.hub.bursts import HELD_S, LONGEST_S, QUIET_S, SHARE, Burst


@dataclass
class Time:
    """A clock that only sleeping moves."""

    now: float = 1_000.0
    slept: list[float] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        end = self.now + seconds
        while self.now < end:
            self.now += QUIET_S / 2
            self.meanwhile()


def test_without_an_upload_work_goes_on_at_once() -> None:
    time = Time()
    burst = Burst(lambda: time.now, time.sleep)
    burst.rest(1)
    burst.came()
    time.now += QUIET_S
    burst.rest(1)
    assert time.slept == []


def test_work_waits_for_the_end_of_a_burst() -> None:
    time = Time()
    burst = Burst(lambda: time.now, time.sleep)
    uploads = iter(range(30))
    time.meanwhile = lambda: burst.came() if next(uploads, None) is not None else None
    burst.came()
    burst.rest(0)
    assert 30 * QUIET_S / 2 <= time.now - 1_000 <= 30 * QUIET_S / 2 + 3 * QUIET_S < HELD_S


def test_a_burst_lasts_while_an_upload_is_being_stored_however_long_that_takes() -> None:
    time = Time()
    burst = Burst(lambda: time.now, time.sleep)
    with burst.taking():
        burst.rest(0)
    assert time.now - 1_000 == pytest.approx(HELD_S, abs=0.2)
    time.now += QUIET_S
    time.slept.clear()
    burst.rest(1)
    assert time.slept == []


def test_an_upload_that_failed_is_over() -> None:
    time = Time()
    burst = Burst(lambda: time.now, time.sleep)
    taking = burst.taking()
    taking.__enter__()
    assert not taking.__exit__(OSError, OSError("disk"), None)
    time.now += QUIET_S
    burst.rest(1)
    assert time.slept == []


def test_in_a_long_burst_work_rests_longer_than_it_worked_and_no_longer_than_a_second() -> None:
    time = Time()
    burst = Burst(lambda: time.now, time.sleep)
    time.meanwhile = burst.came
    burst.came()
    burst.rest(0)
    time.slept.clear()
    burst.rest(0.01)
    burst.rest(5)
    assert time.slept == [SHARE * 0.01, 1]


def test_a_burst_without_an_end_holds_nothing_up_for_ever() -> None:
    time = Time()
    burst = Burst(lambda: time.now, time.sleep)
    time.meanwhile = burst.came
    pieces = 0
    burst.came()
    while time.now < 1_000 + 2 * LONGEST_S:
        burst.came()
        burst.rest(0.05)
        time.now += 0.05
        pieces += 1
    assert LONGEST_S * 0.7 < sum(time.slept) <= LONGEST_S
    assert pieces >= LONGEST_S / 0.05


def test_whoever_rests_goes_on_at_once_when_the_hub_ends() -> None:
    burst = Burst()
    with burst.taking():
        resting = threading.Thread(target=burst.rest, args=(0.0,))
        resting.start()
        burst.end()
        resting.join(5)
        assert not resting.is_alive()
