"""Lives of the centre's log, as a laptop at a relay hears of them: what had been received and did not survive is handed in once more.

The note with which a life began says from how many entries of which one it goes on. Held against the laptop's own receipts it proves
which of them still stand: no question to the centre is needed, so a relay that lives on sticks can bring it. The centre itself, over
the line, is asked for everything all the same (:mod:`sync.havewant`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sync import delivery, notes
from sync.cbor import Malformed
from sync.errors import Known
from sync.failpoint import failpoint
from sync.limits import MAX_NOTE
from sync.marks import EPOCH, mark

if TYPE_CHECKING:
    from sync.exchange import _Run as Run
    from sync.notes import NoteKey
    from sync.store import Connection

HEAD: Final = "sala.epoch/v1"
_MOST: Final = 1_000  # lives between two that a laptop has seen


@dataclass(frozen=True, slots=True)
class Beginning:
    """How an epoch began: from ``size`` entries with the root ``root`` of the epoch ``after``."""

    name: str
    epoch: int
    after: int
    size: int
    root: bytes


def read(note: str, key: NoteKey) -> Beginning:
    """The beginning that ``note`` states; Malformed unless the log's key signed it."""
    if not notes.signed_by(note, key):
        raise Malformed("epoch: signature")
    lines = notes.split(note)[0].split("\n")
    if len(lines) != 6 or lines[0] != HEAD:
        raise Malformed("epoch: layout")
    (name, _, epoch), (before, _, after) = lines[1].rpartition("/"), lines[2].rpartition("/")
    if name != key.name or before != key.name:
        raise Malformed("epoch: name")
    return Beginning(name, notes.number(epoch), notes.number(after), notes.number(lines[3]), notes.hash_of(lines[4]))


def hear(run: Run) -> None:
    """If the relay greets with a later life of the log than was heard of, find out what it lost; that goes once more.

    A relay that cannot say how the life began is asked again in the next run.
    """
    shown = notes.read_checkpoint(run.line.note.decode("utf-8", "replace"), run.centre.log).epoch
    known, oldest = run.store.read(lambda conn: (mark(conn, EPOCH), _oldest(conn)))
    if shown <= known:
        return
    survived = _survived(run, shown, oldest)
    if survived is None:
        return

    def work(conn: Connection) -> int:
        lost = delivery.lost(conn, run.clock, _gone(conn, shown, survived))
        delivery.new_epoch(conn, shown)
        failpoint("relay:life")
        return lost

    run.report.batches_lost += run.store.write(work)


def _oldest(conn: Connection) -> int | None:
    found = conn.execute("SELECT min(epoch) AS epoch FROM receipt").fetchone()["epoch"]
    return None if found is None else int(found)


def _survived(run: Run, epoch: int, oldest: int | None) -> dict[int, int] | None:
    """Of every life that ``epoch`` descends from, back to ``oldest``, how many entries it still has; None: nobody can say."""
    found: dict[int, int] = {}
    least: int | None = None
    while oldest is not None and epoch > oldest:
        answer = run.line.call("GET", f"/v1/log/epoch/{epoch}", limit=MAX_NOTE)
        if answer.status == 404 or len(found) == _MOST:
            return None
        if answer.status != 200:
            raise Known("SY-351", status=answer.status)
        said = read(answer.body.decode("utf-8", "replace"), run.centre.log)
        if said.epoch != epoch or said.after >= epoch:
            raise Malformed("epoch: another life")
        least = said.size if least is None else min(least, said.size)
        found[said.after], epoch = least, said.after
    return found


def _gone(conn: Connection, epoch: int, survived: Mapping[int, int]) -> list[bytes]:
    """Batches with receipts of which none stands in the life ``epoch``."""
    rows = conn.execute(
        """SELECT b.hash, r.epoch, r.leaf_index FROM batch AS b JOIN receipt AS r ON r.batch = b.hash
           WHERE b.state = 'receipted' ORDER BY b.first_seq"""
    )
    stands: dict[bytes, bool] = {}
    for row in rows.fetchall():
        good = row["epoch"] == epoch or row["leaf_index"] < survived.get(row["epoch"], 0)
        stands[row["hash"]] = stands.get(row["hash"], False) or good
    return [hash_ for hash_, good in stands.items() if not good]
