"""Without a line, through the window and by keyboard: sticks, codes, the other laptop, conflicts, enrolment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop.bridge import Bridge
from desktop.kit import a11y
from desktop.shell.carry import CarryPage
from desktop.shell.frame import Frame
from i18n import catalog
from modules import replicate
from sync import heartbeat, pieces, qrframes, qrpicture
from sync.errors import Known
from sync.hub import courier
from tests.end2end.hall import Hall, conflicts, pair, scan, take_case

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


@pytest.fixture
def hall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hall]:
    made = Hall(tmp_path)
    monkeypatch.setenv("SALA_ROOTS", str(made.roots))
    yield made
    made.close()


@pytest.fixture
def desk(hall: Hall, qtbot: QtBot) -> Iterator[Callable[..., tuple[Frame, Bridge]]]:
    """``desk(session)``: the window content of a laptop, shown; and its bridge."""
    bridges: list[Bridge] = []

    def make(session: Any) -> tuple[Frame, Bridge]:
        bridge = Bridge(session)
        bridges.append(bridge)
        hall.opened.remove(session)  # the bridge closes it
        frame = Frame(bridge)
        qtbot.addWidget(frame)
        frame.resize(1024, 600)
        with qtbot.waitActive(frame):
            frame.show()
            frame.activateWindow()
        return frame, bridge

    yield make
    for bridge in bridges:
        bridge.close()


def carry(frame: Frame, target: str, qtbot: QtBot) -> CarryPage:
    frame.open("carry", target)
    page = frame.page("carry")
    assert isinstance(page, CarryPage)
    qtbot.waitUntil(lambda: not frame.bridge.busy(), timeout=10_000)
    return page


def test_a_stick_is_written_listed_and_known_to_be_done(
    hall: Hall, desk: Callable[..., tuple[Frame, Bridge]], qtbot: QtBot, tmp_path: Path
) -> None:
    (laptop,) = hall.enrolled(1)
    take_case(laptop)
    frame, bridge = desk(laptop)
    page = carry(frame, "sticks", qtbot)
    pane: Any = page.panes["sticks"]
    pane.seal.set_value("centre")
    stick = tmp_path / "usb"
    with qtbot.waitSignal(bridge.sync_ended, timeout=20_000):
        pane.export_to(stick)
    qtbot.waitUntil(lambda: not bridge.busy(), timeout=10_000)
    assert all(file.read_bytes().startswith(b"SALASEALED1") for file in stick.iterdir())
    words = [label.words() for label in pane.findChildren(type(pane.step))]
    assert any("1" in text and "មិនទាន់បានទទួល" in text for text in words)
    assert courier.take(hall.hub, stick).new_ops > 0
    with qtbot.waitSignal(bridge.sync_ended, timeout=20_000):
        bridge.import_usb(stick)
    qtbot.waitUntil(lambda: not bridge.busy(), timeout=10_000)
    words = [label.words() for label in pane.findChildren(type(pane.step)) if label.isVisible()]
    assert any("មជ្ឈមណ្ឌលមានអ្វីៗទាំងអស់" in text for text in words)


def test_a_stick_with_scans_alone_is_told_and_done_when_they_have_arrived(
    hall: Hall, desk: Callable[..., tuple[Frame, Bridge]], qtbot: QtBot, tmp_path: Path
) -> None:
    (laptop,) = hall.enrolled(1)
    names = scan(laptop)
    hall.to_centre(laptop)
    laptop.store.write(lambda conn: pieces.lost(conn, names))  # the centre has said that it lacks them
    frame, bridge = desk(laptop)
    pane: Any = carry(frame, "sticks", qtbot).panes["sticks"]
    stick = tmp_path / "usb"

    def shown() -> list[str]:
        qtbot.waitUntil(lambda: not bridge.busy(), timeout=10_000)
        return [label.words() for label in pane.findChildren(type(pane.step)) if label.isVisible()]

    with qtbot.waitSignal(bridge.sync_ended, timeout=20_000):
        pane.export_to(stick)
    assert "បំណែកឯកសារស្កេន 4 មិនទាន់បានទទួល" in shown()
    assert courier.take(hall.hub, stick).problems == []
    with qtbot.waitSignal(bridge.sync_ended, timeout=20_000):
        bridge.import_usb(stick)
    assert "បំណែកឯកសារស្កេន 4 មិនទាន់បានទទួល" not in shown()
    assert any("បំណែកឯកសារស្កេនដែលបានទៅដល់៖ 4" in text for text in shown())


def test_a_stopped_writing_leaves_nothing_on_the_stick(
    hall: Hall, desk: Callable[..., tuple[Frame, Bridge]], qtbot: QtBot, tmp_path: Path
) -> None:
    (laptop,) = hall.enrolled(1)
    take_case(laptop)
    frame, bridge = desk(laptop)
    pane: Any = carry(frame, "sticks", qtbot).panes["sticks"]
    bridge.sync_began.connect(bridge.cancel_sync)
    stick = tmp_path / "usb"
    with qtbot.waitSignal(bridge.sync_ended, timeout=20_000) as ended:
        pane.export_to(stick)
    assert ended.args[0]["cancelled"] and list(stick.glob("*")) == []
    assert not pane.told.isHidden()


def test_the_outbox_as_codes_from_the_screen_to_the_centre(
    hall: Hall, desk: Callable[..., tuple[Frame, Bridge]], qtbot: QtBot
) -> None:
    (laptop,) = hall.enrolled(1)
    take_case(laptop)
    frame, _ = desk(laptop)
    pane: Any = carry(frame, "codes", qtbot).panes["codes"]
    pane.show_outbox.setFocus()
    QTest.keyClick(pane.show_outbox, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: bool(pane.view.texts()), timeout=10_000)
    # the camera looks when its place is made for it
    qtbot.waitUntil(lambda: pane.view.height() >= pane.view.sizeHint().height(), timeout=10_000)
    seen: set[str] = set()

    def look() -> bool:
        image = pane.view.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)  # what a camera would see
        image.save(str(hall.folder / "screen.png"))
        seen.update(qrpicture.texts(hall.folder / "screen.png"))
        return seen >= set(pane.view.texts())

    qtbot.waitUntil(look, timeout=20_000)
    taken, answer = courier.take_bytes(hall.hub, qrframes.collect(list(seen)))
    assert taken.new_ops > 0 and answer is not None
    if len(pane.view.texts()) > 1:
        assert pane.view.running()
        QTest.keyClick(pane.view, Qt.Key.Key_Space)
        assert not pane.view.running()
    picture = hall.folder / "answer.gif"
    picture.write_bytes(qrpicture.moving(qrframes.encode_small(answer)))
    pane.codes.take_files([picture])
    qtbot.waitUntil(lambda: not pane.in_told.isHidden(), timeout=10_000)
    rows = laptop.commands.run("forms.list")["rows"]
    assert [row["sync"] for row in rows] == ["received"]


def test_the_status_text_goes_into_the_clipboard(
    hall: Hall, desk: Callable[..., tuple[Frame, Bridge]], qtbot: QtBot
) -> None:
    (laptop,) = hall.enrolled(1)
    frame, _ = desk(laptop)
    pane: Any = carry(frame, "codes", qtbot).panes["codes"]
    pane.copy_text()
    qtbot.waitUntil(lambda: not pane.text_told.isHidden(), timeout=10_000)
    text = QGuiApplication.clipboard().text()
    assert heartbeat.parse(text).holds(bytes(laptop.unlocked.device.sign.verify_key))
    assert pane.text_code.texts() == [text]


def test_two_windows_meet_and_a_conflict_is_settled_by_keyboard(
    hall: Hall, desk: Callable[..., tuple[Frame, Bridge]], qtbot: QtBot
) -> None:
    one, other = hall.enrolled(1, 2)
    receipt = take_case(one)["receipt"]
    pair(one, other)
    hall.tell(one, other)
    for laptop, phone in ((one, "011222333"), (other, "099888777")):
        case = laptop.commands.run("forms.case_by_receipt", text=receipt)
        laptop.commands.run("forms.correct", id=case["id"], changes={"phone": phone}, reason="កែ")
        hall.clock.advance(60_000)
    frame, _ = desk(one)
    pane: Any = carry(frame, "office", qtbot).panes["office"]
    waiting = replicate.wait(one, pane._heard.emit, addresses=["127.0.0.1"])
    pane._waits(waiting)
    assert pane.view.texts() == [waiting.text] and pane.stop.isVisible()
    report = replicate.meet(other, waiting.text)
    assert report["problems"] == []
    qtbot.waitUntil(lambda: not pane.wait_told.isHidden(), timeout=10_000)
    page = carry(frame, "conflicts", qtbot)
    assert not pane.view.texts()  # leaving the page closed the ear
    shown: Any = page.panes["conflicts"]
    qtbot.waitUntil(lambda: shown.cases.count() == 1, timeout=10_000)
    case_: Any = shown.cases.itemAt(0).widget()
    field = case_.fields["phone"]
    field.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_2)  # the second value, by its number
    case_.keep.setFocus()
    QTest.keyClick(case_.keep, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: shown.cases.count() == 0 and not shown.empty.isHidden(), timeout=10_000)
    assert conflicts(one) == {}
    answers = one.commands.run("forms.list")["rows"]
    assert answers[0]["phone"] == "+85511222333"


def test_enrolment_by_picture_and_the_digits_on_both_sides(
    hall: Hall, desk: Callable[..., tuple[Frame, Bridge]], qtbot: QtBot
) -> None:
    laptop = hall.laptop(1)
    frame, bridge = desk(laptop)
    frame.open("settings", "enrolment")
    settings: Any = frame.page("settings")
    pane = settings.pane("enrolment")
    qtbot.waitUntil(lambda: bool(pane.view.texts()), timeout=10_000)
    picture = hall.folder / "request.png"

    def readable() -> bool:
        """The page is laid out, and the picture of it shows the code."""
        pane.view.grab().save(str(picture))
        with suppress(Known):
            return bool(qrpicture.texts(picture))
        return False

    qtbot.waitUntil(readable, timeout=10_000)
    taken, answer = courier.take_bytes(hall.hub, qrframes.collect(qrpicture.texts(picture)))
    assert taken.enrolled == 1 and answer is not None
    assert len(pane.words.words().split()) == 6
    back = hall.folder / "answer.png"
    back.write_bytes(qrpicture.png(qrframes.encode_small(answer)[0]))
    pane.codes.take_files([back])
    qtbot.waitUntil(lambda: not pane.answer_told.isHidden(), timeout=10_000)
    qtbot.waitUntil(lambda: not bridge.busy(), timeout=10_000)
    assert pane.request.isHidden() and "ស្គាល់" in pane.state.words()


@pytest.mark.parametrize("language", ["km", "en"])
def test_everything_has_a_name_and_nothing_is_cut(
    hall: Hall, desk: Callable[..., tuple[Frame, Bridge]], qtbot: QtBot, language: catalog.Language
) -> None:
    (laptop,) = hall.enrolled(1)
    catalog.use(language)
    frame, _ = desk(laptop)
    for target in ("sticks", "codes", "office", "conflicts"):
        page = carry(frame, target, qtbot)
        assert a11y.flaws(page) == []
