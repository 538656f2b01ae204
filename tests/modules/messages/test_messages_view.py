"""The messages page over a real session: write, take a list, see every bad row, approve as the second officer, hand over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from desktop.kit.wrap import Label
from modules.messages import segments
from modules.messages.view import MessagesPage
from modules.messages.view.bubbles import whole_clusters
from modules.session import Session

TEXT = "ជូនចំពោះ {{ឈ្មោះ}}៖ សូមអញ្ជើញប្រជុំនៅសាលាឃុំ ថ្ងៃច័ន្ទ ម៉ោង ៨ ព្រឹក។"


@pytest.fixture
def window(window_on: Any, session: Session) -> Any:
    return window_on(session)


@pytest.fixture
def page(window: Any) -> MessagesPage:
    found: MessagesPage = window.open("messages", "new")
    return found


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    file = tmp_path / "people.csv"
    rows = [f"លឹម ស្រីមុំ {n},012{100000 + n}" for n in range(18)] + ["ចាន់,12", ",012999888"]
    file.write_text("ឈ្មោះ,លេខទូរស័ព្ទ\n" + "\n".join(rows), "utf-8")
    return file


def write(window: Any, page: MessagesPage, text: str) -> None:
    page.campaign.writing.area.area.setPlainText(text)
    window.qtbot.wait(760)
    window.settle()


def said(widget: Any) -> str:
    return " ".join(label.words() for label in widget.findChildren(Label) if label.isVisible())


def test_what_is_typed_is_kept_while_one_types(window: Any, page: MessagesPage, session: Session) -> None:
    assert page.campaign.writing.title.line.hasFocus()
    QTest.keyClicks(page.campaign.writing.title.line, "Meeting")
    write(window, page, TEXT)
    (kept,) = session.commands.run("messages.list")["rows"]
    assert kept["title"] == "Meeting" and session.commands.run("messages.show", id=kept["id"])["template"] == TEXT
    page.campaign.writing.title.line.setText("Meeting 2")
    page.campaign.writing.title.edited.emit()
    page.leave()  # at once, without waiting for the timer
    assert session.commands.run("messages.show", id=kept["id"])["title"] == "Meeting 2"
    assert session.commands.run("messages.list")["total"] == 1


def test_the_whole_way_on_one_page(
    window: Any, page: MessagesPage, session: Session, second_officer: Session, csv: Path
) -> None:
    write(window, page, TEXT)
    page.campaign.take_file(csv)
    window.settle()
    shown = page.campaign
    assert shown.people.tabs.current() == "bad" and shown.people.table.rows.rowCount() == 2
    assert "12" in said(shown.people.bubbles) or shown.people.table.current_id() == "20"
    shown.sums.out.click()
    window.settle()
    kept = session.commands.run("messages.show", id=shown.id())
    assert (kept["state"], kept["good"], kept["bad"]) == ("checked", 18, 2)
    assert not shown.go.isEnabled() and "Ctrl+L" in said(shown.eyes)  # the author cannot approve
    second_officer.commands.run("messages.approve", id=shown.id())
    shown.read()
    window.settle()
    assert shown.go.isEnabled() and "លឹម ដារ៉ា" in said(shown.eyes)
    page.primary()
    window.settle()
    assert session.commands.run("messages.show", id=shown.id())["state"] == "released"
    assert not shown.go.isVisible() and not shown.writing.area.area.isEnabled()


def test_the_second_officer_approves_on_the_page(
    window_on: Any, session: Session, second_officer: Session, csv: Path
) -> None:
    made = session.commands.run("messages.draft", title="ប្រជុំ", template=TEXT, recipients=str(csv), leave_out=True)
    window = window_on(second_officer)
    page = window.open("messages", made["id"])
    assert page.campaign.go.isEnabled()
    page.primary()
    window.settle()
    assert session.commands.run("messages.show", id=made["id"])["state"] == "approved"
    page.campaign.writing.area.area.setPlainText(TEXT + "!")
    window.qtbot.wait(760)
    window.settle()
    assert session.commands.run("messages.show", id=made["id"])["state"] == "checked"  # the edit took it back
    assert not page.campaign.go.isEnabled()  # and now the chief has written it


def test_a_wrong_file_is_a_banner_and_the_list_stays(
    window: Any, page: MessagesPage, session: Session, csv: Path, tmp_path: Path
) -> None:
    write(window, page, TEXT)
    page.campaign.take_file(csv)
    window.settle()
    old = tmp_path / "old.csv"
    old.write_bytes(b"name,phone\n\xb4\xc1,012345678\n")
    page.campaign.take_file(old)
    window.settle()
    assert page.campaign.banner.isVisible() and "UTF-8" in page.campaign.banner.accessibleName()
    assert session.commands.run("messages.show", id=page.campaign.id())["count"] == 20


def test_a_wrong_field_is_said_under_the_text_and_a_button_writes_the_right_one(
    window: Any, page: MessagesPage, csv: Path
) -> None:
    write(window, page, "ជូន {{ភូមិ}}")
    page.campaign.take_file(csv)
    window.settle()
    assert "ភូមិ" in said(page.campaign.writing.area)
    page.campaign.writing.area.area.setPlainText("ជូន ")
    page.campaign.writing.area.area.moveCursor(page.campaign.writing.area.area.textCursor().MoveOperation.End)
    next(
        button for button in page.campaign.writing._fields.findChildren(type(page.new)) if "ឈ្មោះ" in button.words()
    ).click()
    window.qtbot.wait(760)
    window.settle()
    assert page.campaign.writing.area.value() == "ជូន {{ឈ្មោះ}}" and page.campaign._campaign["fault"] is None


def test_a_ready_text_begins_a_message(window: Any, page: MessagesPage) -> None:
    page.campaign.writing._take_ready("meeting")
    window.settle()
    assert "{{ម៉ោង}}" in (page.campaign.writing.area.value() or "") and page.campaign.id()


def test_the_list_finds_and_opens(window: Any, page: MessagesPage, session: Session, csv: Path) -> None:
    made = session.commands.run("messages.draft", title="ប្រជុំឃុំ", template=TEXT, recipients=str(csv))
    session.commands.run("messages.draft", title="ពន្ធ", template="បង់ពន្ធ")
    page.campaign._close()
    window.settle()
    page.search.setText("ប្រជុំ")
    window.qtbot.wait(240)
    window.settle()
    assert page.table.rows.rowCount() == 1
    page.table.choose_row(0)
    QTest.keyClick(page.table, Qt.Key.Key_Return)
    window.settle()
    assert page.campaign.id() == made["id"] and page.campaign.people.table.rows.rowCount() == 2


def test_reasons_follow_the_language(window: Any, page: MessagesPage, csv: Path) -> None:
    write(window, page, TEXT)
    page.campaign.take_file(csv)
    window.settle()
    rows = page.campaign.people.table.rows
    assert "ខ្វះ" in (rows.words(1, 3) or "")
    window.look("en", "light", 1366, 728)
    assert "missing" in (rows.words(1, 3) or "")


@pytest.mark.parametrize("language", ["km", "en"])
@pytest.mark.parametrize(("width", "height", "percent"), [(1024, 600, 100), (1366, 768, 125)])
def test_the_page_shuts_nobody_out(
    window: Any, page: MessagesPage, session: Session, csv: Path, language: str, width: int, height: int, percent: int
) -> None:
    window.look(language, "dark", width, height, percent)
    assert window.flaws(page) == []
    assert page.minimumSizeHint().width() <= width - 96
    made = session.commands.run("messages.draft", title="ប្រជុំឃុំ", template=TEXT, recipients=str(csv))
    window.open("messages", made["id"])
    assert window.flaws(page) == []
    assert page.minimumSizeHint().width() <= width - 96
    page.close_campaign()
    window.settle()
    assert window.flaws(page) == []


@given(st.text(alphabet="កខ្ុំា a😀", max_size=300))
def test_a_border_on_the_screen_never_falls_inside_a_cluster(text: str) -> None:
    parts = segments.split(text)
    shown = whole_clusters(parts)
    assert "".join(shown) == text and len(shown) == len(parts)
