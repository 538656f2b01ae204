"""States that a person meets seldom, on the smallest and the usual screen, in both languages: nothing of them is cut off."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtWidgets import QApplication

from desktop.shell.frame import Frame
from i18n import catalog
from i18n.errors import Known
from modules.session import Session
from sync import clockwatch, marks, rescue, withdrawal
from tests.desktop.keys_only import cut_off, shoot, speak

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop.shell.window import Window

HOUR = 3_600_000
SIZES = pytest.mark.parametrize("size", [(1366, 768), (1024, 600)])
LANGUAGES = pytest.mark.parametrize("language", ["km", "en"])


@SIZES
@LANGUAGES
def test_the_clock_banner_and_the_banner_of_a_copy(
    frame: Frame, settle: Callable[[], None], size: tuple[int, int], language: catalog.Language
) -> None:
    speak(frame, language)
    session = frame.bridge.session

    def doubt(conn: Any) -> None:
        now = session.clock.wall_ms() + 8 * HOUR
        marks.raise_floor(conn, marks.HUB_TIME, now)
        clockwatch.anchor(conn, session.clock, now)
        conn.execute("INSERT INTO rekey (device, predecessor, cause, made_ms) VALUES (x'00', x'01', 'fork', 5)")

    session.store.write(doubt)
    frame.resize(*size)
    frame.life.look()
    settle()
    assert frame.life.clock is not None and frame.life.rekeyed is not None
    for banner in (frame.life.clock, frame.life.rekeyed):
        QApplication.processEvents()
        assert cut_off(banner) == []
    assert frame.strip.isVisible() and frame.pages.height() > 200, "there is room left to work"
    shoot(frame, "state-clock")


@SIZES
@LANGUAGES
def test_the_door_of_a_withdrawn_laptop(
    session: Session, window: Callable[..., Window], qtbot: QtBot, size: tuple[int, int], language: catalog.Language
) -> None:
    home = session.unlocked.home
    session.store.write(lambda conn: withdrawal.heard(conn, session.clock, 3))
    rescue.carry_out(session.unlocked)
    session.close()
    (home / withdrawal.NOTE).write_text(
        '{"told_ms": 1, "file": "/home/sala/.local/share/sala-unsent/sala-unsent-5ec7ab01-20261122-140233.salabatch", "ops": 3}'
    )
    shown = window(home)
    speak(shown, language)
    shown.resize(*size)
    shown.show_door()
    assert shown.door is not None
    QApplication.processEvents()
    assert cut_off(shown.door) == []
    assert shown.door.banner.visibleRegion().boundingRect().height() == shown.door.banner.height(), "seen whole"
    shoot(shown, "state-withdrawn")


@LANGUAGES
def test_what_the_door_refuses_and_the_door_itself_stand_on_the_smallest_screen(
    session: Session, window: Callable[..., Window], language: catalog.Language
) -> None:
    home = session.unlocked.home
    session.close()
    shown = window(home)
    speak(shown, language)
    shown.resize(1024, 600)
    for error, name in (
        (Known("SY-525", found=2, seen=3), "state-old-slots"),
        (Known("SY-526"), "state-slots-before-a-removal"),
    ):
        shown.show_door(error=error)
        QApplication.processEvents()
        door = shown.door
        assert door is not None and cut_off(door) == []
        assert door.go.visibleRegion().boundingRect().height() == door.go.height(), "one can unlock without scrolling"
        shoot(shown, name)
    wide = door.card.width()
    door.banner.close_banner()
    QApplication.processEvents()
    assert door.card.width() < wide
