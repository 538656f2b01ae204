"""``python -m tests.simulation``: seeds of the simulation, one verdict.

``--seed N --trace`` plays one seed again and tells all of it; ``--from A --count N`` plays many; ``--mutant M1`` breaks the
product on purpose, which must be noticed.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys

from tests.simulation import mutants, play


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seed", type=int, help="this seed alone")
    parser.add_argument("--trace", action="store_true", help="with --seed: print what happened")
    parser.add_argument("--from", type=int, default=0, dest="first", metavar="A")
    parser.add_argument("--count", type=int, default=100, metavar="N")
    parser.add_argument(
        "--mutant", choices=sorted({**mutants.MUTANTS, **mutants.SURVIVED}), help="break the product on purpose"
    )
    parser.add_argument("--json", action="store_true", help="print exactly one JSON document")
    chosen = parser.parse_args()
    logging.disable(logging.CRITICAL)
    seeds = [chosen.seed] if chosen.seed is not None else range(chosen.first, chosen.first + chosen.count)
    tally = play.play(seeds, mutant=chosen.mutant, say=None if chosen.json else print)
    if chosen.trace and chosen.seed is not None:
        print("\n".join(tally.trace))
    print(json.dumps(tally.document(), indent=None if chosen.json else 1))
    return 0 if tally.ok else 1


if __name__ == "__main__":
    sys.exit(main())
