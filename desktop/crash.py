"""When something of ours breaks: it is written down without personal data, and told at the next start."""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import sys
import traceback
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import IO

CRASH_FILE = "crash.log"
RUN_FILE = "running"
LOG_BYTES = 500_000

log = logging.getLogger("sala")

_open_file: IO[str] | None = None  # faulthandler writes to the descriptor: it must stay open


def folder(home: Path) -> Path:
    made = home / "log"
    made.mkdir(parents=True, exist_ok=True)
    return made


def begin(home: Path) -> str:
    """Start to write crashes and the log; returns what the last run left behind ("" when it ended well)."""
    global _open_file
    path = folder(home) / CRASH_FILE
    left = path.read_text("utf-8", "replace") if path.exists() else ""
    if left.strip():
        path.replace(path.with_name("crash-last.log"))
    _open_file = path.open("w", encoding="utf-8")
    faulthandler.enable(_open_file)
    handler = RotatingFileHandler(folder(home) / "sala.log", maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8")
    handler.setFormatter(_Plain("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    return left.strip()


def end() -> None:
    """A good end leaves an empty file."""
    global _open_file
    faulthandler.disable()
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler, RotatingFileHandler):
            root.removeHandler(handler)
            handler.close()
    if _open_file is not None:
        _open_file.close()
        _open_file = None


def hook(tell: Callable[[str], None]) -> None:
    """Every exception that nobody caught: into the crash file, and ``tell(kind)`` so that the window can say so."""

    def caught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        log.error("nobody caught %s", kind.__name__)
        if _open_file is not None and not _open_file.closed:
            _open_file.write(plain_trace(kind, trace))
            _open_file.flush()
        with contextlib.suppress(RuntimeError):  # the window may be gone already
            tell(kind.__name__)

    sys.excepthook = caught


def plain_trace(kind: type[BaseException], trace: TracebackType | None) -> str:
    """Where it happened, without the words of the exception: those may hold what a person typed."""
    lines = [
        f'  File "{Path(frame.filename).name}", line {frame.lineno}, in {frame.name}\n'
        for frame in traceback.extract_tb(trace)
    ]
    return "".join(["Traceback\n", *lines, f"{kind.__name__}\n"])


class _Plain(logging.Formatter):
    """Exceptions in the log are cut to kind and place, for the same reason."""

    def formatException(self, info: object) -> str:
        kind, _error, trace = info  # type: ignore[misc]
        return plain_trace(kind, trace)  # type: ignore[has-type]


# --- was the last run cut off while somebody worked?


def mark_running(home: Path, wall_ms: int) -> None:
    """Somebody is unlocked from ``wall_ms`` on."""
    (folder(home) / RUN_FILE).write_text(str(wall_ms), "ascii")


def mark_ended(home: Path) -> None:
    (folder(home) / RUN_FILE).unlink(missing_ok=True)


def cut_off_since(home: Path) -> int | None:
    """When the run began that never ended; None when the last one ended well."""
    try:
        return int((folder(home) / RUN_FILE).read_text("ascii"))
    except (OSError, ValueError):
        return None
