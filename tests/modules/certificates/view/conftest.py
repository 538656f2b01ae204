"""The certificates page over a real session, in a plain look."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from desktop.bridge import Bridge
from desktop.kit import shown, theme
from modules.certificates.view import CertificatesPage


@pytest.fixture(scope="session")
def dressed(qapp: QApplication) -> QApplication:
    from desktop.app import prepare

    prepare(qapp)
    return qapp


@pytest.fixture(autouse=True)
def plain_look(dressed: QApplication) -> None:
    theme.apply(dressed, scheme="light", percent=100, both_labels=True)
    shown.use_digits("latin")


@pytest.fixture
def desk(siem: Any, qtbot: Any) -> Iterator[Bridge]:
    made = Bridge(siem.session)
    made.refusals = []  # type: ignore[attr-defined]
    made.refused.connect(lambda error: made.refusals.append(error.code))  # type: ignore[attr-defined]
    yield made
    made.close()


@pytest.fixture
def settle(desk: Bridge, qtbot: Any) -> Callable[[], None]:
    """Wait until nothing runs and every timer of the page had its turn."""
    calm_since = [0.0]

    def calm() -> bool:
        windows = [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, CertificatesPage)]
        timers = [timer for part in (desk, *windows) for timer in part.findChildren(QTimer)]
        if desk.busy() or any(timer.isActive() and timer.isSingleShot() for timer in timers):
            calm_since[0] = time.monotonic()
        return time.monotonic() - calm_since[0] > 0.06

    def wait() -> None:
        calm_since[0] = time.monotonic()
        qtbot.waitUntil(calm, timeout=20_000)

    return wait


@pytest.fixture
def page(desk: Bridge, qtbot: Any, settle: Callable[[], None]) -> CertificatesPage:
    made = CertificatesPage(desk)
    qtbot.addWidget(made)
    made.resize(928, 510)  # what 1024×600 leaves
    with qtbot.waitExposed(made):
        made.show()
    made.activateWindow()
    made.refresh()
    settle()
    return made
