"""Room kept aside on the disk: when it runs full, dropping the ballast lets the outbox still be written and sent."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

from sync import durable
from sync.errors import Known

MIB: Final = 1 << 20
VARIABLE: Final = "SALA_BALLAST_MIB"  # for very small disks, and for tests that make many profiles
LEAST_FREE: Final = 200 * MIB  # below this no new work is begun; what is begun can be finished and sent

_NAME: Final = "ballast"
_MIB: Final = 64
_FULL: Final = (errno.ENOSPC, errno.EDQUOT) if hasattr(errno, "EDQUOT") else (errno.ENOSPC,)


def size() -> int:
    """Bytes to keep aside: 64 MiB, or what the environment says; 0 keeps none."""
    return int(os.environ.get(VARIABLE, _MIB)) * MIB


def lay(folder: Path) -> None:
    """Occupy real bytes of the disk beside the database. Known SY-104 when even they do not fit."""
    if size():
        _fill(folder / _NAME)


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
    if size() and path.exists() and path.stat().st_size == 0 and free(folder) >= LEAST_FREE + 2 * size():
        with suppress(Known):  # somebody else filled the disk in this moment: next time
            _fill(path)


def keep(path: Path, data: bytes) -> None:
    """Put a small file beside the database, whole or not at all; on a full disk the ballast makes room for it.

    Known: SY-104 the disk is full and there is no ballast, SY-107 the disk cannot be written.
    """
    try:
        durable.replace(path, data)
    except OSError as error:
        if error.errno not in _FULL:
            raise Known("SY-107") from error
        if not drop(path.parent):
            raise Known("SY-104") from error
        keep(path, data)


def free(folder: Path) -> int:
    """Bytes that this user may still write where ``folder`` lies."""
    return shutil.disk_usage(folder).free


def check(folder: Path) -> None:
    """Known SY-105 when there is too little room to begin something new."""
    left = free(folder)
    if left < LEAST_FREE:
        raise Known("SY-105", free_mib=left // MIB, needed_mib=LEAST_FREE // MIB)


def _fill(path: Path) -> None:
    try:
        with path.open("wb") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size())  # real blocks without writing them
            else:
                file.truncate(size())  # NTFS reserves the clusters of a longer file
    except OSError as error:
        path.unlink(missing_ok=True)
        raise Known("SY-104") from error
