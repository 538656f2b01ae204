"""The self-test passes in the checkout, and says what is wrong when something is."""

from __future__ import annotations

from desktop import selftest
from sync import selfcheck


def test_everything_that_the_program_needs_is_there() -> None:
    report = selftest.run()
    assert report["ok"], {name: result for name, result in report["checks"].items() if result != "ok"}


def test_the_report_names_what_is_broken_and_goes_on() -> None:
    def broken() -> None:
        selfcheck.require(False, "no font")

    def whole() -> None:
        selfcheck.require(True, "never said")

    report = selfcheck.run((broken, whole))
    assert not report["ok"]
    assert report["checks"]["broken"].startswith("RuntimeError: no font @ require:")
    assert report["checks"]["whole"] == "ok"
