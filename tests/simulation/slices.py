"""The seeds that every run of the tests plays, in slices, so that two workers share them."""

from __future__ import annotations

from typing import Final

from tests.simulation import play

SLICE: Final = 15
SEEDS: Final = 300


def starts(half: int) -> list[int]:
    """First seeds of the slices of one half."""
    return list(range(half * SLICE, SEEDS, 2 * SLICE))


def check(start: int) -> play.Tally:
    """Play one slice; a failure names the seed and how to see it again."""
    tally = play.play(range(start, start + SLICE))
    told = [
        f"python -m tests.simulation --seed {seed} --trace\n  " + "\n  ".join(faults[:8])
        for seed, faults in tally.bad.items()
    ]
    assert tally.ok, "\n".join(told)
    assert tally.ops > 0
    return tally
