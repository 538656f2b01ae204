"""Which stick holds what: noted when it was written, judged by the receipts that have come since."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sync.store import Connection


@dataclass(frozen=True, slots=True)
class Stick:
    """One writing. ``received`` of ``batches`` have a receipt by now; ``ops`` counts the ops of all of them."""

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

    @property
    def done(self) -> bool:
        """The centre has everything that this stick carries: it may be used again."""
        return self.received == self.batches


def note(
    conn: Connection, *, folder: Path, files: Sequence[Path], hop: str, written_ms: int, size: int,
    batches: Sequence[bytes], chunks: int,
) -> int:  # fmt: skip
    """Remember one writing; its id."""
    names = json.dumps([file.name for file in files], ensure_ascii=False)
    row = conn.execute(
        "INSERT INTO stick (folder, files, hop, written_ms, bytes, chunks) VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
        (str(folder), names, hop, written_ms, size, chunks),
    ).fetchone()
    conn.executemany("INSERT INTO stick_batch (stick, batch) VALUES (?, ?)", [(row["id"], hash_) for hash_ in batches])
    return int(row["id"])


def listing(conn: Connection, limit: int = 50) -> list[Stick]:
    """The newest writings first."""
    rows = conn.execute(
        """SELECT s.id, s.folder, s.files, s.hop, s.written_ms, s.bytes, s.chunks, count(b.hash) AS batches,
               coalesce(sum(b.state = 'receipted' OR b.last_seq <= (
                   SELECT coalesce(max(value), 0) FROM mark WHERE name = 'received')), 0) AS received,
               coalesce(sum(b.last_seq - b.first_seq + 1), 0) AS ops
           FROM stick AS s LEFT JOIN stick_batch AS sb ON sb.stick = s.id LEFT JOIN batch AS b ON b.hash = sb.batch
           GROUP BY s.id ORDER BY s.id DESC LIMIT ?""",
        (limit,),
    )
    return [
        Stick(
            row["id"], row["folder"], json.loads(row["files"]), row["hop"], row["written_ms"], row["bytes"],
            row["batches"], row["received"], row["ops"], row["chunks"],
        )
        for row in rows.fetchall()
    ]  # fmt: skip
