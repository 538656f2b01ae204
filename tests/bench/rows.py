"""One measured figure beside its budget. Budgets are those of the floor machine (2 cores, 4 GB, an SSD of 2015)."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """``better`` says which way is good; ``beside`` is a peer or a physical limit measured in the same run."""

    what: str
    figure: float
    unit: str
    budget: float
    better: str = "less"  # less | more
    beside: str = ""

    @property
    def holds(self) -> bool:
        return self.figure <= self.budget if self.better == "less" else self.figure >= self.budget

    def json(self) -> dict[str, Any]:
        return {**asdict(self), "holds": self.holds}


def quantile(samples: Sequence[float], share: float) -> float:
    """The sample below which ``share`` of all lie."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def timed(call: Callable[[], Any], times: int) -> list[float]:
    """Milliseconds of each of ``times`` calls."""
    samples = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        samples.append((time.perf_counter() - began) * 1000)
    return samples


def best_rate(call: Callable[[], int], rounds: int = 5) -> float:
    """Things a second: the median of ``rounds`` calls that each return how many things they did."""
    rates = []
    for _ in range(rounds):
        began = time.perf_counter()
        done = call()
        rates.append(done / (time.perf_counter() - began))
    return statistics.median(rates)
