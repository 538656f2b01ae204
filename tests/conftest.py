"""Fixtures that every test may use: a prepared checkout, an offscreen Qt, an unlocked office and its second officer."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before anything imports Qt: without a display it aborts
os.environ.setdefault("LANG", "C.UTF-8")
os.environ.setdefault("SALA_BALLAST_MIB", "0")  # hundreds of profiles would keep 64 MiB each

ROOT = Path(__file__).parents[1]


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # the workers of a parallel run find the work done
        subprocess.run([sys.executable, "tools/prepare.py"], cwd=ROOT, check=True)


@pytest.fixture(autouse=True)
def khmer_first() -> Iterator[None]:
    """Every test starts in Khmer, as the program does."""
    from i18n import catalog

    catalog.use("km")
    yield
    catalog.use("km")
