"""The centre has withdrawn this laptop (lost, stolen, handed back): how it hears of it, and what its door says afterwards.

What the hub signs about this laptop, or the signed list of its province, is the only thing that begins it; then
:mod:`sync.rescue` puts unsent work aside and lets go of the keys.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sync import audit, cbor
from sync.cbor import Malformed
from sync.errors import Known

if TYPE_CHECKING:
    from sync.clock import Clock
    from sync.store import Connection

CODES: Final = ("SY-402", "SY-407")  # what a person is told
NOTE: Final = "withdrawn.json"  # in the profile folder: what the door says afterwards
_MOST_NOTE: Final = 16 << 10


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What became of a withdrawn laptop. ``file``: where its unsent work stands, "" when all had been sent."""

    told_ms: int
    file: str
    ops: int  # in the file


def heard(conn: Connection, clock: Clock, cutoff_seq: int | None) -> None:
    """Remember a verified withdrawal; the first one counts. ``cutoff_seq``: the last op that counts, when it is known."""
    new = conn.execute(
        "INSERT INTO withdrawn (id, told_ms, cutoff_seq) VALUES (1, ?, ?) ON CONFLICT (id) DO NOTHING",
        (clock.wall_ms(), cutoff_seq),
    ).rowcount
    if new:
        audit.append(conn, clock, {"what": "withdrawn by the centre", "cutoff": cutoff_seq})


def told(conn: Connection) -> bool:
    """Has the centre withdrawn this laptop?"""
    return conn.execute("SELECT 1 FROM withdrawn").fetchone() is not None


def listed(data: bytes, device_id: bytes) -> int | None:
    """The cut-off of ``device_id`` in the publication ``devices/<province>.cbor``; None when it is not withdrawn there."""
    return cutoffs(data).get(device_id)


def cutoffs(data: bytes) -> dict[bytes, int]:
    """Whom the publication ``devices/<province>.cbor`` withdraws, each with the last of its ops that counts."""
    match cbor.decode(data):
        case {"revoked": list(rows)}:
            return dict(map(_cutoff, rows))
    raise Malformed("devices: layout")


def _cutoff(row: object) -> tuple[bytes, int]:
    match row:
        case [bytes(device), cutoff, revoked_ms] if (
            len(device) == 16 and cbor.is_count(cutoff) and cbor.is_count(revoked_ms)
        ):
            return device, cutoff
    raise Malformed("devices: revoked")


def as_known(done: Withdrawn) -> Known:
    """What a person is told: SY-402 with the file, SY-407 when all had been sent."""
    return Known("SY-402", file=done.file, ops=done.ops) if done.file else Known("SY-407")


def carried_out(home: Path) -> Withdrawn | None:
    """What the door says: this profile was withdrawn, and no officer opens it any more. None as long as one does."""
    from sync import slots

    try:
        with (home / NOTE).open("rb") as file:
            found = json.loads(file.read(_MOST_NOTE))
        note = Withdrawn(int(found["told_ms"]), str(found["file"]), int(found["ops"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return None if slots.read(home).officers else note
