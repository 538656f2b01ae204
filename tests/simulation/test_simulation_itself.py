"""That the simulation would notice: mutants of the product are found out, every fault happens, a seed is the same every time."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.simulation import play
from tests.simulation.mutants import MUTANTS, SURVIVED
from tests.simulation.wire import Faults

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
MOST_SEEDS = 100  # in which every mutant must have lost something
ELSEWHERE = {  # write points that the days of a simulation do not pass, and the tests that cut the power there
    "add": "sync/store/test_people_of_a_profile", "profile": "sync/store/test_people_of_a_profile",
    "recover": "sync/store/test_keys_recovered",
    "migrate": "sync/store/test_migrate", "setup:profile-made": "sync/test_office_pack", "setup:before-commit": "sync/test_office_pack",
    "foreign:b": "faults/test_office_kill", "foreign:ops": "faults/test_office_kill", "reset:": "sync/test_passphrase_reset",
    "update:": "sync/test_updates", "prune:piece": "sync/test_pruning", "send:recut": "sync/test_exchange_bad_lines",
    "foreign:piece": "faults/test_cut_anywhere", "foreign:file": "faults/test_cut_anywhere",
    "office:after-put": "faults/test_cut_anywhere", "audit:": "faults/test_cut_anywhere",
    "setup:device-replaced": "faults/test_cut_anywhere", "receive:pieces": "end2end/test_pieces_by_stick",
}  # fmt: skip


@pytest.fixture(scope="module")
def tally() -> play.Tally:
    return play.play(range(1_000, 1_040))


@pytest.mark.parametrize("mutant", sorted(MUTANTS))
def test_a_mutant_of_the_product_loses_something(mutant: str) -> None:
    for seed in range(MOST_SEEDS):
        verdict, _, _ = play.one(seed, mutant)
        if verdict.lost:
            return
    pytest.fail(f"{mutant} lost nothing in {MOST_SEEDS} seeds")


def test_have_want_makes_good_what_a_careless_hub_forgot() -> None:
    found = play.play(range(40), mutant=next(iter(SURVIVED)))
    assert found.faults["lost"] == found.faults["doubled"] == found.faults["forged"] == 0


def test_the_same_seed_is_the_same_day() -> None:
    command = [sys.executable, "-m", "tests.simulation", "--seed", "1003", "--trace", "--json"]

    def once(hash_seed: str) -> tuple[list[str], Counter[str]]:
        told = subprocess.run(
            command, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": hash_seed}, capture_output=True, text=True
        )
        *trace, document = told.stdout.splitlines()
        return trace, Counter(json.loads(document)["labels"])

    assert once("1") == once("2")


def test_every_fault_of_the_line_and_every_calamity_happens(tally: play.Tally) -> None:
    assert set(tally.line) == set(Faults.__dataclass_fields__)
    missing = {"relay_run", "kill_relay", "relay_away", "relay_copy", "relay_restore", "relay_stick", "kill_laptop", "kill_hub",
               "stick_out", "stick_in", "stick_home", "hurt_stick", "clone", "restart", "backup", "restore",
               "confirm", "revoke", "clock_jump", "laptop_full", "hub_full", "garbage"} - set(tally.acts)  # fmt: skip
    assert not missing
    assert tally.labels["q:fork"] and tally.labels["q:revoked"] and tally.labels["q:schema"]


def test_the_days_pass_every_write_point(tally: play.Tally) -> None:
    """Whoever adds a write point that the simulation never reaches says here which test cuts the power there."""
    source = "\n".join(path.read_text("utf-8") for path in sorted((ROOT / "sync").rglob("*.py")))
    names = set(re.findall(r"failpoint\(f?\"([^\"]+)\"\)", source))
    assert len(names) > 20
    there = {
        start
        for start, file in ELSEWHERE.items()
        if re.search("failpoint|cut_anywhere", (ROOT / f"tests/{file}.py").read_text("utf-8").lower())
    }
    assert there == set(ELSEWHERE)
    assert [name for name in sorted(names - set(tally.passed)) if not name.startswith(tuple(ELSEWHERE))] == []
    assert sum(tally.cuts.values()) >= 20 and {name.partition(":")[0] for name in tally.cuts} >= {"store", "hub"}
