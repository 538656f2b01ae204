"""The weekly check of a profile finds what is broken, and says when it is due."""

from __future__ import annotations

import os
import time
from hashlib import sha256
from typing import Any

import pytest

from sync import audit, care, ops
from sync.clock import SetClock
from sync.keys import Unlocked

DAY = 86_400_000


@pytest.fixture
def worked(profile: Unlocked) -> Unlocked:
    """A profile with ops of two identities and an attachment."""

    def work(conn: Any) -> None:
        for number in range(3):
            ops.append(
                conn, profile, profile.store.clock, kind="demo.note", record=f"r{number}", form="demo",
                def_hash=None, body={"n": number}, sealed=False,
            )  # fmt: skip

    profile.store.write(work)
    profile.replace_device()
    profile.store.write(work)
    profile.blobs.add(b"x" * 300_000, "x/y")
    return profile


def test_a_sound_profile_has_no_problems(worked: Unlocked) -> None:
    rows = worked.store.read(audit.verify).rows
    assert care.problems(worked) == []
    assert care.run(worked) == []
    assert worked.store.read(audit.verify).rows == rows + 1


def test_it_is_due_every_week_and_when_the_clock_went_back(profile: Unlocked, clock: SetClock) -> None:
    assert care.due(profile)
    care.run(profile)
    assert not care.due(profile)
    clock.wall += 7 * DAY - 1
    assert not care.due(profile)
    clock.wall += 1
    assert care.due(profile)
    clock.wall -= 8 * DAY
    assert care.due(profile)


def test_an_altered_op_is_found(worked: Unlocked) -> None:
    def tamper(conn: Any) -> None:
        conn.execute("DROP TRIGGER op_never_changes")
        conn.execute("UPDATE op SET bytes = x'00' WHERE seq = 5")

    worked.store.write(tamper)
    assert care.problems(worked) == [f"the op chain of device {worked.device.device_id.hex()} is broken"]


def test_a_missing_first_op_is_found_unless_it_was_pruned(worked: Unlocked) -> None:
    line = worked.store.read(lambda conn: dict(conn.execute("SELECT * FROM op WHERE seq = 1").fetchone()))
    kept = ("seq", "op_id", "hash", "kind", "record", "form", "officer", "device", "created_ms", "clock")

    def drop(conn: Any) -> None:
        conn.execute("DROP TRIGGER op_is_kept")
        conn.execute("DELETE FROM op WHERE seq = 1")

    def leave_its_line(conn: Any) -> None:
        conn.execute(
            f"INSERT INTO past ({', '.join(kept)}) VALUES ({', '.join('?' * len(kept))})", [line[name] for name in kept]
        )

    worked.store.write(drop)
    assert len(care.problems(worked)) == 1
    worked.store.write(lambda conn: conn.execute("INSERT INTO floor VALUES ('op.prunable', 1)"))
    assert len(care.problems(worked)) == 1, "whatever the floor says: the line of the op that left is missing"
    worked.store.write(leave_its_line)
    assert care.problems(worked) == []


def test_files_without_a_row_are_swept_but_never_young_ones(worked: Unlocked) -> None:
    folder = worked.home / "blobs"
    pieces = [path for path in folder.rglob("*") if path.is_file()]
    names = [sha256(bytes([n])).hexdigest() for n in range(3)]
    for name in names:
        (folder / name[:2]).mkdir(exist_ok=True)
        (folder / name[:2] / name).write_bytes(b"left behind")
    (folder / names[0][:2] / f"{names[0]}.part").write_bytes(b"half")
    hour_ago = time.time() - 3_601
    for path in [*pieces, folder / names[0][:2] / names[0], folder / names[0][:2] / f"{names[0]}.part"]:
        os.utime(path, (hour_ago, hour_ago))
    assert care.sweep(worked) == 2
    left = {path for path in folder.rglob("*") if path.is_file()}
    assert left == {*pieces, *(folder / name[:2] / name for name in names[1:])}
    assert care.problems(worked) == []


def test_an_old_orphan_that_gets_its_row_again_stays(worked: Unlocked) -> None:
    """A piece that stood there without a row is the same piece when its attachment is added once more."""
    blob = worked.blobs.add(b"y" * 1_000, "x/y")
    name = worked.blobs.chunks(blob)[0]
    worked.store.write(lambda conn: conn.execute("DELETE FROM chunk WHERE hash = ?", (name,)))
    os.utime(worked.blobs.path(name), (1, 1))
    assert worked.blobs.add(b"y" * 1_000, "x/y") == blob
    assert care.sweep(worked) == 0
    assert worked.blobs.read(blob) == b"y" * 1_000


def test_it_says_when_it_ran_and_what_it_found(worked: Unlocked) -> None:
    assert worked.store.read(care.last) == (0, 0)
    next(path for path in (worked.home / "blobs").rglob("*") if path.is_file()).unlink()
    care.run(worked)
    assert worked.store.read(care.last) == (worked.store.clock.wall_ms(), 1)


def test_everything_that_is_wrong_is_said(worked: Unlocked) -> None:
    def tamper(conn: Any) -> None:
        conn.execute("DROP TRIGGER audit_never_changes")
        conn.execute("UPDATE audit SET event = '{}' WHERE seq = 2")

    worked.store.write(tamper)
    next(path for path in (worked.home / "blobs").rglob("*") if path.is_file()).unlink()
    found = care.run(worked)
    assert len(found) == 2
    assert found[0] == "audit log, row 2: a row was changed or moved"
    assert "attachment piece" in found[1]
