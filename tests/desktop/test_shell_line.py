"""What the window says about the line, and what an officer can set: strip, outbox, settings, a change of the network."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt

from desktop.shell.settings_line import LinePane
from desktop.shell.status_strip import Facts, line_state
from i18n import catalog
from sync import line, marks, ops, pieces, runs
from sync.store import Connection

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop.bridge import Bridge
    from desktop.shell.frame import Frame

Settle = Callable[[], None]
DAY = 1_795_000_000_000


@pytest.fixture
def pane(frame: Frame, settle: Settle) -> LinePane:
    frame.open("settings", "line")
    settle()
    made = frame.page("settings").pane("line")  # type: ignore[attr-defined]
    assert isinstance(made, LinePane)
    return made


def kept(frame: Frame) -> line.Settings:
    return frame.bridge.session.store.read(line.read)


def waits(bridge: Bridge, scan: bytes | None = None) -> None:
    """One piece of work that waits, with a scan if one is given."""
    unlocked = bridge.session.unlocked
    attach = [unlocked.blobs.add(scan, "image/png")] if scan else []

    def work(conn: Connection) -> None:
        ops.append(
            conn, unlocked, bridge.session.clock, kind="forms.submission", record="ab" * 16, form="forms", def_hash=None, body={},
            sealed=True, attach=attach,
        )  # fmt: skip

    bridge.session.store.write(work)


# --- settings


def test_what_an_officer_sets_is_kept_whole(pane: LinePane, frame: Frame, settle: Settle) -> None:
    assert kept(frame) == line.Settings()
    pane.proxy.set_value("manual")
    pane.address.set_value("10.0.0.1:3128")
    pane.user.set_value("office")
    pane.password.set_value("សម្ងាត់")
    pane.cap.set_value(40)
    pane.metered.set_value(True)
    pane.when.set_value("hours")
    pane.hours.set_value("១២:០០-១៣:៣០, 17:00-07:00")
    pane.keep.click()
    settle()
    wanted = line.Settings(
        proxy="manual", proxy_url="http://10.0.0.1:3128", proxy_user="office", proxy_password="សម្ងាត់", cap_kb=40, metered=True,
        hours=((720, 810), (1020, 420)),
    )  # fmt: skip
    assert kept(frame) == wanted
    assert pane.password.value() is None, "a password is never shown again"
    pane.cap.set_value(0)
    pane.keep.click()
    settle()
    assert kept(frame) == replace(wanted, cap_kb=0), "an empty password keeps the old one"
    pane.proxy.set_value("system")
    pane.when.set_value("always")
    pane.keep.click()
    settle()
    assert kept(frame) == line.Settings(metered=True)


def test_what_cannot_be_read_is_said_and_changes_nothing(pane: LinePane, frame: Frame, settle: Settle) -> None:
    pane.when.set_value("hours")
    pane.hours.set_value("noon")
    pane.keep.click()
    settle()
    assert not pane.told.isHidden() and "SY-427" in pane.told.details()
    pane.when.set_value("always")
    pane.proxy.set_value("manual")
    pane.address.set_value("ftp://x")
    pane.test.click()
    settle()
    assert "SY-426" in pane.verdict.details()
    assert kept(frame) == line.Settings()


def test_the_line_is_tested_with_what_stands_in_the_fields(pane: LinePane, settle: Settle) -> None:
    pane.proxy.set_value("none")
    pane.test.click()
    settle()
    assert "SY-350" in pane.verdict.details(), "the pack's address is one where nobody listens"
    pane.proxy.set_value("manual")
    pane.address.set_value("127.0.0.1:9")
    pane.test.click()
    settle()
    assert "SY-423" in pane.verdict.details()


def test_the_fields_that_do_not_matter_are_not_shown(pane: LinePane) -> None:
    assert not pane.address.isVisible() and not pane.hours.isVisible()
    pane.proxy.set_value("manual")
    pane.proxy.changed.emit("manual")
    pane.when.set_value("hours")
    pane.when.changed.emit("hours")
    assert pane.address.isVisibleTo(pane) and pane.hours.text() == "12:00-13:30, 17:00-07:00"


# --- the strip


@pytest.mark.parametrize(
    ("state", "words"),
    [("off", "No internet"), ("failed", "Sending did not succeed"), ("sign_in", "This network wants a sign-in")],
)
def test_the_strip_says_what_is_wrong_and_when_it_is_tried_again(
    state: str, words: str, frame: Frame, qtbot: QtBot
) -> None:
    catalog.use("en")
    frame.strip.show_facts(Facts(DAY, waiting=3, line=state, next_try_ms=DAY + 600_000))
    assert frame.strip.line.text().startswith(words)
    assert ("next try" in frame.strip.line.text()) == (state != "sign_in")
    assert frame.strip.send.isVisible()
    with qtbot.waitSignal(frame.strip.send_wanted):
        qtbot.mouseClick(frame.strip.send, Qt.MouseButton.LeftButton)
    frame.strip.show_facts(Facts(DAY, waiting=0, line=state))
    assert not frame.strip.send.isVisible(), "nothing to send"
    assert frame.strip.line.text() == words
    frame.strip.show_facts(Facts(DAY, waiting=3, line="on"))
    assert not frame.strip.send.isVisible()


def test_every_end_of_a_run_has_a_word() -> None:
    assert [line_state(code) for code in ("SY-350", "SY-355", "SY-420", "SY-353", "SY-424")] == [
        "off", "off", "sign_in", "failed", "failed",
    ]  # fmt: skip


def test_send_now_starts_a_run_and_its_end_is_shown(frame: Frame, qtbot: QtBot) -> None:
    catalog.use("en")
    waits(frame.bridge)
    with qtbot.waitSignal(frame.bridge.sync_ended, timeout=30_000):
        frame.strip.send_wanted.emit()
    qtbot.waitUntil(lambda: "next try" in frame.strip.line.text() and frame.strip.send.isVisible(), timeout=5_000)
    assert frame.strip.line.text().startswith("No internet")


# --- the outbox


def test_the_outbox_says_when_it_is_tried_next(frame: Frame, settle: Settle) -> None:
    catalog.use("en")
    waits(frame.bridge)
    now = frame.bridge.session.clock.wall_ms()
    frame.bridge.session.store.write(lambda conn: marks.set_mark(conn, marks.RUN_NEXT, now + 900_000))
    frame.open("outbox")
    settle()
    page: Any = frame.page("outbox")
    assert "Next try by itself at" in page.words.words()


def test_a_piece_that_the_centre_does_not_take_is_shown_with_its_reason(frame: Frame, settle: Settle) -> None:
    catalog.use("en")
    waits(frame.bridge, os.urandom(1_000))
    store = frame.bridge.session.store
    name = store.read(lambda conn: pieces.due(conn, frame.bridge.session.clock.wall_ms(), 9))[1][0]
    store.write(lambda conn: pieces.failed(conn, frame.bridge.session.clock, name, "SY-428"))
    frame.open("outbox")
    settle()
    page: Any = frame.page("outbox")
    assert "One packet did not get through" in page.banner.details()
    assert "does not take one piece" in page.banner.details() and "SY-428" in page.banner.details()
    row = next(iter(page._rows.values()))
    assert row["trouble"] == "SY-428"
    page._show_reason(row["id"])
    assert page.reason.isVisible() and "SY-428" in page.reason.words()


# --- a change of the network


def test_a_change_of_the_network_ends_the_wait(bridge: Bridge, qtbot: QtBot) -> None:
    waits(bridge)
    store, now = bridge.session.store, bridge.session.clock.wall_ms()
    later = now + 200_000
    store.write(lambda conn: marks.set_mark(conn, marks.RUN_NEXT, now + 3_000_000))
    assert not store.read(lambda conn: runs.due(conn, later))
    with qtbot.waitSignal(bridge.sync_ended, timeout=30_000):  # it was never reached: there is a reason to go
        bridge.network_changed()
    assert not bridge.asked


def test_the_system_tells_when_an_address_comes(qtbot: QtBot) -> None:
    from desktop.network import NetworkWatch

    watch = NetworkWatch(settle_ms=50)
    try:
        assert watch.by in ("netlink", "system")
        if not shutil.which("ip") or not hasattr(os, "geteuid") or os.geteuid() != 0:
            pytest.skip("only an administrator may add an address")
        with qtbot.waitSignal(watch.changed, timeout=5_000):
            subprocess.run(["ip", "address", "add", "127.77.77.77/32", "dev", "lo"], check=True)
    finally:
        watch.stop()
        if shutil.which("ip"):
            subprocess.run(
                ["ip", "address", "del", "127.77.77.77/32", "dev", "lo"], check=False, stderr=subprocess.DEVNULL
            )
