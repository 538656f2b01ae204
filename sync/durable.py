"""Small files that must be whole or absent after a power cut."""

from __future__ import annotations

import errno
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

_PAUSES: Final = (0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.6)  # seconds


def replace(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path``: after a crash either the old or the new content is there, never a part.

    OSError when the disk refuses; nothing of ``data`` then takes up its room.
    """
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        rename(part, path)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def rename(part: Path, path: Path) -> None:
    """Give ``part`` the name ``path``; where a virus scanner or an indexer holds one of them, wait up to two seconds for it."""
    for pause in _PAUSES:
        try:
            part.replace(path)
        except PermissionError:
            time.sleep(pause)
        else:
            return
    part.replace(path)


def sync_file(path: Path) -> None:
    """Force what was written to ``path`` onto the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Force the names in ``folder`` onto the disk, where the system knows how (Windows does it with the file)."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        except OSError as error:
            if error.errno != errno.EINVAL:  # some sticks' file systems cannot
                raise
        finally:
            os.close(handle)
