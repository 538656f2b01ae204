"""Bytes of a record on the line, and parsing and checking batches; beside JSON of the same records."""

from __future__ import annotations

import json
from pathlib import Path

from typing import TYPE_CHECKING

from tests.bench.office import unlocked
from tests.bench.rows import Row, best_rate

if TYPE_CHECKING:
    from modules.session import Session

HTTP = 420  # bytes of headers of one upload and its answer, as SYNC §6.7 counts them


def rows(folder: Path) -> list[Row]:
    from desktop.day import samples
    from sync import batch

    found: list[Row] = []
    for n, plain_budget, sealed_budget in ((100, 110, 140), (500, 100, 120)):
        place = folder / str(n)
        place.mkdir()
        with unlocked(place) as session:
            run = session.commands.run
            for number in range(n):
                run("forms.fill", form="birth-extract-copy", answers={**samples.BIRTH, "phone": f"0123{number:05d}"}, finish=True)
            data = _cut(session)
            parsed = batch.parse(data)
            sealed = (len(data) + HTTP) / len(parsed.ops)
            found.append(Row(f"wire, whole op, sealed, {n} records a batch", sealed, "B/record", sealed_budget, beside=_peer(samples.BIRTH)))
            if n == 500:
                def parse(data: bytes = data, n: int = len(parsed.ops)) -> int:
                    batch.parse(data)
                    return n

                found.append(Row("batch parsed and checked", best_rate(parse), "ops/s", 10_000, better="more"))
    return found


def _cut(session: Session) -> bytes:
    """The largest batch of what waits, at the level of a good line."""
    from sync import cutting
    from sync.store import Connection

    def work(conn: Connection) -> bytes:
        while cutting.cut(conn, session.unlocked, session.clock, "bench") is not None:
            pass
        return bytes(conn.execute("SELECT bytes FROM batch ORDER BY last_seq - first_seq DESC LIMIT 1").fetchone()["bytes"])

    return session.store.write(work)


def _peer(answers: object) -> str:
    return f"the answers alone as JSON {len(json.dumps(answers, ensure_ascii=False).encode())} B"
