"""A store of its own for every test of the store, and a profile with one officer."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from nacl.public import PrivateKey

from sync import keys, migrate
from sync.clock import SetClock
from sync.keys import Unlocked
from sync.officer import Officer
from sync.store import Store

KEY = bytes(range(32))
NOW = 1_790_000_000_000
CHIEF = Officer("", "សុខ វិបុល", "Sok Vibol", "chief")
PASSPHRASE = "ផ្កាឈូក ពណ៌ ស"


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOW, mono=1_000, boot_id=b"boot-one")


@pytest.fixture
def store(tmp_path: Path, clock: SetClock) -> Iterator[Store]:
    """An open store with the tables of the platform and one of a module called ``demo``."""
    made = Store.create(tmp_path / "home", KEY, clock=clock)
    migrate.install(made)
    made.write(lambda conn: conn.execute("CREATE TABLE demo_note (id INTEGER PRIMARY KEY, words TEXT NOT NULL) STRICT"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def recovery() -> PrivateKey:
    return PrivateKey(bytes(reversed(range(32))))


@pytest.fixture
def profile(tmp_path: Path, clock: SetClock, recovery: PrivateKey) -> Iterator[Unlocked]:
    """An unlocked profile with one officer and the province's recovery slot."""
    unlocked = keys.create_profile(
        tmp_path / "home",
        officer=CHIEF,
        passphrase=PASSPHRASE,
        clock=clock,
        cost=keys.CHEAP,
        recovery=bytes(recovery.public_key),
    )
    yield unlocked
    unlocked.lock()


@pytest.fixture
def run_python(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a script in a process of its own, with the power cut at ``failpoint`` if one is given."""

    def run(script: str, *args: object, failpoint: str | None = None) -> subprocess.CompletedProcess[str]:
        import os

        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
        environment.pop("SALA_FAILPOINT", None)
        if failpoint:
            environment["SALA_FAILPOINT"] = failpoint
        return subprocess.run(
            [sys.executable, "-c", script, *map(str, args)], env=environment, capture_output=True, text=True, timeout=60
        )

    return run
