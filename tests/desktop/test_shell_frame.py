"""The unlocked window over a real session: every page by keyboard, in both languages, at every size, with words for everything."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QScrollArea, QWidget

from desktop.kit import a11y, theme
from desktop.kit.palette import Entry
from desktop.kit.wrap import Label
from desktop.shell.status_strip import Facts
from i18n import catalog
from i18n.catalog import tr

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop.bridge import Bridge
    from desktop.shell.frame import Frame

Settle = Callable[[], None]
SHELL_PAGES = ("home", "outbox", "settings")
SETTINGS = ("look", "people", "safety", "line", "desk", "about")
BOTH = {"km", "en"}


def shell_stops() -> list[tuple[str, str]]:
    """The pages of the shell, Settings once a section."""
    return [(page, "") for page in SHELL_PAGES if page != "settings"] + [("settings", section) for section in SETTINGS]


def stops(frame: Frame) -> list[tuple[str, str]]:
    """Every page of shell and modules, and every place of a page that a command of the palette names."""
    modules = [place.id for place in frame.places if place.id not in SHELL_PAGES]
    commands = [command for command in frame.bridge.session.commands.list() if command.palette and command.page]
    named = [(command.id.partition(".")[0], command.page or "") for command in commands]
    return shell_stops() + [(module, "") for module in modules] + named


def test_no_page_opens_a_window_of_its_own(frame: Frame, settle: Settle) -> None:
    for page, target in stops(frame):
        frame.open(page, target)
        settle()
    assert [window for window in QApplication.topLevelWidgets() if window.isVisible()] == [frame]


def test_everything_has_a_name_a_focus_and_a_size(frame: Frame, settle: Settle) -> None:
    for page, target in stops(frame):
        frame.open(page, target)
        settle()
        assert a11y.flaws(frame) == [], (page, target)


def test_names_are_there_in_both_languages(frame: Frame, prepared: QApplication, settle: Settle) -> None:
    for page, target in stops(frame):
        frame.open(page, target)
        settle()
        for language in ("en", "km"):
            catalog.use(language)  # type: ignore[arg-type]
            theme.retranslate(prepared)
            assert a11y.flaws(frame) == [], (page, target, language)


def test_switching_to_english_leaves_no_khmer_word(
    frame: Frame, prepared: QApplication, settle: Settle, qtbot: QtBot
) -> None:
    names = {"សាលា · Sala"}
    catalog.use("en")
    theme.retranslate(prepared)
    theme.apply(prepared, both_labels=False)
    for page, target in shell_stops():
        frame.open(page, target)
        settle()
        qtbot.waitUntil(lambda: not frame.bridge.busy())
        khmer = [words for words in a11y.spoken(frame) if any("\u1780" <= letter <= "\u17ff" for letter in words)]
        left = [
            words
            for words in khmer
            if words not in names and not any(name in words for name in ("ចាន់ សុខា", "ខ្មែរ", "០១២៣៤៥៦៧៨៩"))
        ]
        assert left == [], (page, target)


def test_the_title_follows_the_language(frame: Frame, prepared: QApplication, qtbot: QtBot) -> None:
    frame.open("outbox")
    assert frame.top.title.words() == "ប្រអប់ផ្ញើ"
    catalog.use("en")
    theme.retranslate(prepared)
    qtbot.waitUntil(lambda: frame.top.title.words() == "Outbox")


def test_every_page_by_its_number(frame: Frame, qtbot: QtBot, settle: Settle) -> None:
    order = frame.rail.order()
    for number in (len(order), 1, len(order) - 1):
        qtbot.keyClick(frame, getattr(Qt.Key, f"Key_{number}"), Qt.KeyboardModifier.ControlModifier)
        settle()
        assert frame.at() == order[number - 1]
        assert frame.rail.buttons[frame.at()].isChecked()


@pytest.mark.parametrize("page", SHELL_PAGES)
def test_tab_reaches_everything(frame: Frame, qtbot: QtBot, settle: Settle, page: str) -> None:
    frame.open(page)
    settle()
    qtbot.waitUntil(frame.isActiveWindow)
    frame.rail.buttons["home"].setFocus(Qt.FocusReason.TabFocusReason)
    reached: set[QWidget] = set()
    for _ in range(400):
        now = QApplication.focusWidget()
        if now is None or now in reached:
            break
        reached.add(now)
        qtbot.keyClick(now, Qt.Key.Key_Tab)
    radios = [
        widget for widget in a11y.interactive(frame) if isinstance(widget, QAbstractButton) and _one_of_group(widget)
    ]
    missed = [a11y.path(widget) for widget in a11y.interactive(frame) if widget not in reached and widget not in radios]
    assert missed == []


def _one_of_group(button: QAbstractButton) -> bool:
    """Of exclusive buttons only the chosen one is a tab stop; arrows reach the others."""
    group = button.group()
    return (button.autoExclusive() or (group is not None and group.exclusive())) and not button.isChecked()


def test_f6_goes_round(frame: Frame, qtbot: QtBot, settle: Settle) -> None:
    frame.open("outbox")
    settle()
    qtbot.waitUntil(frame.isActiveWindow)
    frame.rail.buttons["outbox"].setFocus()
    here: list[str] = []
    for _ in range(3):
        qtbot.keyClick(frame, Qt.Key.Key_F6)
        focus = QApplication.focusWidget()
        assert focus is not None
        here.append(
            "strip" if frame.strip.isAncestorOf(focus) else "rail" if frame.rail.isAncestorOf(focus) else "page"
        )
    assert here == ["page", "strip", "rail"]


def test_the_palette_finds_commands_in_both_scripts(frame: Frame, qtbot: QtBot) -> None:
    qtbot.keyClick(frame, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    assert frame.palette_list.isVisible()

    def found(typed: str) -> list[str]:
        return [entry.words for entry in frame.finder.find(typed)]

    assert "ប្រអប់ផ្ញើ" in found("outbox")
    assert "ប្រអប់ផ្ញើ" in found("ប្រអប់")
    assert tr("Lock") in found("ចាក់")
    assert found("zzzz") == []
    frame.palette_list.line.setText("outbox")
    qtbot.keyClick(frame.palette_list.line, Qt.Key.Key_Return)
    assert frame.at() == "outbox"
    assert not frame.palette_list.isVisible()


def test_esc_gives_the_focus_back(frame: Frame, qtbot: QtBot, settle: Settle) -> None:
    frame.open("outbox")
    settle()
    qtbot.waitUntil(frame.isActiveWindow)
    button = frame.rail.buttons["home"]
    button.setFocus()
    frame.open_palette()
    qtbot.keyClick(frame.palette_list.line, Qt.Key.Key_Escape)
    assert QApplication.focusWidget() is button


def test_records_come_into_the_palette_from_the_store(frame: Frame, bridge: Bridge, qtbot: QtBot) -> None:
    from sync import search

    title = "អាជ្ញាប័ណ្ណជាងកាត់សក់ · លឹម ស្រីមុំ"
    bridge.session.store.write(lambda conn: search.index(conn, "r1", "forms.submission", title, "0306-000214"))
    frame.open_palette()
    frame.palette_list.line.setText("ស្រីមុំ")

    def records() -> list[Entry]:
        return [entry for entry in frame.palette_list.list.entries if entry.words == title]

    qtbot.waitUntil(lambda: len(records()) == 1, timeout=10_000)
    frame.palette_list.line.setText("000214")
    qtbot.waitUntil(lambda: len(records()) == 1, timeout=10_000)


def test_the_strip_says_what_is_so(frame: Frame, qtbot: QtBot) -> None:
    day = 1_795_331_000_000  # 22 November 2026 in Phnom Penh
    frame.strip.show_facts(Facts(day, saved_ms=day, waiting=12, received_ms=day - 60_000, line="off"))
    assert frame.strip.waiting.text() == tr("{count} waiting", count="12")
    assert frame.strip.line.text() == tr("No internet")
    assert ":" in frame.strip.saved.text()
    catalog.use("en")
    theme.retranslate(QApplication.instance())  # type: ignore[arg-type]
    assert frame.strip.waiting.text() == "12 waiting"
    assert frame.strip.received.text().startswith("Centre last received ")
    frame.strip.waiting.click()
    assert frame.at() == "outbox"


def test_a_note_passes(frame: Frame, bridge: Bridge, qtbot: QtBot) -> None:
    bridge.show_note("បានរក្សាទុក")
    assert frame.strip.note.isVisible()
    frame.strip._forget_note.setInterval(10)
    bridge.show_note("បានរក្សាទុក")
    qtbot.waitUntil(lambda: not frame.strip.note.isVisible())


def test_a_refusal_becomes_a_banner_with_its_code(frame: Frame, bridge: Bridge, qtbot: QtBot) -> None:
    bridge.run("no.such_command")
    qtbot.waitUntil(frame.banner.isVisible, timeout=5_000)
    assert "MD-011" in frame.banner.details()
    frame.banner._copy.click()
    assert QApplication.clipboard().text() == frame.banner.details()
    frame.banner.close_banner()
    assert not frame.banner.isVisible()


def test_a_broken_page_does_not_break_the_window(frame: Frame, caplog: pytest.LogCaptureFixture) -> None:
    frame._views["broken"] = "modules.contract:NoSuchPage"
    frame.open("broken")
    assert "UI-003" in frame.banner.details()
    frame.open("nothing")
    assert "UI-002" in frame.banner.details()
    assert frame.at() == "home"


def test_f1_lists_the_keys_of_the_commands(frame: Frame, qtbot: QtBot) -> None:
    qtbot.keyClick(frame, Qt.Key.Key_F1)
    dialog = frame.findChild(QDialog)
    assert dialog is not None
    said = [label.words() for label in dialog.findChildren(Label)]
    assert tr("Lock") in said
    for command in frame.bridge.session.commands.list():
        if command.shortcut:
            assert catalog.text(command.title) in said
    dialog.close()


@pytest.mark.parametrize("percent", [100, 150, 200])
@pytest.mark.parametrize("language", ["km", "en"])
def test_nothing_is_wider_than_the_window(
    frame: Frame, prepared: QApplication, settle: Settle, qtbot: QtBot, percent: int, language: str
) -> None:
    catalog.use(language)  # type: ignore[arg-type]
    theme.retranslate(prepared)
    theme.apply(prepared, percent=percent)
    frame.resize(1024, 600)
    for page, target in shell_stops() if percent == 200 else stops(frame):
        frame.open(page, target)
        settle()
        QApplication.processEvents()
        assert frame.width() == 1024, (page, target, frame.minimumSizeHint())
        for scroll in frame.findChildren(QScrollArea):
            if scroll.isVisible() and scroll.widget() is not None:
                assert scroll.widget().width() <= scroll.viewport().width(), (page, target, a11y.path(scroll))
        for widget in a11y.interactive(frame):
            right = widget.mapTo(frame, QPoint(widget.width(), 0)).x()
            assert right <= 1024, (page, target, a11y.path(widget), right)


def test_the_window_fits_into_the_smallest_screen(frame: Frame) -> None:
    least = frame.minimumSizeHint()
    assert least.width() <= 1024
    assert least.height() <= 600


def test_settings_change_the_look_at_once(frame: Frame, bridge: Bridge, qtbot: QtBot, settle: Settle) -> None:
    frame.open("settings", "look")
    page = frame.page("settings")
    look = page.pane("look")  # type: ignore[attr-defined]
    with qtbot.waitSignal(bridge.session_settings_changed):
        look.theme._group.button(2).click()
    assert bridge.session.settings.get("platform.theme") == "dark"


def test_work_that_takes_long_shows_that_it_works(frame: Frame, bridge: Bridge, qtbot: QtBot) -> None:
    import threading

    free = threading.Event()
    bridge.work(free.wait)
    qtbot.waitUntil(frame.working._tick.isActive, timeout=3_000)
    free.set()
    qtbot.waitUntil(lambda: not frame.working._tick.isActive(), timeout=3_000)


def test_keys_of_the_window_work_inside_every_editor(frame: Frame, qtbot: QtBot, settle: Settle) -> None:
    from desktop.kit.fields import LineField, NoteField

    page = frame.page("home")
    done: list[str] = []
    page.primary = lambda: done.append("primary")  # type: ignore[method-assign]  # a page that says that it was asked
    for field in (LineField("x"), NoteField("x")):
        field.setParent(page)
        field.setVisible(True)
        field.setFocus()
        field.set_value("អ្វីដែលបានវាយ")
        for key in (Qt.Key.Key_K, Qt.Key.Key_U):
            qtbot.keyClick(field.editor, key, Qt.KeyboardModifier.ControlModifier)
            assert field.value() == "អ្វីដែលបានវាយ", f"Ctrl+{key} must not delete what was typed"
            frame.palette_list.close_palette()
            frame.open("home")
            settle()
            field.setFocus()
        qtbot.keyClick(field.editor, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        field.deleteLater()
    assert done == ["primary", "primary"]


def test_every_page_opens(frame: Frame, settle: Settle) -> None:
    for page, target in stops(frame):
        frame.open(page, target)
        settle()
        assert frame.at() == page, frame.banner.details()
        assert frame.top.title.words()
