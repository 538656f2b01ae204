"""The links page over a real session: make in one line, see why not, find, print; by keyboard, in both languages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from desktop.kit.wrap import Label
from modules.links.view import LinksPage
from modules.session import Session

TARGET = "https://www.kampongcham.gov.kh/market"


@pytest.fixture
def window(window_on: Any, session: Session) -> Any:
    return window_on(session)


@pytest.fixture
def page(window: Any) -> LinksPage:
    found: LinksPage = window.open("links")
    return found


def type_url(window: Any, page: LinksPage, text: str) -> None:
    page.maker.url.line.setFocus()
    page.maker.url.line.selectAll()
    QTest.keyClicks(page.maker.url.line, text)
    window.qtbot.wait(260)
    window.settle()


def reasons(page: LinksPage) -> str:
    return page.maker.reasons.accessibleName()


def test_a_link_in_one_line_by_keyboard(window: Any, page: LinksPage, session: Session) -> None:
    window.open("links", "new")
    assert page.maker.url.line.hasFocus()
    type_url(window, page, TARGET)
    assert "www.kampongcham.gov.kh" in reasons(page)
    QTest.keyClick(page.maker.url.line, Qt.Key.Key_Return)
    assert page.maker.title.line.hasFocus()
    page.primary()
    window.settle()
    (link,) = session.commands.run("links.list")["rows"]
    assert page.detail.isVisible() and page.detail.code.words() == link["code"]
    assert not page.detail.symbol._image.isNull() and page.maker.url.text() == ""
    assert page.table.rows.rowCount() == 1


def test_every_reason_stands_under_the_address_and_nothing_is_made(
    window: Any, page: LinksPage, session: Session
) -> None:
    type_url(window, page, "http://user@verify.g0v.kh:444/")
    assert all(code in reasons(page) for code in ("LN-102", "LN-108", "LN-111", "LN-115"))
    page.primary()
    window.settle()
    assert session.commands.run("links.list")["total"] == 0
    assert page.maker.make.isEnabled() and page.maker.url.text().startswith("http://user@")
    window.look("en", "light", 1366, 728)
    said = " ".join(label.words() for label in page.maker.reasons.findChildren(Label))
    assert "must begin with https" in said


def test_a_link_that_is_there_already_is_offered(window: Any, page: LinksPage, session: Session) -> None:
    code = session.commands.run("links.create", url=TARGET)["code"]
    type_url(window, page, TARGET)
    assert code in reasons(page)
    page.maker.reasons.chosen.emit(code)
    window.settle()
    assert page.detail.code.words() == code


def test_a_wrong_own_code_is_said_at_its_field(window: Any, page: LinksPage, session: Session) -> None:
    type_url(window, page, TARGET)
    page.maker.more.click()
    page.maker.code.line.setText("ទីផ្សារ")
    page.primary()
    window.settle()
    assert page.maker.code.line.hasFocus() and session.commands.run("links.list")["total"] == 0
    page.maker.code.line.setText("market")
    page.primary()
    window.settle()
    assert page.detail.code.words() == "0306-market"


def test_search_states_and_turning_off(window: Any, page: LinksPage, session: Session) -> None:
    code = session.commands.run("links.create", url=TARGET, title="ទីផ្សារ")["code"]
    session.commands.run("links.create", url="https://www.moi.gov.kh/", title="ក្រសួង")
    page.search.setText("ផ្សារ")
    window.qtbot.wait(240)
    window.settle()
    assert page.table.rows.rowCount() == 1
    page.open_link(code)
    window.settle()
    page.detail.switch.click()
    window.settle()
    assert session.commands.run("links.show", code=code)["state"] == "disabled"
    page.states.choose("active")
    page.read()
    window.settle()
    assert page.nothing.isVisible()


def test_paper_shows_what_is_printed(window: Any, page: LinksPage, session: Session, tmp_path: Path) -> None:
    import pypdfium2
    import zxingcpp

    made = [session.commands.run("links.create", url=f"{TARGET}?n={n}")["code"] for n in range(3)]
    page.read()
    window.settle()
    page.labels.click()
    window.settle()
    document = pypdfium2.PdfDocument(page.paper._pdf)
    found = [one.text for one in zxingcpp.read_barcodes(document[0].render(scale=2).to_pil())]
    document.close()
    assert sorted(found) == sorted(f"HTTPS://GO.GOV.KH/{code.upper()}" for code in made)
    page.paper._write(tmp_path / "labels.pdf")
    window.settle()
    assert (tmp_path / "labels.pdf").read_bytes().startswith(b"%PDF")
    QTest.keyClick(page.paper.back, Qt.Key.Key_Space)
    assert page.table.isVisible()
    window.open("links", made[0])
    page.detail.poster.click()
    window.settle()
    assert made[0] in page.paper.what.words() and page.paper._pdf.startswith(b"%PDF")


@pytest.mark.parametrize("language", ["km", "en"])
@pytest.mark.parametrize(("width", "height", "percent"), [(1024, 600, 100), (1366, 768, 100), (1366, 768, 150)])
def test_the_page_shuts_nobody_out(
    window: Any, page: LinksPage, session: Session, language: str, width: int, height: int, percent: int
) -> None:
    code = session.commands.run("links.create", url=TARGET, title="ទីផ្សារ")["code"]
    window.look(language, "dark", width, height, percent)
    assert window.flaws(page) == []
    assert page.minimumSizeHint().width() <= width - 96
    page.open_link(code)
    window.settle()
    assert window.flaws(page) == []
