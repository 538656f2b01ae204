"""An unlocked office for benchmarks, and the raw fsync of this disk to compare saves with."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.rows import quantile, timed

if TYPE_CHECKING:
    from modules.session import Session


@contextmanager
def unlocked(folder: Path) -> Iterator[Session]:
    """Office 0306 with a real pack of a real hub, offline."""
    from modules.session import Session
    from sync import enrol, keys
    from sync.clock import SystemClock
    from sync.hub import centre
    from sync.hub.cli import office_facts

    hub = centre.create(folder / "hub", SystemClock(), name="bench", log_name="hub")
    pack = folder / "0306.pack"
    try:
        pack.write_bytes(hub.enrol(office_facts("0306"), ["http://127.0.0.1:9"]))
    finally:
        hub.close()
    os.environ["SALA_ROOTS"] = str(folder / "hub" / "roots")
    session = Session.open(
        enrol.setup(folder / "home", pack, officer_name="ចាន់ សុខា", officer_latin="Chan Sokha", passphrase="bench bench bench",
                    clock=SystemClock(), cost=keys.CHEAP)
    )  # fmt: skip
    try:
        yield session
    finally:
        session.close()


def fsync_ms(folder: Path) -> float:
    """p99 of writing and syncing 4 KiB on this disk: what a durable save cannot beat."""
    place = folder / "fsync"
    with place.open("wb", buffering=0) as file:

        def once() -> None:
            file.write(b"\0" * 4096)
            os.fsync(file.fileno())

        return quantile(timed(once, 200), 0.99)
