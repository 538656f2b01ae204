"""The window's part in trust: what came down, a code typed, a passphrase forgotten, an officer who moves and one who comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from nacl.public import PrivateKey
from PySide6.QtCore import Qt

from desktop.bridge import Bridge
from desktop.kit.button import Button
from desktop.shell.settings_centre import CentrePane
from desktop.shell.settings_enrolment import EnrolmentPane
from desktop.shell.settings_people import PeoplePane
from desktop.shell.settings_safety import SafetyPane
from desktop.shell.window import Window
from i18n.catalog import tr
from modules.session import Session
from sync import enrol, keys, publications, reset, shares, transfers
from sync.officer import Officer

if TYPE_CHECKING:
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


@pytest.fixture
def recovery(centre_folder: Path) -> PrivateKey:
    """The province's key, as its custodians once had it."""
    return PrivateKey(bytes.fromhex((centre_folder / "offline" / "recovery.key").read_text("ascii").strip()))


def done(qtbot: QtBot, bridge: Bridge) -> None:
    qtbot.waitUntil(lambda: not bridge.busy(), timeout=20_000)


def add(bridge: Bridge, latin: str = "Heng Dara") -> Any:
    return keys.add_officer(bridge.session.unlocked, Officer("", "ហេង ដារ៉ា", latin, "cashier"), NEW, cost=keys.CHEAP)


def test_what_came_down_is_told_with_its_signer_and_its_refusal(chief: Bridge, qtbot: QtBot) -> None:
    from modules import publications as taken

    session = chief.session
    session.store.write(lambda conn: publications.keep(conn, "prices/2027.json", b"{", 4, session.clock.wall_ms()))
    session.store.write(
        lambda conn: publications.keep(conn, "devices/03.cbor", b"\xa0", 4, session.clock.wall_ms(), "province-03")
    )
    taken.apply_new(session)
    pane = CentrePane(chief)
    qtbot.addWidget(pane)
    pane.refresh()
    done(qtbot, chief)
    texts = [label.words() for label in pane.findChildren(type(pane.state))]
    assert tr("Nothing was fetched from the centre yet.") in texts
    assert any("prices/2027.json" in words for words in texts), "why it is not in use"
    assert any("ខេត្តកំពង់ចាម" in words for words in texts), "who signed"


def test_an_old_word_of_the_centre_is_amber_then_red(chief: Bridge, qtbot: QtBot) -> None:
    pane = CentrePane(chief)
    qtbot.addWidget(pane)
    now = chief.session.clock.wall_ms()
    for state, words in (
        ("fresh", tr("The centre's word is current.")), ("amber", tr("The centre's word is old.")),
        ("red", tr("The centre's word is very old.")),
    ):  # fmt: skip
        pane._show({"state": state, "checked_ms": now - 43 * 86_400_000, "expires_ms": now, "publications": []})
        assert pane.state.words() == words
    assert "43" in pane.age.words()


def test_a_code_that_was_read_out_makes_the_request(chief: Bridge, qtbot: QtBot) -> None:
    pane = EnrolmentPane(chief)
    qtbot.addWidget(pane)
    pane.refresh()
    done(qtbot, chief)
    before = chief.session.store.read(enrol.request)
    pane.code.ask.click()
    assert pane.code.code.error()
    pane.code.code.set_value("short")
    pane.code.ask.click()
    done(qtbot, chief)
    assert pane.code.code.error(), "not a code"
    pane.code.code.set_value("ab3cd-ef4gh")
    pane.code.ask.click()
    done(qtbot, chief)
    assert chief.session.store.read(enrol.request) != before
    words = chief.session.store.read(enrol.request_words)
    assert words and words in pane.code.told.details()


def test_a_forgotten_passphrase_from_the_door_to_the_desk(
    open_office: Callable[..., Session], qtbot: QtBot, tmp_path: Path, recovery: PrivateKey
) -> None:
    locked = open_office("locked")
    home = locked.unlocked.home
    locked.close()
    window = Window(home, cost=keys.CHEAP)
    qtbot.addWidget(window)
    window.begin()
    assert window.door is not None
    window.door.forgotten.click()
    page: Any = window._now
    page.first.set_value(NEW)
    page.again.set_value("another")
    page.make.click()
    assert page.again.error()
    page.first.set_value("កខ")
    page.again.set_value("កខ")
    page.make.click()
    qtbot.waitUntil(lambda: bool(page.first.error()), timeout=20_000)
    page.first.set_value(NEW)
    page.again.set_value(NEW)
    page.make.click()
    qtbot.waitUntil(lambda: reset.waiting(home) is not None and page._request is not None, timeout=20_000)
    assert reset.spoken(page._request) in page.digits.words()
    page.save_to(tmp_path / "x.sala-reset")
    answer = tmp_path / "x.sala-answer"
    answer.write_bytes(reset.answer((tmp_path / "x.sala-reset").read_bytes(), recovery))
    page.secret.set_value("not that one at all")
    page.take_from(answer)
    qtbot.waitUntil(lambda: bool(page.secret.error()), timeout=20_000)
    page.secret.set_value(NEW)
    with qtbot.waitSignal(window.entered, timeout=30_000):
        page.take_from(answer)
    with qtbot.waitSignal(window.locked, timeout=30_000):
        window.lock()
    window.door.forgotten.click()
    qtbot.keyClick(window._now, Qt.Key.Key_Escape)
    assert window.door is not None
    window.close()
    keys.unlock(home, "Chan Sokha", NEW, locked.clock).lock()


def test_the_province_answers_with_two_shares(
    chief: Bridge, open_office: Callable[..., Session], qtbot: QtBot, tmp_path: Path, recovery: PrivateKey
) -> None:
    other = open_office("district", latin="Kim Srey")
    home = other.unlocked.home
    other.close()
    request = tmp_path / "x.sala-reset"
    request.write_bytes(reset.begin(home, "Kim Srey", NEW, other.clock, cost=keys.CHEAP))
    pane = SafetyPane(chief)
    qtbot.addWidget(pane)
    card = pane.recovery
    card.take(tmp_path / "none")
    assert "SY-371" in card.told.details()
    card.take(request)
    assert "Kim Srey" in card.who.words() and len(card.digits.words().split()) == 6
    card.answer.click()
    assert card.shares[0].error()
    made = [shares.text(share) for share in shares.split(recovery)]
    out = tmp_path / "x.sala-answer"

    def answer(*typed: str) -> None:
        for field, text in zip(card.shares, typed, strict=True):
            field.set_value(text)
        card.answer.click()
        done(qtbot, chief)

    answer(made[0], "SALA1 mistyped")
    assert card.shares[1].error() and not card.view.texts()
    answer(made[0], made[0])
    assert "SY-468" in card.told.details() and not card.view.texts()
    answer(made[0], made[2])
    assert card.shares[0].value() is None, "a share is kept nowhere"
    card.write(out)
    reset.finish(home, out.read_bytes(), NEW, other.clock, cost=keys.CHEAP).lock()
    events = chief.session.store.read(lambda conn: [row[0] for row in conn.execute("SELECT event FROM audit")])
    assert any("reset answered" in event and "Kim" not in event for event in events)


def test_who_may_not_manage_officers_answers_no_request(bridge: Bridge, qtbot: QtBot) -> None:
    pane = SafetyPane(bridge)
    qtbot.addWidget(pane)
    assert not hasattr(pane, "recovery")
    people = PeoplePane(bridge)
    qtbot.addWidget(people)
    people.show()
    done(qtbot, bridge)
    assert not people.arrive.card.isVisible()


def test_an_officer_moves_once_nothing_is_outstanding(chief: Bridge, qtbot: QtBot, tmp_path: Path) -> None:
    dara = add(chief)
    session = Session.open(keys.unlock(chief.session.unlocked.home, "Heng Dara", NEW, chief.session.clock))
    session.commands.run("links.create", url="https://www.moi.gov.kh/x", title="x")
    session.close()
    pane = PeoplePane(chief)
    qtbot.addWidget(pane)
    pane.show()
    done(qtbot, chief)
    next(button for button in pane.findChildren(Button) if button.words() == tr("Move…")).click()
    done(qtbot, chief)
    card = pane.moving
    assert card.card.isVisible() and not card.go.isEnabled()
    assert "1" in card.left.words()
    assert pane.focusWidget() is card.send, "what holds it up comes into sight"
    chief.session.store.write(lambda conn: conn.execute("INSERT INTO mark (name, value) VALUES ('received', 1000) "
                                                        "ON CONFLICT (name) DO UPDATE SET value = 1000"))  # fmt: skip
    card.look()
    done(qtbot, chief)
    assert card.go.isEnabled()
    card.go.click()
    assert card.office.error(), "where to?"
    card.office.set_value("0307")
    card.role.set_value("competent")
    out = tmp_path / "dara.sala-transfer"
    card.move(out)
    done(qtbot, chief)
    said, _ = transfers.read(out.read_bytes())
    assert (said.officer.hex(), said.to_office, said.role) == (dara.id, "0307", "competent")
    done(qtbot, chief)
    assert [one.latin for one in chief.session.unlocked.officers()] == ["Chan Sokha"]


def test_an_officer_comes_with_a_statement(chief: Bridge, qtbot: QtBot, tmp_path: Path) -> None:
    said = transfers.Transfer(
        officer=b"o" * 16, name="ហេង ដារ៉ា", latin="Heng Dara", from_office="0307", to_office="0306", role="cashier", at_ms=1,
        by=bytes(16), by_name="លឹម", made_ms=1,
    )  # fmt: skip
    file = tmp_path / "dara.sala-transfer"
    file.write_bytes(b"x")
    pane = PeoplePane(chief)
    qtbot.addWidget(pane)
    done(qtbot, chief)
    card = pane.arrive
    card.take(file)
    assert "SY-477" in card.told.details()
    file.write_bytes(transfers.sign(said, bytes(64)))
    card.take(file)
    assert "ហេង ដារ៉ា" in card.who.words() and "0307" in card.who.words()
    card.go.click()
    assert card.secret.error()
    card.secret.set_value("កខ")
    card.go.click()
    done(qtbot, chief)
    assert card.secret.error(), "too short"
    card.secret.set_value(NEW)
    card.go.click()
    done(qtbot, chief)
    unlocked = keys.unlock(chief.session.unlocked.home, "Heng Dara", NEW, chief.session.clock)
    assert (unlocked.officer.id, unlocked.officer.role) == ((b"o" * 16).hex(), "cashier")
    unlocked.lock()


def test_the_wizard_takes_a_code_that_was_read_out(
    centre_folder: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sync.clock import SystemClock
    from sync.hub import centre
    from sync.hub.cli import office_facts

    hub = centre.open_(centre_folder, SystemClock())
    pack = tmp_path / "bare.pack"
    pack.write_bytes(hub.enrol(office_facts("0307"), ["http://127.0.0.1:9"], spoken=True))
    hub.close()
    monkeypatch.setenv("SALA_ROOTS", str(centre_folder / "roots"))
    window = Window(tmp_path / "new", cost=keys.CHEAP)
    qtbot.addWidget(window)
    window.show()
    window.begin()
    wizard = window.wizard
    assert wizard is not None
    wizard.pack.take(pack)
    assert wizard.pack.code.isVisibleTo(wizard)
    wizard.pack.code.set_value("too short")
    wizard.primary()
    wizard.officer.name.set_value("ចាន់ សុខា")
    wizard.officer.latin.set_value("Chan Sokha")
    wizard.primary()
    wizard.secret.first.set_value(NEW)
    wizard.secret.again.set_value(NEW)
    wizard.secret.first.edited.emit()
    wizard.primary()
    qtbot.waitUntil(lambda: bool(wizard.pack.code.error()), timeout=20_000)
    assert wizard.stack.currentIndex() == 0, "back where the code is typed"
    wizard.pack.code.set_value("AB3CD-EF4GH")
    for _ in range(3):
        wizard.primary()
    qtbot.waitUntil(wizard.next.isEnabled, timeout=20_000)
    with qtbot.waitSignal(window.entered, timeout=20_000):
        wizard.primary()
    assert window.bridge is not None
    assert window.bridge.session.store.read(enrol.request) is not None
    window.close()


def test_a_program_is_offered_fetched_and_left_to_who_may_install(
    chief: Bridge, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import json

    from nacl.signing import SigningKey

    from modules import updating
    from sync import updates

    key, session = SigningKey.generate(), chief.session
    program = tmp_path / "build" / "sala"
    program.mkdir(parents=True)
    (program / "sala").write_bytes(b"#!/bin/sh\n")
    release = updates.build(program, "9.9.9", updates.here(), key, tmp_path / "out", 1)
    facts = {**session.office, "release": bytes(key.verify_key).hex()}
    session.store.write(lambda conn: conn.execute("UPDATE office SET facts = ?", (json.dumps(facts),)))
    pane = CentrePane(chief)
    qtbot.addWidget(pane)
    pane.show()
    pane.refresh()
    done(qtbot, chief)
    card = pane.update_card
    assert "0.1.0" in card.state.words() and not card.fetch.isVisible()
    index = (tmp_path / "out" / "index.cbor").read_bytes()
    session.store.write(lambda conn: publications.keep(conn, "app/9.9.9/x/index.cbor", index, 1, 1))
    pane.refresh()
    done(qtbot, chief)
    assert "9.9.9" in card.state.words() and card.fetch.isVisible() and not card.install.isVisible()
    card._fetch(tmp_path / "empty stick")
    done(qtbot, chief)
    assert "SY-467" in card.told.details()
    place = tmp_path / "stick" / release.piece_name(0)
    place.parent.mkdir(parents=True)
    place.write_bytes((tmp_path / "out" / "part-000").read_bytes())
    card._fetch(tmp_path / "stick")
    done(qtbot, chief)
    assert card.install.isVisible() and card.install.isEnabled()
    card.install.click()
    done(qtbot, chief)
    assert "SY-479" in card.told.details(), "Sala runs from its source here"
    here = tmp_path / "opt" / "sala"
    here.mkdir(parents=True)
    (here / "sala").write_bytes(b"x")
    assert Path(updating.install(session, here)["folder"]).name == "sala-9.9.9"
    monkeypatch.setattr(updating, "_program", lambda: here / "sala")
    pane.refresh()
    done(qtbot, chief)
    assert not card.install.isVisible() and "9.9.9" in card.state.words()
