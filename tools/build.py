"""./dev build: the packaged folder dist/sala, and with --selftest the proof that it runs where no Python is.

The proof copies the folder into an empty root that holds only the system libraries it links to, changes root into it and
runs the program's own self-test and the headless day there. Without the right to change root the same runs with an empty
environment beside the build, and the report says so.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist" / "sala"
SYSTEM_FOLDERS = ("etc/fonts", "usr/share/fontconfig", "usr/lib/locale/C.utf8")
STRIPPED = re.compile(r"libpython|zstandard|sqlcipher3|_cffi_backend|uharfbuzz|zxingcpp|icu4py|cbor2")


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev build")
    parser.add_argument("--selftest", action="store_true", help="run the packaged program's self-test and headless day")
    parser.add_argument("--keep", action="store_true", help="with --selftest: test what dist/sala holds, build nothing")
    arguments = parser.parse_args()
    if not arguments.keep:
        freeze()
    report: dict[str, Any] = {"folder": str(DIST.relative_to(ROOT)), "megabytes": round(size(DIST) / 1e6, 1)}
    if arguments.selftest:
        report |= prove()
    print(json.dumps(report, ensure_ascii=False))
    sys.exit(0 if not arguments.selftest or (report["selftest"]["ok"] and report["day"]["lost"] == 0) else 1)


def freeze() -> None:
    subprocess.run(
        [sys.executable, "-m", "PyInstaller", "--noconfirm", "--clean", "--log-level", "WARN", "build.spec"],
        cwd=ROOT,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "1", "SOURCE_DATE_EPOCH": "1763769600"},
        stdout=sys.stderr,
    )
    if sys.platform == "linux" and shutil.which("strip"):
        for library in DIST.rglob("*.so*"):
            if STRIPPED.search(library.name) and not library.is_symlink():
                subprocess.run(["strip", "--strip-unneeded", str(library)], check=True)


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def prove() -> dict[str, Any]:
    """Self-test and day of the packaged program; in a root without Python when this process may change root."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        alone = sys.platform == "linux" and os.geteuid() == 0
        if alone:
            bare_root(root)
        selftest = packaged(root if alone else None, "sala-cli", "--json", "selftest")
        day = packaged(root if alone else None, "sala", "--day", "/tmp/day" if alone else str(root / "day"))
    return {"root": "empty" if alone else "this system, empty environment", "selftest": selftest, "day": day}


def packaged(root: Path | None, program: str, *arguments: str) -> dict[str, Any]:
    command = ["chroot", str(root), f"/sala/{program}", *arguments] if root else [str(DIST / program), *arguments]
    environment = {"LANG": "C.UTF-8", "HOME": "/tmp", "QT_QPA_PLATFORM": "offscreen", "PATH": ""}
    done = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        executable=shutil.which(command[0]),
    )
    if not done.stdout.strip():
        sys.exit(f"{program} {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr[-4000:]}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def bare_root(root: Path) -> None:
    """The packaged folder and the system libraries that it links to; no shell, no Python, nothing else."""
    shutil.copytree(DIST, root / "sala", symlinks=True)
    for name in ("tmp", "dev", "proc"):
        (root / name).mkdir()
    (root / "tmp").chmod(0o1777)
    for device, minor in (("null", 3), ("zero", 5), ("urandom", 9), ("random", 8)):
        os.mknod(root / "dev" / device, 0o666 | 0o020000, os.makedev(1, minor))
    for folder in SYSTEM_FOLDERS:
        if (Path("/") / folder).exists():
            shutil.copytree(Path("/") / folder, root / folder, symlinks=False, ignore_dangling_symlinks=True)
    for library in linked_libraries():
        place = root / library.relative_to("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, place)


def linked_libraries() -> set[Path]:
    """Every library outside the folder that an executable or a library of it needs, found by the system's own loader."""
    needed: set[Path] = set()
    files = [
        path
        for path in DIST.rglob("*")
        if path.is_file() and (path.suffix == ".so" or ".so." in path.name or path.parent == DIST)
    ]
    for start in range(0, len(files), 50):
        listed = subprocess.run(
            ["ldd", *map(str, files[start : start + 50])], capture_output=True, text=True, check=False
        ).stdout
        for line in listed.splitlines():
            found = re.search(r"(?:=> )?(/\S+) \(0x", line)
            if found and not found[1].startswith(str(DIST)):
                needed.add(Path(found[1]))
    return needed


if __name__ == "__main__":
    main()
