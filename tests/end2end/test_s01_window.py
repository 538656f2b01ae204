"""S1 in the window: while the real worker sends over the bad line, the person's thread is never held up for long."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QTimer

from tests.end2end.three_days import Days, bad_line

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
LONGEST_S = 0.1
BEAT_MS = 5


@pytest.fixture
def days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Days]:
    monkeypatch.setenv("SALA_ROOTS", "")
    made = Days(tmp_path, bad_line(10))
    yield made
    made.close()


MACHINE = """
import sys, time
last = time.monotonic()
while True:
    time.sleep(0.005)
    now = time.monotonic()
    if now - last > 0.05:
        print(now, now - last, flush=True)
    last = now
"""


class Pulse:
    """How late the beats of this thread come, beyond what the machine keeps an idle process of its own waiting."""

    def __init__(self) -> None:
        self.gaps: list[tuple[float, float]] = []  # when a late beat came, and how late
        self._timer = QTimer()
        self._timer.setInterval(BEAT_MS)
        self._timer.timeout.connect(self._beat)
        self._last = time.monotonic()
        self._machine = subprocess.Popen([sys.executable, "-c", MACHINE], stdout=subprocess.PIPE, text=True)
        self._busy: list[tuple[float, float]] = []

    def start(self) -> None:
        self._last = time.monotonic()
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()
        if self._machine.poll() is None:
            self._machine.terminate()
            told, _ = self._machine.communicate(timeout=10)
            self._busy = [(float(at), float(late)) for at, late in (line.split() for line in told.splitlines())]

    def longest(self) -> float:
        """The longest gap in which the machine was not itself busy: time is the same for all processes."""
        return max((late - self._excuse(at - late, at) for at, late in self.gaps), default=0.0)

    def _excuse(self, start: float, end: float) -> float:
        return sum(max(0.0, min(end, at) - max(start, at - late)) for at, late in self._busy)

    def _beat(self) -> None:
        now = time.monotonic()
        if now - self._last > LONGEST_S / 2:
            self.gaps.append((now, now - self._last))
        self._last = now


def test_the_window_stays_at_hand_while_the_line_is_bad(days: Days, qtbot: QtBot) -> None:
    from desktop.bridge import Bridge

    days.work(records=60, cases=8, scan_bytes=60_000)
    bridge = Bridge(days.session)
    pulse = Pulse()
    try:
        days.line.restart_clock()
        pulse.start()
        for _ in range(300):
            with qtbot.waitSignal(bridge.sync_ended, timeout=60_000):
                bridge.sync_now()
            if days.waiting() == 0 and days.pieces_left() == 0:
                break
        pulse.stop()
        assert (days.waiting(), days.pieces_left()) == (0, 0)
        assert pulse.longest() <= LONGEST_S, sorted(pulse.gaps, key=lambda gap: -gap[1])[:5]
    finally:
        pulse.stop()
        bridge.stop()
    assert days.hub_ops() == days.own_ops()


def test_stop_is_heard_at_once_however_slow_the_line_is(days: Days, qtbot: QtBot) -> None:
    from desktop.bridge import Bridge
    from sync.line import Settings

    days.work(records=1, cases=1, scan_bytes=200_000)
    days.settings(Settings(cap_kb=1))
    bridge = Bridge(days.session)
    try:
        with qtbot.waitSignal(bridge.sync_ended, timeout=60_000):
            bridge.sync_now()
            QTimer.singleShot(4_000, bridge.cancel_sync)
            began = time.monotonic()
        assert time.monotonic() - began < 4 + 3
        assert days.pieces_left() > 0
    finally:
        bridge.stop()
