"""Profiles: what a new one has, which secrets it keeps, what is left after locking."""

from __future__ import annotations

from pathlib import Path

import pytest
from nacl.public import PrivateKey

from sync import audit, drafts, keys, slots
from sync.clock import SetClock
from sync.keys import CHEAP, Unlocked
from sync.officer import Officer
from tests.sync.store.opened import CHIEF, DARA, OTHER, PASSPHRASE, copied, draft, drafts_of, events, refusal, unlock


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
