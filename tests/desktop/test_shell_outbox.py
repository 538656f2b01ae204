"""The outbox against a real hub in its own process: sent, received with a receipt, by stick, and without a line."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from desktop.bridge import Bridge
from desktop.shell.outbox import OutboxPage
from i18n.catalog import tr
from modules.session import Session

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

PASSPHRASE = "ពាក្យសម្ងាត់ សាកល្បង ១២៣"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Any]:
    spec = importlib.util.spec_from_file_location("hub_process", Path(__file__).parents[1] / "sync" / "hub_process.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = module.Hub(tmp_path / "hub")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def linked(hub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> Iterator[Bridge]:
    """An office whose hub is there."""
    from sync import enrol, keys
    from sync.clock import SystemClock

    monkeypatch.setenv("SALA_ROOTS", str(hub.folder / "roots"))
    pack = hub.pack(tmp_path / "0306.pack")
    unlocked = enrol.setup(
        tmp_path / "linked", pack, officer_name="ចាន់ សុខា", officer_latin="Chan Sokha", role="receiving",
        passphrase=PASSPHRASE, clock=SystemClock(), cost=keys.CHEAP,
    )  # fmt: skip
    made = Bridge(Session.open(unlocked))
    yield made
    made.close()


def page_of(bridge: Bridge, qtbot: QtBot) -> OutboxPage:
    page = OutboxPage(bridge)
    qtbot.addWidget(page)
    page.resize(1000, 560)
    with qtbot.waitExposed(page):
        page.show()
    page.refresh(None)
    return page


def quiet(bridge: Bridge, qtbot: QtBot) -> Callable[[], None]:
    return lambda: qtbot.waitUntil(lambda: not bridge.busy() and not bridge.syncing(), timeout=60_000)


def test_what_was_finished_reaches_the_centre(linked: Bridge, qtbot: QtBot) -> None:
    rest = quiet(linked, qtbot)
    linked.run_now("links.create", url="https://www.kampongcham.gov.kh/", title="ទំព័រដើម")
    page = page_of(linked, qtbot)
    rest()
    assert page.table.rows.rowCount() == 1
    assert page.table.rows.words(0, 0) == "ទំព័រដើម"
    steps: list[str] = []
    linked.sync_progress.connect(lambda what, _done, _total: steps.append(what))
    page.primary()
    assert page.progress.isVisible()
    assert not page.send.isEnabled()
    rest()
    assert page.banner.details().startswith(tr("The centre has received everything that was sent."))
    assert page.send.isEnabled()
    page.tabs._tabs["received"].click()
    rest()
    assert page.table.rows.rowCount() == 1
    assert page.table.rows.words(0, 4) == "មជ្ឈមណ្ឌលបានទទួល"
    assert steps
    assert linked.last_sync is not None
    assert linked.last_sync[1] is None


def test_by_stick_it_says_so_and_waits_for_the_receipt(linked: Bridge, qtbot: QtBot, tmp_path: Path) -> None:
    rest = quiet(linked, qtbot)
    linked.run_now("links.create", url="https://www.kampongcham.gov.kh/", title="ទំព័រដើម")
    page = page_of(linked, qtbot)
    rest()
    stick = tmp_path / "stick"
    stick.mkdir()
    linked.export_usb(stick)
    rest()
    assert any(stick.iterdir())
    page.tabs._tabs["sending"].click()
    rest()
    assert page.table.rows.record(0) is not None
    assert page.table.rows.words(0, 4) == "នៅលើ USB"


def test_without_a_line_the_reason_is_said_and_nothing_is_lost(linked: Bridge, hub: Any, qtbot: QtBot) -> None:
    rest = quiet(linked, qtbot)
    linked.run_now("links.create", url="https://www.kampongcham.gov.kh/")
    page = page_of(linked, qtbot)
    hub.stop()
    page.primary()
    rest()
    assert "SY-350" in page.banner.details()
    assert page.table.rows.rowCount() == 1
    page.banner.close_banner()
    linked._sync(asked=False)
    rest()
    assert page.banner.isHidden(), "a run by itself fails quietly: the strip says it"


def test_an_empty_outbox_teaches(bridge: Bridge, qtbot: QtBot) -> None:
    page = page_of(bridge, qtbot)
    quiet(bridge, qtbot)()
    assert page.list.currentIndex() == 1
    assert page.empty.title.words() == tr("Nothing waits here")
    page.open_target("line")
    assert page.banner.isVisible()
