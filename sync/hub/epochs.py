"""Lives of the log. A hub that was put back from a copy begins the next epoch, and signs which checkpoint survived.

The note says: this log goes on as ``<name>/<epoch>`` from the first ``size`` entries of the epoch before. Whoever holds a larger
checkpoint of that epoch knows by it what was lost, and offers it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sync import merkle, notes
from sync.cbor import Malformed
from sync.hub import acts, leases, log
from sync.hub.storage import Tx
from sync.notes import NoteKey

if TYPE_CHECKING:
    from sync.hub.log import Log

ACT: Final = "sync.epoch"
_HEAD: Final = "sala.epoch/v1"


@dataclass(frozen=True, slots=True)
class Beginning:
    """How an epoch began: from ``size`` entries with the root ``root`` of the epoch ``after``."""

    name: str
    epoch: int
    after: int
    size: int
    root: bytes


def begin(tx: Tx, new: Log, now_ms: int) -> None:
    """Write into the log how its epoch began, once; the first needs no words. Numbers that may have been given out are left out."""
    if new.epoch == 1 or note_of(tx, new.epoch) is not None:
        return
    size, after = log.size(tx), new.epoch - 1
    root = log.range_hash(tx, 0, size) if size else merkle.EMPTY_ROOT
    survived = notes.Checkpoint(new.name, after, size, root)
    note = notes.sign(f"{_HEAD}\n{new.name}/{new.epoch}\n{survived.text()}", new.name, new.key)
    tx.execute(
        "INSERT INTO meta (name, value) VALUES (:name, :note) ON CONFLICT (name) DO UPDATE SET value = :note",
        {"name": _name(new.epoch), "note": note},
    )
    acts.record(tx, ACT, {"epoch": new.epoch, "note": note}, now_ms, [("meta", "name", _name(new.epoch))])
    leases.skip_lost(tx, now_ms)


def note_of(tx: Tx, epoch: int) -> str | None:
    """The note with which an epoch began; the first has none."""
    found = tx.one("SELECT value FROM meta WHERE name = :name", {"name": _name(epoch)})
    return str(found["value"]) if found else None


def read(note: str, key: NoteKey) -> Beginning:
    """The beginning that ``note`` states; Malformed unless the log's key signed it."""
    if not notes.signed_by(note, key):
        raise Malformed("epoch: signature")
    lines = notes.split(note)[0].split("\n")
    if len(lines) != 6 or lines[0] != _HEAD:
        raise Malformed("epoch: layout")
    (name, _, epoch), (before, _, after) = lines[1].rpartition("/"), lines[2].rpartition("/")
    if name != key.name or before != key.name:
        raise Malformed("epoch: name")
    return Beginning(name, notes.number(epoch), notes.number(after), notes.number(lines[3]), notes.hash_of(lines[4]))


def _name(epoch: int) -> str:
    return f"epoch-note/{epoch}"
