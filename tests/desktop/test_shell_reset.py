"""A forgotten passphrase by pictures of QR codes alone, from pixel to pixel, and its page by keyboard alone, in both languages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from nacl.public import PrivateKey
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from desktop.bridge import Bridge
from desktop.kit import a11y
from desktop.shell.settings_safety import SafetyPane
from desktop.shell.window import Window
from i18n import catalog
from modules.session import Session
from sync import keys, qrframes, qrpicture, reset, shares
from sync.clock import SystemClock
from tests.desktop.keys_only import cut_off, focused, ring, shoot, speak, tab_to

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

NEW = "ផ្កាឈូក ទន្លេសាប ៤៥៦"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passphrases cost little in tests: half a second each is for burglars."""
    monkeypatch.setattr(keys, "measured_cost", lambda: keys.CHEAP)


@pytest.fixture
def recovery(centre_folder: Path) -> PrivateKey:
    """The province's key, as its custodians once had it."""
    return PrivateKey(bytes.fromhex((centre_folder / "offline" / "recovery.key").read_text("ascii").strip()))


@pytest.fixture
def locked(open_office: Callable[..., Session], qtbot: QtBot) -> Iterator[Window]:
    """The door of a laptop whose officer forgot the passphrase."""
    session = open_office("locked")
    home = session.unlocked.home
    session.close()
    made = Window(home, cost=keys.CHEAP)
    qtbot.addWidget(made)
    made.resize(1024, 600)
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    made.begin()
    yield made
    made.close()


def page_of(window: Window) -> Any:
    """The reset page, opened from the door."""
    assert window.door is not None
    window.door.forgotten.click()
    QApplication.processEvents()
    return window._now


def seen(view: QWidget, file: Path) -> list[str]:
    """What a camera reads from the screen, once what was just shown is laid out."""
    QApplication.processEvents()
    view.grab().save(str(file))
    return qrpicture.texts(file)


def test_the_request_and_the_answer_go_as_pictures_from_screen_to_screen(
    locked: Window, open_office: Callable[..., Session], qtbot: QtBot, tmp_path: Path, recovery: PrivateKey
) -> None:
    page = page_of(locked)
    page.first.set_value(NEW)
    page.again.set_value(NEW)
    page.make.click()
    qtbot.waitUntil(lambda: bool(page.view.texts()), timeout=20_000)
    assert not page._first.isVisible() and page.another.isVisible(), "what was done makes room for what comes next"
    picture = tmp_path / "request.png"
    assert qrframes.collect(seen(page.view, picture)) == reset.waiting(locked.home)

    chief = Bridge(open_office("chief", role="chief"))
    pane = SafetyPane(chief)
    qtbot.addWidget(pane)
    pane.resize(900, 600)
    pane.show()
    card = pane.recovery
    card.take(picture)
    qtbot.waitUntil(lambda: not card._form.isHidden(), timeout=20_000)
    assert card.digits.words() == page.digits.words(), "both sides read the same digits"
    shoot(card.card, "answer-asked")
    assert cut_off(card.card) == []
    for field, share in zip(card.shares, shares.split(recovery)[1:], strict=True):
        field.set_value(shares.text(share))
    card.answer.click()
    qtbot.waitUntil(lambda: bool(card.view.texts()), timeout=20_000)
    back = tmp_path / "answer.png"
    shoot(card.card, "answer-given")
    assert cut_off(card.card) == []
    assert seen(card.view, back) == card.view.texts()
    chief.close()

    page.secret.set_value("not that one at all")
    page.take_from(back)
    qtbot.waitUntil(lambda: bool(page.secret.error()), timeout=20_000)
    page.secret.set_value(NEW)
    with qtbot.waitSignal(locked.entered, timeout=30_000):
        page._go()
    assert reset.waiting(locked.home) is None


def test_the_answer_may_come_before_the_passphrase_is_typed(locked: Window, qtbot: QtBot, recovery: PrivateKey) -> None:
    request = reset.begin(locked.home, "Chan Sokha", NEW, SystemClock(), cost=keys.CHEAP)
    page = page_of(locked)
    assert page.view.texts() == qrframes.encode_small(request), "an open request is shown again"
    for text in qrframes.encode_small(reset.answer(request, recovery)):
        page.codes.scan.set_value(text)  # a handheld scanner types it
        QTest.keyClick(page.codes.scan.line, Qt.Key.Key_Return)
    assert page.secret.error() and page.secret.isAncestorOf(focused())
    page.secret.set_value(NEW)
    with qtbot.waitSignal(locked.entered, timeout=30_000):
        QTest.keyClick(focused(), Qt.Key.Key_Return)


def test_a_picture_of_something_else_changes_nothing(locked: Window, qtbot: QtBot, tmp_path: Path) -> None:
    request = reset.begin(locked.home, "Chan Sokha", NEW, SystemClock(), cost=keys.CHEAP)
    page = page_of(locked)
    page.secret.set_value(NEW)
    for name, data, code in (
        ("empty.png", b"no picture", "SY-453"), ("request.png", qrpicture.png(qrframes.encode_small(request)[0]), "SY-470"),
        ("other.png", qrpicture.png("https://www.mptc.gov.kh/"), "SY-452"),
    ):  # fmt: skip
        (tmp_path / name).write_bytes(data)
        page.take_from(tmp_path / name)
        qtbot.waitUntil(lambda code=code: code in page.banner.details(), timeout=20_000)  # type: ignore[misc]
    assert reset.waiting(locked.home) == request


def test_the_whole_way_by_keyboard(locked: Window, qtbot: QtBot, tmp_path: Path, recovery: PrivateKey) -> None:
    """From the door by Tab, the passphrase by typing, Enter for what comes next, Esc back to the door."""
    assert locked.door is not None
    tab_to(locked.door.forgotten)
    QTest.keyClick(focused(), Qt.Key.Key_Space)
    QApplication.processEvents()
    page: Any = locked._now
    assert page.first.isAncestorOf(focused()), "one types at once"
    QTest.keyClicks(focused(), "a long new passphrase 1")
    tab_to(page.again)
    QTest.keyClicks(focused(), "a long new passphrase 1")
    QTest.keyClick(focused(), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(page.view.texts()), timeout=20_000)
    assert page.view.hasFocus()
    for widget in (
        page.picture,
        page.save,
        page.secret,
        page.codes.open,
        page.codes.scan,
        page.take,
        page.leave,
        page.another,
    ):
        tab_to(widget)
        ring(widget)
    QTest.keyClick(focused(), Qt.Key.Key_Space)  # another request
    assert page.first.isAncestorOf(focused())
    QTest.keyClick(focused(), Qt.Key.Key_Escape)
    assert locked.door is not None, "Esc leads back"
    assert reset.waiting(locked.home) is not None, "and the request stays open"


@pytest.mark.parametrize("language", ["km", "en"])
@pytest.mark.parametrize("size", [(1366, 768), (1024, 600)])
def test_nothing_is_cut_and_everything_has_a_name(
    locked: Window, size: tuple[int, int], language: catalog.Language
) -> None:
    locked.resize(*size)
    page = page_of(locked)
    speak(page, language)
    assert cut_off(page) == []
    assert a11y.flaws(page) == []
    shoot(locked, "reset-first")
    page.show_request(reset.begin(locked.home, "Chan Sokha", NEW, SystemClock(), cost=keys.CHEAP))
    QApplication.processEvents()
    assert a11y.flaws(page) == []
    assert cut_off(page) == []
    assert page.view.visibleRegion().boundingRect().height() == page.view.height(), "the whole code is seen at once"
    shoot(locked, "reset-request")
