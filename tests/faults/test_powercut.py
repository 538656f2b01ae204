"""Power cuts under the real store and the real hub: every state that their own requests to the disk allow is opened again.

Nothing that was acknowledged is missing, no transaction is half there, and the file is sound; and without syncing it would show.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from sync import care, keys
from sync.clock import SetClock
from sync.hub import centre as centres
from tests.faults import powercut
from tests.faults.powered import OFFICER, PASSPHRASE
from tests.hub.laptop import NOW, Laptop, join

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if powercut.compiler() is None:
        pytest.skip("no C compiler: the recorder cannot be made")
    return powercut.recorder(tmp_path_factory.mktemp("recorder"))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """Where a state is laid out: in memory, where there is one."""
    fast = Path("/dev/shm")
    folder = fast / f"sala-power-{os.getpid()}" if fast.is_dir() and os.access(fast, os.W_OK) else tmp_path / "state"
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def disk(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def home(tmp_path: Path, office_pack: Path, centre_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A laptop that is set up and locked."""
    from sync import enrol

    monkeypatch.setenv("SALA_ROOTS", str(centre_folder / "roots"))
    unlocked = enrol.setup(
        tmp_path / "home", office_pack, officer_name="ចាន់ សុខា", officer_latin=OFFICER, role="chief", passphrase=PASSPHRASE,
        clock=SetClock(NOW), cost=keys.CHEAP,
    )  # fmt: skip
    unlocked.lock()
    return tmp_path / "home"


def broken_laptop(state: powercut.State, home: Path, place: Path) -> list[str]:
    """What does not hold on a laptop that starts again after the cut."""
    shutil.rmtree(place, ignore_errors=True)
    state.lay(home, place)
    unlocked = keys.unlock(place, OFFICER, PASSPHRASE, SetClock(NOW + 10_000_000))
    try:
        found = [str(problem) for problem in care.problems(unlocked)]
        rows = unlocked.store.read(
            lambda c: [row["hash"].hex() for row in c.execute("SELECT hash FROM op WHERE form <> 'sync'")]
        )
        batches = unlocked.store.read(
            lambda c: ["batch:" + row["hash"].hex() for row in c.execute("SELECT hash FROM batch")]
        )
        found += [f"{said[:14]} is lost" for said in state.acknowledged if said not in {*rows, *batches}]
        found += ["half a transaction"] if len(rows) % 2 else []  # two records in every one
        attached = unlocked.store.read(lambda c: [row["blob"].hex() for row in c.execute("SELECT blob FROM attached")])
        found += [f"attachment {blob[:8]}" for blob in attached if len(unlocked.blobs.read(blob)) != 700]
        return found
    finally:
        unlocked.lock()


def test_no_power_cut_takes_what_a_laptop_acknowledged(library: Path, home: Path, place: Path) -> None:
    before = disk(home)
    events = powercut.record(library, home, "tests.faults.powered", "laptop")
    kinds = {event.kind for event in events if event.path.endswith((".db", "-wal"))}
    assert {"w", "s"} <= kinds and any(event.path.endswith("office.db") and event.kind == "w" for event in events)
    seen = 0
    for state in powercut.states(events, before, seed=1, every=7):
        seen += 1
        assert broken_laptop(state, home, place) == []
    assert seen > 150 and len(state.acknowledged) == 27


def test_without_syncing_acknowledged_work_would_be_lost(library: Path, home: Path, place: Path) -> None:
    """The same record without its syncs: the test must notice, or it proves nothing."""
    before = disk(home)
    events = powercut.record(library, home, "tests.faults.powered", "laptop")
    careless = [event for event in events if not (event.kind == "s" and event.path.endswith(("-wal", ".db")))]
    faults = 0
    for state in powercut.states(careless, before, seed=1, every=60):
        try:
            faults += bool(broken_laptop(state, home, place))
        except Exception:
            faults += 1
    assert faults > 5


@pytest.fixture
def centre(tmp_path: Path) -> Path:
    """A hub with two laptops, and beside it the batches that will come."""
    made = centres.create(tmp_path / "hub", SetClock(NOW), name="មជ្ឈមណ្ឌល", log_name="hub")
    laptops = [join(made, Laptop()), join(made, Laptop())]
    made.close()
    folder = tmp_path / "batches"
    folder.mkdir()
    for number in range(12):
        data = laptops[number % 2].batch(1 + number)
        (folder / f"{number:02d}-{sha256(data).hexdigest()}").write_bytes(data)
    return tmp_path / "hub"


def broken_hub(state: powercut.State, folder: Path, place: Path) -> list[str]:
    """What does not hold at a hub that starts again after the cut."""
    shutil.rmtree(place, ignore_errors=True)
    state.lay(folder, place)
    made = centres.open_(place, SetClock(NOW + 10_000_000))
    try:
        found = made.storage.read(made.log.verify)
        leaves = made.storage.read(
            lambda tx: tx.query("SELECT b.hash, b.n, b.idx, l.receipt FROM batch b JOIN leaf l ON l.batch = b.idx")
        )
        batches = made.storage.read(lambda tx: tx.query("SELECT idx, n FROM batch"))
        ops = made.storage.read(lambda tx: tx.query("SELECT batch, count(*) AS n FROM op GROUP BY batch"))
        pieces = {
            f"piece:{row['hash'].hex()}" for row in made.storage.read(lambda tx: tx.query("SELECT hash FROM chunk"))
        }
        whole = {row["hash"].hex(): sha256(row["receipt"].encode()).hexdigest() for row in leaves}
        for said in state.acknowledged:
            name, _, receipt = said.partition(":")
            if not (said in pieces if name == "piece" else whole.get(name[3:]) == receipt):
                found.append(f"{said[:20]} is lost")
        if len(leaves) != len(batches) or {row["idx"]: row["n"] for row in batches} != {
            row["batch"]: row["n"] for row in ops
        }:
            found.append("half a transaction")
        files = {f"piece:{path.name}" for path in (place / "chunks").rglob("*") if path.is_file()}
        return [*found, *(f"{piece} has no file" for piece in pieces - files)]
    finally:
        made.close()


def test_no_power_cut_takes_what_the_hub_receipted(library: Path, centre: Path, place: Path) -> None:
    before = disk(centre)
    events = powercut.record(library, centre, "tests.faults.powered", "hub")
    seen = 0
    for state in powercut.states(events, before, seed=2, every=5):
        seen += 1
        assert broken_hub(state, centre, place) == []
    assert seen > 100 and len(state.acknowledged) == 24
