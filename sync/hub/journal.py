"""The hub's own log lines as JSON, one a line: time, level, where, what. Never a name, a number, a path with a code or a key."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Final

_KNOWN: Final = frozenset(vars(logging.makeLogRecord({})))  # what every record has; the rest was given as ``extra``


class Lines(logging.Formatter):
    """One JSON object a record; of an exception the kind and the places in the code, not its words."""

    def format(self, record: logging.LogRecord) -> str:
        found = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "where": record.name,
            "what": record.getMessage(),
            **{name: value for name, value in vars(record).items() if name not in _KNOWN | {"message", "taskName"}},
        }
        if record.exc_info and record.exc_info[0] is not None:
            frames = traceback.extract_tb(record.exc_info[2])
            found["error"] = record.exc_info[0].__name__
            found["places"] = [f"{frame.name}:{frame.lineno}" for frame in frames[-8:]]
        return json.dumps(found, ensure_ascii=False, default=str)


def begin(level: int = logging.INFO) -> None:
    """Send every log line of this process to the error stream as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would name addresses
