"""Backups: one file, made while others work, that brings everything back or is refused."""

from __future__ import annotations

import io
import json
import random
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sync import audit, backup, ballast, cipher, drafts, keys, search, slots
from sync.clock import SetClock
from sync.errors import Known, Refused
from sync.keys import CHEAP, Unlocked
from sync.limits import CHUNK
from sync.officer import Officer
from sync.store import DATABASE

PASSPHRASE = "ផ្កាឈូក ពណ៌ ស"


def code(call: Callable[[], object]) -> str:
    with pytest.raises((Refused, Known)) as refused:
        call()
    return refused.value.code


@pytest.fixture
def worked(profile: Unlocked) -> Unlocked:
    """A profile with a record, a draft, an attachment, a lease."""

    def work(conn: Any) -> None:
        search.index(conn, "r1", "forms.submission", "ពាក្យ", "")
        drafts.save(conn, profile.officer.id, profile.draft_key, "d1", "forms/x", "t", {"a": 1}, 1)
        conn.execute("INSERT INTO lease VALUES ('l1', 'link-codes', '{}', 10, 100, 9)")

    profile.store.write(work)
    profile.blobs.add(random.Random(1).randbytes(700_000), "application/pdf", chunk_size=CHUNK)
    return profile


@pytest.fixture
def saved(worked: Unlocked, tmp_path: Path) -> Path:
    backup.write(worked, tmp_path / "office.sala-backup")
    return tmp_path / "office.sala-backup"


def members(file: Path) -> list[tuple[str, bytes]]:
    with tarfile.open(file) as tar:
        return [(one.name, tar.extractfile(one).read()) for one in tar]  # type: ignore[union-attr]


def remade(file: Path, content: list[tuple[str, bytes]]) -> Path:
    with tarfile.open(file, "w") as tar:
        for name, data in content:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return file


def leftovers(folder: Path) -> list[str]:
    return [
        path.name
        for path in folder.rglob("*")
        if path.name.startswith(("backup-", "restore-", "drill-")) or path.suffix == ".part"
    ]


def test_everything_comes_back(worked: Unlocked, saved: Path, tmp_path: Path, clock: SetClock) -> None:
    steps: list[tuple[int, int]] = []
    told = backup.restore(saved, tmp_path / "new", lambda done, total: steps.append((done, total)))
    assert told == {"home": str(tmp_path / "new"), "made_ms": clock.wall, "attachment_pieces": 3}
    assert steps == sorted(steps)
    blob = worked.store.read(lambda conn: conn.execute("SELECT id FROM blob").fetchone()[0]).hex()
    content = worked.blobs.read(blob)
    device = worked.device.device_id
    worked.lock()
    again = keys.unlock(tmp_path / "new", "Sok Vibol", PASSPHRASE, clock)
    try:
        assert again.device.device_id == device
        assert again.blobs.read(blob) == content
        assert len(again.store.read(lambda conn: search.find(conn, "ពាក្យ"))) == 1
        assert len(again.store.read(lambda conn: drafts.list_(conn, again.officer.id, again.draft_key))) == 1
        assert again.store.read(audit.verify).ok
        assert again.store.integrity() == []
    finally:
        again.lock()
    assert leftovers(tmp_path) == []


def test_an_older_backup_as_a_whole_is_no_alarm(worked: Unlocked, saved: Path, tmp_path: Path, clock: SetClock) -> None:
    """Its slots and its database belong together, whatever passphrases were changed since."""
    keys.change_passphrase(worked, PASSPHRASE, PASSPHRASE + "2", cost=keys.CHEAP)
    backup.restore(saved, tmp_path / "new")
    keys.unlock(tmp_path / "new", worked.officer.id, PASSPHRASE, clock).lock()


def test_a_profile_without_attachments_comes_back(profile: Unlocked, tmp_path: Path, clock: SetClock) -> None:
    backup.write(profile, tmp_path / "b")
    assert backup.restore(tmp_path / "b", tmp_path / "new")["attachment_pieces"] == 0
    keys.unlock(tmp_path / "new", "Sok Vibol", PASSPHRASE, clock).lock()


def test_numbers_that_the_lost_laptop_may_have_used_are_not_used_again(
    saved: Path, tmp_path: Path, clock: SetClock
) -> None:
    def left(unlocked: Unlocked) -> int:
        return int(unlocked.store.read(lambda conn: conn.execute("SELECT size - used FROM lease").fetchone()[0]))

    backup.restore(saved, tmp_path / "new")
    again = keys.unlock(tmp_path / "new", "Sok Vibol", PASSPHRASE, clock)
    assert left(again) == 0
    again.store.write(lambda conn: conn.execute("INSERT INTO lease VALUES ('l2', 'link-codes', '{}', 0, 100, 9)"))
    again.lock()
    later = keys.unlock(tmp_path / "new", "Sok Vibol", PASSPHRASE, clock)
    assert later.store.read(lambda conn: conn.execute("SELECT used FROM lease WHERE id = 'l2'").fetchone()[0]) == 0
    later.lock()


def test_a_backup_tells_what_it_holds_and_how_far_it_is(worked: Unlocked, tmp_path: Path) -> None:
    from hashlib import sha256

    steps: list[tuple[int, int]] = []
    out = tmp_path / "b.sala-backup"
    told = backup.write(worked, out, lambda done, total: steps.append((done, total)))
    assert told == {
        "file": str(out),
        "bytes": out.stat().st_size,
        "attachment_pieces": 3,
        "attachment_pieces_missing": 0,
        "sha256": sha256(out.read_bytes()).hexdigest(),
    }
    assert json.dumps(told)
    assert steps[-1][0] == steps[-1][1]
    assert leftovers(tmp_path) == []


def test_nothing_in_it_is_readable(saved: Path) -> None:
    data = saved.read_bytes()
    for hidden in ("ពាក្យ".encode(), b"forms/x", b"CREATE TABLE", b"root"):
        assert hidden not in data


def test_it_is_made_while_a_write_is_open(worked: Unlocked, tmp_path: Path, clock: SetClock) -> None:
    import threading

    out = tmp_path / "b.sala-backup"

    def work(conn: Any) -> None:
        search.index(conn, "r2", "forms.submission", "ពាក្យ", "")
        thread = threading.Thread(target=backup.write, args=(worked, out))
        thread.start()
        thread.join(20)
        assert not thread.is_alive()

    worked.store.write(work)
    told = backup.drill(out, "Sok Vibol", PASSPHRASE, clock, tmp_path)
    assert (told["ok"], told["records"]) == (True, 1)


def test_an_officer_who_is_removed_meanwhile_does_not_spoil_it(
    worked: Unlocked, tmp_path: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    dara = keys.add_officer(worked, Officer("", "ចាន់ ដារា", "Chan Dara", "it"), "long enough", cost=CHEAP)
    real, calls = worked.store.backup, []

    def interrupted(target: Path) -> None:
        real(target)
        calls.append(1)
        if len(calls) == 1:
            keys.remove_officer(worked, dara.id)

    monkeypatch.setattr(worked.store, "backup", interrupted)
    backup.write(worked, tmp_path / "b")
    assert len(calls) == 2
    assert backup.drill(tmp_path / "b", "Sok Vibol", PASSPHRASE, clock)["ok"]


def test_the_drill_opens_checks_and_leaves_nothing(
    worked: Unlocked, saved: Path, tmp_path: Path, clock: SetClock
) -> None:
    told = backup.drill(saved, "Sok Vibol", PASSPHRASE, clock, tmp_path)
    rows = told.pop("audit_rows")
    assert rows >= 3
    assert len(told.pop("fingerprint")) == 12
    assert told == {"ok": True, "problems": [], "ops": 0, "records": 1, "drafts": 1}
    assert leftovers(tmp_path) == []
    with pytest.raises(Refused, match="SY-114"):
        backup.drill(saved, "Sok Vibol", "wrong passphrase", clock, tmp_path)
    assert leftovers(tmp_path) == []


def test_the_drill_finds_damage_inside(saved: Path, tmp_path: Path, clock: SetClock) -> None:
    content = members(saved)
    place = next(number for number, (name, _) in enumerate(content) if name.startswith("blobs/"))
    name, data = content[place]
    content[place] = (name, data[:-1] + bytes([data[-1] ^ 1]))
    told = backup.drill(remade(tmp_path / "damaged", content), "Sok Vibol", PASSPHRASE, clock)
    assert not told["ok"]
    assert "attachment" in told["problems"][0]


def test_the_drill_finds_a_tampered_log(worked: Unlocked, tmp_path: Path, clock: SetClock) -> None:
    def tamper(conn: Any) -> None:
        conn.execute("DROP TRIGGER audit_never_changes")
        conn.execute("UPDATE audit SET event = '{}' WHERE seq = 1")

    worked.store.write(tamper)
    backup.write(worked, tmp_path / "b")
    assert backup.drill(tmp_path / "b", "Sok Vibol", PASSPHRASE, clock)["problems"] == [
        "audit log, row 1: a row was changed or moved"
    ]


def test_an_existing_profile_is_never_overwritten(worked: Unlocked, saved: Path, tmp_path: Path) -> None:
    assert code(lambda: backup.restore(saved, worked.home)) == "SY-101"
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / DATABASE).touch()
    assert code(lambda: backup.restore(saved, tmp_path / "half")) == "SY-101"


def test_a_file_that_was_cut_short_is_refused(saved: Path, tmp_path: Path) -> None:
    whole = saved.read_bytes()
    for size in (0, 10, 600, 5_000, len(whole) // 2, len(whole) - 12_000):
        (tmp_path / "cut").write_bytes(whole[:size])
        assert code(lambda: backup.restore(tmp_path / "cut", tmp_path / "new")) == "SY-152", size
        assert not slots.exist(tmp_path / "new")
    assert leftovers(tmp_path) == []


def wrong_header(content: list[tuple[str, bytes]], **changes: Any) -> list[tuple[str, bytes]]:
    header = {**json.loads(content[0][1]), **changes}
    return [("sala-backup.json", json.dumps(header).encode()), *content[1:]]


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content[1:],
        lambda content: content[:-1],
        lambda content: [content[0], content[-1]],
        lambda content: [content[1], content[0], *content[2:]],
        lambda content: [content[-1], *content[:-1]],
        lambda content: [content[0], content[1], content[2], content[2], *content[3:]],
        lambda content: content[:2] + content[3:],
        lambda content: [*content[:-1], ("../evil", b"x"), content[-1]],
        lambda content: [*content[:-1], ("/etc/evil", b"x"), content[-1]],
        lambda content: [*content[:-1], ("blobs/00/../evil", b"x"), content[-1]],
        lambda content: [*content[:-1], (f"blobs/00/{'11' * 32}", b"x"), content[-1]],
        lambda content: [*content[:-1], (f"blobs/11/{'11' * 32}", b"x" * 300_000), content[-1]],
        lambda content: [*content[:-1], ("slots.cbor", b"x" * 300_000)],
        lambda content: [("sala-backup.json", b"{" * 10), *content[1:]],
        lambda content: [("sala-backup.json", b"[]"), *content[1:]],
        lambda content: [("sala-backup.json", b"[" * 4_000), *content[1:]],
        lambda content: wrong_header(content, format="other"),
        lambda content: wrong_header(content, attachment_pieces=99),
    ],
)
def test_a_file_that_was_altered_is_refused(
    saved: Path, tmp_path: Path, change: Callable[[list[tuple[str, bytes]]], list[tuple[str, bytes]]]
) -> None:
    altered = remade(tmp_path / "altered", change(members(saved)))
    assert code(lambda: backup.restore(altered, tmp_path / "new")) == "SY-152"
    assert list((tmp_path / "new").iterdir()) == []
    assert not (tmp_path / "evil").exists()


def test_links_in_it_are_refused(saved: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "links", "w") as tar:
        info = tarfile.TarInfo("sala-backup.json")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(info)
    assert code(lambda: backup.restore(tmp_path / "links", tmp_path / "new")) == "SY-152"


def test_no_room_and_no_place_are_said(
    worked: Unlocked, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert code(lambda: backup.write(worked, tmp_path / "no folder" / "b")) == "SY-150"
    (tmp_path / "file").touch()
    assert code(lambda: backup.restore(saved, tmp_path / "file" / "new")) == "SY-150"
    monkeypatch.setattr(ballast, "free", lambda folder: 1_000)
    assert code(lambda: backup.restore(saved, tmp_path / "new")) == "SY-153"
    assert leftovers(worked.home) == []


def test_a_stick_that_reads_back_differently_is_found(
    worked: Unlocked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "_digest", lambda path: b"")
    assert code(lambda: backup.write(worked, tmp_path / "b")) == "SY-151"
    assert list(tmp_path.glob("b*")) == []


def test_a_damaged_database_is_not_backed_up_as_sound(worked: Unlocked, tmp_path: Path, clock: SetClock) -> None:
    worked.store.write(lambda conn: conn.execute("INSERT INTO blob VALUES (x'77', zeroblob(90000), x'', 1, 'x/y', 1)"))
    worked.lock()
    path = worked.home / DATABASE
    data = bytearray(path.read_bytes())
    data[-2_000] ^= 1
    path.write_bytes(data)
    again = keys.unlock(worked.home, "Sok Vibol", PASSPHRASE, clock)
    try:
        assert code(lambda: backup.write(again, tmp_path / "b")) == "SY-102"
    finally:
        again.lock()
    assert list(tmp_path.glob("b*")) == []


def test_a_database_with_broken_references_is_not_backed_up_as_sound(worked: Unlocked, tmp_path: Path) -> None:
    worked.lock()
    again = keys.unlock(worked.home, "Sok Vibol", PASSPHRASE, worked.store.clock)
    bare = cipher.connect(worked.home / DATABASE, again.database_key, "rw")
    bare.execute("PRAGMA foreign_keys=OFF")
    bare.execute("DELETE FROM blob")
    bare.close()
    assert code(lambda: backup.write(again, tmp_path / "b")) == "SY-102"
    again.lock()


def test_a_missing_attachment_is_said_and_costs_nothing_else(worked: Unlocked, tmp_path: Path, clock: SetClock) -> None:
    next(path for path in (worked.home / "blobs").rglob("*") if path.is_file()).unlink()
    told = backup.write(worked, tmp_path / "b")
    assert (told["attachment_pieces"], told["attachment_pieces_missing"]) == (2, 1)
    drilled = backup.drill(tmp_path / "b", "Sok Vibol", PASSPHRASE, clock)
    assert (drilled["ok"], drilled["records"], len(drilled["problems"])) == (False, 1, 1)


def test_a_locked_profile_has_no_backup(worked: Unlocked, tmp_path: Path) -> None:
    worked.lock()
    assert code(lambda: backup.write(worked, tmp_path / "b")) == "SY-110"
