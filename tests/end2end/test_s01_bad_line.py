"""S1: three days offline, then a bad line. Records first and soon, attachments by pieces, nothing lost, nothing doubled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from modules.session import Session
from sync import keys
from sync.clock import SystemClock
from sync.limits import CHUNK_SLOW, KIB
from tests.end2end.three_days import PASSPHRASE, RECORDS_WITHIN_S, Days, bad_line
from tests.faults import children

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SPEED = 5.0  # line seconds a second


@pytest.fixture
def days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Days]:
    monkeypatch.setenv("SALA_ROOTS", "")
    made = Days(tmp_path, getattr(request, "param", bad_line(SPEED)))
    yield made
    made.close()


def test_records_within_a_minute_then_scans_by_pieces(days: Days) -> None:
    days.work(records=200, cases=6, scan_bytes=100_000)
    pieces = days.pieces_left()
    weight = sum(path.stat().st_size for path in (days.session.unlocked.home / "blobs").rglob("*") if path.is_file())
    days.line.restart_clock()
    up, cuts = days.line.up, days.line.cuts
    days.until(lambda: days.waiting() == 0, RECORDS_WITHIN_S, cancel=lambda: days.waiting() == 0)
    assert days.line.seconds <= RECORDS_WITHIN_S
    assert days.line.up - up < 256 * KIB, "records first: no scan went before them"
    days.until(lambda: days.pieces_left() == 0, 600)
    records = days.read(lambda conn: conn.execute("SELECT coalesce(sum(size), 0) AS n FROM batch").fetchone()["n"])
    again = days.line.up - up - weight - records
    assert again < (days.line.cuts - cuts + days.runs) * (CHUNK_SLOW + 8 * KIB), "a cut costs one piece at most"
    assert days.sent_chunks <= pieces, "what was acknowledged never goes again"
    assert days.missing_pieces() == []
    assert days.hub_ops() == days.own_ops()


@pytest.mark.parametrize("days", [bad_line(SPEED * 2, seed=7, cut_every=6)], indirect=True)
def test_twenty_cuts_lose_nothing_and_double_nothing(days: Days) -> None:
    days.line.restart_clock()
    number = 0
    while days.line.cuts < 20:
        days.work_one(number)
        days.run()
        number += 1
        assert number < 200
    days.until(lambda: days.waiting() == 0 and days.pieces_left() == 0, 1_500, patience=3)
    assert days.hub_ops() == days.own_ops()
    assert days.missing_pieces() == []


RUN = """
import sys
from pathlib import Path
from sync import exchange, keys
from sync.clock import SystemClock
unlocked = keys.unlock(Path(sys.argv[1]), "Sok Dara", sys.argv[2], SystemClock())
exchange.run(unlocked)
unlocked.lock()
"""
POINTS = (
    "cut:before-insert", "cut:before-commit", "send:before-put", "send:after-put", "receive:receipt", "chunk:after-put",
    "chunk:sent", "have:before-commit",
)  # fmt: skip


@pytest.mark.parametrize("days", [bad_line(100, cut_every=0)], indirect=True)
def test_a_power_cut_at_every_step_of_a_run_loses_and_doubles_nothing(days: Days) -> None:
    days.work(records=4, cases=2, scan_bytes=50_000)
    home = days.session.unlocked.home
    dead = dict.fromkeys(POINTS, 0)
    for point in POINTS:
        for nth in (1, 2, 1, 1, 1, 1):  # the line may break a run before it comes to the point: then once more
            if nth == 1 and dead[point]:
                break
            days.work_one(len(dead) * nth + POINTS.index(point))
            days.session.close()
            done = children.script(RUN, home, PASSPHRASE, SALA_FAILPOINT=f"{point}:{nth}")
            dead[point] += done.returncode < 0
            days.session = Session.open(keys.unlock(home, "Sok Dara", PASSPHRASE, SystemClock()))
    assert all(dead.values()), dead
    days.until(lambda: days.waiting() == 0 and days.pieces_left() == 0, 1e9)
    assert days.hub_ops() == days.own_ops()
    assert days.missing_pieces() == []
