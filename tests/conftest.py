"""Fixtures that every test may use: a prepared checkout, an offscreen Qt, an unlocked office and its second officer."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before anything imports Qt: without a display it aborts
os.environ.setdefault("LANG", "C.UTF-8")
# A disk that waits for its platter (or its cloud) at every one of the suite's 100,000 fsyncs doubles its time.
MEMORY = Path("/dev/shm")
if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 8 << 30:
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)
os.environ.setdefault("SALA_BALLAST_MIB", "0")  # hundreds of profiles would keep 64 MiB each

if TYPE_CHECKING:
    from modules.session import Session

ROOT = Path(__file__).parents[1]
# Only the tests' S3 server brings boto3, which no user has; a library of ours would load it in each of a thousand processes.
ABSENT = str(ROOT / "tests" / "absent")
sys.path.insert(0, ABSENT)
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (ABSENT, os.environ.get("PYTHONPATH"))))
PASSPHRASE = "ពាក្យសម្ងាត់ សាកល្បង ១២៣"


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # the workers of a parallel run find the work done
        subprocess.run([sys.executable, "tools/prepare.py"], cwd=ROOT, check=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Workers begin with the files that take long, so that none of them is alone with one at the end."""
    if hasattr(config, "workerinput"):
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session", autouse=True)
def codes_once() -> Iterator[None]:
    """A pack's code takes 64 MiB and a tenth of a second to derive, on purpose; a run uses the same pack a thousand times."""
    from sync import devices

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(devices, "code_key", functools.cache(devices.code_key))
        yield


@pytest.fixture(autouse=True)
def khmer_first() -> Iterator[None]:
    """Every test starts in Khmer, as the program does."""
    from i18n import catalog

    catalog.use("km")
    yield
    catalog.use("km")


@pytest.fixture(scope="session")
def centre_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub that was initialised once for the whole run; its ``roots`` folder pins its packs."""
    from sync.clock import SystemClock
    from sync.hub import centre

    folder = tmp_path_factory.mktemp("centre") / "hub"
    centre.create(folder, SystemClock(), name="មជ្ឈមណ្ឌលសាកល្បង", log_name="hub").close()
    return folder


@pytest.fixture(scope="session")
def office_pack(centre_folder: Path) -> Path:
    """The office pack of one laptop of office 0306, with its first leases."""
    from sync.clock import SystemClock
    from sync.hub import centre
    from sync.hub.cli import office_facts

    hub = centre.open_(centre_folder, SystemClock())
    try:
        place = centre_folder / "0306.pack"
        place.write_bytes(hub.enrol(office_facts("0306"), ["http://127.0.0.1:9"]))
    finally:
        hub.close()
    return place


@pytest.fixture
def open_office(
    tmp_path: Path, office_pack: Path, centre_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Session]]:
    """``open_office(name="home", role="receiving")``: a fresh profile of office 0306 with its session; closed after the test."""
    from modules.session import Session
    from sync import enrol, keys
    from sync.clock import SystemClock

    monkeypatch.setenv("SALA_ROOTS", str(centre_folder / "roots"))
    opened: list[Session] = []

    def make(
        name: str = "home", *, role: str = "receiving", officer: str = "ចាន់ សុខា", latin: str = "Chan Sokha"
    ) -> Session:
        unlocked = enrol.setup(
            tmp_path / name, office_pack, officer_name=officer, officer_latin=latin, role=role, passphrase=PASSPHRASE,
            clock=SystemClock(), cost=keys.CHEAP,
        )  # fmt: skip
        opened.append(Session.open(unlocked))
        return opened[-1]

    yield make
    for session in opened:
        session.close()


@pytest.fixture
def session(open_office: Callable[..., Session]) -> Session:
    """The receiving officer of office 0306, unlocked, offline, with leases."""
    return open_office()


@pytest.fixture
def second_officer(session: Session) -> Iterator[Session]:
    """The chief of the same office on the same laptop: another officer, another passphrase, the same database."""
    from modules.session import Session
    from sync import keys
    from sync.officer import Officer

    passphrase = PASSPHRASE + " ប្រធាន"
    added = keys.add_officer(session.unlocked, Officer("", "លឹម ដារ៉ា", "Lim Dara", "chief"), passphrase, cost=keys.CHEAP)
    chief = Session.open(keys.unlock(session.unlocked.home, added.id, passphrase, session.clock))
    yield chief
    chief.close()
