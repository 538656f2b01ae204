"""Officers come and go, and change their passphrases; a power cut in the middle leaves nobody locked out or let in."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sync import audit, cipher, keys, slots
from sync.clock import SetClock
from sync.errors import Known
from sync.keys import CHEAP, Unlocked
from sync.officer import Officer
from sync.store import DATABASE, Store
from tests.sync.store.opened import DARA, OTHER, PASSPHRASE, copied, draft, drafts_of, events, refusal, unlock

SCRIPT = """
import sys
from pathlib import Path
from sync import keys
from sync.clock import SystemClock
from sync.officer import Officer
home, what = Path(sys.argv[1]), sys.argv[2]
unlocked = keys.unlock(home, "Sok Vibol", sys.argv[3], SystemClock())
if what == "remove":
    keys.remove_officer(unlocked, keys.names(home)[1][0])
else:
    keys.add_officer(unlocked, Officer("", "ហេង", "Heng", "it"), sys.argv[3], cost=keys.CHEAP)
unlocked.lock()
"""


def test_an_added_officer_unlocks_with_their_own_passphrase(profile: Unlocked) -> None:
    added = keys.add_officer(profile, DARA, OTHER, cost=CHEAP)
    assert [officer.name for officer in profile.officers()] == ["សុខ វិបុល", "ចាន់ ដារា"]
    profile.lock()
    theirs = unlock(profile, OTHER, "ចាន់ ដារា")
    assert theirs.officer == added
    theirs.lock()
    assert refusal(lambda: unlock(profile, PASSPHRASE, "ចាន់ ដារា"))[0] == "SY-114"


@pytest.mark.parametrize(
    ("person", "passphrase", "code"),
    [
        (Officer("", "សុខ វិបុល", "Other", "it"), OTHER, "SY-121"),
        (Officer("", "ផ្សេង", "SOK vibol", "it"), OTHER, "SY-121"),
        (DARA, "short", "SY-113"),
        (Officer("", "", "x", "it"), OTHER, "SY-119"),
    ],
)
def test_officers_that_cannot_be_added(profile: Unlocked, person: Officer, passphrase: str, code: str) -> None:
    assert refusal(lambda: keys.add_officer(profile, person, passphrase, cost=CHEAP))[0] == code
    assert len(profile.officers()) == 1


def test_who_is_removed_cannot_open_it_any_more_even_with_an_old_slots_file(profile: Unlocked, clock: SetClock) -> None:
    from sync.migrate import COPIES

    dara = keys.add_officer(profile, DARA, OTHER, cost=CHEAP)
    kept = (profile.home / slots.FILES[0]).read_bytes()
    copy = profile.home / COPIES / "1-forms.db"
    copy.parent.mkdir()
    profile.store.backup(copy)
    old_key = copied(profile.database_key)[0]
    keys.remove_officer(profile, dara.id)
    assert profile.database_key != old_key
    assert not copy.exists()
    assert profile.officers() == [profile.officer]
    assert profile.officer_public(dara.id)  # the name stays with what they did
    profile.lock()
    assert refusal(lambda: unlock(profile, OTHER, "Chan Dara"))[0] == "SY-112"
    unlock(profile).lock()
    now = (profile.home / slots.FILES[0]).read_bytes()
    for name in slots.FILES:
        (profile.home / name).write_bytes(kept)
    assert refusal(lambda: unlock(profile, OTHER, "Chan Dara"))[0] == "SY-526", "no word of damage to who was removed"
    with pytest.raises(Known, match="SY-100"):
        Store.open(profile.home, old_key, clock=clock)
    for name in slots.FILES:
        (profile.home / name).write_bytes(now)
    again = unlock(profile)
    assert events(again)[-1] == "unlocked"
    assert again.store.read(audit.verify).ok
    again.lock()


def test_oneself_and_strangers_are_not_removed(profile: Unlocked) -> None:
    assert refusal(lambda: keys.remove_officer(profile, profile.officer.id))[0] == "SY-115"
    assert refusal(lambda: keys.remove_officer(profile, "00" * 16))[0] == "SY-112"


def test_nobody_is_removed_while_another_program_has_the_database_open(
    profile: Unlocked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cipher, "BUSY_MS", 50)
    dara = keys.add_officer(profile, DARA, OTHER, cost=CHEAP)
    other = cipher.connect(profile.home / DATABASE, profile.database_key, "ro")
    other.execute("SELECT count(*) FROM sqlite_master").fetchone()
    assert refusal(lambda: keys.remove_officer(profile, dara.id))[0] == "SY-106"
    other.close()
    assert len(profile.officers()) == 2
    profile.lock()
    unlock(profile, OTHER, "Chan Dara").lock()


@pytest.mark.parametrize("point", ["rekey:1", "rekey:2"])
def test_a_removal_that_the_power_cut_interrupts_is_finished_by_the_next_unlocking(
    profile: Unlocked, run_python: Callable[..., subprocess.CompletedProcess[str]], point: str
) -> None:
    keys.add_officer(profile, DARA, OTHER, cost=CHEAP)
    draft(profile)
    old = copied(profile.database_key)[0]
    profile.lock()
    assert run_python(SCRIPT, profile.home, "remove", PASSPHRASE, failpoint=point).returncode == -9
    assert refusal(lambda: unlock(profile, OTHER, "Chan Dara"))[0] == "SY-112"
    again = unlock(profile)
    assert again.database_key != old
    assert again.officers() == [again.officer]
    assert drafts_of(again) == [{"a": "ពាក្យ"}]
    assert "officer removed" in events(again)
    again.lock()
    assert [len(slot.sealed) for slot in slots.read(profile.home).officers] == [80]  # one key, no second
    unlock(profile).lock()


def test_an_interrupted_change_of_key_opens_read_only_with_the_old_one(
    profile: Unlocked, run_python: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    keys.add_officer(profile, DARA, OTHER, cost=CHEAP)
    profile.lock()
    run_python(SCRIPT, profile.home, "remove", PASSPHRASE, failpoint="rekey:1")
    unlock(profile, read_only=True).lock()
    assert [len(slot.sealed) for slot in slots.read(profile.home).officers] == [112]
    unlock(profile).lock()


def test_an_addition_that_the_power_cut_interrupts_is_taken_back(
    profile: Unlocked, run_python: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    profile.lock()
    assert run_python(SCRIPT, profile.home, "add", PASSPHRASE, failpoint="add:1").returncode == -9
    again = unlock(profile)
    assert again.officers() == [again.officer]
    keys.add_officer(again, Officer("", "ហេង", "Heng", "it"), OTHER, cost=CHEAP)
    again.lock()


def test_a_profile_that_the_power_cut_interrupts_is_made_anew(
    tmp_path: Path, clock: SetClock, run_python: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    script = """
import sys
from pathlib import Path
from sync import keys
from sync.clock import SystemClock
from sync.officer import Officer
keys.create_profile(Path(sys.argv[1]), officer=Officer("", "ក", "K", "it"), passphrase="long enough",
                    clock=SystemClock(), cost=keys.CHEAP)
"""
    assert run_python(script, tmp_path / "home", failpoint="profile:1").returncode == -9
    assert run_python(script, tmp_path / "home").returncode == 0
    keys.unlock(tmp_path / "home", "K", "long enough", clock).lock()


def test_the_passphrase_is_changed_and_nothing_else(profile: Unlocked) -> None:
    draft(profile)
    before = copied(profile.officer_key)[0]
    assert refusal(lambda: keys.change_passphrase(profile, "not the old one", OTHER, cost=CHEAP))[0] == "SY-114"
    assert refusal(lambda: keys.change_passphrase(profile, PASSPHRASE, "short"))[0] == "SY-113"
    keys.change_passphrase(profile, PASSPHRASE, OTHER, cost=CHEAP)
    profile.lock()
    assert refusal(lambda: unlock(profile))[0] == "SY-114"
    again = unlock(profile, OTHER)
    assert bytes(again.officer_key) == before
    assert drafts_of(again) == [{"a": "ពាក្យ"}]
    again.lock()
