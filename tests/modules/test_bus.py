"""The bus tells everybody, survives a broken subscriber, and forgets who left."""

from __future__ import annotations

import logging

import pytest

from modules.bus import Bus
from modules.contract import Changed

NEWS = Changed(frozenset({"forms.submission"}), frozenset({"a"}), "forms.finish")


def test_a_broken_subscriber_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    bus, heard = Bus(), []

    def broken(_: Changed) -> None:
        raise RuntimeError("broken")

    bus.subscribe(broken)
    bus.subscribe(heard.append)
    with caplog.at_level(logging.ERROR):
        bus.publish(NEWS)
    assert heard == [NEWS]
    assert "forms.finish" in caplog.text


def test_unsubscribing_twice_is_harmless() -> None:
    bus, heard = Bus(), []
    leave = bus.subscribe(heard.append)
    leave()
    leave()
    bus.publish(NEWS)
    assert heard == []
