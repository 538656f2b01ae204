"""Five thousand recipients, and the segment counter."""

from __future__ import annotations

import time
from pathlib import Path

from tests.bench.office import unlocked
from tests.bench.rows import Row, best_rate


def rows(folder: Path) -> list[Row]:
    from desktop.day import samples
    from modules.messages import segments

    csv = folder / "5000.csv"
    csv.write_text("ឈ្មោះ,ទូរស័ព្ទ\n" + "".join(f"លឹម ស្រីមុំ {n},0123{n:05d}\n" for n in range(5_000)), "utf-8")
    text = samples.NOTICE.replace("{{ឈ្មោះ}}", "លឹម ស្រីមុំ")

    def count() -> int:
        for _ in range(20_000):
            segments.count(text)
        return 20_000

    with unlocked(folder) as session:
        began = time.perf_counter()
        session.commands.run("messages.check", template=samples.NOTICE, recipients=str(csv))
        seconds = time.perf_counter() - began
    return [
        Row("5,000 recipients: import, check and preview", seconds, "s", 1),
        Row("segment counter", best_rate(count), "texts/s", 100_000, better="more"),
    ]
