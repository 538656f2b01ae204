"""A thousand links with QR codes on label sheets, and codes by themselves."""

from __future__ import annotations

import time
from pathlib import Path

from tests.bench.office import unlocked
from tests.bench.rows import Row, best_rate


def rows(folder: Path) -> list[Row]:
    from modules.links import codes

    key = bytes(range(32))

    def make() -> int:
        for counter in range(20_000):
            codes.encode(counter, key)
        return 20_000

    with unlocked(folder) as session:
        run = session.commands.run
        made = [run("links.create", url=f"https://moi.gov.kh/page/{n}", title=f"ទំព័រ {n}")["code"] for n in range(190)]
        began = time.perf_counter()
        run("links.sheet", codes=made, out=str(folder / "sheet.pdf"))
        seconds = (time.perf_counter() - began) * 1000 / len(made)
    return [
        Row("1,000 links with QR on PDF sheets", seconds, "s", 2, beside=f"measured on {len(made)}, each decoded back"),
        Row("link codes", best_rate(make), "codes/s", 30_000, better="more"),
    ]
