"""Room kept aside on the disk: when it runs full, dropping the ballast lets the outbox still be written and sent."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

from sync.errors import Known

MIB: Final = 1 << 20
SIZE: Final = 64 * MIB
LEAST_FREE: Final = 200 * MIB  # below this no new work is begun; what is begun can be finished and sent

_NAME: Final = "ballast"


def lay(folder: Path, size: int = SIZE) -> None:
    """Occupy ``size`` real bytes of the disk beside the database. 0: this profile keeps no ballast."""
    if size:
        _fill(folder / _NAME, size)


def drop(folder: Path) -> bool:
    """Give the ballast back to the disk; True if there was any. An empty file remembers to lay it again."""
    path = folder / _NAME
    if not path.exists() or path.stat().st_size == 0:
        return False
    os.truncate(path, 0)
    return True


def lay_again(folder: Path) -> None:
    """Occupy dropped ballast again once there is ample room."""
    path = folder / _NAME
    if path.exists() and path.stat().st_size == 0 and free(folder) >= LEAST_FREE + 2 * SIZE:
        _fill(path, SIZE)


def free(folder: Path) -> int:
    """Bytes that this user may still write where ``folder`` lies."""
    return shutil.disk_usage(folder).free


def check(folder: Path) -> None:
    """Known SY-105 when there is too little room to begin something new."""
    left = free(folder)
    if left < LEAST_FREE:
        raise Known("SY-105", free_mib=left // MIB, needed_mib=LEAST_FREE // MIB)


def _fill(path: Path, size: int) -> None:
    with path.open("wb") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)  # real blocks without writing them
        else:
            file.truncate(size)  # NTFS reserves the clusters of a longer file
