"""Profiles: who opens them, with what, and what is left when somebody goes."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nacl.public import PrivateKey

from sync import audit, cipher, drafts, keys, migrate, schema, slots
from sync.clock import SetClock
from sync.errors import Known, Refused
from sync.keys import CHEAP, Unlocked
from sync.officer import Officer
from sync.store import DATABASE, Store

PASSPHRASE = "ផ្កាឈូក ពណ៌ ស"
OTHER = "ទន្លេមេគង្គ ធំ"
CHIEF = Officer("", "សុខ វិបុល", "Sok Vibol", "chief")
DARA = Officer("", "ចាន់ ដារា", "Chan Dara", "receiving")


def unlock(profile: Unlocked, passphrase: str = PASSPHRASE, name: str = "Sok Vibol", **options: Any) -> Unlocked:
    return keys.unlock(profile.home, name, passphrase, profile.store.clock, **options)


def copied(*secrets: Any) -> tuple[bytes, ...]:
    """Secrets that outlive locking, which wipes the profile's own."""
    return tuple(bytes(bytearray(bytes(secret))) for secret in secrets)


def refusal(call: Callable[[], object]) -> tuple[str, dict[str, object]]:
    with pytest.raises((Refused, Known)) as refused:
        call()
    return refused.value.code, refused.value.values


def draft(unlocked: Unlocked, id: str = "d1") -> None:
    unlocked.store.write(
        lambda conn: drafts.save(conn, unlocked.officer.id, unlocked.draft_key, id, "forms/x", "t", {"a": "ពាក្យ"}, 5)
    )


def drafts_of(unlocked: Unlocked) -> list[Any]:
    listed = unlocked.store.read(lambda conn: drafts.list_(conn, unlocked.officer.id, unlocked.draft_key))
    return [one["body"] for one in listed]


def events(unlocked: Unlocked) -> list[str]:
    import json

    rows = unlocked.store.read(lambda conn: [row[0] for row in conn.execute("SELECT event FROM audit ORDER BY seq")])
    return [json.loads(row)["what"] for row in rows]


def test_a_new_profile_has_an_officer_and_every_key(profile: Unlocked) -> None:
    assert (profile.officer.name, profile.officer.latin, profile.officer.role) == ("សុខ វិបុល", "Sok Vibol", "chief")
    assert profile.officers() == [profile.officer]
    device = profile.device
    import hashlib

    assert device.device_id == hashlib.sha256(bytes(device.sign.verify_key)).digest()[:16]
    secrets = [bytes(device.sign), bytes(device.seal), device.blob_secret, device.commit_secret,
               bytes(profile.office_key), bytes(profile.officer_key), profile.draft_key, profile.database_key]  # fmt: skip
    assert len(set(secrets)) == len(secrets)
    assert all(len(secret) == 32 for secret in secrets)
    assert profile.officer_public(profile.officer.id) == bytes(profile.officer_key.verify_key)
    with pytest.raises(LookupError):
        profile.officer_public("00" * 16)


@pytest.mark.parametrize("name", ["សុខ វិបុល", " sok VIBOL ", "id"])
def test_unlocking_gives_the_same_keys(profile: Unlocked, name: str) -> None:
    before = copied(profile.draft_key, profile.officer_key, profile.office_key, profile.device.device_id)
    officer = profile.officer
    profile.lock()
    again = unlock(profile, name=officer.id if name == "id" else name)
    try:
        assert again.officer == officer
        assert copied(again.draft_key, again.officer_key, again.office_key, again.device.device_id) == before
        assert events(again) == ["profile made", "unlocked"]
        assert again.store.read(audit.verify).ok
    finally:
        again.lock()


def test_nothing_secret_is_left_after_locking(profile: Unlocked) -> None:
    profile.lock()
    profile.lock()
    for call in (
        lambda: profile.device,
        lambda: profile.office_key,
        lambda: profile.officer_key,
        lambda: profile.draft_key,
        lambda: profile.database_key,
        lambda: profile.blobs.add(b"x", "text/plain"),
        lambda: profile.blobs.read("00" * 32),
        profile.officers,
        profile.replace_device,
    ):
        assert refusal(call)[0] == "SY-110"


def test_no_key_and_no_name_of_a_draft_stands_in_any_file(profile: Unlocked, recovery: PrivateKey) -> None:
    draft(profile)
    keys.add_officer(profile, DARA, OTHER, cost=CHEAP)
    profile.blobs.add(b"canary of a file" * 100, "text/plain")
    device = profile.device
    hidden = [bytes(device.sign), bytes(device.seal), device.blob_secret, bytes(profile.office_key),
              bytes(profile.officer_key), profile.draft_key, profile.database_key, PASSPHRASE.encode(), OTHER.encode(),
              "ពាក្យ".encode(), b"forms/x", b"canary of a file", bytes(recovery), b"commit_secret"]  # fmt: skip
    for path in profile.home.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            for secret in hidden:
                assert secret not in data, path


def test_the_others_keys_do_not_open_with_the_database(profile: Unlocked) -> None:
    """Whoever has unlocked sees the rows, and still not another officer's keys or drafts."""
    dara = keys.add_officer(profile, DARA, OTHER, cost=CHEAP)
    row = profile.store.read(
        lambda conn: dict(
            conn.execute("SELECT secret, draft_recovery FROM officer WHERE id = ?", (dara.id,)).fetchone()
        )
    )
    profile.lock()
    theirs = unlock(profile, OTHER, "Chan Dara")
    assert bytes(theirs.officer_key) not in row["secret"]
    assert theirs.draft_key not in row["secret"] + row["draft_recovery"]
    draft(theirs)
    theirs.lock()
    mine = unlock(profile)
    try:
        assert drafts_of(mine) == []
        assert mine.store.read(lambda conn: drafts.get(conn, mine.officer.id, mine.draft_key, "d1")) is None
    finally:
        mine.lock()


def test_a_folder_with_a_profile_is_left_alone(profile: Unlocked, clock: SetClock) -> None:
    assert (
        refusal(
            lambda: keys.create_profile(profile.home, officer=CHIEF, passphrase=PASSPHRASE, clock=clock, cost=CHEAP)
        )[0]
        == "SY-101"
    )
    assert refusal(lambda: keys.unlock(profile.home / "none", "x", PASSPHRASE, clock))[0] == "SY-109"


@pytest.mark.parametrize(
    ("person", "passphrase", "code"),
    [
        (Officer("", "", "Sok", "chief"), PASSPHRASE, "SY-119"),
        (Officer("", "សុខ", " ", "chief"), PASSPHRASE, "SY-119"),
        (Officer("", "ស" * 81, "Sok", "chief"), PASSPHRASE, "SY-119"),
        (CHIEF, "short", "SY-113"),
    ],
)
def test_what_is_missing_is_said_before_anything_is_made(
    tmp_path: Path, clock: SetClock, person: Officer, passphrase: str, code: str
) -> None:
    home = tmp_path / "home"
    assert refusal(lambda: keys.create_profile(home, officer=person, passphrase=passphrase, clock=clock))[0] == code
    assert not home.exists()


def test_an_unknown_role_is_a_bug(tmp_path: Path, clock: SetClock) -> None:
    with pytest.raises(ValueError, match="role"):
        keys.create_profile(tmp_path, officer=Officer("", "ក", "K", "king"), passphrase=PASSPHRASE, clock=clock)


def test_a_failure_while_making_a_profile_leaves_none(
    tmp_path: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(home: Path, found: slots.Slots) -> slots.Slots:
        raise OSError(28, "No space left on device")

    def make() -> Unlocked:
        return keys.create_profile(tmp_path / "home", officer=CHIEF, passphrase=PASSPHRASE, clock=clock, cost=CHEAP)

    with monkeypatch.context() as broken:
        broken.setattr(slots, "write", full)
        with pytest.raises(OSError, match="space"):
            make()
    assert not slots.exist(tmp_path / "home")
    make().lock()
    assert [path.name for path in (tmp_path / "home").glob("set-aside-*")] == [f"set-aside-{clock.wall}-office.db"]


def test_the_cost_is_measured_unless_it_is_given(
    tmp_path: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "measured_cost", lambda: keys.Cost(3, 16_384))
    made = keys.create_profile(tmp_path / "home", officer=CHIEF, passphrase=PASSPHRASE, clock=clock)
    keys.add_officer(made, DARA, OTHER)
    keys.change_passphrase(made, PASSPHRASE, "another passphrase")
    made.lock()
    assert {slot.cost for slot in slots.read(tmp_path / "home").officers} == {keys.Cost(3, 16_384)}


# --- wrong passphrases


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


# --- damage


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


# --- officers come and go


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


# --- passphrases change and are forgotten


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


def test_a_laptop_whose_copy_was_found_gets_a_new_identity(profile: Unlocked) -> None:
    before, office = profile.device, copied(profile.office_key)[0]
    made = profile.replace_device()
    assert made == profile.device
    assert made.device_id != before.device_id
    assert bytes(profile.office_key) != office
    rows = profile.store.read(
        lambda conn: [dict(row) for row in conn.execute("SELECT device_id, predecessor, retired_ms FROM identity")]
    )
    assert {row["device_id"]: (row["predecessor"], row["retired_ms"] is None) for row in rows} == {
        before.device_id: (None, False),
        made.device_id: (before.device_id, True),
    }
    blob = profile.blobs.add(b"after", "text/plain")
    assert profile.blobs.read(blob) == b"after"
    profile.lock()
    again = unlock(profile)
    assert again.device.device_id == made.device_id
    again.lock()
