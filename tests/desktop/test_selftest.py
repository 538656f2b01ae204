"""The self-test passes in the checkout, says what is wrong when something is, and leaves an open window alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from PySide6.QtWidgets import QApplication

from desktop import selftest
from sync import selfcheck

ROOT = Path(__file__).parents[2]


def test_everything_that_the_program_needs_is_there() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "desktop.cli", "--json", "selftest"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads(done.stdout)
    assert report["ok"], {name: result for name, result in report["checks"].items() if result != "ok"}
    assert done.returncode == 0
    assert len(report["checks"]) == len(selftest.CHECKS) + len(selftest.WINDOW_CHECKS)


def test_beside_an_open_window_only_the_libraries_are_tested(qapp: QApplication) -> None:
    """The report for IT staff is written by a thread of the window: no widget may be made there, no look changed."""
    style, palette = qapp.style().name(), qapp.palette()
    report = selftest.run()
    assert set(report["checks"]) == {check.__name__ for check in selftest.CHECKS}
    assert (qapp.style().name(), qapp.palette()) == (style, palette)


def test_the_report_names_what_is_broken_and_goes_on() -> None:
    def broken() -> None:
        selfcheck.require(False, "no font")

    def whole() -> None:
        selfcheck.require(True, "never said")

    report = selfcheck.run((broken, whole))
    assert not report["ok"]
    assert report["checks"]["broken"].startswith("RuntimeError: no font @ require:")
    assert report["checks"]["whole"] == "ok"
