"""Files that are given out: written beside the target, made durable, then put in its place. No half file is ever seen."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from modules.contract import Known


@contextmanager
def writing(out: str) -> Iterator[IO[bytes]]:
    """A binary file that takes the name ``out`` when the block ends well. ``Known("FM-040")`` when it cannot be written."""
    target = Path(out).expanduser()
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        raise Known("FM-040", file=target.name) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
