"""``sala-hub selftest``: a practice hub serves, a practice laptop enrols with it."""

from __future__ import annotations

from sync.hub import selftest


def test_the_hub_finds_everything_it_needs() -> None:
    report = selftest.run()
    assert report["ok"], {name: result for name, result in report["checks"].items() if result != "ok"}
