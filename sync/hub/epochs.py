"""Lives of the log. A hub that was put back from a copy begins another epoch, and signs which checkpoint survived.

An epoch's number is the POSIX second at which it began: two copies that know nothing of each other never begin the same one.
The first is 1. The note says: this log goes on as ``<name>/<epoch>`` from the first ``size`` entries of the epoch ``after``. Whoever
holds a larger checkpoint of that epoch knows by it what was lost, and offers it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sync import merkle, notes
from sync.hub import acts, leases, log
from sync.hub.storage import Tx
from sync.lives import HEAD
from sync.lives import Beginning as Beginning
from sync.lives import read as read
from sync.notes import NoteKey

if TYPE_CHECKING:
    from sync.hub.log import Log

ACT: Final = "sync.epoch"
FIRST: Final = 1
VERSIONS_A_SECOND: Final = (
    100  # of publications, and notices: no hub makes them so fast, so later lives never give an earlier one's number
)
_LATEST: Final = "epoch-latest"  # the latest life that a receipt of this hub has told of
_NOTICES: Final = "epoch-notices"  # the first number of a notice to a laptop that no earlier life has given


def following(last: int, now_ms: int) -> int:
    """The number of the life that begins now, behind the one with the number ``last``."""
    return max(last + 1, now_ms // 1000)


def least_version(epoch: int) -> int:
    """The first version of the publications of a life that no earlier life has given."""
    return epoch * VERSIONS_A_SECOND


def least_notice(tx: Tx) -> int:
    """The first number that a notice to a laptop may have in this life: a laptop takes one under every number, once."""
    found = tx.one("SELECT value FROM meta WHERE name = :name", {"name": _NOTICES})
    return int(found["value"]) if found else 1


def heard(tx: Tx, epoch: int) -> None:
    """A receipt of this hub names a life: the next one comes after it, though this copy knows nothing of it."""
    if epoch > latest(tx):
        tx.execute(
            "INSERT INTO meta (name, value) VALUES (:name, :e) ON CONFLICT (name) DO UPDATE SET value = :e",
            {"name": _LATEST, "e": str(epoch)},
        )


def latest(tx: Tx) -> int:
    """The latest life that receipts have told of; 0 when none have."""
    found = tx.one("SELECT value FROM meta WHERE name = :name", {"name": _LATEST})
    return int(found["value"]) if found else 0


def begin(tx: Tx, new: Log, now_ms: int) -> None:
    """Write into the log how its epoch began, once; the first needs no words. Numbers that may have been given out are left out."""
    if new.epoch == FIRST or note_of(tx, new.epoch) is not None:
        return
    size, after = log.size(tx), _before(tx, new.epoch)
    root = log.range_hash(tx, 0, size) if size else merkle.EMPTY_ROOT
    survived = notes.Checkpoint(new.name, after, size, root)
    note = notes.sign(f"{HEAD}\n{new.name}/{new.epoch}\n{survived.text()}", new.name, new.key)
    kept = {_name(new.epoch): note, _NOTICES: str(least_version(new.epoch))}
    for name, value in kept.items():
        tx.execute(
            "INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = :value",
            {"name": name, "value": value},
        )
    acts.record(tx, ACT, {"epoch": new.epoch, "note": note}, now_ms, [("meta", "name", name) for name in kept])
    leases.skip_lost(tx, now_ms)


def _before(tx: Tx, epoch: int) -> int:
    """The life that this copy of the log was in."""
    found = tx.query("SELECT max(epoch) AS epoch FROM checkpoint WHERE epoch < :epoch", {"epoch": epoch})
    return int(found[0]["epoch"] or FIRST)


def note_of(tx: Tx, epoch: int) -> str | None:
    """The note with which an epoch began; the first has none."""
    found = tx.one("SELECT value FROM meta WHERE name = :name", {"name": _name(epoch)})
    return str(found["value"]) if found else None


def descent(tx: Tx, key: NoteKey, epoch: int) -> list[str]:
    """The notes with which ``epoch`` and the lives that it descends from began, the newest first."""
    found: list[str] = []
    while (note := note_of(tx, epoch)) is not None:
        found.append(note)
        epoch = read(note, key).after
    return found


def _name(epoch: int) -> str:
    return f"epoch-note/{epoch}"
