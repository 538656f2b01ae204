"""A root folder without Python, shell or anything: the packaged folder and the system libraries that it links to.

What runs here runs on a laptop where nothing was prepared. Without the right to change root the same programs run where they
were built, with an empty environment; the report says which it was.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools.artefacts import linked_outside

SETTINGS = (
    "etc/fonts",
    "usr/share/fontconfig",
    "usr/lib/locale/C.utf8",
)  # what a desktop system has for fonts and UTF-8
DEVICES = {"null": 3, "zero": 5, "random": 8, "urandom": 9}
TIMEOUT_S = 600


class EmptyRoot:
    """The programs of ``folder`` in an empty root below ``place``, or beside the build when that is not allowed."""

    def __init__(self, folder: Path, place: Path) -> None:
        self.alone = sys.platform == "linux" and os.geteuid() == 0
        self.root = place / "root" if self.alone else Path("/")
        self._programs = "/sala" if self.alone else str(folder)
        self.tmp = "/tmp" if self.alone else str(place)
        if self.alone:
            _fill(self.root, folder)

    @property
    def name(self) -> str:
        return "empty" if self.alone else "this system, empty environment"

    def outside(self, path: str) -> Path:
        """Where the file that the programs call ``path`` lies for this process."""
        return self.root / path.lstrip("/")

    def start(self, program: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start a program; its streams are pipes."""
        command = [f"{self._programs}/{program}", *arguments]
        if self.alone:
            command = [shutil.which("chroot") or "/usr/sbin/chroot", str(self.root), *command]
        clean = {"LANG": "C.UTF-8", "HOME": self.tmp, "QT_QPA_PLATFORM": "offscreen", "PATH": "", **environment}
        return subprocess.Popen(
            command, env=clean, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def run(self, program: str, *arguments: str, **environment: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error of one run."""
        process = self.start(program, *arguments, **environment)
        try:
            out, errors = process.communicate(timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            out, errors = process.communicate()
        return process.returncode, out, errors

    def json(self, program: str, *arguments: str, **environment: str) -> Any:
        """The document that ``--json`` prints. ``RuntimeError`` with the last words of a run that prints none."""
        code, out, errors = self.run(program, *arguments, **environment)
        if not out.strip():
            raise RuntimeError(f"{program} {' '.join(arguments)} ended with {code}:\n{errors[-4000:]}")
        return json.loads(out)


def _fill(root: Path, folder: Path) -> None:
    for name in ("tmp", "dev", "proc"):
        (root / name).mkdir(parents=True)
    (root / "tmp").chmod(0o1777)
    for device, minor in DEVICES.items():
        os.mknod(root / "dev" / device, 0o666 | 0o020000, os.makedev(1, minor))
    for name in SETTINGS:
        if (Path("/") / name).exists():
            shutil.copytree(Path("/") / name, root / name, ignore_dangling_symlinks=True)
    shutil.copytree(folder, root / "sala", symlinks=True)
    for library in linked_outside(folder):
        place = root / library.relative_to("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, place)
