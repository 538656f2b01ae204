"""Seeds of the simulation in bulk on every core: what they lost, doubled, forged and broke, and how fast everything drained."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.bench.rows import Row

ROOT = Path(__file__).parents[2]
SEEDS = 3_000
FIRST = 10_000  # other seeds than those of the tests
SLICE = 250


def rows(_folder: Path) -> list[Row]:
    began = time.monotonic()
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        found = list(pool.map(played, range(FIRST, FIRST + SEEDS, SLICE)))
    seconds = time.monotonic() - began
    ops = sum(one["ops"] for one in found)
    labels = {
        name: sum(one["labels"].get(name, 0) for one in found)
        for name in ("accepted", "q:fork", "q:revoked", "q:schema")
    }
    beside = {
        "lost": ", ".join(f"{n} {name}" for name, n in labels.items()),
        "doubled": f"{sum(one['power_cuts'] for one in found)} power cuts",
        "forged": f"{sum(one['line_faults'] for one in found)} faults of the line",
    }
    return [
        Row("simulation, seeds", SEEDS, "seeds", 3_000, better="more", beside=f"{ops} ops in {seconds:.0f} s"),
        *(
            Row(f"simulation, ops {what}", sum(one[what] for one in found), "ops", 0, better="less", beside=beside[what])
            for what in ("lost", "doubled", "forged")
        ),
        Row("simulation, chain breaks", sum(one["chain"] for one in found), "breaks", 0, better="less"),
        Row("simulation, other faults", sum(_others(one) for one in found), "faults", 0, better="less",
            beside=f"seeds {[seed for one in found for seed in one['bad']][:8]}"),
        Row("simulation, rounds until all is through", max(one["rounds"] for one in found), "rounds", 6, better="less"),
        Row("simulation, a seed", seconds / SEEDS, "s", 0.3, better="less", beside="wall time over all cores"),
    ]  # fmt: skip


def _others(one: dict[str, Any]) -> int:
    """Wrong labels, work that did not get through, a log or a receipt that does not hold, crashes."""
    return sum(int(one[name]) for name in ("mislabelled", "stuck", "unsound", "crashed"))


def played(first: int) -> dict[str, Any]:
    """One slice in a process of its own."""
    command = [sys.executable, "-m", "tests.simulation", "--from", str(first), "--count", str(SLICE), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        found: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise RuntimeError(done.stderr[-2_000:]) from None
    return found
