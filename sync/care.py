"""The check of a profile, weekly and after an unclean stop: every page, row, link of the op chain, row of the audit log and
piece of an attachment; and the sweep of files that belong to no row."""

from __future__ import annotations

import re
import time
from itertools import chain
from typing import TYPE_CHECKING, Final

from nacl.signing import SigningKey

from sync import audit, ops
from sync.errors import Known
from sync.limits import DAY_MS
from sync.marks import mark, set_mark

if TYPE_CHECKING:
    from sync.store import Connection
    from sync.unlocked import Unlocked

EVERY_DAYS: Final = 7
_LAST: Final = "care.last"  # ms of the last check
_FOUND: Final = "care.found"  # faults that it found
_YOUNG_S: Final = 3_600
_NAME = re.compile(r"[0-9a-f]{64}")


def due(unlocked: Unlocked) -> bool:
    """Has it been a week, or has the clock gone back behind the last check?"""
    last, now = unlocked.store.read(lambda conn: mark(conn, _LAST)), unlocked.store.clock.wall_ms()
    return not last <= now < last + EVERY_DAYS * DAY_MS


def run(unlocked: Unlocked) -> list[str]:
    """Check everything, sweep, and write down that it was done; short English phrases for what is wrong. May take seconds."""
    found = problems(unlocked)
    swept = sweep(unlocked)
    clock = unlocked.store.clock

    def work(conn: Connection) -> None:
        set_mark(conn, _LAST, clock.wall_ms())
        set_mark(conn, _FOUND, len(found))
        audit.append(conn, clock, {"what": "profile checked", "problems": len(found), "swept": swept})

    unlocked.store.write(work)
    return found


def last(conn: Connection) -> tuple[int, int]:
    """When the profile was last checked (ms, 0: never), and how many faults were found."""
    return mark(conn, _LAST), mark(conn, _FOUND)


def sweep(unlocked: Unlocked) -> int:
    """Delete files of attachments that belong to no row: what a power cut left between the two. How many there were.

    A file that was touched within the last hour may be about to get its row.
    """
    gone, oldest = 0, time.time() - _YOUNG_S
    for path in sorted((unlocked.home / "blobs").glob("??/*")):
        name = bytes.fromhex(path.name) if _NAME.fullmatch(path.name) else b""

        def wanted(conn: Connection, name: bytes = name) -> bool:
            row = conn.execute("SELECT state FROM chunk WHERE hash = ?", (name,)).fetchone()
            return row is not None and row["state"] != "pruned"

        if path.stat().st_mtime < oldest and not unlocked.store.read(wanted):
            path.unlink(missing_ok=True)
            gone += 1
    return gone


def problems(unlocked: Unlocked) -> list[str]:
    """What is wrong with the profile; empty when all is sound. Changes nothing."""
    store = unlocked.store
    found = store.integrity()
    log = store.read(audit.verify)
    if not log.ok:
        found.append(f"audit log, row {log.row}: {log.problem}")
    return found + store.read(_broken_chains) + _missing_pieces(unlocked)


def _broken_chains(conn: Connection) -> list[str]:
    found = []
    for row in conn.execute("SELECT device_id, sign FROM identity ORDER BY rowid").fetchall():
        rows = conn.execute("SELECT prev, bytes, hash FROM op WHERE device = ? ORDER BY seq", (row["device_id"],))
        first = rows.fetchone()
        if first is None:
            continue
        before = conn.execute(
            "SELECT hash FROM past WHERE device = ? ORDER BY seq DESC LIMIT 1", (row["device_id"],)
        ).fetchone()  # the last one that has left the log
        start = before["hash"] if before else ops.genesis(bytes(SigningKey(row["sign"]).verify_key))
        links = ((op["bytes"], op["hash"]) for op in chain([first], rows))
        if not ops.chain_holds(start, links):
            found.append(f"the op chain of device {row['device_id'].hex()} is broken")
    return found


def _missing_pieces(unlocked: Unlocked) -> list[str]:
    found = []
    for name in unlocked.store.read(
        lambda conn: [row[0] for row in conn.execute("SELECT hash FROM chunk WHERE state <> 'pruned'")]
    ):
        try:
            unlocked.blobs.chunk(name)
        except Known:
            found.append(f"attachment piece {name.hex()} is missing or damaged")
    return found
