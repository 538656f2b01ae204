"""The laws of bursts: work beside gives way to uploads, for a bounded time, and never without any."""

from __future__ import annotations

from dataclasses import dataclass, field

from sync.hub.bursts import LONGEST_S, QUIET_S, SHARE, Burst


@dataclass
class Time:
    """A clock that only sleeping moves."""

    now: float = 1_000.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_without_an_upload_work_goes_on_at_once() -> None:
    time = Time()
    burst = Burst(lambda: time.now, time.sleep)
    burst.rest(1)
    burst.came()
    time.now += QUIET_S
    burst.rest(1)
    assert time.slept == []


def test_during_a_burst_work_rests_longer_than_it_worked_and_no_longer_than_a_second() -> None:
    time = Time()
    burst = Burst(lambda: time.now, time.sleep)
    burst.came()
    burst.rest(0.01)
    burst.came()
    burst.rest(5)
    assert time.slept == [SHARE * 0.01, 1]


def test_a_burst_without_an_end_holds_nothing_up_for_ever() -> None:
    time = Time()

    def sleep(seconds: float) -> None:
        time.slept.append(seconds)
        end = time.now + seconds
        while time.now < end:  # uploads come meanwhile
            time.now += QUIET_S / 2
            burst.came()

    burst = Burst(lambda: time.now, sleep)
    while time.now < 1_000 + 3 * LONGEST_S:
        burst.came()
        burst.rest(0.05)
        time.now += 0.05
    assert LONGEST_S * 0.7 < sum(time.slept) <= LONGEST_S
