"""Settings over a real profile: officers, passphrases, backup and its drill, the log, the report for IT."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QDialog

from desktop.bridge import Bridge
from desktop.kit.button import Button
from desktop.shell.settings_about import AboutPane, licence_lines
from desktop.shell.settings_look import LookPane
from desktop.shell.settings_people import PeoplePane
from desktop.shell.settings_safety import SafetyPane
from i18n.catalog import tr
from modules.session import Session
from sync import keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

PASSPHRASE = "ពាក្យសម្ងាត់ សាកល្បង ១២៣"
NEW = "ផ្កាឈូក ទន្លេសាប ៤៥៦"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passphrases cost little in tests: half a second each is for burglars."""
    monkeypatch.setattr(keys, "measured_cost", lambda: keys.CHEAP)


@pytest.fixture
def chief(open_office: Callable[..., Session], qtbot: QtBot) -> Iterator[Bridge]:
    made = Bridge(open_office("chief", role="chief"))
    yield made
    made.close()


def done(qtbot: QtBot, bridge: Bridge) -> None:
    qtbot.waitUntil(lambda: not bridge.busy(), timeout=20_000)


def test_an_officer_is_added_and_can_unlock(chief: Bridge, qtbot: QtBot) -> None:
    pane = PeoplePane(chief)
    qtbot.addWidget(pane)
    done(qtbot, chief)
    pane.add.click()
    assert pane.name.error(), "an empty field is said"
    pane.name.set_value("លឹម ដារ៉ា")
    pane.latin.set_value("Lim Dara")
    pane.role.set_value("cashier")
    pane.secret.set_value("កខ")
    pane.add.click()
    done(qtbot, chief)
    assert pane.secret.error(), "too short"
    pane.secret.set_value(NEW)
    pane.add.click()
    done(qtbot, chief)
    names = [officer.latin for officer in chief.session.unlocked.officers()]
    assert names == ["Chan Sokha", "Lim Dara"]
    other = keys.unlock(chief.session.unlocked.home, "Lim Dara", NEW, chief.session.clock)
    assert other.officer.role == "cashier"
    other.lock()


def test_removing_an_officer_asks_first(chief: Bridge, qtbot: QtBot) -> None:
    from sync.officer import Officer

    keys.add_officer(chief.session.unlocked, Officer("", "លឹម ដារ៉ា", "Lim Dara", "cashier"), NEW)
    pane = PeoplePane(chief)
    qtbot.addWidget(pane)
    pane.show()
    done(qtbot, chief)
    remove = next(button for button in pane.findChildren(Button) if button.words() == tr("Remove…"))
    remove.click()
    dialog = pane.window().findChild(QDialog)
    assert dialog is not None
    assert len(chief.session.unlocked.officers()) == 2
    dialog.go.click()  # type: ignore[attr-defined]
    done(qtbot, chief)
    assert [officer.latin for officer in chief.session.unlocked.officers()] == ["Chan Sokha"]


def test_a_laptop_without_a_chief_lets_whoever_is_there_add_one(bridge: Bridge, qtbot: QtBot) -> None:
    pane = PeoplePane(bridge)
    qtbot.addWidget(pane)
    pane.show()
    done(qtbot, bridge)
    assert pane.add.isVisible()


@pytest.mark.usefixtures("second_officer")
def test_who_may_not_manage_officers_is_not_asked_to(bridge: Bridge, qtbot: QtBot) -> None:
    pane = PeoplePane(bridge)
    qtbot.addWidget(pane)
    pane.show()
    done(qtbot, bridge)
    assert not pane.add.isVisible()
    assert pane.change.isVisible()


def test_ones_own_passphrase(chief: Bridge, qtbot: QtBot) -> None:
    pane = PeoplePane(chief)
    qtbot.addWidget(pane)
    pane.old.set_value("wrong wrong wrong")
    pane.new.set_value(NEW)
    pane.again.set_value(NEW)
    pane.change.click()
    done(qtbot, chief)
    assert pane.old.error()
    pane.old.set_value(PASSPHRASE)
    pane.change.click()
    done(qtbot, chief)
    assert pane.old.error() == ""
    home = chief.session.unlocked.home
    keys.unlock(home, "Chan Sokha", NEW, chief.session.clock).lock()


def test_a_backup_is_written_and_tried_out(chief: Bridge, qtbot: QtBot, tmp_path: Path) -> None:
    pane = SafetyPane(chief)
    qtbot.addWidget(pane)
    pane.refresh()
    done(qtbot, chief)
    assert len(pane.digits.words().split()) == 6, "not enrolled yet: the digits of the request"
    out = tmp_path / "office.sala-backup"
    pane.back_up(out)
    done(qtbot, chief)
    assert out.exists()
    pane.prepare_drill(out)
    pane.secret.set_value("wrong wrong wrong")
    pane.try_it.click()
    done(qtbot, chief)
    assert "SY-114" in pane.told.details()
    pane.secret.set_value(PASSPHRASE)
    pane.try_it.click()
    done(qtbot, chief)
    assert tr("The backup can be restored.") in pane.told.details()
    out.write_bytes(out.read_bytes()[: out.stat().st_size // 2])
    pane.prepare_drill(out)
    pane.secret.set_value(PASSPHRASE)
    pane.try_it.click()
    done(qtbot, chief)
    assert "SY-152" in pane.told.details()


def test_the_log_is_checked(chief: Bridge, qtbot: QtBot) -> None:
    pane = SafetyPane(chief)
    qtbot.addWidget(pane)
    pane.verify.click()
    done(qtbot, chief)
    assert tr("The log is whole.") in pane.verdict.details()


def test_a_pack_of_the_same_office_is_taken_again(
    chief: Bridge, qtbot: QtBot, office_pack: Path, tmp_path: Path
) -> None:
    pane = SafetyPane(chief)
    qtbot.addWidget(pane)
    pane.take_pack(office_pack)
    done(qtbot, chief)
    assert tr("The newer office pack is in use.") in pane.pack_told.details()
    broken = tmp_path / "broken.pack"
    broken.write_bytes(b"x")
    pane.take_pack(broken)
    done(qtbot, chief)
    assert "SY-331" in pane.pack_told.details()


def test_the_report_for_it_holds_no_name(chief: Bridge, qtbot: QtBot, tmp_path: Path) -> None:
    pane = AboutPane(chief)
    qtbot.addWidget(pane)
    out = tmp_path / "report.zip"
    pane.write(out)
    qtbot.waitUntil(lambda: not chief.busy(), timeout=60_000)
    with zipfile.ZipFile(out) as bundle:
        words = b"".join(bundle.read(name) for name in bundle.namelist()).decode("utf-8", "replace")
    assert "Chan Sokha" not in words
    assert "ចាន់ សុខា" not in words


def test_licences_name_what_is_shipped() -> None:
    lines = licence_lines()
    assert any(line.startswith("PySide6") and "LGPL" in line for line in lines)


def test_the_look_is_kept_for_the_officer(chief: Bridge, qtbot: QtBot) -> None:
    pane = LookPane(chief)
    qtbot.addWidget(pane)
    with qtbot.waitSignal(chief.session_settings_changed):
        pane.text_size.stops()[2].click()  # type: ignore[attr-defined]
    assert chief.session.settings.get("platform.text_size") == 150
    with qtbot.waitSignal(chief.session_settings_changed):
        pane.digits.stops()[1].click()  # type: ignore[attr-defined]
    assert chief.session.settings.get("platform.digits") == "khmer"
