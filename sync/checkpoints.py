"""The largest checkpoint of the hub's log seen here, one per epoch: behind it a hub may never go back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from sync import merkle, notes, receipts
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
