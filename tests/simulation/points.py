"""The power goes at any write point of laptop, hub or relay: every ``failpoint`` of the product is counted, and one of them cuts.

At that moment the files are copied as the operating system has them, which is exactly what a killed process leaves; then an
exception unwinds the dead program, and whatever it still does to its old files is thrown away.
"""

from __future__ import annotations

import importlib
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import sync
from sync import failpoint as original

LAPTOP, HUB, RELAY = "laptop", "hub", "relay"


class PowerCut(BaseException):
    """The program of ``victim`` is dead. No ``except Exception`` of the product may hear of it."""

    def __init__(self, victim: str, place: str) -> None:
        super().__init__(f"{victim} at {place}")
        self.victim, self.place = victim, place


@dataclass(slots=True)
class Points:
    """Who runs now, what was passed, and where the power goes next."""

    running: list[str] = field(default_factory=lambda: [LAPTOP])
    armed: dict[str, int] = field(default_factory=dict)  # victim → passings until it dies
    snapshot: dict[str, Callable[[], None]] = field(default_factory=dict)  # victim → copies its files
    order: list[tuple[str, str]] = field(default_factory=list)  # every passing: whose, and the name of the point
    cut: Counter[str] = field(default_factory=Counter)

    @property
    def passed(self) -> Counter[str]:
        return Counter(name for _, name in self.order)

    def passing(self, name: str) -> None:
        """Stands in for ``failpoint``."""
        victim = self.running[-1]
        self.order.append((victim, name))
        left = self.armed.get(victim)
        if left is None:
            return
        if left > 1:
            self.armed[victim] = left - 1
            return
        del self.armed[victim]
        self.cut[name] += 1
        self.snapshot[victim]()
        raise PowerCut(victim, name)

    @contextmanager
    def of(self, who: str) -> Iterator[None]:
        """The code in the block runs on ``who``."""
        self.running.append(who)
        try:
            yield
        finally:
            self.running.pop()


@contextmanager
def counted() -> Iterator[Points]:
    """Count every write point of the product for the block."""
    points = Points()
    users = [module for module in _modules() if getattr(module, "failpoint", None) is original.failpoint]
    for module in users:
        module.failpoint = points.passing  # type: ignore[attr-defined]
    try:
        yield points
    finally:
        for module in users:
            module.failpoint = original.failpoint  # type: ignore[attr-defined]


@cache
def _modules() -> list[object]:
    """Every module of ``sync`` with write points, loaded, so that nobody's are forgotten."""
    root = Path(sync.__path__[0])
    for path in sorted(root.rglob("*.py")):
        if "import failpoint" in path.read_text("utf-8"):
            importlib.import_module(".".join(("sync", *path.relative_to(root).with_suffix("").parts)))
    return [module for name, module in list(sys.modules.items()) if name.startswith("sync.")]
