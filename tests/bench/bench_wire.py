"""Bytes of a record on the line, and parsing and checking batches; beside JSON of the same records."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.office import unlocked
from tests.bench.rows import Row, best_rate

if TYPE_CHECKING:
    from modules.session import Session

LATIN = ("Sok", "Chan", "Dara", "Bopha", "Vichet", "Sreymom", "Rattana", "Pisith", "Lida", "Makara", "Heng", "Kalyan")
HTTP = 420  # bytes of headers of one upload and its answer, as SYNC §6.7 counts them


def rows(folder: Path) -> list[Row]:
    from sync import batch

    found: list[Row] = []
    for n, budget in ((100, 140), (500, 120)):
        place = folder / str(n)
        place.mkdir()
        with unlocked(place) as session:
            run = session.commands.run
            for number in range(n):
                run("forms.fill", form="birth-extract-copy", answers=_answers(number), finish=True)
            data = _cut(session)
            parsed = batch.parse(data)
            sealed = (len(data) + HTTP) / len(parsed.ops)
            found.append(
                Row(
                    f"wire, whole op, sealed, {n} records a batch",
                    sealed,
                    "B/record",
                    budget,
                    beside=_peer(_answers(1)),
                )
            )
            if n == 500:

                def parse(data: bytes = data, n: int = len(parsed.ops)) -> int:
                    batch.parse(data)
                    return n

                found.append(Row("batch parsed and checked", best_rate(parse), "ops/s", 10_000, better="more"))
    return found


def _answers(number: int) -> dict[str, Any]:
    """One person a number: names, dates, places and numbers differ as they do at a counter."""
    from desktop.day import samples
    from i18n import gazetteer

    dice = random.Random(number)
    villages = [unit.code for unit in gazetteer.search("ភូមិ", level="village", within="0306", limit=20)] or ["03060101"]
    given, family = dice.choice(samples.NAMES).split(), dice.choice(samples.NAMES).split()
    return {
        **samples.BIRTH,
        "applicant": {"km": f"{family[0]} {given[1]}", "latin": f"{dice.choice(LATIN)} {dice.choice(LATIN)}"},
        "child": {"km": f"{family[0]} {family[1]}", "latin": f"{dice.choice(LATIN)} {dice.choice(LATIN)}"},
        "dob": f"{dice.randint(1, 28):02}/{dice.randint(1, 12):02}/{dice.randint(1950, 2004)}",
        "child_dob": f"{dice.randint(2008, 2025)}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}",
        "id_card": f"{dice.randint(10_000_000, 999_999_999):09d}",
        "phone": f"01{dice.randint(1_000_000, 9_999_999)}",
        "address": {"code": dice.choice(villages), "house": str(dice.randint(1, 400))},
        "copies": dice.randint(1, 5),
    }


def _cut(session: Session) -> bytes:
    """The largest batch of what waits, at the level of a good line."""
    from sync import cutting
    from sync.store import Connection

    def work(conn: Connection) -> bytes:
        while cutting.cut(session.unlocked, "bench") is not None:
            pass
        return bytes(
            conn.execute("SELECT bytes FROM batch ORDER BY last_seq - first_seq DESC LIMIT 1").fetchone()["bytes"]
        )

    return session.store.write(work)


def _peer(answers: object) -> str:
    return f"the answers alone as JSON {len(json.dumps(answers, ensure_ascii=False).encode())} B"
