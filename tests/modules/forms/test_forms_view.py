"""The forms page with real keys over a real session: one whole intake, and every promise that the page makes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFileDialog

from desktop.kit import a11y, theme
from i18n import catalog

ENTER, DOWN, SPACE, ESC = Qt.Key.Key_Return, Qt.Key.Key_Down, Qt.Key.Key_Space, Qt.Key.Key_Escape
FINISH = (Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
BACK = (Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)


def focus() -> Any:
    return QApplication.focusWidget()


def question(page: Any, id: str) -> Any:
    """The question of a field, its section in front."""
    field = page.capture.sheet.form.field(id)
    page.capture.show_section(field.section)
    return page.capture._columns[field.section].question(id)


@pytest.fixture
def opened(frame: Any, page: Any, session: Any, settle: Any) -> Any:
    """A barber draft on the capture page."""
    made = session.commands.run("forms.start", form="barber-licence")
    frame.open("forms", made["draft"])
    settle()
    return page.capture


@pytest.mark.qt_log_ignore("This plugin does not support", extend=True)  # pop-ups of Qt's own file dialog
def test_a_whole_intake_by_keyboard(
    frame: Any, page: Any, session: Any, settle: Any, press: Any, scan: Path, qtbot: Any
) -> None:
    began = time.monotonic()
    assert focus() is page.services.search, "one types first, whatever page it was"
    press("កាត់សក់")
    press(ENTER)  # faster than the list could follow
    settle()
    assert page.capture.sheet is not None and frame.top.title.words() == "អាជ្ញាប័ណ្ណជាងកាត់សក់"

    press(
        "លឹម\u200bស្រីមុំ",
        ENTER,
        "Lim Sreymom",
        ENTER,
        "1",
        ENTER,
        "១៧០៥១៩៩០",
        ENTER,
        "012345678",
        ENTER,
        "០១២៣៤៥៦៧៨",
        ENTER,
    )
    press("03060101", ENTER, "១២ ផ្លូវ២", ENTER)
    press("ហាងកាត់សក់ស្រីមុំ", ENTER, ENTER, "03060101", ENTER, ENTER, "៣", ENTER, "4", ENTER, ENTER)
    press(SPACE, ENTER, "1", ENTER, "ហាងកាត់សក់", ENTER, ENTER)
    press(SPACE)  # the first attachment
    qtbot.waitUntil(lambda: isinstance(QApplication.activeWindow(), QFileDialog))
    press(str(scan), ENTER)
    settle()
    qtbot.waitUntil(lambda: "id_scan" in page.capture.sheet.answers)
    with qtbot.waitActive(frame):
        frame.activateWindow()  # a desktop does this when a dialog closes; the test's platform has no window manager
    assert page.capture.sheet.problems() == []
    press(FINISH)
    settle()
    qtbot.waitUntil(lambda: bool(page.finished._pdf))

    (row,) = session.commands.run("forms.list")["rows"]
    assert (
        page.finished.number.words() == row["receipt"] and row["person"] == "លឹម ស្រីមុំ" and row["latin"] == "LIM SREYMOM"
    )
    answers = session.commands.run("forms.show", id=row["id"])["answers"]
    assert answers["dob"] == "1990-05-17" and answers["phone"] == "+85512345678" and answers["chairs"] == 3
    assert answers["address"] == {"code": "03060101", "km": answers["address"]["km"], "house": "១២ ផ្លូវ២"}
    assert answers["services"] == ["cut"] and answers["sign"] is True
    press(FINISH)  # on the receipt: the next person
    settle()
    assert page.capture.sheet is not None and page.capture.sheet.answers == {}
    assert time.monotonic() - began < 90


def test_typing_saves_by_itself_and_survives_leaving(
    opened: Any, frame: Any, session: Any, press: Any, settle: Any, qtbot: Any
) -> None:
    draft = opened.sheet.draft
    press("លឹម ស្រី")
    qtbot.waitUntil(
        lambda: session.commands.run("forms.draft", draft=draft)["answers"].get("applicant", {}).get("km") == "លឹម ស្រី"
    )
    assert opened._saved.words().startswith("រក្សាទុករួច")
    press("មុំ")
    frame.open("home")  # at once: the last keys are in the draft when the page is left
    assert session.commands.run("forms.draft", draft=draft)["answers"]["applicant"]["km"] == "លឹម ស្រីមុំ"
    frame.open("forms", draft)
    settle()
    assert opened.sheet.answers["applicant"]["km"] == "លឹម ស្រីមុំ"


def test_what_cannot_be_read_yet_is_kept_and_said_after_leaving_the_field(
    opened: Any, page: Any, session: Any, press: Any, settle: Any
) -> None:
    dob = question(page, "dob")
    dob.take_focus()
    press("17/5")
    assert dob.editors[0].error() == "", "nothing is said while one types"
    press(ENTER)
    settle()
    assert "កាលបរិច្ឆេទ" in dob.editors[0].error()
    assert session.commands.run("forms.draft", draft=opened.sheet.draft)["typed"] == {"dob": "17/5"}
    assert page.capture.sections.button("applicant").faults() == 1
    dob.take_focus()
    press("17/5/1990", ENTER)  # the Tab focus has chosen all of it
    settle()
    assert dob.editors[0].error() == "" and dob.raw() == "17/05/1990" and opened.sheet.answers["dob"] == "1990-05-17"


def test_enter_walks_forward_and_shift_enter_back_over_sections(opened: Any, press: Any) -> None:
    first = focus()
    press(ENTER)
    assert focus() is not first
    press(BACK)
    assert focus() is first
    for _ in range(6):
        press(ENTER)
    assert opened._section == "residence"
    press(BACK)
    assert opened._section == "applicant" and opened._columns["applicant"].question("phone").isAncestorOf(focus())


def test_questions_come_and_go_as_one_types(opened: Any, page: Any, press: Any) -> None:
    words = question(page, "sign_words")
    assert words.isHidden()
    question(page, "sign").take_focus()
    press("1")
    assert not words.isHidden()
    press("2")
    assert words.isHidden()


def test_the_fee_is_shown_and_cannot_be_typed(opened: Any, page: Any, press: Any) -> None:
    fee = question(page, "fee")
    fee.take_focus()
    press("1")
    assert fee.locked.text() == "20,000៛" and page.capture.fee.amount.words() == "20,000៛"


def test_a_fee_per_copy_follows_at_once(frame: Any, page: Any, session: Any, settle: Any, press: Any) -> None:
    frame.open("forms", session.commands.run("forms.start", form="copy-legalisation")["draft"])
    settle()
    question(page, "copies").take_focus()
    press("៣")
    assert page.capture.fee.amount.words() == "60,000៛"


def test_finishing_too_early_goes_to_the_first_fault_and_says_all(
    opened: Any, page: Any, session: Any, press: Any, settle: Any
) -> None:
    page.capture.show_section("business")
    press(FINISH)
    settle()
    assert opened._section == "applicant" and opened.sections.button("applicant").faults() == 5
    assert question(page, "phone").editors[0].error() and question(page, "chairs").editors[0].error()
    assert not question(page, "remarks").editors[0].error()
    assert session.commands.run("forms.list")["total"] == 0


def test_language_changes_live_with_errors_and_title(
    opened: Any, frame: Any, page: Any, prepared: Any, press: Any, settle: Any, qtbot: Any
) -> None:
    press("លឹម ស្រីមុំ", ENTER, "LIM SREYMOM", ENTER)
    assert frame.top.title.words() == "អាជ្ញាប័ណ្ណជាងកាត់សក់ · លឹម ស្រីមុំ", "the title follows the name"
    press(FINISH)
    settle()
    khmer = question(page, "phone").editors[0].error()
    catalog.use("en")
    theme.retranslate(prepared)
    settle()
    english = question(page, "phone").editors[0].error()
    assert khmer.startswith("សូមបំពេញ") and english == "Please fill in: Phone number"
    qtbot.waitUntil(lambda: frame.top.title.words() == "Barber licence · LIM SREYMOM")
    assert opened.finish.words() == "Finish and queue"
    assert question(page, "applicant").raw()["km"] == "លឹម ស្រីមុំ"


def test_a_name_typed_with_the_nida_space_key_gets_real_spaces(opened: Any, page: Any, press: Any, settle: Any) -> None:
    press("សុខ\u200bពិសី", ENTER)
    assert opened.sheet.answers["applicant"]["km"] == "សុខ ពិសី"


def test_an_unusual_answer_gets_a_hint_and_goes_on(opened: Any, page: Any, press: Any, settle: Any) -> None:
    card = question(page, "id_card")
    card.take_focus()
    press("12345", ENTER)
    settle()
    assert card.editors[0].error() == "" and "5" in card.editors[0].under.words()
    assert page.capture.sections.button("applicant").faults() == 0


def test_a_refused_file_leaves_a_banner_and_the_draft(
    opened: Any, frame: Any, page: Any, tmp_path: Path, settle: Any
) -> None:
    large = tmp_path / "large.png"
    with large.open("wb") as file:
        file.truncate(50_000_000)
    files = question(page, "id_scan")
    files.files.wanted.emit([str(large)])
    settle()
    assert frame.banner.isVisible() and "id_scan" not in opened.sheet.answers


def test_a_file_is_dropped_in_and_taken_out(opened: Any, page: Any, scan: Path, settle: Any) -> None:
    files = question(page, "id_scan")
    files.files.wanted.emit([str(scan), str(scan)])
    settle()
    assert [file["name"] for file in opened.sheet.answers["id_scan"]] == [scan.name]
    files.files._rows.itemAt(0).widget().button.click()
    settle()
    assert "id_scan" not in opened.sheet.answers


def test_an_empty_draft_leaves_nothing_behind(opened: Any, frame: Any, session: Any, settle: Any, press: Any) -> None:
    press(ESC)
    settle()
    assert session.commands.run("forms.drafts")["drafts"] == []


def test_discarding_is_undone_by_name(
    opened: Any, frame: Any, page: Any, session: Any, settle: Any, press: Any
) -> None:
    draft = opened.sheet.draft
    press("លឹម ស្រីមុំ", ENTER)
    opened._discard.click()
    settle()
    assert session.commands.run("forms.drafts")["drafts"] == [] and page._views.currentIndex() == 0
    assert page.undo()
    settle()
    assert opened.sheet.draft == draft and opened.sheet.answers["applicant"]["km"] == "លឹម ស្រីមុំ"
    assert page.undo() is None


def test_unfinished_work_is_offered_in_the_catalogue(
    opened: Any, frame: Any, page: Any, settle: Any, press: Any, qtbot: Any
) -> None:
    draft = opened.sheet.draft
    press("លឹម ស្រីមុំ", ENTER, ESC)
    settle()
    card = page.services._drafts.itemAt(0).widget()
    assert "លឹម ស្រីមុំ" in card.accessibleName() and "1 ក្នុង 18" in card.accessibleName()
    qtbot.waitUntil(card.isVisible)
    card.setFocus()
    press(ENTER)
    settle()
    assert opened.sheet.draft == draft


def test_the_catalogue_answers_what_is_typed(page: Any, press: Any, settle: Any, qtbot: Any) -> None:
    press("barber")
    qtbot.waitUntil(lambda: page.services.table.rows.rowCount() == 1)
    assert page.services.current()["id"] == "barber-shop-2-4" and page.services.card._fee.words() == "20,000៛"
    press(ESC, "qqqq")
    qtbot.waitUntil(lambda: page.services.table.isHidden())
    press(ESC, DOWN)
    qtbot.waitUntil(lambda: page.services.table.rows.rowCount() >= 30)
    press(DOWN, DOWN)
    assert page.services.table.currentIndex().row() == 2 and focus() is page.services.search


def test_the_list_filters_opens_and_finds_a_receipt(
    frame: Any, page: Any, session: Any, finished: Any, settle: Any, press: Any, qtbot: Any
) -> None:
    made, other = finished(), finished("general-application", applicant={"km": "ចាន់ ដារា", "latin": "CHAN DARA"})
    frame.open("forms", "list")
    settle()
    assert focus() is page.submissions.filter
    qtbot.waitUntil(lambda: page.submissions.table.rows.rowCount() == 2)
    press("ដារា")
    qtbot.waitUntil(lambda: page.submissions.table.rows.rowCount() == 1)
    settle()  # the shorter list stands, with its first line chosen
    press(ENTER)

    def opens() -> bool:
        """Enter on a row opens it, once its words have come."""
        if page.case.isHidden():
            press(ENTER)
            settle()
        return page.case.case is not None and not page.case.isHidden()

    qtbot.waitUntil(opens, timeout=10_000)
    assert page.case.case["id"] == other["id"]
    press(ESC)
    assert page.case.isHidden()
    page.submissions.filter.setFocus()
    page.submissions.filter.clear()
    press(session.commands.run("forms.show", id=made["id"])["qr"], ENTER)
    settle()
    qtbot.waitUntil(lambda: page.case.case is not None and page.case.case["id"] == made["id"])


def test_a_case_is_corrected_on_the_capture_page(
    frame: Any, page: Any, session: Any, finished: Any, settle: Any, press: Any, qtbot: Any
) -> None:
    made = finished()
    frame.open("forms", made["id"])
    settle()
    page.case.correct.click()
    settle()
    qtbot.waitUntil(lambda: page.capture.sheet is not None)
    assert page.capture.finish.words() == "កត់ត្រាការកែតម្រូវ"
    workers = question(page, "workers")
    workers.take_focus()
    press((Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier), "៦", FINISH)
    settle()
    assert page.capture.reason.error(), "a reason is asked for"
    press("រាប់ខុស", FINISH)
    settle()
    qtbot.waitUntil(lambda: page.case.case is not None and page.case.case["answers"]["workers"] == 6)
    assert page.case.case["changes"][0]["reason"] == "រាប់ខុស"


def test_a_case_is_withdrawn_with_a_reason(
    frame: Any, page: Any, session: Any, finished: Any, settle: Any, press: Any
) -> None:
    made = finished()
    frame.open("forms", made["id"])
    settle()
    page.case.withdraw.click()
    press(ENTER)
    assert page.case.reason.error()
    press("ប្តូរចិត្ត", ENTER)
    settle()
    assert session.commands.run("forms.show", id=made["id"])["state"] == "withdrawn"
    assert page.case.withdraw.isHidden() and page.case.correct.isHidden()


def test_an_attachment_is_shown_in_the_case(frame: Any, page: Any, session: Any, finished: Any, settle: Any) -> None:
    made = finished()
    frame.open("forms", made["id"])
    settle()
    page.case._answers.file_wanted.emit(page.case.case["answers"]["id_scan"][0])
    settle()
    assert page.case._stack.currentIndex() == 1 and not page.case._preview._sheet.image.isNull()


STOPS = ["new", "list", "draft", "case", "finished"]


def stop(name: str, frame: Any, page: Any, session: Any, finished: Any, settle: Any) -> None:
    """Bring one view to the front."""
    made = finished()
    if name == "draft":
        frame.open("forms", session.commands.run("forms.start", form="barber-licence")["draft"])
        for section in page.capture.sheet.form.sections:
            page.capture.show_section(section.id)
    elif name == "case":
        session.commands.run("forms.correct", id=made["id"], changes={"workers": 9}, reason="x")
        frame.open("forms", made["id"])
    elif name == "finished":
        page._done(
            session.commands.run("forms.fill", form="barber-licence", answers=_answers(session, made), finish=False)
            | made
        )
    else:
        frame.open("forms", name)
    settle()


def _answers(session: Any, made: dict[str, Any]) -> dict[str, Any]:
    answers = session.commands.run("forms.show", id=made["id"])["answers"]
    return {name: value for name, value in answers.items() if name not in ("fee", "id_scan")}


@pytest.mark.parametrize("name", STOPS)
@pytest.mark.parametrize("language", ["km", "en"])
def test_everything_has_a_name_a_focus_and_a_size(
    frame: Any, page: Any, session: Any, finished: Any, settle: Any, prepared: Any, name: str, language: Any
) -> None:
    stop(name, frame, page, session, finished, settle)
    catalog.use(language)
    theme.retranslate(prepared)
    settle()
    assert a11y.flaws(page) == []


@pytest.mark.parametrize("name", STOPS)
@pytest.mark.parametrize(("width", "height"), [(1024, 600), (1366, 768)])
@pytest.mark.parametrize("percent", [100, 150])
def test_no_view_is_wider_than_the_window(
    frame: Any,
    page: Any,
    session: Any,
    finished: Any,
    settle: Any,
    prepared: Any,
    name: str,
    width: int,
    height: int,
    percent: int,
) -> None:
    stop(name, frame, page, session, finished, settle)
    theme.apply(prepared, percent=percent)
    frame.resize(width, height)
    settle()
    assert page.minimumSizeHint().width() <= width - 96, (name, page.minimumSizeHint())
