"""./dev build: the packaged folder dist/sala with its archive and Debian package; --selftest proves that it runs anywhere.

The proof runs the programs in an empty root (``tools/emptyroot.py``): the self-test of every library and resource, the chain
of command lines against a real hub, and the headless day. One JSON document is printed; exit code 1 when anything failed or
grew over its budget.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from sync.version import VERSION
from tools import artefacts, chain, slim
from tools.emptyroot import EmptyRoot

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
FOLDER = DIST / "sala"
FOLDER_MB, DOWNLOAD_MB = 235, 73  # megabytes of 10⁶ bytes; a camera gets what is left of 240 and 75
CANNOT_LOAD = "cannot load"  # Qt says so of a plugin with QT_DEBUG_PLUGINS and then goes on without it


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev build")
    parser.add_argument(
        "--selftest", action="store_true", help="run self-test, command lines and headless day in an empty root"
    )
    parser.add_argument("--keep", action="store_true", help="build nothing: pack and test what dist/sala holds")
    parser.add_argument("--release", action="store_true", help="compress as far as it goes (minutes)")
    chosen = parser.parse_args()
    report: dict[str, Any] = {"version": VERSION, "seconds": {}}
    if not chosen.keep:
        with timed(report, "freeze"):
            freeze()
        if sys.platform == "linux":
            with timed(report, "slim"):
                report["saved_mb"] = slim.slim(FOLDER)
    measure(report)
    with ThreadPoolExecutor(1) as beside:  # packing takes one core, the proofs mostly wait for each other
        packing = beside.submit(pack, report, 19 if chosen.release else 10)
        if chosen.selftest:
            report |= prove(report)
        packing.result()
    report["faults"] = [*faults(report)]
    print(json.dumps(report, ensure_ascii=False))
    sys.exit(1 if report["faults"] else 0)


@contextmanager
def timed(report: dict[str, Any], name: str) -> Iterator[None]:
    start = time.monotonic()
    yield
    report["seconds"][name] = round(time.monotonic() - start, 1)


def freeze() -> None:
    """Run PyInstaller; the same source gives the same bytes."""
    shutil.rmtree(DIST, ignore_errors=True)
    subprocess.run(
        [sys.executable, "-m", "PyInstaller", "--noconfirm", "--clean", "--log-level", "ERROR", "build.spec"],
        cwd=ROOT, check=True, stdout=sys.stderr, env={
            **os.environ, "PYTHONHASHSEED": "1", "SOURCE_DATE_EPOCH": str(epoch()),
            "PYINSTALLER_ZLIB_COMPRESSION_LEVEL": "0",  # code is packed once, with everything else: a third smaller than file by file
        },
    )  # fmt: skip


def epoch() -> int:
    """The time that every file of the build carries, in s: the last commit's."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    last = subprocess.run(
        ["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout
    return int(last or 1763769600)


def measure(report: dict[str, Any]) -> None:
    files = [path for path in FOLDER.rglob("*") if path.is_file() and not path.is_symlink()]
    report["folder_mb"] = round(sum(path.stat().st_size for path in files) / 1e6, 1)
    report["files"] = len(files)
    largest = sorted(files, key=lambda path: -path.stat().st_size)[:8]
    report["largest_mb"] = {str(path.relative_to(FOLDER)): round(path.stat().st_size / 1e6, 1) for path in largest}


def pack(report: dict[str, Any], level: int) -> None:
    """What goes on a stick: archive and, on Debian, package and installer, with their sums; sizes in MB by file name."""
    with timed(report, "pack"):
        made = _packed(level)
        sums = "".join(f"{sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in made)
        (DIST / "SHA256SUMS").write_text(sums, "ascii")
    report["downloads"] = {path.name: round(path.stat().st_size / 1e6, 1) for path in made}


def _packed(level: int) -> list[Path]:
    kind = f"{sys.platform}-{platform.machine().lower()}"
    made = [artefacts.archive(FOLDER, DIST / f"sala-{VERSION}-{kind}.tar.zst", epoch(), level)]
    if shutil.which("dpkg-query"):
        made.append(artefacts.debian_package(FOLDER, DIST, epoch(), level))
        made.append(Path(shutil.copy(ROOT / "tools" / "stick" / "install.sh", DIST)))
    return made


def prove(report: dict[str, Any]) -> dict[str, Any]:
    """Self-test, chain and day in an empty root, side by side: each has a folder of its own."""
    proofs: dict[str, Callable[[EmptyRoot], dict[str, Any]]] = {"selftest": self_test, "chain": chain.play, "day": day}
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(len(proofs)) as together:
        root = EmptyRoot(FOLDER, Path(folder))
        begun = {name: together.submit(_proved, report, name, proof, root) for name, proof in proofs.items()}
        return {"root": root.name, **{name: proof.result() for name, proof in begun.items()}}


def _proved(
    report: dict[str, Any], name: str, proof: Callable[[EmptyRoot], dict[str, Any]], root: EmptyRoot
) -> dict[str, Any]:
    with timed(report, name):
        try:
            return proof(root)
        except (RuntimeError, ValueError, KeyError, OSError) as error:
            return {"ok": False, "error": str(error)}


def self_test(root: EmptyRoot) -> dict[str, Any]:
    """What both command lines find in the folder; Qt's complaints about plugins count too."""
    checks: dict[str, str] = {}
    unloaded: list[str] = []
    for program in ("sala-cli", "sala-hub"):
        code, out, errors = root.run(program, "--json", "selftest", QT_DEBUG_PLUGINS="1")
        if not out.strip():
            raise RuntimeError(f"the self-test of {program} ended with {code}:\n{errors[-4000:]}")
        checks |= {f"{program} {name}": result for name, result in json.loads(out)["checks"].items()}
        unloaded += [line for line in errors.splitlines() if CANNOT_LOAD in line.lower()]
    failed = {name: result for name, result in checks.items() if result != "ok"}
    return {
        "ok": not failed and not unloaded,
        "passed": len(checks) - len(failed),
        "failed": failed,
        "qt_cannot_load": unloaded,
    }


def day(root: EmptyRoot) -> dict[str, Any]:
    """The practice day through the real window; of its pictures and papers only the count."""
    result: dict[str, Any] = root.json("sala", "--day", f"{root.tmp}/day")
    return {name: len(value) if isinstance(value, list) else value for name, value in result.items()}


def faults(report: dict[str, Any]) -> Iterator[str]:
    """Why this build is not to be given to anybody."""
    if report["folder_mb"] > FOLDER_MB:
        yield f"the folder has {report['folder_mb']} MB, more than {FOLDER_MB}"
    for name, megabytes in report["downloads"].items():
        if megabytes > DOWNLOAD_MB:
            yield f"{name} has {megabytes} MB, more than {DOWNLOAD_MB}"
    for name in ("selftest", "chain", "day"):
        if name in report and not report[name].get("ok"):
            yield f"{name} failed"


if __name__ == "__main__":
    main()
