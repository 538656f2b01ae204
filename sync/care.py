"""The weekly check of a profile: every page, row, link of the op chain, row of the audit log and piece of an attachment."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

from nacl.signing import SigningKey

from sync import audit, ops
from sync.errors import Known
from sync.limits import DAY_MS
from sync.marks import PRUNABLE, floor, mark, set_mark

if TYPE_CHECKING:
    from sync.store import Connection
    from sync.unlocked import Unlocked

EVERY_DAYS: Final = 7
_LAST: Final = "care.last"  # ms of the last check


def due(unlocked: Unlocked) -> bool:
    """Has it been a week, or has the clock gone back behind the last check?"""
    last, now = unlocked.store.read(lambda conn: mark(conn, _LAST)), unlocked.store.clock.wall_ms()
    return not last <= now < last + EVERY_DAYS * DAY_MS


def run(unlocked: Unlocked) -> list[str]:
    """Check everything and write down that it was done; short English phrases for what is wrong. May take seconds."""
    found = problems(unlocked)
    clock = unlocked.store.clock

    def work(conn: Connection) -> None:
        set_mark(conn, _LAST, clock.wall_ms())
        audit.append(conn, clock, {"what": "profile checked", "problems": len(found)})

    unlocked.store.write(work)
    return found


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
        start = first["prev"] if floor(conn, PRUNABLE) else ops.genesis(bytes(SigningKey(row["sign"]).verify_key))
        links = ((op["bytes"], op["hash"]) for op in chain([first], rows))
        if not ops.chain_holds(start, links):
            found.append(f"the op chain of device {row['device_id'].hex()} is broken")
    return found


def _missing_pieces(unlocked: Unlocked) -> list[str]:
    found = []
    for name in unlocked.store.read(lambda conn: [row[0] for row in conn.execute("SELECT hash FROM chunk")]):
        try:
            unlocked.blobs.chunk(name)
        except Known:
            found.append(f"attachment piece {name.hex()} is missing or damaged")
    return found
