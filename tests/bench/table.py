"""``./dev bench``: every budget that exists so far with its measured figure, as a table or as one JSON document.

A bench is a function of ``tests/bench/bench_*.py`` that takes an empty folder and returns rows. ``./dev bench links`` runs
those whose file name holds the word. Nothing here asserts: machines differ, and a figure that misses is reported as missing.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import tempfile
from pathlib import Path

from tests.bench.rows import Row

HERE = Path(__file__).parent


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev bench")
    parser.add_argument("words", nargs="*", help="only benches whose file name holds one of these")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    rows: list[Row] = []
    for path in sorted(HERE.glob("bench_*.py")):
        if arguments.words and not any(word in path.stem for word in arguments.words):
            continue
        print(f"… {path.stem}", file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="sala-bench-") as folder:
            rows += importlib.import_module(f"tests.bench.{path.stem}").rows(Path(folder))
    if arguments.json:
        print(json.dumps([row.json() for row in rows], ensure_ascii=False))
    else:
        show(rows)
    return 0


def show(rows: list[Row]) -> None:
    wide = max((len(row.what) for row in rows), default=10)
    for row in rows:
        sign = "≤" if row.better == "less" else "≥"
        verdict = "holds" if row.holds else "MISSES"
        print(
            f"{row.what:<{wide}}  {row.figure:>12,.2f} {row.unit:<10} {sign} {row.budget:<10,.6g} {verdict:<7} {row.beside}"
        )


if __name__ == "__main__":
    sys.exit(main())
