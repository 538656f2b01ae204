"""A lock between processes: the window and the command line never exchange at the same time, nor do two publish."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sync.errors import Known


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file ``path`` for the block; it falls with the process. Known SY-352 when another one holds it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            _lock(handle)
        except OSError:
            raise Known("SY-352") from None
        yield
    finally:
        os.close(handle)


@contextmanager
def turn(path: Path, patience_s: float = 20) -> Iterator[None]:
    """The same, but wait for whoever holds it. Known SY-352 when that took longer than ``patience_s``."""
    end = time.monotonic() + patience_s
    while True:
        try:
            held = locked(path)
            held.__enter__()
            break
        except Known:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
    try:
        yield
    finally:
        held.__exit__(None, None, None)


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
