"""Without a mouse: the pages without a line, their conflicts, the way from Home to them, and the settings of the line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop.bridge import Bridge
from desktop.kit.banner import Banner
from desktop.kit.wrap import Label
from desktop.shell.frame import Frame
from desktop.shell.home import HomePage
from desktop.shell.home_parts import LineCard
from i18n import catalog
from i18n.catalog import tr
from sync import line
from tests.desktop.keys_only import cut_off, focused, holds, press, ring, shoot, speak, tab_to
from tests.end2end.hall import Hall, conflicts, pair, take_case

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


@pytest.fixture
def hall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hall]:
    made = Hall(tmp_path)
    monkeypatch.setenv("SALA_ROOTS", str(made.roots))
    yield made
    made.close()


@pytest.fixture
def desk(hall: Hall, qtbot: QtBot) -> Iterator[Callable[[Any], Frame]]:
    """``desk(session)``: the window content of a laptop, on the smallest screen."""
    bridges: list[Bridge] = []

    def make(session: Any) -> Frame:
        bridge = Bridge(session)
        bridges.append(bridge)
        hall.opened.remove(session)  # the bridge closes it
        frame = Frame(bridge)
        qtbot.addWidget(frame)
        frame.resize(1024, 600)
        with qtbot.waitActive(frame):
            frame.show()
            frame.activateWindow()
        return frame

    yield make
    for bridge in bridges:
        bridge.close()


@pytest.fixture
def torn(hall: Hall) -> Any:
    """A laptop on which one field of one case is in conflict."""
    one, other = hall.enrolled(1, 2)
    receipt = take_case(one)["receipt"]
    pair(one, other)
    hall.tell(one, other)
    for laptop, phone in ((one, "011222333"), (other, "099888777")):
        case = laptop.commands.run("forms.case_by_receipt", text=receipt)
        laptop.commands.run("forms.correct", id=case["id"], changes={"phone": phone}, reason="កែ")
        hall.clock.advance(60_000)
    hall.tell(other, one)
    assert conflicts(one) != {}
    return one


def conflict_lines(frame: Frame) -> list[LineCard]:
    """Lines of Home that lead to the conflicts."""
    home = frame.page("home")
    assert isinstance(home, HomePage)
    cards = [item.widget() for n in range(home.lines.count()) if (item := home.lines.itemAt(n)) is not None]
    told = tr("Two laptops changed the same field. Choose which value is right.")
    return [
        card for card in cards
        if isinstance(card, LineCard) and told in [label.words() for label in card.findChildren(Label)]
    ]  # fmt: skip


@pytest.mark.parametrize("language", ["km", "en"])
def test_from_home_to_the_conflict_and_to_its_end_by_keyboard(
    torn: Any, desk: Callable[[Any], Frame], qtbot: QtBot, language: catalog.Language
) -> None:
    frame = desk(torn)
    frame.open("home")
    qtbot.waitUntil(lambda: len(conflict_lines(frame)) == 1, timeout=10_000)
    speak(frame, language)
    frame.open("home")
    qtbot.waitUntil(lambda: not frame.bridge.busy(), timeout=10_000)
    shoot(frame, "home-conflict")
    assert cut_off(conflict_lines(frame)[0]) == []
    frame.setFocus()
    frame.rail.setFocus()
    (card,) = conflict_lines(frame)
    tab_to(card)
    ring(card)
    frame.page("home").refresh()
    qtbot.waitUntil(lambda: not frame.bridge.busy(), timeout=10_000)
    assert conflict_lines(frame) == [card] and holds(card), "news elsewhere take nobody's place"
    press(Qt.Key.Key_Return)
    page: Any = frame.page("carry")
    assert frame.at() == "carry" and page.tabs.current() == "conflicts"
    pane = page.panes["conflicts"]
    qtbot.waitUntil(lambda: pane.cases.count() == 1, timeout=10_000)
    shown: Any = pane.cases.itemAt(0).widget()
    assert getattr(focused(), "id", "") == "conflicts", "the tab that is chosen, not the first one"
    shoot(frame, "conflicts")
    assert cut_off(page) == []
    tab_to(shown.fields["phone"])
    ring(shown.fields["phone"])
    press(Qt.Key.Key_2)  # the second value, by its number
    tab_to(shown.reason)
    QTest.keyClicks(focused(), "called her")
    pane.refresh()
    qtbot.waitUntil(lambda: not frame.bridge.busy(), timeout=10_000)
    assert pane.cases.itemAt(0).widget() is shown and shown.reason.value() == "called her"
    tab_to(shown.keep)
    ring(shown.keep)
    tab_to(shown.open)
    ring(shown.open)
    tab_to(shown.keep)
    press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: conflicts(torn) == {}, timeout=10_000)
    qtbot.waitUntil(lambda: not pane.told.isHidden(), timeout=10_000)
    qtbot.waitUntil(
        lambda: pane.told.isAncestorOf(focused()), timeout=10_000
    )  # one goes on from here, not from nowhere
    press(Qt.Key.Key_Escape)
    assert pane.told.isHidden() and page.isAncestorOf(focused()), "Esc closes the message and stays on the page"
    frame.open("home")
    qtbot.waitUntil(lambda: conflict_lines(frame) == [], timeout=10_000)


def test_the_pages_without_a_line_by_keyboard(hall: Hall, desk: Callable[[Any], Frame], qtbot: QtBot) -> None:
    (laptop,) = hall.enrolled(1)
    take_case(laptop)
    frame = desk(laptop)
    frame.open("carry", "sticks")
    qtbot.waitUntil(lambda: not frame.bridge.busy(), timeout=10_000)
    page: Any = frame.page("carry")
    tabs = page.tabs
    tab_to(tabs)
    for section in ("codes", "office", "conflicts", "sticks"):
        press(Qt.Key.Key_Right)
        assert tabs.current() == section and holds(tabs)
        ring(tabs)
        qtbot.waitUntil(lambda: not frame.bridge.busy(), timeout=10_000)
    sticks = page.panes["sticks"]
    for widget in (sticks.write, sticks.take):
        tab_to(widget)
        ring(widget)
    frame.open("carry", "codes")
    qtbot.waitUntil(lambda: not frame.bridge.busy(), timeout=10_000)
    codes = page.panes["codes"]
    tab_to(codes.show_outbox)
    press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(codes.view.texts()), timeout=10_000)
    assert codes.view.hasFocus()
    ring(codes.view)
    tab_to(codes.save)
    tab_to(codes.hide_codes)
    press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not codes.view.texts(), timeout=10_000)
    assert holds(codes), "hiding the codes leaves the focus on the page"
    for widget in (codes.codes.open, codes.codes.paste, codes.codes.scan, codes.copy):
        tab_to(widget)
        ring(widget)
    frame.open("carry", "office")
    qtbot.waitUntil(lambda: not frame.bridge.busy(), timeout=10_000)
    office = page.panes["office"]
    tab_to(office.wait)
    ring(office.wait)


def test_a_message_is_closed_by_esc(hall: Hall, desk: Callable[[Any], Frame], qtbot: QtBot) -> None:
    (laptop,) = hall.enrolled(1)
    frame = desk(laptop)
    frame.open("carry", "codes")
    qtbot.waitUntil(lambda: not frame.bridge.busy(), timeout=10_000)
    page: Any = frame.page("carry")
    codes = page.panes["codes"]
    told: Banner = codes.in_told
    tab_to(codes.codes.scan)
    QTest.keyClicks(focused(), "not a code")
    press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not told.isHidden(), timeout=10_000)
    assert holds(codes.codes.scan), "what was typed may be mended"
    tab_to(told)
    press(Qt.Key.Key_Escape)
    assert told.isHidden() and holds(page)


def test_the_settings_of_the_line_by_keyboard(hall: Hall, desk: Callable[[Any], Frame], qtbot: QtBot) -> None:
    (laptop,) = hall.enrolled(1)
    frame = desk(laptop)
    frame.open("settings", "line")
    qtbot.waitUntil(lambda: not frame.bridge.busy(), timeout=10_000)
    settings: Any = frame.page("settings")
    pane = settings.pane("line")
    tab_to(pane.test)
    ring(pane.test)
    tab_to(pane.proxy)
    press(Qt.Key.Key_3)  # this one
    QApplication.processEvents()
    tab_to(pane.address)
    ring(pane.address)
    QTest.keyClicks(focused(), "10.0.0.1:3128")
    press(Qt.Key.Key_Return)
    assert holds(pane.user), "Enter goes to the next field"
    tab_to(pane.cap)
    QTest.keyClicks(focused(), "40")
    tab_to(pane.metered)
    ring(pane.metered)
    tab_to(pane.when)
    press(Qt.Key.Key_2)
    tab_to(pane.hours)
    ring(pane.hours)
    tab_to(pane.keep)
    ring(pane.keep)
    press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not pane.told.isHidden() and not frame.bridge.busy(), timeout=10_000)
    kept = laptop.store.read(line.read)
    assert (kept.proxy, kept.proxy_url, kept.cap_kb, bool(kept.hours)) == ("manual", "http://10.0.0.1:3128", 40, True)
