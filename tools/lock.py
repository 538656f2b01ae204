"""Compile the hash-locked requirements: one for development, one for the packaged laptop program, one for the hub.

uv resolves for every supported Python and system at once; a cool-down of seven days keeps fresh, unreviewed uploads out.
"""

from __future__ import annotations

import datetime
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
COOL_DOWN_DAYS = 7
SETS = {"dev.txt": ("hub", "parquet", "dev"), "laptop.txt": (), "hub.txt": ("hub", "parquet")}


def main() -> None:
    newest = datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=COOL_DOWN_DAYS)
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "uv"], check=True)
    for name, extras in SETS.items():
        chosen = [part for extra in extras for part in ("--extra", extra)]
        subprocess.run(
            [
                sys.executable,
                "-m",
                "uv",
                "pip",
                "compile",
                "pyproject.toml",
                *chosen,
                "--universal",
                "--python-version",
                "3.11",
                "--generate-hashes",
                "--no-emit-index-url",
                "--exclude-newer",
                newest.isoformat(),
                "-q",
                "-o",
                str(Path("requirements") / name),
                "--custom-compile-command",
                "./dev lock",
            ],
            cwd=ROOT,
            check=True,
        )


if __name__ == "__main__":
    main()
