"""Passphrases: what is accepted, what they cost, how wrong ones are slowed down."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync import attempts, passphrase
from sync.clock import SetClock
from sync.errors import Refused
from sync.keys import CHEAP
from sync.passphrase import Cost

OFFICER = b"o" * 16
OTHER = b"p" * 16


@pytest.mark.parametrize("words", ["", "1234567", "  1234567  ", "x" * 257, "\u200b" * 20])
def test_short_and_endless_passphrases_are_refused(words: str) -> None:
    with pytest.raises(Refused, match="SY-113"):
        passphrase.check(words)


@pytest.mark.parametrize("words", ["12345678", "ផ្កាឈូក ពណ៌ ស", "x" * 256])
def test_long_enough_passphrases_are_accepted(words: str) -> None:
    passphrase.check(words)


def test_composition_and_invisible_spaces_do_not_matter() -> None:
    salt = bytes(16)
    assert passphrase.derive("cafe\u0301 noir", salt, CHEAP) == passphrase.derive(" caf\u00e9 noir ", salt, CHEAP)
    assert passphrase.derive("ផ្កា\u200bឈូក", salt, CHEAP) == passphrase.derive("ផ្កាឈូក", salt, CHEAP)
    assert passphrase.derive("ផ្កាឈូក", salt, CHEAP) != passphrase.derive("ផ្កាឈូ", salt, CHEAP)
    assert passphrase.derive("ផ្កាឈូក", salt, CHEAP) != passphrase.derive("ផ្កាឈូក", b"s" * 16, CHEAP)


def test_one_guess_costs_half_a_second_of_64_mib(monkeypatch: pytest.MonkeyPatch) -> None:
    speed = {"seconds": 0.04}  # a pass
    monkeypatch.setattr(passphrase, "_time", lambda ops: ops * speed["seconds"])
    assert passphrase.measured_cost() == Cost(13, 64 << 20)
    speed["seconds"] = 1.0
    assert passphrase.measured_cost() == Cost(2, 64 << 20)
    speed["seconds"] = 0.000_1
    assert passphrase.measured_cost().ops == 64


def test_the_measurement_runs_the_real_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passphrase, "_SECONDS", 0.001)
    monkeypatch.setattr(passphrase, "_MEMORY", 1 << 20)
    assert passphrase.measured_cost().bearable()


@pytest.mark.parametrize("cost", [Cost(0, 1 << 20), Cost(10_000, 1 << 20), Cost(2, 1), Cost(2, 1 << 40)])
def test_a_cost_that_would_freeze_the_machine_is_not_bearable(cost: Cost) -> None:
    assert not cost.bearable()


# --- attempts


@pytest.fixture
def home(tmp_path: Path) -> Path:
    attempts.clear(tmp_path, OFFICER)  # as a new profile does
    return tmp_path


def fail(home: Path, times: int, clock: SetClock) -> None:
    for _ in range(times):
        attempts.begin(home, OFFICER, clock)


def waits(home: Path, clock: SetClock, officer: bytes = OFFICER) -> int:
    with pytest.raises(Refused, match="SY-111") as refused:
        attempts.begin(home, officer, clock)
    seconds = refused.value.values["wait_s"]
    assert isinstance(seconds, int)
    return seconds


def test_five_wrong_ones_are_free_then_the_wait_grows(home: Path, clock: SetClock) -> None:
    assert [attempts.begin(home, OFFICER, clock) for _ in range(5)] == [0, 1, 2, 3, 4]
    for expected in (30, 60, 120, 240, 480, 900, 900):
        assert waits(home, clock) == expected
        assert attempts.wait_s(home, OFFICER, clock) == expected
        clock.advance(expected * 1_000 - 1)
        assert waits(home, clock) == 1
        clock.advance(1)
        assert attempts.wait_s(home, OFFICER, clock) == 0
        attempts.begin(home, OFFICER, clock)


def test_trying_while_it_waits_does_not_prolong_it(home: Path, clock: SetClock) -> None:
    fail(home, 5, clock)
    for left in (30, 20, 10):
        assert waits(home, clock) == left
        clock.advance(10_000)
    fail(home, 1, clock)


def test_the_right_one_forgets_the_wrong_ones(home: Path, clock: SetClock) -> None:
    fail(home, 4, clock)
    attempts.clear(home, OFFICER)
    fail(home, 5, clock)


def test_one_officer_does_not_lock_the_others_out(home: Path, clock: SetClock) -> None:
    fail(home, 5, clock)
    waits(home, clock)
    assert attempts.begin(home, OTHER, clock) == 0
    attempts.clear(home, OTHER)
    waits(home, clock)
    assert attempts.wait_s(home, OTHER, clock) == 0


@pytest.mark.parametrize("years", [-3, -30, 3, 30])
def test_the_wall_clock_shortens_nothing_and_prolongs_nothing(home: Path, clock: SetClock, years: int) -> None:
    fail(home, 5, clock)
    clock.wall += years * 365 * 86_400_000
    assert waits(home, clock) == 30
    clock.mono += 30_000
    fail(home, 1, clock)


def test_a_restart_shortens_nothing(home: Path, clock: SetClock) -> None:
    fail(home, 5, clock)
    clock.advance(20_000)
    assert waits(home, clock) == 10
    again = SetClock(clock.wall + 86_400_000, mono=500_000, boot_id=b"boot-two")
    assert waits(home, again) == 30  # what the other start had shown is not known to have passed
    again.advance(29_000)
    assert waits(home, again) == 1
    assert attempts.wait_s(home, OFFICER, SetClock(0, 0, b"boot-six")) == 30
    again.advance(1_000)
    fail(home, 1, again)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(-(10**12), 10**12), st.integers(0, 5_000), st.booleans()), max_size=12))
def test_no_play_with_clock_and_starts_beats_the_monotonic_clock(
    tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[int, int, bool]]
) -> None:
    folder = tmp_path_factory.mktemp("attempts")
    clock = SetClock(0, 0, b"00000000")
    attempts.clear(folder, OFFICER)
    fail(folder, 5, clock)
    passed = 0
    for place, (wall, mono, restart) in enumerate(moves):
        clock.wall += wall
        clock.mono += mono
        passed += mono
        if restart:
            clock.boot_id, clock.mono = place.to_bytes(8, "big"), 10**9
        if passed < 30_000:
            waits(folder, clock)


@pytest.mark.parametrize("damage", [None, b"", b"\xa0\xa0", b"\xa1\x61\x30\x01", b"\xff" * 70_000,
                                    b"\xa1\x62\x30\x30\x84\x01\x20\x40\x00"])  # fmt: skip
def test_removing_or_damaging_the_count_costs_a_wait(home: Path, clock: SetClock, damage: bytes | None) -> None:
    path = home / "attempts.cbor"
    path.unlink()
    if damage is not None:
        path.write_bytes(damage)
    assert waits(home, clock) == 30
    assert waits(home, clock) == 30
    clock.advance(30_000)
    fail(home, 1, clock)
