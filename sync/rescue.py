"""A withdrawn laptop first puts all unsent work aside, then lets go of the keys (:mod:`sync.withdrawal`).

Unsent work goes into one file beside the profile, sealed to the agency and to the province's recovery key, written through
and read back. Only then the database gets a new key that nobody but the province's recovery can open: drafts and records
stay in it. Cut short anywhere, the next opening goes on; nothing is ever deleted by a remote decision.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sync import (
    audit,
    ballast,
    cutting,
    delivery,
    enrol,
    foreign,
    keys,
    office,
    pieces,
    readmission,
    rekey,
    volume,
    withdrawal,
)
from sync.batch import LEVEL_METERED
from sync.errors import Known
from sync.exchange import LOCK
from sync.failpoint import failpoint
from sync.limits import MAX_TARGET
from sync.lockfile import locked
from sync.marks import STABLE, mark
from sync.version import VERSION
from sync.volume import Object
from sync.withdrawal import NOTE, Withdrawn

if TYPE_CHECKING:
    from sync.clock import Clock
    from sync.store import Connection
    from sync.unlocked import Unlocked


def obey(unlocked: Unlocked) -> None:
    """If the centre has withdrawn this laptop, carry it out: Known SY-402 or SY-407 then, and the caller locks. Known SY-403 as below."""
    if not unlocked.store.read_only and unlocked.store.read(withdrawal.told):
        raise withdrawal.as_known(carry_out(unlocked))


def carry_out(unlocked: Unlocked) -> Withdrawn:
    """Put unsent work aside and let go of the keys.

    Known SY-403: no room, or another program has the profile open; then everything is as before and it is tried again.
    """
    try:
        with locked(unlocked.home / LOCK):
            return _carry_out(unlocked)
    except Known as error:
        if error.code in ("SY-102", "SY-110"):
            raise
        raise Known("SY-403", reason=error.code) from error


def _carry_out(unlocked: Unlocked) -> Withdrawn:
    done = _put_aside(unlocked)
    failpoint("withdraw:put-aside")
    _note(unlocked.home, done)
    failpoint("withdraw:noted")
    _let_go(unlocked)
    return done


def _put_aside(unlocked: Unlocked) -> Withdrawn:
    store = unlocked.store
    kept = store.read(_kept)
    if kept is not None and (not kept.file or Path(kept.file).exists()):
        return kept
    ballast.drop(unlocked.home)
    while cutting.cut(unlocked, VERSION, target=MAX_TARGET, level=LEVEL_METERED) is not None:
        pass
    centre = store.read(office.centre)
    batches, chunks = store.read(delivery.pending), store.read(pieces.waiting)
    ops, file = sum(batch.last_seq - batch.first_seq + 1 for batch in batches), ""
    unsent = bool(batches or chunks or store.read(foreign.to_carry))
    if centre is not None and (unsent or store.read(_unsafe)):
        moment = datetime.fromtimestamp(store.clock.wall_ms() / 1000, UTC)
        stem = f"sala-unsent-{unlocked.device.device_id.hex()[:8]}-{moment:%Y%m%d-%H%M%S}"
        paths = volume.write(
            place(unlocked.home), stem, _objects(unlocked), seal=[centre.agency_seal, centre.recovery_seal]
        )
        if unsent:  # what has a receipt is put aside in silence, in case the centre loses it
            file = str(paths[0])
    told_ms = store.write(lambda conn: _keep(conn, store.clock, file, ops))
    return Withdrawn(told_ms, file, ops)


def place(home: Path) -> Path:
    """The folder beside the profile where unsent work is put: it outlives the profile."""
    return home.parent / f"{home.name}-unsent"


def _kept(conn: Connection) -> Withdrawn | None:
    """What was put aside already and still stands for all that is unsent: nothing was added since."""
    row = conn.execute("SELECT told_ms, file, ops FROM withdrawn WHERE ops IS NOT NULL").fetchone()
    if row is None or cutting.uncut(conn).ops:
        return None
    return Withdrawn(row["told_ms"], row["file"], row["ops"])


def _keep(conn: Connection, clock: Clock, file: str, ops: int) -> int:
    conn.execute("UPDATE withdrawn SET file = ?, ops = ?", (file, ops))
    audit.append(conn, clock, {"what": "unsent work put aside", "ops": ops})
    return int(conn.execute("SELECT told_ms FROM withdrawn").fetchone()["told_ms"])


def _objects(unlocked: Unlocked) -> Iterator[Object]:
    """Everything that the hub may lack, with the receipts it once gave: proof for a hub that was put back from a copy."""
    store, device = unlocked.store, unlocked.device.device_id.hex()
    for said in store.write(partial(delivery.statements, unlocked)):
        yield Object("have", device, said)
    request = store.read(enrol.request)
    if request is not None:
        yield Object("enrol", store.read(_slot).hex(), request)
    certificates = store.read(readmission.shown)
    if certificates is not None:
        yield Object("readmit", device, certificates)
    successor = store.read(rekey.request)
    if successor is not None:
        yield Object("rekey", device, successor)
    for text in store.read(delivery.old_receipts):
        yield Object("receipt", device, text.encode())
    for hash_ in store.read(_unsafe):
        yield Object("batch", hash_.hex(), store.read(partial(delivery.data, hash_=hash_)))
    for hash_, _ in store.read(foreign.to_carry):
        yield Object("batch", hash_.hex(), store.read(partial(foreign.data, hash_=hash_)))
    for name, kind, blob in store.read(_unsafe_pieces):
        try:
            data = unlocked.blobs.manifest(blob.hex()) if kind == "manifest" else unlocked.blobs.chunk(name)
        except Known:
            continue  # one damaged piece of an attachment must not keep all the rest here
        yield Object("chunk", name.hex(), data)


def _unsafe(conn: Connection) -> list[bytes]:
    """Frozen batches that no second site is known to hold, oldest first: a receipt alone proves one copy."""
    rows = conn.execute(
        """SELECT hash FROM batch WHERE state <> 'recut' AND last_seq > ? AND length(bytes) > 0
           ORDER BY first_seq, last_seq""",
        (mark(conn, STABLE),),
    )
    return [row["hash"] for row in rows.fetchall()]


def _unsafe_pieces(conn: Connection) -> list[tuple[bytes, str, bytes]]:
    """The pieces of what those ops name, and all that were never sent, colleagues' too: (hash, manifest or chunk, blob)."""
    rows = conn.execute(
        """SELECT hash, kind, blob FROM piece WHERE state = 'waiting' OR (rank = 0 AND seq > :stable)
           ORDER BY rank, seq, n""",
        {"stable": mark(conn, STABLE)},
    )
    return [(row["hash"], row["kind"], row["blob"]) for row in rows.fetchall()]


def _slot(conn: Connection) -> bytes:
    return bytes(conn.execute("SELECT slot FROM office").fetchone()["slot"])


def _note(home: Path, done: Withdrawn) -> None:
    ballast.keep(home / NOTE, json.dumps({"told_ms": done.told_ms, "file": done.file, "ops": done.ops}).encode())


def _let_go(unlocked: Unlocked) -> None:
    centre = unlocked.store.read(office.centre)
    keys.close_to_officers(unlocked, centre.recovery_seal if centre else None)
