"""How a program tests itself: named checks, one report, nothing raised. Each program lists its own checks."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Sequence
from typing import Any

Check = Callable[[], None]

log = logging.getLogger(__name__)


def run(checks: Sequence[Check]) -> dict[str, Any]:
    """``{"ok", "checks": {name: "ok" | reason and place}}``."""
    found: dict[str, str] = {}
    for check in checks:
        try:
            check()
            found[check.__name__] = "ok"
        except Exception as error:  # the report is the product of a self-test, whatever is broken
            log.warning("self-check %s failed", check.__name__, exc_info=True)
            frame = traceback.extract_tb(error.__traceback__)[-1]
            found[check.__name__] = f"{type(error).__name__}: {error} @ {frame.name}:{frame.lineno}"
    return {"ok": all(result == "ok" for result in found.values()), "checks": found}


def require(condition: object, what: str) -> None:
    """``RuntimeError`` with ``what`` unless ``condition`` holds."""
    if not condition:
        raise RuntimeError(what)
