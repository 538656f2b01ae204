"""Flow runs with the journal on: the shipped flow's own condition, skipped or not, in the transaction of its trigger."""

from __future__ import annotations

import time
from pathlib import Path

from tests.bench.office import unlocked
from tests.bench.rows import Row

RUNS = 400


def rows(folder: Path) -> list[Row]:
    with unlocked(folder) as session:
        store, run = session.store, session.commands.run
        payload = next(dict(trigger.sample) for trigger in session.triggers() if trigger.id == "forms.finished")
        payload["form"] = "birth-extract-copy"

        def group(connection: object) -> None:
            for number in range(RUNS):
                run("flows.deliver", event=f"{number:032x}", trigger="forms.finished", payload=payload)

        began = time.perf_counter()
        store.write(group)
        seconds = time.perf_counter() - began
    return [Row("flow engine, journal on, one transaction group", RUNS / seconds, "runs/s", 5_000, better="more")]
