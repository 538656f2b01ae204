"""What the fault tests share: a disk that can be filled, and the words that a refusal must have."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

import pytest

from i18n.errors import SalaError, catalogue, explain

MIB = 1 << 20


@dataclass
class Disk:
    """A file system of its own with little room."""

    folder: Path

    def fill(self, leave: int = 0) -> None:
        """Take all its room but ``leave`` bytes."""
        with (self.folder / "filler").open("ab") as file:
            while (room := self.free() - leave) > 0:
                os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, room)

    def empty(self) -> None:
        """Somebody has made room."""
        (self.folder / "filler").unlink(missing_ok=True)

    def free(self) -> int:
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize


@pytest.fixture
def new_disk(tmp_path: Path) -> Iterator[Callable[[int], Disk]]:
    """``new_disk(mib)``: a real file system of that size; only where the system lets us mount one."""
    mounted: list[Path] = []

    def make(mib: int) -> Disk:
        place = tmp_path / f"disk-{len(mounted)}"
        place.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=700", "tmpfs", str(place)], capture_output=True, check=False
        )  # fmt: skip
        if done.returncode:
            pytest.skip("no right to mount a small disk here; tests/sync/store fills the database instead")
        mounted.append(place)
        return Disk(place)

    try:
        yield make
    finally:
        for place in mounted:
            subprocess.run(["umount", "--lazy", str(place)], capture_output=True, check=True)


def said(error: SalaError) -> str:
    """The code of a refusal, after looking that both languages say what happened, what was kept and what to do."""
    for language in ("km", "en"):
        raw = catalogue()[error.code][language]
        for sentence in ("what", "kept", "next"):
            asked = {name for _, name, _, _ in Formatter().parse(raw[sentence]) if name}
            assert raw[sentence] and asked <= set(error.values), (error.code, language, sentence, asked)
        words = explain(error, language)
        assert any("\u1780" <= sign <= "\u17ff" for sign in raw["what"]) is (language == "km"), words
    return error.code
