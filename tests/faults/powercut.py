"""Every state in which a power cut may leave the disk, from a record of what the real program asked of it.

A file holds for certain what was written before its last sync. Of what came later, any part may be there: nothing, everything,
or some sectors of some writes. Names that come and go are taken as ordered, which journalling file systems keep.
"""

from __future__ import annotations

import os
import random
import shutil
import struct
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SECTOR: Final = 512  # a write that was not synced may reach the disk in pieces of this size
LATER: Final = ("none", "all", "torn")
ROOT: Final = Path(__file__).parents[2]
ACK: Final = "acknowledged"  # file of the folder: whatever the program says is done, it appends here


@dataclass(frozen=True, slots=True)
class Event:
    """One request: w(rite), t(runcate), s(ync), d(elete), r(ename, ``data`` is the new path)."""

    kind: str
    path: str
    offset: int
    data: bytes


def compiler() -> str | None:
    """A C compiler, where there is one."""
    return shutil.which("cc") or shutil.which("gcc")


def recorder(folder: Path) -> Path:
    """The recording library, compiled into ``folder``."""
    made = folder / "recorder.so"
    source = Path(__file__).with_name("recorder.c")
    found = compiler()
    assert found
    subprocess.run([found, "-shared", "-fPIC", "-O1", "-o", made, source, "-ldl", "-lpthread"], check=True)
    return made


def record(library: Path, folder: Path, script: str, *arguments: str) -> list[Event]:
    """Run ``script`` (of this package) over ``folder`` and return what it asked of the disk there."""
    log = folder.with_name(folder.name + ".log")
    environment = {
        **os.environ, "LD_PRELOAD": str(library), "POWER_FOLDER": str(folder), "POWER_LOG": str(log), "SALA_BALLAST_MIB": "0",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", script, str(folder), *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise AssertionError(done.stderr)
    return list(_events(log.read_bytes()))


def _events(data: bytes) -> Iterator[Event]:
    place = 0
    while place < len(data):
        kind, length, offset, size = struct.unpack_from("=QQQQ", data, place)
        place += 32
        path = data[place : place + length].decode()
        place += length
        yield Event(chr(kind), path, offset, data[place : place + size])
        place += size


@dataclass(slots=True)
class State:
    """The disk after a cut: files by path, and what had been acknowledged until then."""

    files: dict[str, bytes]
    acknowledged: list[str]

    def lay(self, folder: Path, place: Path) -> None:
        """Write the files of ``folder`` into ``place``."""
        for path, data in self.files.items():
            target = place / Path(path).relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)


def states(events: Sequence[Event], before: dict[str, bytes], seed: int, every: int = 1) -> Iterator[State]:
    """The states after every ``every``-th request, each with later writes gone, all there, and torn. ``before``: the first disk."""
    dice = random.Random(seed)
    safe = {path: bytearray(data) for path, data in before.items()}
    waiting: dict[str, list[Event]] = defaultdict(list)
    said = ""
    for number, event in enumerate(events):
        if event.path.endswith("/" + ACK):
            said += event.data.decode() if event.kind == "w" else ""
            continue
        _happen(event, safe, waiting)
        if number % every == 0:
            for later in LATER:
                yield State(_cut(safe, waiting, later, dice), said.split())


def _happen(event: Event, safe: dict[str, bytearray], waiting: dict[str, list[Event]]) -> None:
    if event.kind == "d":
        safe.pop(event.path, None)
        waiting.pop(event.path, None)
    elif event.kind == "r":
        target = event.data.decode()
        safe[target] = safe.pop(event.path, bytearray())
        waiting[target] = waiting.pop(event.path, [])
    elif event.kind == "s":
        for earlier in waiting.pop(event.path, []):
            _apply(safe.setdefault(event.path, bytearray()), earlier)
    else:
        safe.setdefault(event.path, bytearray())
        waiting[event.path].append(event)


def _cut(
    safe: dict[str, bytearray], waiting: dict[str, list[Event]], later: str, dice: random.Random
) -> dict[str, bytes]:
    files = {path: bytearray(data) for path, data in safe.items()}
    for path, events in waiting.items():
        for event in events:
            for part in _parts(event, later, dice):
                _apply(files.setdefault(path, bytearray()), part)
    return {path: bytes(data) for path, data in files.items()}


def _parts(event: Event, later: str, dice: random.Random) -> Iterator[Event]:
    if later == "all":
        yield event
    elif later == "torn" and event.kind == "t":
        if dice.random() < 0.5:
            yield event
    elif later == "torn":
        for start in range(0, len(event.data), SECTOR):
            if dice.random() < 0.5:
                yield Event("w", event.path, event.offset + start, event.data[start : start + SECTOR])


def _apply(image: bytearray, event: Event) -> None:
    if event.kind == "t":
        del image[event.offset :]
        image.extend(bytes(max(0, event.offset - len(image))))
        return
    image.extend(bytes(max(0, event.offset + len(event.data) - len(image))))
    image[event.offset : event.offset + len(event.data)] = event.data
