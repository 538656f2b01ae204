"""The whole window over real profiles: first run, unlocking, waiting, locking, auto-lock, recovery after a cut."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from desktop import crash
from i18n import catalog
from modules.session import Session

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop.shell.window import Window

PASSPHRASE = "ពាក្យសម្ងាត់ សាកល្បង ១២៣"


@pytest.fixture
def profile(open_office: Callable[..., Session]) -> Path:
    """A set-up profile that nobody has open."""
    session = open_office("profile")
    session.close()
    return session.unlocked.home


def enter(qtbot: QtBot, made: Window, passphrase: str = PASSPHRASE) -> None:
    assert made.door is not None
    made.door.passphrase.line.setText(passphrase)
    with qtbot.waitSignal(made.entered, timeout=20_000):
        qtbot.keyClick(made.door.passphrase.line, Qt.Key.Key_Return)


def test_the_wizard_makes_an_office_ready_to_work(
    window: Callable[[Path], Window], tmp_path: Path, office_pack: Path, centre_folder: Path, qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("SALA_ROOTS", str(centre_folder / "roots"))
    made = window(tmp_path / "new")
    wizard = made.wizard
    assert wizard is not None
    assert not wizard.next.isEnabled()
    wizard.pack.take(office_pack)
    assert "កំពង់សៀម" in wizard.pack.office.words()
    qtbot.keyClick(wizard, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    wizard.officer.name.line.setText("ចាន់ សុខា")
    wizard.officer.latin.line.setText("Chan Sokha")
    wizard.officer.name.edited.emit()
    wizard.primary()
    wizard.secret.first.line.setText(PASSPHRASE)
    wizard.secret.first.edited.emit()
    wizard.secret.again.line.setText(PASSPHRASE + "x")
    wizard.secret.again.edited.emit()
    wizard.primary()
    assert wizard.secret.again.error()
    wizard.secret.again.line.setText(PASSPHRASE)
    wizard.secret.again.edited.emit()
    assert wizard.secret.again.error() == ""
    wizard.primary()
    qtbot.waitUntil(wizard.next.isEnabled, timeout=20_000)
    with qtbot.waitSignal(made.entered, timeout=20_000):
        wizard.primary()
    assert made.frame is not None
    assert made.frame.bridge.session.office["code"] == "0306"


def test_an_unknown_signer_is_taken_only_with_its_digits(
    window: Callable[[Path], Window], tmp_path: Path, office_pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "no-roots").mkdir()
    monkeypatch.setenv("SALA_ROOTS", str(tmp_path / "no-roots"))
    made = window(tmp_path / "new")
    assert made.wizard is not None
    step = made.wizard.pack
    step.take(office_pack)
    assert step.pack is None
    assert step.words.isVisibleTo(step)
    step.words.line.setText("00000 00000 00000 00000 00000 00000")
    step.confirm.click()
    assert step.pack is None
    from sync.devices import words
    from sync.pack import OfficePack, read_file

    found: OfficePack = read_file(office_pack, [_signer(office_pack)])
    step.words.line.setText(words(found.signer))
    step.confirm.click()
    assert step.pack is not None


def _signer(pack: Path) -> bytes:
    from sync.errors import Refused
    from sync.pack import read_file

    try:
        read_file(pack, [])
    except Refused as refusal:
        return read_file(pack, [], str(refusal.values["words"])).signer
    raise AssertionError("a pack without pinned roots was taken")


def test_a_damaged_pack_is_refused_in_words(window: Callable[[Path], Window], tmp_path: Path) -> None:
    made = window(tmp_path / "new")
    assert made.wizard is not None
    broken = tmp_path / "broken.pack"
    broken.write_bytes(b"not a pack")
    made.wizard.pack.take(broken)
    assert made.wizard.pack.banner.isVisible()
    assert "SY-331" in made.wizard.pack.banner.details()


def test_a_lost_laptop_comes_back_from_its_backup(
    window: Callable[[Path], Window], open_office: Callable[..., Session], tmp_path: Path, qtbot: QtBot
) -> None:
    from sync import backup

    session = open_office("lost")
    copy = tmp_path / "office.sala-backup"
    backup.write(session.unlocked, copy)
    made = window(tmp_path / "new laptop")
    assert made.wizard is not None
    broken = tmp_path / "broken.sala-backup"
    broken.write_bytes(b"x")
    made._restore(broken)
    banner = made.wizard.banner
    qtbot.waitUntil(banner.isVisible, timeout=10_000)
    assert "SY-152" in banner.details()
    made._restore(copy)
    qtbot.waitUntil(lambda: made.door is not None, timeout=20_000)
    enter(qtbot, made)
    assert made.frame is not None
    assert made.frame.bridge.session.office["code"] == "0306"


def test_unlock_work_lock_and_come_back(window: Callable[[Path], Window], profile: Path, qtbot: QtBot) -> None:
    made = window(profile)
    enter(qtbot, made)
    assert made.frame is not None
    made.frame.open("settings")
    with qtbot.waitSignal(made.locked, timeout=10_000):
        qtbot.keyClick(made.frame, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    assert made.frame is None
    assert made.door is not None
    enter(qtbot, made)
    assert made.frame is not None
    assert made.frame.at() == "settings"


def test_a_wrong_passphrase_is_said_under_the_field(
    window: Callable[[Path], Window], profile: Path, qtbot: QtBot
) -> None:
    made = window(profile)
    door = made.door
    assert door is not None
    door.passphrase.line.setText("wrong wrong wrong")
    qtbot.keyClick(door.passphrase.line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(door.passphrase.error()), timeout=10_000)
    assert door.passphrase.line.text() == ""
    assert door.go.isEnabled()


def test_after_five_wrong_ones_the_wait_is_counted_down_in_words(
    window: Callable[[Path], Window], profile: Path, qtbot: QtBot
) -> None:
    from sync import keys
    from sync.clock import SystemClock
    from sync.errors import Refused

    officer = keys.names(profile)[0][0]
    for _ in range(5):
        with pytest.raises(Refused):
            keys.unlock(profile, officer, "wrong wrong wrong", SystemClock())
    made = window(profile)
    door = made.door
    assert door is not None
    assert door.waiting.isVisible()
    assert not door.go.isEnabled()
    assert "0:" in door.waiting.words()


def test_it_locks_by_itself_and_what_was_typed_is_durable(
    window: Callable[[Path], Window], profile: Path, qtbot: QtBot
) -> None:
    made = window(profile)
    enter(qtbot, made)
    left: list[str] = []
    assert made.frame is not None
    page = made.frame.page("home")
    page.leave = lambda: left.append("home")  # type: ignore[method-assign]  # a page that says that it was asked
    made._idle.setInterval(50)
    with qtbot.waitSignal(made.locked, timeout=5_000):
        QTest.keyClick(made.windowHandle(), Qt.Key.Key_Shift)
    assert left == ["home"]


def test_input_puts_the_lock_off(window: Callable[[Path], Window], profile: Path, qtbot: QtBot) -> None:
    made = window(profile)
    enter(qtbot, made)
    made._idle.setTimerType(Qt.TimerType.PreciseTimer)
    made._idle.setInterval(60_000)
    made._idle.start()
    before = made._idle.remainingTime()
    qtbot.waitUntil(lambda: made._idle.remainingTime() < before - 400)
    QTest.keyClick(made.windowHandle(), Qt.Key.Key_Shift)
    qtbot.waitUntil(lambda: made._idle.remainingTime() > before - 200)


def test_a_cut_off_draft_is_offered_by_name(
    window: Callable[[Path], Window], open_office: Callable[..., Session], qtbot: QtBot
) -> None:
    from sync import drafts

    session = open_office("profile")
    home, unlocked = session.unlocked.home, session.unlocked
    now_ms = session.clock.wall_ms()
    crash.mark_running(home, now_ms - 1000)
    officer, key = unlocked.officer.id, unlocked.draft_key
    title = "អាជ្ញាប័ណ្ណជាងកាត់សក់ · លឹម ស្រីមុំ"
    session.store.write(
        lambda conn: drafts.save(conn, officer, key, "d1", "forms/barber-licence", title, {"a": 1}, now_ms)
    )
    session.close()
    made = window(home)
    enter(qtbot, made)
    qtbot.waitUntil(lambda: made.recover is not None and made.recover.isVisible(), timeout=10_000)
    assert made.recover is not None
    said = [label.words() for label in made.recover.findChildren(_label())]
    assert any(title in words for words in said)
    discard = next(button for button in made.recover.findChildren(_button()) if button.words() == catalog.tr("Discard"))
    discard.click()
    bridge = made.bridge
    assert bridge is not None
    left: list[int] = []
    qtbot.waitUntil(lambda: not bridge.busy())
    bridge.drafts(lambda found: left.append(len(found)))
    qtbot.waitUntil(lambda: left == [0])


def test_a_good_end_offers_nothing(window: Callable[[Path], Window], profile: Path, qtbot: QtBot) -> None:
    made = window(profile)
    enter(qtbot, made)
    assert made.recover is None
    assert crash.cut_off_since(profile) is not None
    made.close()
    assert crash.cut_off_since(profile) is None


def _label() -> type:
    from desktop.kit.wrap import Label

    return Label


def _button() -> type:
    from desktop.kit.button import Button

    return Button
