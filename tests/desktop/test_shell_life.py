"""What the window tells of the laptop's own life: a copy, a clock, space, withdrawal. No decision is asked for."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from desktop.bridge import Bridge
from desktop.kit.banner import Banner
from desktop.shell import life
from desktop.shell.frame import Frame
from desktop.shell.settings_safety import SafetyPane
from i18n import catalog
from modules import housekeeping
from modules.session import Session
from sync import clockwatch, marks, rekey, rescue, withdrawal

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop.shell.window import Window

HOUR = 3_600_000
SHOTS = os.environ.get("SALA_SHOTS")  # a folder: keep pictures of what a person sees


def shot(widget: Any, name: str) -> None:
    if SHOTS:
        for language in ("km", "en"):
            catalog.use(language)
            widget.window()
            from PySide6.QtCore import QEvent
            from PySide6.QtWidgets import QApplication

            for one in [widget, *widget.findChildren(type(widget).__mro__[-2])]:
                QApplication.sendEvent(one, QEvent(QEvent.Type.LanguageChange))
            QApplication.processEvents()
            widget.grab().save(f"{SHOTS}/{name}-{language}.png")
        catalog.use("km")


def off_by(session: Session, ms: int) -> None:
    """The centre has just signed a time that differs from this machine's."""

    def work(conn: Any) -> None:
        now = session.clock.wall_ms() - ms
        marks.raise_floor(conn, marks.HUB_TIME, now)
        clockwatch.anchor(conn, session.clock, now)

    session.store.write(work)


def _banner(frame: Frame) -> Banner:
    found = frame.life.rekeyed
    assert found is not None
    return found


def test_a_copy_is_told_once_in_one_sentence(frame: Frame, qtbot: QtBot, settle: Callable[[], None]) -> None:
    session = frame.bridge.session

    def replaced(conn: Any) -> None:
        conn.execute(
            "INSERT INTO rekey (device, predecessor, cause, made_ms) VALUES (x'00', x'01', 'fork', 5)",
        )
        conn.execute("UPDATE office SET number = 7")

    session.store.write(replaced)
    frame.life.look()
    settle()
    banner = _banner(frame)
    assert "7" in banner.details()
    assert "\n" not in banner.details()
    shot(frame, "life-copy")
    banner.close_banner()
    settle()
    assert session.store.read(rekey.told) is None
    frame.life.look()
    settle()
    assert frame.life.rekeyed is None


def test_a_clock_that_is_off_is_told_until_it_is_closed(frame: Frame, qtbot: QtBot, settle: Callable[[], None]) -> None:
    session = frame.bridge.session
    off_by(session, -8 * HOUR)
    frame.life.look()
    settle()
    banner = frame.life.clock
    assert banner is not None
    assert "8" in banner.details()
    qtbot.wait(300)
    shot(frame, "life-clock")
    banner.close_banner()
    frame.life.look()
    settle()
    assert frame.life.clock is None, "closed: it does not come back by itself"


@pytest.mark.parametrize(
    ("ahead", "words"),
    [(8 * HOUR, "8 hours ahead"), (-3 * 365 * 24 * HOUR, "1,095 days behind"), (5 * 60_000, "5 minutes ahead"),
     (-3 * 60_000, "3 minutes behind"), (-7 * HOUR, "7 hours behind"), (3 * 24 * HOUR, "3 days ahead")],
)  # fmt: skip
def test_by_how_much(ahead: int, words: str) -> None:
    catalog.use("en")
    assert words in life.clock_words(ahead)


def test_what_a_copy_means() -> None:
    catalog.use("en")
    assert "next contact" in life.rekeyed_words("behind", 0)
    assert "older copy" in life.rekeyed_words("behind", 3)
    assert "number 3" in life.rekeyed_words("fork", 3)


def test_space_and_soundness_in_settings(
    session: Session, bridge: Bridge, qtbot: QtBot, settle: Callable[[], None]
) -> None:
    pane = SafetyPane(bridge)
    qtbot.addWidget(pane)
    pane.resize(1000, 1100)
    settle()
    catalog.use("en")
    assert "first time" in pane.health._checked()
    pane.health.check.click()
    settle()
    settle()
    assert "sound" in pane.health._checked()
    assert pane.health.told.details() == "Everything is sound."
    pane.health.tidy.click()
    settle()
    assert pane.health.told.details().startswith("Nothing may go yet")
    assert pane.health._freed() == "Freed so far: 0 MB"
    blob = session.unlocked.blobs.add(b"scan", "image/png")
    session.unlocked.blobs.path(session.unlocked.blobs.chunks(blob)[0]).unlink()
    pane.health.check.click()
    settle()
    settle()
    assert "damaged" in pane.health.told.details()
    assert "wrong" in pane.health._checked()
    catalog.use("km")
    pane.show()
    shot(pane, "life-settings")


def test_the_door_of_a_withdrawn_laptop_says_where_its_work_is(
    session: Session, window: Callable[..., Window], qtbot: QtBot, tmp_path: Path
) -> None:
    home = session.unlocked.home
    session.store.write(lambda conn: withdrawal.heard(conn, session.clock, 3))
    rescue.carry_out(session.unlocked)
    session.close()
    shown = window(home)
    assert shown.door is not None
    assert "SY-407" in shown.door.banner.details()
    assert shown.door.card.isHidden(), "nobody can open it: nothing asks for a passphrase"
    (home / withdrawal.NOTE).write_text(
        '{"told_ms": 1, "file": "/home/sala/0306-unsent/sala-unsent-5ec7.salabatch", "ops": 3}'
    )
    shown.show_door()
    assert "0306-unsent" in shown.door.banner.details()
    qtbot.wait(50)
    shot(shown, "life-withdrawn")


def test_an_unclean_stop_checks_everything(session: Session, bridge: Bridge, settle: Callable[[], None]) -> None:
    from sync import care

    care.run(session.unlocked)
    rows = session.store.read(care.last)
    bridge.care_when_due()
    settle()
    assert session.store.read(care.last) == rows, "it was checked this week"
    bridge.broken_off = True
    bridge.care_when_due()
    settle()
    assert session.store.read(care.last)[0] > rows[0]


def test_the_figures(session: Session) -> None:
    found = housekeeping.standing(session)
    assert (found["freed"], found["lines"], found["clock"]) == (0, 0, "")
    assert housekeeping.tidy(session) == {"ops": 0, "batches": 0, "pieces": 0, "bytes": 0, "audit_rows": 0}
    assert housekeeping.notices(session)["rekeyed"] is None
