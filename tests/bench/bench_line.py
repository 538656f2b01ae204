"""S1 in full and in real time: 200 records and forty cases with two scans of 300 KB over 256 kbit/s, cut every 40 s. About 20 minutes."""

from __future__ import annotations

import os
from pathlib import Path

from tests.bench.rows import Row
from tests.end2end.three_days import RECORDS_WITHIN_S, Days, bad_line

MOST_S = 3_600


def rows(folder: Path) -> list[Row]:
    speed = float(os.environ.get("SALA_LINE_SPEED", "1"))  # the line's clock; more than 1 is for trying the bench out
    days = Days(folder, bad_line(speed))
    try:
        days.work(records=200, cases=40, scan_bytes=300_000)
        pieces = days.pieces_left()
        weight = sum(
            path.stat().st_size for path in (days.session.unlocked.home / "blobs").rglob("*") if path.is_file()
        )
        days.line.restart_clock()
        before = days.line.up
        records_s = days.until(lambda: days.waiting() == 0, MOST_S, cancel=lambda: days.waiting() == 0)
        records_up = days.line.up - before
        whole_s = days.until(lambda: days.pieces_left() == 0, MOST_S)
        again = (days.line.up - before - weight) / 1024
        lost = len(set(days.own_ops()) - set(days.hub_ops())) + len(days.missing_pieces())
        doubled = len(days.hub_ops()) - len(set(days.hub_ops()))
        beside = f"{days.line.cuts} cuts, {days.runs} runs, {days.line.connections} connections"
        return [
            Row(
                "S1, every record received", records_s, "s", RECORDS_WITHIN_S, beside=f"{records_up / 1024:.0f} KiB up"
            ),
            Row("S1, every scan received", whole_s, "s", MOST_S, beside=f"{weight / 1e6:.1f} MB in {pieces} pieces"),
            Row("S1, more than the pieces themselves, a cut", again / max(1, days.line.cuts), "KiB", 64, beside=beside),
            Row("S1, lost or doubled", lost + doubled, "items", 0),
        ]
    finally:
        days.close()
