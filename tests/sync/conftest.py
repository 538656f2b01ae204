"""A centre with its keys and a laptop that its office pack has made: for tests of replication."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from nacl.public import PrivateKey
from nacl.signing import SigningKey

from sync import enrol, keys, pack
from sync.clock import SetClock, SystemClock
from sync.keys import Unlocked
from sync.notes import NoteKey
from sync.pack import OfficePack
from sync.wire import LeaseGrant
from tests.sync.bad_line import Line
from tests.sync.hub_process import Hub

NOW = 1_795_000_000_000  # 2026-11-18
PASSPHRASE = "ទន្លេសាប ឆ្នាំនេះ"
OFFICE = {
    "code": "0306",
    "name": {"km": "សាលាស្រុកកងមាស", "en": "Kang Meas District Hall"},
    "province": {"km": "កំពង់ចាម", "en": "Kampong Cham"},
}


@dataclass
class Centre:
    """The keys of a centre."""

    pack_key: SigningKey = field(default_factory=SigningKey.generate)
    log_key: SigningKey = field(default_factory=SigningKey.generate)
    agency: PrivateKey = field(default_factory=PrivateKey.generate)
    recovery: PrivateKey = field(default_factory=PrivateKey.generate)

    @property
    def log(self) -> NoteKey:
        return NoteKey("hub", bytes(self.log_key.verify_key))

    def pack(self, number: int = 1, **changes: Any) -> OfficePack:
        """An office pack of device ``number`` of office 0306 with three leases."""
        slot = bytes([number]) * 16
        grants = [
            LeaseGrant(bytes([number, place]) * 8, resource, {"first": number * 1000}, 100, NOW + 60 * 86_400_000)
            for place, resource in enumerate(("link-codes", "certificate-numbers", "receipt-numbers"))
        ]
        values: dict[str, Any] = {
            "office": OFFICE, "slot": slot, "number": number, "code": "0123456789", "code_not_after_ms": NOW + 259_200_000,
            "hub_urls": ("http://127.0.0.1:9",), "log": self.log, "agency_seal": bytes(self.agency.public_key),
            "recovery_seal": bytes(self.recovery.public_key), "tuf_root": b"", "leases": grants, "made_ms": NOW,
        }  # fmt: skip
        return OfficePack(**{**values, **changes})


@pytest.fixture
def centre(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Centre:
    """A centre whose pack key this machine pins."""
    made = Centre()
    folder = tmp_path / "roots"
    folder.mkdir()
    (folder / "test.pub").write_text(f"# test centre\n{bytes(made.pack_key.verify_key).hex()}\n")
    monkeypatch.setenv("SALA_ROOTS", str(folder))
    return made


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOW)


@pytest.fixture
def new_laptop(centre: Centre, clock: SetClock, tmp_path: Path) -> Iterator[Callable[..., Unlocked]]:
    """Makes a laptop from a pack: ``new_laptop(number, **changes of the pack)``."""
    made: list[Unlocked] = []

    def make(number: int = 1, **changes: Any) -> Unlocked:
        file = tmp_path / f"{number}.salapack"
        file.write_bytes(pack.build(centre.pack(number, **changes), centre.pack_key))
        unlocked = enrol.setup(
            tmp_path / f"laptop-{number}", file, officer_name="សុខ ដារ៉ា", officer_latin="Sok Dara", role="receiving",
            passphrase=PASSPHRASE, clock=clock, cost=keys.CHEAP,
        )  # fmt: skip
        made.append(unlocked)
        return unlocked

    yield make
    for unlocked in made:
        unlocked.lock()


@pytest.fixture
def laptop(new_laptop: Callable[..., Unlocked]) -> Unlocked:
    """An unlocked laptop, device 1 of office 0306."""
    return new_laptop()


@pytest.fixture(scope="module")
def shared_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """One hub for the tests that leave it as it is; every laptop takes a slot of its own."""
    made = Hub(tmp_path_factory.mktemp("hub") / "data").start()
    yield made
    made.stop()


@pytest.fixture
def own_hub(tmp_path: Path) -> Iterator[Hub]:
    """A hub that a test may stop, restore and break."""
    made = Hub(tmp_path / "own-hub").start()
    yield made
    made.stop()


@pytest.fixture
def new_line() -> Iterator[Callable[[Hub], Line]]:
    made: list[Line] = []

    def make(hub: Hub) -> Line:
        made.append(Line(hub.url))
        return made[-1]

    yield make
    for line in made:
        line.close()


@pytest.fixture
def join(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Unlocked]]:
    """``join(hub, url)``: a new laptop of the hub, reaching it by ``url``."""
    made: list[Unlocked] = []

    def make(hub: Hub, url: str | None = None) -> Unlocked:
        monkeypatch.setenv("SALA_ROOTS", str(hub.folder / "roots"))
        file = tmp_path / f"{len(made)}.salapack"
        hub.cli("enrol", "0306", "--out", str(file), "--url", url or hub.url)
        made.append(
            enrol.setup(
                tmp_path / f"home-{len(made)}", file, officer_name="សុខ ដារ៉ា", officer_latin="Sok Dara", passphrase=PASSPHRASE,
                clock=SystemClock(), cost=keys.CHEAP,
            )
        )  # fmt: skip
        return made[-1]

    yield make
    for unlocked in made:
        unlocked.lock()
