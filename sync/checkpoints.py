"""The largest checkpoint of the hub's log seen here, one per epoch: behind it a hub may never go back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from sync import merkle, notes, receipts
from sync.errors import Known
from sync.notes import Checkpoint, NoteKey

if TYPE_CHECKING:
    from sync.store import Connection

NONE_SEEN: Final = (0, merkle.EMPTY_ROOT)


def newest(conn: Connection) -> Checkpoint | None:
    """The largest checkpoint of the latest epoch, None before the first."""
    row = conn.execute("SELECT epoch, size, hash, note FROM checkpoint ORDER BY epoch DESC LIMIT 1").fetchone()
    if row is None:
        return None
    name = row["note"].partition("\n")[0].rpartition("/")[0]
    return Checkpoint(name, row["epoch"], row["size"], row["hash"])


def advance(conn: Connection, note: str, log: NoteKey, proof: Sequence[bytes], now_ms: int) -> Checkpoint:
    """Take the checkpoint ``note`` as the newest. Known SY-320 when it does not extend the one that is known."""
    new = notes.read_checkpoint(note, log)
    receipts.require_advance(newest(conn), new, proof)
    conn.execute(
        """INSERT INTO checkpoint (epoch, size, hash, note, seen_ms) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (epoch) DO UPDATE SET size = excluded.size, hash = excluded.hash, note = excluded.note,
               seen_ms = excluded.seen_ms WHERE excluded.size >= size""",
        (new.epoch, new.size, new.root, note, now_ms),
    )
    return new


def state(conn: Connection) -> Checkpoint | None:
    """The newest checkpoint, remembered as one that a stick has stated: its answer will prove growth from just here."""
    known = newest(conn)
    if known is not None:
        conn.execute(
            "INSERT INTO stated (epoch, size, hash) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (known.epoch, known.size, known.root),
        )
    return known


def advance_by_stick(conn: Connection, note: str, log: NoteKey, proof: Sequence[bytes], now_ms: int) -> None:
    """As :func:`advance` for an answer that was long on its way: its proof may begin from an older checkpoint than the newest.

    Such an answer proves nothing about the newest one and is passed over. Known SY-320 when its checkpoint extends none
    that this laptop has stated: the hub went back.
    """
    new, known = notes.read_checkpoint(note, log), newest(conn)
    if known is not None and (new.epoch, new.size, new.root) == (known.epoch, known.size, known.root):
        return
    if known is None or _extends(known, new, proof):
        advance(conn, note, log, proof, now_ms)
        return
    rows = conn.execute(
        "SELECT size, hash FROM stated WHERE epoch = ? AND size < ?", (new.epoch, known.size)
    ).fetchall()
    older = [Checkpoint(new.name, new.epoch, row["size"], row["hash"]) for row in rows]
    if new.epoch != known.epoch or new.size <= known.size or not any(_extends(one, new, proof) for one in older):
        raise Known("SY-320", known=known.size, new=new.size)


def _extends(known: Checkpoint, new: Checkpoint, proof: Sequence[bytes]) -> bool:
    try:
        receipts.require_advance(known, new, proof)
    except Known:
        return False
    return True
