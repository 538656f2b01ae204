"""Playing seeds: one at a time, deterministically, and the sum of what they showed."""

from __future__ import annotations

import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.simulation import template
from tests.simulation.judge import Verdict, judge
from tests.simulation.mutants import MUTANTS, SURVIVED
from tests.simulation.world import world

__all__ = ["MUTANTS", "Tally", "one", "play"]

KINDS = ("lost", "doubled", "forged", "chain", "mislabelled", "stuck", "unsound")


@dataclass(slots=True)
class Tally:
    """What a number of seeds gave. ``bad``: seed → its faults, or the end of the traceback."""

    seeds: int = 0
    ops: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)
    line: Counter[str] = field(default_factory=Counter)
    cuts: Counter[str] = field(default_factory=Counter)
    passed: Counter[str] = field(default_factory=Counter)  # write points, whether the power was cut there or not
    rounds: int = 0  # the most that healing took
    seconds: float = 0
    bad: dict[int, list[str]] = field(default_factory=dict)
    trace: list[str] = field(default_factory=list)  # of the last seed

    @property
    def ok(self) -> bool:
        return not self.bad

    def document(self) -> dict[str, Any]:
        """For a reader and for ``./dev bench``."""
        return {
            "ok": self.ok, "seeds": self.seeds, "ops": self.ops, **{kind: self.faults[kind] for kind in KINDS},
            "crashed": self.faults["crashed"], "labels": dict(sorted(self.labels.items())), "rounds": self.rounds,
            "power_cuts": sum(self.cuts.values()), "line_faults": sum(self.line.values()), "seconds": round(self.seconds, 1),
            "bad": {str(seed): faults[:5] for seed, faults in list(self.bad.items())[:10]},
        }  # fmt: skip


def one(seed: int, mutant: str | None = None) -> tuple[Verdict, list[str], Any]:
    """Play one seed: its verdict, its trace, its world (closed)."""
    broken = {**MUTANTS, **SURVIVED}[mutant] if mutant else None
    with world(seed, broken.change if broken else None, broken.focus if broken else frozenset()) as played:
        played.go()
        played.heal()
        return judge(played), played.trace, played


def play(seeds: Iterable[int], *, mutant: str | None = None, say: Callable[[str], Any] | None = None) -> Tally:
    """Play ``seeds`` one after the other. A crash of the product, which is no refusal in words, is a fault too."""
    template.make(template.memory() / "template")
    tally, began = Tally(), time.monotonic()
    for seed in seeds:
        tally.seeds += 1
        try:
            verdict, tally.trace, played = one(seed, mutant)
        except Exception:
            tally.faults["crashed"] += 1
            tally.bad[seed] = traceback.format_exc().splitlines()[-12:]
        else:
            _add(tally, verdict, played)
            if not verdict.ok:
                tally.bad[seed] = verdict.faults()
        if say and seed in tally.bad:
            say(f"seed {seed}: " + "\n  ".join(tally.bad[seed][:12]))
    tally.seconds = time.monotonic() - began
    return tally


def _add(tally: Tally, verdict: Verdict, played: Any) -> None:
    tally.ops += verdict.ops
    tally.labels += verdict.labels
    tally.rounds = max(tally.rounds, verdict.rounds)
    tally.acts += played.counts
    tally.line += played.line.counts
    tally.cuts += played.points.cut
    tally.passed += played.points.passed
    for kind in KINDS:
        tally.faults[kind] += len(getattr(verdict, kind))
