"""Every line and branch of the files that verify or parse what others sent must be run by the tests: ``./dev coverage [FILE…]``.

``tests/trust.toml`` lists those files, each with the tests that belong to it. Only these tests run, once, and the exit code is 1 when
one file falls below 100 %. With FILE only those files are held to it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIST = ROOT / "tests" / "trust.toml"


def table(path: Path = LIST) -> dict[str, list[str]]:
    """File → its tests, both below the root. ValueError: one of them is not there."""
    tests = tomllib.loads(path.read_text("utf-8"))["tests"]
    found = {file: list(named) for file, named in tests.items()}
    for name in {*found, *(test for named in found.values() for test in named)}:
        if not (ROOT / name).is_file():
            raise ValueError(f"{path.name}: {name} is not there")
    return found


def commands(found: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Run the tests of ``found`` once under coverage, then hold every file to 100 %."""
    files = ",".join(sorted(found))
    tests = sorted({test for named in found.values() for test in named})
    python = [sys.executable, "-m"]
    return [
        [*python, "coverage", "run", "-m", "pytest", "-q", *tests],
        [*python, "coverage", "report", "--show-missing", f"--include={files}", "--fail-under=100"],
    ]


def main(arguments: Sequence[str]) -> int:
    found = table()
    if unknown := set(arguments) - set(found):
        print(f"not in tests/trust.toml: {' '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    chosen = {file: found[file] for file in arguments} if arguments else found
    with tempfile.TemporaryDirectory(prefix="coverage-") as folder:
        environment = {**os.environ, "COVERAGE_FILE": str(Path(folder) / "data")}
        codes = [subprocess.run(one, cwd=ROOT, env=environment, check=False).returncode for one in commands(chosen)]
    return 1 if any(codes) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
