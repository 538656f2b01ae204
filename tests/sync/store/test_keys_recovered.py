"""The province opens a profile whose passphrase is forgotten; an old copy of the slots opens nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from nacl.public import PrivateKey

from sync import keys, slots
from sync.clock import SetClock
from sync.keys import CHEAP, Unlocked
from sync.officer import Officer
from tests.sync.store.opened import CHIEF, DARA, OTHER, PASSPHRASE, copied, draft, drafts_of, events, refusal, unlock


def test_the_province_recovers_a_forgotten_passphrase_and_nothing_is_lost(
    profile: Unlocked, recovery: PrivateKey, clock: SetClock
) -> None:
    draft(profile)
    before = copied(profile.officer_key)[0]
    profile.lock()
    for _ in range(5):
        refusal(lambda: unlock(profile, "forgotten"))
    found = keys.recover(profile.home, "Sok Vibol", OTHER, recovery=recovery, clock=clock, cost=CHEAP)
    assert drafts_of(found) == [{"a": "ពាក្យ"}]
    assert bytes(found.officer_key) != before
    assert events(found)[-1] == "passphrase recovered"
    found.lock()
    assert refusal(lambda: unlock(profile))[0] == "SY-114"
    unlock(profile, OTHER).lock()


def test_recovery_needs_the_right_key_and_a_slot_for_it(
    profile: Unlocked, recovery: PrivateKey, clock: SetClock, tmp_path: Path
) -> None:
    def recover(home: Path, key: PrivateKey, passphrase: str = OTHER) -> str:
        return refusal(lambda: keys.recover(home, "Sok Vibol", passphrase, recovery=key, clock=clock, cost=CHEAP))[0]

    assert recover(profile.home, PrivateKey(bytes(32))) == "SY-116"
    assert recover(profile.home, recovery, "short") == "SY-113"
    bare = keys.create_profile(tmp_path / "b", officer=CHIEF, passphrase=PASSPHRASE, clock=clock, cost=CHEAP)
    bare.lock()
    assert recover(tmp_path / "b", recovery) == "SY-117"


def test_a_profile_is_closed_to_every_officer_but_not_to_the_province(
    tmp_path: Path, recovery: PrivateKey, clock: SetClock
) -> None:
    made = keys.create_profile(tmp_path / "b", officer=CHIEF, passphrase=PASSPHRASE, clock=clock, cost=CHEAP)
    assert refusal(lambda: keys.close_to_officers(made, None))[0] == "SY-117"
    keys.close_to_officers(made, bytes(recovery.public_key))
    made.lock()
    assert refusal(lambda: keys.unlock(tmp_path / "b", "Sok Vibol", PASSPHRASE, clock))[0] == "SY-112"
    keys.recover(tmp_path / "b", "Sok Vibol", OTHER, recovery=recovery, clock=clock, cost=CHEAP).lock()


def test_an_officer_without_recovery_of_drafts_gets_new_keys(
    profile: Unlocked, recovery: PrivateKey, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile.store.write(lambda conn: conn.execute("UPDATE officer SET draft_recovery = NULL"))
    before = copied(profile.draft_key)[0]
    profile.lock()
    monkeypatch.setattr(keys, "measured_cost", lambda: CHEAP)
    found = keys.recover(profile.home, "Sok Vibol", OTHER, recovery=recovery, clock=clock)
    assert found.draft_key != before
    found.lock()


def test_an_interrupted_recovery_is_repeated(
    profile: Unlocked, recovery: PrivateKey, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft(profile)
    profile.lock()

    def power_cut(_: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        cut.setattr(keys, "failpoint", power_cut)
        with pytest.raises(KeyboardInterrupt):
            keys.recover(profile.home, "Sok Vibol", OTHER, recovery=recovery, clock=clock, cost=CHEAP)
    found = keys.recover(profile.home, "Sok Vibol", OTHER, recovery=recovery, clock=clock, cost=CHEAP)
    assert drafts_of(found) == [{"a": "ពាក្យ"}]
    found.lock()


def kept(home: Path) -> dict[str, bytes]:
    return {name: (home / name).read_bytes() for name in slots.FILES}


def put_back(home: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (home / name).write_bytes(data)


def test_an_old_copy_of_the_slots_opens_nothing_with_an_old_passphrase(profile: Unlocked, clock: SetClock) -> None:
    old = kept(profile.home)
    keys.change_passphrase(profile, PASSPHRASE, OTHER, cost=CHEAP)
    new = kept(profile.home)
    profile.lock()
    put_back(profile.home, old)
    for options in ({}, {"read_only": True}):
        code, values = refusal(lambda options=options: unlock(profile, **options))  # type: ignore[misc]
        assert (code, values) == ("SY-525", {"found": 2, "seen": 3})
    assert refusal(lambda: unlock(profile, OTHER))[0] == "SY-114"
    put_back(profile.home, {slots.FILES[1]: new[slots.FILES[1]]})  # one new copy is enough
    found = unlock(profile, OTHER)
    assert events(found)[-3:] == ["passphrase changed", "old key slots", "unlocked"]
    found.lock()


def test_officers_who_came_since_are_not_taken_off_by_an_old_copy_of_the_slots(profile: Unlocked) -> None:
    old = kept(profile.home)
    keys.add_officer(profile, DARA, OTHER, cost=CHEAP)
    new = kept(profile.home)
    profile.lock()
    put_back(profile.home, old)
    assert refusal(lambda: unlock(profile))[0] == "SY-525"
    put_back(profile.home, new)
    found = unlock(profile, OTHER, "Chan Dara")
    assert [one.latin for one in found.officers()] == ["Sok Vibol", "Chan Dara"]
    found.lock()


def test_the_province_opens_a_profile_whose_newest_slots_are_lost(
    profile: Unlocked, recovery: PrivateKey, clock: SetClock
) -> None:
    draft(profile)
    old = kept(profile.home)
    for passphrase in (OTHER, PASSPHRASE + OTHER):
        keys.add_officer(profile, Officer("", passphrase[:9], passphrase[:8], "chief"), passphrase, cost=CHEAP)
    profile.lock()
    put_back(profile.home, old)
    found = keys.recover(profile.home, "Sok Vibol", OTHER, recovery=recovery, clock=clock, cost=CHEAP)
    assert drafts_of(found) == [{"a": "ពាក្យ"}]
    found.lock()
    unlock(profile, OTHER).lock()


def test_a_slots_file_that_the_power_cut_left_behind_its_database_is_no_old_one(profile: Unlocked) -> None:
    """The slots are written first, the database sees them afterwards: in between nothing is suspicious."""
    profile.lock()
    found = slots.read(profile.home)
    slots.write(profile.home, found)
    unlock(profile).lock()
    unlock(profile).lock()
