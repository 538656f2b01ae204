"""The window's fixtures: style and fonts once, a frame over a real session, and a whole window over a real profile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QWidget

from desktop.kit import shown, theme

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop.bridge import Bridge
    from desktop.shell.frame import Frame
    from desktop.shell.window import Window
    from modules.session import Session


@pytest.fixture(scope="session")
def prepared(qapp: QApplication) -> QApplication:
    """Style, fonts and Qt's words, as the program sets them."""
    from desktop.app import prepare

    prepare(qapp)
    return qapp


@pytest.fixture(autouse=True)
def plain_look(prepared: QApplication) -> None:
    """Every test begins light, at 100 %, in Latin digits."""
    theme.apply(prepared, scheme="light", percent=100, both_labels=True)
    shown.use_digits("latin")


@pytest.fixture
def bridge(session: Session, qtbot: QtBot) -> Iterator[Bridge]:
    """The desk over a real session; nothing runs after the test."""
    from desktop.bridge import Bridge

    made = Bridge(session)
    yield made
    made.close()


@pytest.fixture
def frame(bridge: Bridge, qtbot: QtBot, settle: Callable[[], None]) -> Frame:
    """The window content of the unlocked officer, 1366×728, Home in front and everything read."""
    from desktop.shell.frame import Frame

    made = Frame(bridge)
    qtbot.addWidget(made)
    made.resize(1366, 728)
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    made.open("home")
    settle()
    return made


@pytest.fixture
def window(tmp_path: Path, qtbot: QtBot) -> Callable[..., Window]:
    """``window(home)``: the whole window over a profile folder, shown and begun."""
    from desktop.shell.window import Window
    from sync import keys

    def make(home: Path) -> Window:
        made = Window(home, cost=keys.CHEAP)
        qtbot.addWidget(made)
        made.resize(1366, 728)
        with qtbot.waitActive(made):
            made.show()
            made.activateWindow()
        made.begin()
        return made

    return make


@pytest.fixture
def typing() -> Callable[[QWidget, str], None]:
    """``typing(widget, text)``: key by key, in any script (QTest knows ASCII keys only)."""

    def type_(widget: QWidget, text: str) -> None:
        for letter in text:
            for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
                key = Qt.Key.Key_unknown if ord(letter) > 127 else Qt.Key(ord(letter.upper()))
                event = QKeyEvent(kind, key, Qt.KeyboardModifier.NoModifier, letter)
                QApplication.sendEvent(widget, event)

    return type_


@pytest.fixture
def settle(bridge: Bridge, qtbot: QtBot) -> Callable[[], None]:
    """``settle()``: until nothing runs any more."""
    return lambda: qtbot.waitUntil(lambda: not bridge.busy(), timeout=10_000)
