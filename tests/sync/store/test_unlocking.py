"""The door: wrong passphrases, damaged slots, damaged databases, and what each of them says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sync import cipher, keys, migrate, schema, slots
from sync.clock import SetClock
from sync.keys import CHEAP, Unlocked
from sync.store import DATABASE
from tests.sync.store.opened import CHIEF, OTHER, PASSPHRASE, draft, drafts_of, refusal, unlock


def test_wrong_passphrases_slow_down_and_the_right_one_works_again(profile: Unlocked, clock: SetClock) -> None:
    profile.lock()
    for _ in range(4):
        assert refusal(lambda: unlock(profile, "wrong passphrase")) == ("SY-114", {"wait_s": 0})
    assert refusal(lambda: unlock(profile, "wrong passphrase")) == ("SY-114", {"wait_s": 30})
    assert refusal(lambda: unlock(profile)) == ("SY-111", {"wait_s": 30})
    assert keys.wait_s(profile.home, "Sok Vibol", clock) == 30
    clock.wall -= 3 * 365 * 86_400_000  # three years back
    assert refusal(lambda: unlock(profile)) == ("SY-111", {"wait_s": 30})
    clock.advance(30_000)
    assert keys.wait_s(profile.home, "Sok Vibol", clock) == 0
    again = unlock(profile)
    rows = again.store.read(lambda conn: [row[0] for row in conn.execute("SELECT event FROM audit ORDER BY seq DESC")])
    assert '"wrong_before":5' in rows[0]
    again.lock()
    assert refusal(lambda: unlock(profile, "wrong passphrase")) == ("SY-114", {"wait_s": 0})


def test_a_try_counts_even_if_the_power_goes_before_it_is_answered(
    profile: Unlocked, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile.lock()

    def power_cut(*_: object) -> bytes:
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        cut.setattr(slots.Slot, "open", power_cut)
        for _ in range(5):
            with pytest.raises(KeyboardInterrupt):
                unlock(profile)
    assert refusal(lambda: unlock(profile))[0] == "SY-111"


def test_an_unknown_officer_is_said(profile: Unlocked) -> None:
    assert refusal(lambda: unlock(profile, name="Nobody")) == ("SY-112", {"name": "Nobody"})
    assert keys.names(profile.home) == [(profile.officer.id, "សុខ វិបុល", "Sok Vibol")]


def test_a_wrong_clock_keeps_nobody_out(profile: Unlocked, clock: SetClock) -> None:
    profile.lock()
    clock.wall = 1  # 1970
    again = unlock(profile)
    again.lock()


@pytest.mark.parametrize("broken", [0, 1])
def test_one_damaged_copy_of_the_slots_does_no_harm(profile: Unlocked, broken: int) -> None:
    profile.lock()
    path = profile.home / slots.FILES[broken]
    data = bytearray(path.read_bytes())
    for place in range(0, len(data), 7):
        data[place] ^= 1
    path.write_bytes(data)
    again = unlock(profile)
    keys.change_passphrase(again, PASSPHRASE, OTHER, cost=CHEAP)  # writes both again
    again.lock()
    assert (profile.home / slots.FILES[0]).read_bytes() == (profile.home / slots.FILES[1]).read_bytes()
    unlock(profile, OTHER).lock()


def test_every_flipped_bit_of_the_slots_is_noticed(profile: Unlocked) -> None:
    profile.lock()
    whole = (profile.home / slots.FILES[0]).read_bytes()
    (profile.home / slots.FILES[1]).unlink()
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        (profile.home / slots.FILES[0]).write_bytes(damaged)
        assert refusal(lambda: slots.read(profile.home))[0] == "SY-118", place


@pytest.mark.parametrize("data", [b"", b"\xff" * 100, b"\x80", b"\x83\x00\x00\x00", b"x" * (slots.MAX_FILE + 1)])
def test_slots_that_are_no_slots_are_damaged(profile: Unlocked, data: bytes) -> None:
    for name in slots.FILES:
        (profile.home / name).write_bytes(data)
    assert refusal(lambda: slots.read(profile.home))[0] == "SY-118"


def test_well_made_slots_with_senseless_content_are_damaged(profile: Unlocked) -> None:
    from dataclasses import replace

    found = slots.read(profile.home)
    slot = found.officers[0]
    for wrong in (
        replace(slot, cost=keys.Cost(10**6, 8_192)),
        replace(slot, salt=b"short"),
        replace(slot, name=7),  # type: ignore[arg-type]
        replace(slot, sealed=b"\0" * 79),
    ):
        slots.write(profile.home, replace(found, officers=(wrong,)))
        assert refusal(lambda: slots.read(profile.home))[0] == "SY-118"
    for name in slots.FILES:
        (profile.home / name).write_bytes(slots.encode(replace(found, generation="x")))  # type: ignore[arg-type]
    assert refusal(lambda: slots.read(profile.home))[0] == "SY-118"


def test_a_slot_of_another_profile_opens_nothing(profile: Unlocked, clock: SetClock, tmp_path: Path) -> None:
    stranger = keys.create_profile(tmp_path / "b", officer=CHIEF, passphrase=PASSPHRASE, clock=clock, cost=CHEAP)
    stranger.lock()
    profile.lock()
    for name in slots.FILES:
        (profile.home / name).write_bytes((tmp_path / "b" / name).read_bytes())
    assert refusal(lambda: unlock(profile))[0] == "SY-526"


def test_a_database_whose_first_page_is_damaged_is_not_laid_to_the_passphrase(profile: Unlocked) -> None:
    profile.lock()
    path = profile.home / DATABASE
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    assert refusal(lambda: unlock(profile))[0] == "SY-526"


def test_a_missing_database_is_said(profile: Unlocked) -> None:
    profile.lock()
    (profile.home / DATABASE).unlink()
    assert refusal(lambda: unlock(profile))[0] == "SY-109"


def test_a_profile_of_a_newer_program_opens_for_export_only(profile: Unlocked, clock: SetClock) -> None:
    draft(profile)
    profile.store.write(lambda conn: conn.execute(f"PRAGMA user_version={schema.VERSION + 1}"))
    profile.lock()
    assert refusal(lambda: unlock(profile))[0] == "SY-103"
    exporting = unlock(profile, read_only=True)
    try:
        assert drafts_of(exporting) == [{"a": "ពាក្យ"}]
        assert refusal(lambda: draft(exporting))[0] == "SY-108"
    finally:
        exporting.lock()


def test_an_opening_that_fails_lets_go_of_the_database(profile: Unlocked, monkeypatch: pytest.MonkeyPatch) -> None:
    profile.lock()

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as context:
        context.setattr(migrate, "install", broken)
        with pytest.raises(ZeroDivisionError):
            unlock(profile)
    again = unlock(profile)
    again.store.rekey(bytes(32), lambda: None)  # nobody else has it open
    again.lock()


def test_locking_works_on_a_full_disk(profile: Unlocked) -> None:
    def fill(conn: Any) -> None:
        conn.execute(f"PRAGMA max_page_count={cipher.pragma(conn, 'page_count')}")

    profile.store.write(fill)
    profile.lock()
    unlock(profile).lock()
