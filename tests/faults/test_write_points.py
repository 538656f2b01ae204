"""The power goes at every write point, one after the other: of finishing with its flow, of cutting and sending, of the hub's taking.

Each death is followed by a restart and the next passing, until a whole order gets through; the law is checked at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.faults.children import Laptop
from tests.faults.kill import LONGEST_S, Run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    monkeypatch.setenv("SALA_ROOTS", "")  # the run sets its own; afterwards it is as it was
    made = Run(tmp_path, seed=0)
    yield made
    made.close()


def dies(run: Run, actions: list[list[Any]], point: str) -> bool:
    """Whether a laptop that works through ``actions`` dies at ``point``; what it acknowledged is noted."""
    run.laptop = Laptop(run.home, run.hub_folder / "roots")
    run.laptop.order(actions, point)
    assert not run._listen(LONGEST_S), "it hangs"
    died = not run.laptop.alive
    run._kill_laptop(point)
    return died


@pytest.mark.parametrize(
    ("actions", "name", "least"),
    [
        ([["finish", "barber-licence"]], "store", 15),
        ([["finish", "copy-legalisation"]], "blob", 1),
        ([["link"], ["sync"]], "store", 25),
        ([["link"], ["sync"]], "cut:before-commit", 1),
        ([["link"], ["stick", "stick-0"]], "courier:renamed", 1),
    ],
)  # fmt: skip
def test_a_laptop_that_dies_at_every_write_point(run: Run, actions: list[list[Any]], name: str, least: int) -> None:
    stick = run.folder / "stick-0"
    run.said.sticks = [stick]
    actions = [[str(stick) if part == "stick-0" else part for part in action] for action in actions]
    run.hub.ready()
    deaths = next(n - 1 for n in count(1) if not dies(run, actions, f"{name}:{n}"))
    assert deaths >= least
    run.heal()
    assert run.figures.ok, run.figures.document()
    assert len(run.said.submissions) + len(run.said.links) >= 1


@pytest.mark.parametrize("name", ["hub:received", "hub:before-commit", "hub:after-commit", "hub:stored"])
def test_a_hub_that_dies_at_every_write_point_of_taking_a_batch(run: Run, name: str) -> None:
    """From its start to the receipt of one batch; the laptop hears nothing and offers the same batch again."""
    run.laptop = Laptop(run.home, run.hub_folder / "roots")
    for n in count(1):
        run._restart_hub(f"{name}:{n}")
        run.laptop.order([["link"], ["sync"]])
        assert not run._listen(LONGEST_S)
        if run.hub.alive and run.figures.receipts:
            break
    assert n > 1
    refused = set(run.figures.refused)
    assert refused <= {"sync SY-350"} and refused, refused
    run.heal()
    assert run.figures.ok, run.figures.document()
