"""The flows page over a real session: see, try without effect, switch on, read why, continue."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from desktop.kit.states import Chip
from desktop.kit.wrap import Label
from modules.flows.view import FlowsPage
from modules.session import Session

FLOW = "barber-licence"


@pytest.fixture
def window(window_on: Any, chief: Session) -> Any:
    return window_on(chief)


@pytest.fixture
def page(window: Any) -> FlowsPage:
    found: FlowsPage = window.open("flows")
    return found


def said(widget: Any) -> str:
    words = [label.words() for label in widget.findChildren(Label) if label.isVisible()]
    return " ".join([*words, *(chip.accessibleName() for chip in widget.findChildren(Chip) if chip.isVisible())])


def test_a_flow_is_opened_tried_and_switched_on_by_keyboard(window: Any, page: FlowsPage, chief: Session) -> None:
    (card,) = page.cards
    card.setFocus()
    QTest.keyClick(card, Qt.Key.Key_Return)
    window.settle()
    shown = said(page.flow.cards)
    assert "ដាក់ឱ្យផ្ញើ" in shown and "នៅទីនេះ" in shown and "សាមីខ្លួនបានឱ្យលេខទូរស័ព្ទ" in shown
    page.flow.try_it.click()
    window.settle()
    assert "ពណ៌នាប៉ុណ្ណោះ" in said(page.flow.outcome) and "‹certificate.number›" in said(page.flow.outcome)
    assert chief.commands.run("certificates.register")["total"] == 0
    page.primary()
    window.settle()
    assert chief.commands.run("flows.show", flow=FLOW)["enabled"]


def test_a_dry_run_on_a_past_case_shows_what_would_come_and_keeps_nothing(
    window: Any, page: FlowsPage, chief: Session, apply: Callable[..., str]
) -> None:
    apply()
    window.open("flows", FLOW)
    page.flow.try_it.click()
    window.settle()
    words = said(page.flow.outcome)
    assert "0306-1-000001" in words and "លឹម ស្រីមុំ" in words and "បានធ្វើរួច" in words
    assert chief.commands.run("certificates.register")["total"] == 0


def test_the_history_says_why_and_a_stopped_run_goes_on(
    window: Any, page: FlowsPage, chief: Session, apply: Callable[..., str]
) -> None:
    run = chief.commands.run
    run("flows.enable", flow=FLOW)
    run("flows.configure", flow=FLOW, settings={"verify_page": "http://x.gov.kh/"})
    apply()
    window.open("flows", FLOW)
    page.flow.tabs.choose("runs")
    page.flow._choose("runs")
    window.settle()
    assert page.flow.runs.rows.rowCount() == 1 and page.flow.again.isVisible()
    words = said(page.flow.story)
    assert "LN-102" in words and "ឈប់រង់ចាំ" in words and "ទម្រង់ជាពាក្យស្នើសុំអាជ្ញាប័ណ្ណជាងកាត់សក់" in words
    page.flow.values["verify_page"].line.setText("https://check.gov.kh/c/")
    page.flow.values["verify_page"].left.emit()
    window.settle()
    page.flow.again.click()
    window.settle()
    assert not page.flow.again.isVisible() and run("flows.runs")["rows"][0]["state"] == "done"


def test_a_file_brings_a_flow_that_is_off(window: Any, page: FlowsPage, write: Callable[..., str]) -> None:
    page.take_file(Path(write()))
    window.settle()
    assert page.flow._flow["id"] == "trial" and "បិទ" in page.flow.state.accessibleName()
    page.close_flow()
    window.settle()
    assert len(page.cards) == 2


def test_who_may_not_switch_sees_why(window_on: Any, session: Session) -> None:
    window = window_on(session)
    page = window.open("flows", FLOW)
    assert not page.flow.switch.isEnabled()
    page.primary()
    assert page.flow.banner.isVisible() and not session.commands.run("flows.show", flow=FLOW)["enabled"]


@pytest.mark.parametrize("language", ["km", "en"])
@pytest.mark.parametrize(("width", "height", "percent"), [(1024, 600, 100), (1366, 768, 125)])
def test_the_page_shuts_nobody_out(
    window: Any,
    page: FlowsPage,
    chief: Session,
    apply: Callable[..., str],
    language: str,
    width: int,
    height: int,
    percent: int,
) -> None:
    chief.commands.run("flows.enable", flow=FLOW)
    apply()
    window.look(language, "dark", width, height, percent)
    assert window.flaws(page) == []
    window.open("flows", FLOW)
    page.flow.try_it.click()
    window.settle()
    assert window.flaws(page) == []
    page.flow._choose("runs")
    window.settle()
    assert window.flaws(page) == []
    assert page.minimumSizeHint().width() <= width - 96
