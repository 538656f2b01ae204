"""Places where a test may cut the power. Costs one look at the environment when nothing is armed."""

from __future__ import annotations

import os
import signal
from collections import Counter
from typing import Final

VARIABLE: Final = "SALA_FAILPOINT"  # "store:3": the process dies at the third passing of a point named "store"

_passed: Counter[str] = Counter()


def failpoint(name: str) -> None:
    """Die at once, as in a power cut, if the environment asks for it at this passing of ``name``."""
    armed = os.environ.get(VARIABLE)
    if armed is None:
        return
    wanted, _, nth = armed.rpartition(":")
    if wanted != name:
        return
    _passed[name] += 1
    if _passed[name] == int(nth):
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))  # Windows ends the process on SIGTERM as hard
