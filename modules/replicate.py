"""Sends and receives for an open session: over the line, or by a courier file. The window and the command line share it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modules.contract import Changed

if TYPE_CHECKING:
    from modules.session import Session

Progress = Callable[[str, int, int], None]  # what, done, total
SYNCED = "sync"


def once(
    session: Session, *, progress: Progress | None = None, cancel: Callable[[], bool] = lambda: False, asked: bool = True,
) -> dict[str, Any]:  # fmt: skip
    """One sync run (SYNC §8), because a person asked or by itself. ``Known`` when no hub answers: everything waits."""
    from sync import exchange

    report = exchange.run(session.unlocked, progress=progress, cancel=cancel, asked=asked)
    _tell(session)
    return asdict(report)


def export(session: Session, folder: Path, *, progress: Progress | None = None) -> dict[str, Any]:
    """Write a courier file into ``folder``; what was handed over shows as *on USB* until a receipt comes back."""
    from sync import courier

    report = courier.export(session.unlocked, folder, progress=progress)
    _tell(session)
    return asdict(report)


def import_(session: Session, path: Path, *, progress: Progress | None = None) -> dict[str, Any]:
    """Take receipts, publications and certificates from a courier file or a folder of them."""
    from sync import courier

    report = courier.import_(session.unlocked, path, progress=progress)
    _tell(session)
    return asdict(report)


def _tell(session: Session) -> None:
    """Take in what came down; every page may show a sync state: tell all kinds."""
    from modules import publications

    publications.apply_new(session)
    session.bus.publish(Changed(frozenset(session.kinds()) | {SYNCED}, frozenset(), SYNCED))
