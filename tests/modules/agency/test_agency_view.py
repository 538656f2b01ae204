"""The agency's desk in the window: without a key, empty, with submissions; deciding by keyboard; both languages."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from sync import cutting
from sync.hub import agency, enrolment
from sync.hub import centre as centres
from sync.version import VERSION
from tests.modules.forms.conftest import PICTURE_FIELD, SHEETS

KEY = "offline/agency.key"


@pytest.fixture
def hub(centre_folder: Path) -> Iterator[Any]:
    from sync.clock import SystemClock

    made = centres.open_(centre_folder, SystemClock())
    yield made
    made.close()


@pytest.fixture
def pages(hub: Any, open_office: Callable[..., Any], tmp_path: Path) -> Callable[[int], list[str]]:
    """``pages(n)``: an office takes ``n`` submissions, the hub gets them, and this is what a desk would read."""
    from PIL import Image

    scan = tmp_path / "scan.png"
    Image.new("RGB", (300, 200), (20, 120, 90)).save(scan)

    def make(n: int) -> list[str]:
        office = open_office("office")
        for number in range(n):
            form = list(SHEETS)[number % 3]
            answers = dict(SHEETS[form])
            if form in PICTURE_FIELD:
                answers[PICTURE_FIELD[form]] = [str(scan)]
            office.commands.run("forms.fill", form=form, answers=answers, finish=True)
        join(hub, office)
        while cutting.cut(office.unlocked, VERSION, target=1 << 20):
            pass
        rows = office.store.read(lambda conn: conn.execute("SELECT bytes FROM batch ORDER BY first_seq").fetchall())
        before = hub.storage.read(lambda tx: tx.query("SELECT coalesce(max(idx), 0) AS n FROM accepted"))[0]["n"]
        for row in rows:
            hub.ingest.take(bytes(row["bytes"]))
        found = hub.storage.read(lambda tx: agency.page(hub, tx, before))
        return [b64encode(found.encode()).decode()]

    return make


def join(hub: Any, office: Any) -> None:
    """Enrol a laptop at the hub, as its first contact would; its pack is that of the whole run, so make room in its slot."""
    from sync import devices, enrol

    request, signed, mac = devices.read_request(office.store.read(enrol.request))
    hub.storage.write(
        lambda tx: tx.execute("UPDATE slot SET device = NULL, tries = 0 WHERE slot = :slot", {"slot": request.slot})
    )
    answer = hub.storage.write(lambda tx: enrolment.enrol(tx, hub.keys, request, signed, mac, hub.clock.wall_ms()))
    assert answer.certificate is not None


@pytest.fixture
def desk(open_office: Callable[..., Any]) -> Any:
    """A laptop of the agency, its reader at it."""
    return open_office("desk", role="reader", officer="ហេង វិបុល", latin="Heng Vibol")


@pytest.fixture
def frame(desk: Any, qapp: Any, qtbot: Any) -> Iterator[Any]:
    from desktop.app import prepare
    from desktop.bridge import Bridge
    from desktop.kit import shown, theme
    from desktop.shell.frame import Frame

    prepare(qapp)
    theme.apply(qapp, scheme="light", percent=100, both_labels=True)
    shown.use_digits("latin")
    bridge = Bridge(desk)
    made = Frame(bridge)
    qtbot.addWidget(made)
    made.resize(1366, 728)
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    made.open("agency")
    quiet(made, qtbot)
    yield made
    bridge.close()


def quiet(frame: Any, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: not frame.bridge.busy(), timeout=10_000)


def test_without_a_key_the_page_teaches_how_to_get_one(
    frame: Any, qtbot: Any, desk: Any, centre_folder: Path, tmp_path: Path
) -> None:
    page = frame.page("agency")
    assert page.keyless.isVisible()
    assert not page.table.isVisible()
    wrong = tmp_path / "wrong.key"
    wrong.write_text("ក ខ", "utf-8")
    page.add_key(wrong)
    quiet(frame, qtbot)
    assert page.keyless.isVisible()
    page.add_key(centre_folder / KEY)
    quiet(frame, qtbot)
    assert page.empty.isVisible()
    assert len(desk.commands.run("agency.keys")["keys"]) == 1


def test_a_receiving_officer_has_no_such_page(open_office: Callable[..., Any], qapp: Any, qtbot: Any) -> None:
    from desktop.bridge import Bridge
    from desktop.shell.frame import Frame

    bridge = Bridge(open_office("hall"))
    made = Frame(bridge)
    qtbot.addWidget(made)
    assert "agency" not in [place.id for place in made.places]
    bridge.close()


def test_a_submission_is_read_and_sent_back_by_keyboard_only(
    frame: Any, qtbot: Any, desk: Any, pages: Callable[[int], list[str]], centre_folder: Path
) -> None:
    page = frame.page("agency")
    page.add_key(centre_folder / KEY)
    quiet(frame, qtbot)
    for one in pages(3):
        assert desk.commands.run("agency.take", page=one)["new"] == 3
    page.read()
    quiet(frame, qtbot)
    qtbot.waitUntil(lambda: page.table.rows.record(0) is not None)
    page.table.setFocus()
    QTest.keyClick(page.table, Qt.Key.Key_Home)
    QTest.keyClick(page.table, Qt.Key.Key_Return)
    quiet(frame, qtbot)
    assert page.detail.isVisible()
    assert page.detail.accept.hasFocus()
    QTest.keyClick(page.detail.accept, Qt.Key.Key_Tab)
    QTest.keyClick(page.detail.send_back, Qt.Key.Key_Space)
    page.detail.confirm.click()
    assert page.detail.reason.error()  # a reason is needed
    page.detail.reason.area.insertPlainText("សូមស្កេនម្ដងទៀត")
    page.detail.confirm.click()
    quiet(frame, qtbot)
    [row] = desk.commands.run("agency.list", state="sent_back")["rows"]
    assert row["reason"] == "សូមស្កេនម្ដងទៀត"
    QTest.keyClick(page.detail._close, Qt.Key.Key_Escape)
    assert not page.detail.isVisible()


@pytest.mark.parametrize("language", ["km", "en"])
@pytest.mark.parametrize("size", [(1366, 728), (1024, 560)])
def test_nothing_is_cut_in_either_language(
    frame: Any, qtbot: Any, desk: Any, pages: Callable[[int], list[str]], centre_folder: Path, language: Any, size: tuple[int, int],
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    from i18n import catalog

    catalog.use(language)
    frame.resize(*size)
    page = frame.page("agency")
    page.add_key(centre_folder / KEY)
    for one in pages(3):
        desk.commands.run("agency.take", page=one)
    page.read()
    quiet(frame, qtbot)
    assert 0 < page.states.height() < 2 * page.fetch.height(), "the states stand on one line"
    record = desk.commands.run("agency.list")["rows"][0]
    page.open_submission(record["op"])
    quiet(frame, qtbot)
    qapp = QApplication.instance()
    assert qapp is not None
    for widget in frame.findChildren(QWidget):
        qapp.sendEvent(widget, QEvent(QEvent.Type.LanguageChange))
    qtbot.wait(400)
    quiet(frame, qtbot)
    qtbot.wait(100)
    assert not frame.grab().isNull()
    for label in (page.detail._receipt, page.detail._facts):
        assert label.words()
    if folder := request.config.getoption("basetemp"):
        frame.grab().save(str(Path(str(folder)).parent / f"agency-{language}-{size[0]}.png"))
