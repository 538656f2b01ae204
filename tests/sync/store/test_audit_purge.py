"""Old rows of the audit log go into the archive only below a size that the centre has cosigned."""

from __future__ import annotations

from typing import Any

import pytest

from sync import audit, audit_marks, audit_purge, care, marks, ops
from sync.clock import SetClock
from sync.keys import Unlocked
from sync.store import IntegrityError

DAY = 86_400_000


def rows(profile: Unlocked, n: int) -> None:
    def work(conn: Any) -> None:
        for number in range(n):
            audit.append(conn, profile.store.clock, {"what": "looked", "record": str(number)})

    profile.store.write(work)


def checkpoint(profile: Unlocked, *, cosigned: bool) -> int:
    """A checkpoint op, as every batch carries one; the number of rows that it stands for."""

    def work(conn: Any) -> int:
        body = audit_marks.make(conn, profile.store.clock)
        ops.append(
            conn, profile, profile.store.clock, kind=audit.CHECKPOINT_KIND, record="", form="sync", def_hash=None, body=body,
            sealed=False,
        )  # fmt: skip
        if cosigned:
            conn.execute("UPDATE audit_mark SET note = 'cosigned' WHERE size = ?", (body["size"],))
        return int(body["size"])

    return profile.store.write(work)


def later(profile: Unlocked, clock: SetClock, days: int) -> None:
    clock.advance(days * DAY)
    profile.store.write(lambda conn: marks.raise_floor(conn, marks.HUB_TIME, clock.wall_ms()))


def archive(profile: Unlocked) -> int:
    return profile.store.write(lambda conn: audit_purge.archive(conn, profile.store.clock))


def test_only_below_a_cosigned_size_and_not_too_young(profile: Unlocked, clock: SetClock) -> None:
    rows(profile, 20)
    first = checkpoint(profile, cosigned=True)
    rows(profile, 10)
    checkpoint(profile, cosigned=False)
    assert archive(profile) == 0, "a day is too young"
    later(profile, clock, audit_purge.KEPT_DAYS + 1)
    before = profile.store.read(audit.checkpoint)
    assert archive(profile) == first
    report = profile.store.read(audit.verify)
    assert (report.ok, report.problem) == (True, "")
    assert report.rows == before.size + 1, "one row more: the archive names its digest"
    assert archive(profile) == 0, "nothing else is cosigned"
    packed = profile.store.read(audit_purge.archived)
    assert [row[0] for row in packed] == list(range(1, first + 1))
    assert care.problems(profile) == []
    assert profile.store.read(lambda conn: conn.execute("SELECT min(seq) FROM audit").fetchone()[0]) == first + 1


def test_nobody_deletes_rows_without_it(profile: Unlocked, clock: SetClock) -> None:
    rows(profile, 3)
    for sql in ("DELETE FROM audit", "DELETE FROM audit WHERE seq = 1"):

        def work(conn: Any, sql: str = sql) -> None:
            conn.execute(sql)

        with pytest.raises(IntegrityError):
            profile.store.write(work)


def test_a_piece_that_was_changed_or_taken_out_shows(profile: Unlocked, clock: SetClock) -> None:
    for _ in range(3):
        rows(profile, 5)
        checkpoint(profile, cosigned=True)
        later(profile, clock, audit_purge.KEPT_DAYS + 1)
        archive(profile)
    assert len(profile.store.read(audit_purge.archived)) > 15
    assert profile.store.read(audit.verify).ok
    profile.store.write(
        lambda conn: conn.execute("DELETE FROM audit_archive WHERE last = (SELECT min(last) FROM audit_archive)")
    )
    with pytest.raises(ValueError, match="taken out"):
        profile.store.read(audit_purge.archived)


def test_the_tree_goes_on_behind_purged_rows(profile: Unlocked, clock: SetClock) -> None:
    """A later checkpoint still proves that the log only grew."""
    rows(profile, 7)
    checkpoint(profile, cosigned=True)
    later(profile, clock, audit_purge.KEPT_DAYS + 1)
    archive(profile)
    rows(profile, 4)
    checkpoint(profile, cosigned=True)
    assert profile.store.read(audit.verify).ok
