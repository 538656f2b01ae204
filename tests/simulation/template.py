"""A hub and three laptops that are prepared once and copied for every seed: two are enrolled, the third is only set up."""

from __future__ import annotations

import atexit
import os
import random
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Final
from unittest.mock import patch

from sync import client, enrol, exchange, keys
from sync.clock import SetClock
from sync.hub import centre as centres
from sync.hub import cosignatures
from sync.hub.offices import office_facts
from tests.simulation import province
from tests.simulation.centre import PATCHES, Site
from tests.simulation.chance import patched, seeded
from tests.simulation.laptop import OFFICER, PASSPHRASE
from tests.simulation.points import counted
from tests.simulation.wire import Line

NOW: Final = 1_795_000_000_000  # 2026-11-18
URL: Final = "http://hub.test"
NAMES: Final = ("anna", "bora", "chea")
_OFFICES: Final = ("0306", "0306", "0102")
_FAST: Final = Path("/dev/shm")


@cache
def memory() -> Path:
    """A folder in memory where there is one: syncing costs nothing there, and power cuts are simulated anyway."""
    fast = _FAST if _FAST.is_dir() and os.access(_FAST, os.W_OK) else None
    place = Path(tempfile.mkdtemp(prefix="sala-simulation-", dir=fast))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    return place


def make(folder: Path) -> Path:
    """The folder with ``hub``, ``relay`` and a home of each name; made when it is not there yet."""
    if not folder.exists():
        _make(folder.with_name("template-part")).rename(folder)
    return folder


def _make(folder: Path) -> Path:
    clock = SetClock(NOW)
    centres.create(folder / "hub", clock, name="មជ្ឈមណ្ឌលសាកល្បង", log_name="hub").close()
    with (
        seeded("template") as watch, counted() as points, patched(*PATCHES),
        patch.dict(os.environ, SALA_ROOTS=str(folder / "hub" / "roots"), SALA_BALLAST_MIB="0"),
    ):  # fmt: skip
        site = Site(folder / "hub", clock, points)
        line = Line(site.serve, random.Random(0), watch)
        with patched((client, "open_client", line.client)):
            key = province.make(folder / "relay", URL, site.centre.log.note_key)
            site.do(lambda hub: hub.storage.write(lambda tx: cosignatures.add(tx, province.NAME, "03", key, "", NOW)))
            _laptops(folder, site, clock)
            province.first_run(folder / "relay", clock)
        line.loop.close()
        site.close()
    return folder


def _laptops(folder: Path, site: Site, clock: SetClock) -> None:
    for name, office in zip(NAMES, _OFFICES, strict=True):
        pack = folder / f"{name}.pack"
        pack.write_bytes(site.centre.enrol(office_facts(office), [URL]))
        unlocked = enrol.setup(
            folder / name, pack, officer_name="ចាន់ សុខា", officer_latin=OFFICER, role="chief", passphrase=PASSPHRASE,
            clock=clock, cost=keys.CHEAP,
        )  # fmt: skip
        if name != NAMES[-1]:
            exchange.run(unlocked)
        unlocked.lock()
