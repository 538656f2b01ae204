"""Which stick holds what: noted when it was written, judged by the receipts that have come since."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sync import pieces

if TYPE_CHECKING:
    from sync.store import Connection, Row


@dataclass(frozen=True, slots=True)
class Stick:
    """One writing. ``received`` of ``batches`` have a receipt by now; ``ops`` counts the ops of all of them.

    ``chunks_left`` of the ``chunks`` (pieces of attachments) are not at the centre, as far as it has said.
    """

    id: int
    folder: str
    files: list[str]
    hop: str  # for whom it is sealed, "" when it is open
    written_ms: int
    bytes: int
    batches: int
    received: int
    ops: int
    chunks: int
    chunks_left: int

    @property
    def done(self) -> bool:
        """The centre has everything that this stick carries: it may be used again."""
        return self.received == self.batches and not self.chunks_left


def reach(conn: Connection) -> int:
    """The newest op: whatever attachment waits now, an op up to there names it."""
    return int(conn.execute("SELECT coalesce(max(seq), 0) AS seq FROM op").fetchone()["seq"])


def wrote(conn: Connection, name: str) -> bool:
    """Whether a file of that name was written here, sealed to somebody else."""
    rows = conn.execute("SELECT files FROM stick WHERE hop <> ''")
    return any(name in json.loads(row["files"]) for row in rows)


def note(
    conn: Connection, *, folder: Path, files: Sequence[Path], hop: str, written_ms: int, size: int,
    batches: Sequence[bytes], chunks: int, last_seq: int,
) -> int:  # fmt: skip
    """Remember one writing, of pieces of all attachments up to the op ``last_seq``; its id."""
    names = json.dumps([file.name for file in files], ensure_ascii=False)
    row = conn.execute(
        """INSERT INTO stick (folder, files, hop, written_ms, bytes, chunks, last_seq) VALUES (?, ?, ?, ?, ?, ?, ?)
           RETURNING id""",
        (str(folder), names, hop, written_ms, size, chunks, last_seq),
    ).fetchone()
    conn.executemany("INSERT INTO stick_batch (stick, batch) VALUES (?, ?)", [(row["id"], hash_) for hash_ in batches])
    return int(row["id"])


def listing(conn: Connection, limit: int = 50) -> list[Stick]:
    """The newest writings first."""
    rows = conn.execute(
        """SELECT s.id, s.folder, s.files, s.hop, s.written_ms, s.bytes, s.chunks, s.last_seq, count(b.hash) AS batches,
               coalesce(sum(b.state = 'receipted' OR b.last_seq <= (
                   SELECT coalesce(max(value), 0) FROM mark WHERE name = 'received')), 0) AS received,
               coalesce(sum(b.last_seq - b.first_seq + 1), 0) AS ops
           FROM stick AS s LEFT JOIN stick_batch AS sb ON sb.stick = s.id LEFT JOIN batch AS b ON b.hash = sb.batch
           GROUP BY s.id ORDER BY s.id DESC LIMIT ?""",
        (limit,),
    )
    waiting = pieces.waiting_since(conn)

    def left(row: Row) -> int:
        ends = (row["last_seq"], row["written_ms"])  # own attachments by their op, colleagues' by when they were whole
        return min(int(row["chunks"]), sum(n for rank, since, n in waiting if since <= ends[rank]))

    return [
        Stick(
            row["id"], row["folder"], json.loads(row["files"]), row["hop"], row["written_ms"], row["bytes"],
            row["batches"], row["received"], row["ops"], row["chunks"],
            left(row),
        )
        for row in rows.fetchall()
    ]  # fmt: skip
