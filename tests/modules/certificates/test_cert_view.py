"""The page through its real widgets over a real session: scanner, drop, verdict, issue, register, by keyboard."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QWidget

from desktop.bridge import Bridge
from desktop.kit import shown, theme
from i18n import catalog
from modules.certificates import wedge
from modules.certificates.view import CertificatesPage
from modules.certificates.view.verdict import Answer


@pytest.fixture(scope="session")
def dressed(qapp: QApplication) -> QApplication:
    from desktop.app import prepare

    prepare(qapp)
    return qapp


@pytest.fixture(autouse=True)
def plain_look(dressed: QApplication) -> None:
    theme.apply(dressed, scheme="light", percent=100, both_labels=True)
    shown.use_digits("latin")


@pytest.fixture
def desk(siem: Any, qtbot: Any) -> Iterator[Bridge]:
    made = Bridge(siem.session)
    made.refusals = []  # type: ignore[attr-defined]
    made.refused.connect(lambda error: made.refusals.append(error.code))  # type: ignore[attr-defined]
    yield made
    made.close()


@pytest.fixture
def settle(desk: Bridge, qtbot: Any) -> Callable[[], None]:
    """Wait until nothing runs and every timer of the page had its turn."""
    calm_since = [0.0]

    def calm() -> bool:
        windows = [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, CertificatesPage)]
        timers = [timer for part in (desk, *windows) for timer in part.findChildren(QTimer)]
        if desk.busy() or any(timer.isActive() and timer.isSingleShot() for timer in timers):
            calm_since[0] = time.monotonic()
        return time.monotonic() - calm_since[0] > 0.06

    def wait() -> None:
        calm_since[0] = time.monotonic()
        qtbot.waitUntil(calm, timeout=20_000)

    return wait


@pytest.fixture
def page(desk: Bridge, qtbot: Any, settle: Callable[[], None]) -> CertificatesPage:
    made = CertificatesPage(desk)
    qtbot.addWidget(made)
    made.resize(928, 510)  # what 1024×600 leaves
    with qtbot.waitExposed(made):
        made.show()
    made.activateWindow()
    made.refresh()
    settle()
    return made


def words(widget: QWidget) -> list[str]:
    """Everything that can be read on ``widget``."""
    from desktop.kit.button import Button
    from desktop.kit.wrap import Label

    labels = [label.words() for label in widget.findChildren(Label) if label.isVisibleTo(widget)]
    return labels + [button.words() for button in widget.findChildren(Button) if button.isVisibleTo(widget)]


def type_into(line: QLineEdit, text: str) -> None:
    """As a scanner does: the whole text, then Enter."""
    line.setFocus()
    line.clear()
    line.insert(text)
    QTest.keyClick(line, Qt.Key.Key_Return)


# --- check


def test_the_scanner_types_and_the_verdict_fills_the_page(page: CertificatesPage, siem: Any, settle: Any) -> None:
    siem.statuses("0306")
    made = siem.issue()
    assert page.tabs.current() == "check" and page.check.stack.currentWidget() is page.check.target
    type_into(page.check.scan, made["text"])
    settle()
    verdict = page.check.verdict
    assert page.check.stack.currentWidget() is verdict
    assert verdict.head.title.words() == "ពិតប្រាកដ និងមានសុពលភាព"
    assert [answer.name.words() for answer in verdict.findChildren(Answer)][:6] == [
        "ភាពត្រឹមត្រូវ", "អ្នកចេញ", "ស្ថានភាព", "សុពលភាព", "ភាពថ្មី", "អ្នកកាន់",
    ]  # fmt: skip
    assert "លឹម ស្រីមុំ · LIM SREYMOM" in words(verdict) and "0306-7-000038" in words(verdict)
    assert page.check.scan.text() == ""  # ready for the next one


def test_one_scan_after_another_without_touching_anything(page: CertificatesPage, siem: Any, settle: Any) -> None:
    first, second = siem.issue(), siem.issue(name_km="សុខ ដារ៉ា", name_latin="SOK DARA")
    for made, name in ((first, "LIM SREYMOM"), (second, "SOK DARA")):
        type_into(page.check.scan, made["text"])
        settle()
        assert any(name in text for text in words(page.check.verdict))


def test_a_scanner_without_enter(page: CertificatesPage, siem: Any, settle: Any) -> None:
    text = siem.issue()["text"]
    page.check.scan.setText("")
    page.check.scan.insert(text)
    page.check.scan.textEdited.emit(text)
    settle()
    assert page.check.stack.currentWidget() is page.check.verdict


def test_a_scanner_behind_the_khmer_keyboard_is_told(page: CertificatesPage, siem: Any, settle: Any) -> None:
    type_into(page.check.scan, wedge.as_typed(siem.issue()["text"]))
    settle()
    assert page.check.verdict.notice.isVisible()
    assert "ម៉ាស៊ីនស្កេនបានវាយតាមក្តារចុចខ្មែរ។" in words(page.check.verdict)


@pytest.mark.parametrize("kind", ["file", "text", "image"])
def test_drop(page: CertificatesPage, siem: Any, settle: Any, tmp_path: Path, kind: str) -> None:
    made = siem.issue()
    pdf = siem.run("pdf", id=made["id"], out=str(tmp_path))["path"]
    data = QMimeData()
    if kind == "file":
        data.setUrls([QUrl.fromLocalFile(pdf)])
    elif kind == "text":
        data.setText(made["text"])
    else:
        from desktop.kit.preview import page_image

        data.setImageData(page_image(Path(pdf).read_bytes(), 0, width=1240))
    drop = QDropEvent(
        QPointF(20, 20), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    page.check.dropEvent(drop)
    settle()
    assert page.check.verdict.report["overall"] == "valid"


@pytest.mark.parametrize("image", [False, True])
def test_paste_by_keyboard(page: CertificatesPage, siem: Any, settle: Any, tmp_path: Path, image: bool) -> None:
    made = siem.issue()
    clipboard = QGuiApplication.clipboard()
    if image:
        from desktop.kit.preview import page_image

        pdf = siem.run("pdf", id=made["id"], out=str(tmp_path))["path"]
        clipboard.setImage(QImage(page_image(Path(pdf).read_bytes(), 0, width=1240)))
    else:
        clipboard.setText(made["text"])
    page.check.scan.setFocus()
    QTest.keyClick(page.check.scan, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    settle()
    assert page.check.verdict.report["overall"] == "valid"
    clipboard.clear()


def test_comparison_is_noted(page: CertificatesPage, siem: Any, settle: Any) -> None:
    type_into(page.check.scan, siem.issue()["text"])
    settle()
    page.check.verdict.other.click()
    settle()
    assert "បានប្រៀបធៀប៖ មិនមែនបុគ្គលនេះ" in words(page.check.verdict) and not page.check.verdict.same.isVisible()
    rows = siem.session.store.read(
        lambda c: [row["holder"] for row in c.execute("SELECT holder FROM certificates_check")]
    )
    assert rows == [0]


@pytest.mark.parametrize(
    ("source", "title"),
    [
        ("https://verify.gov.kh/verify/ABC?key=V1StGXR8_Z5jdHi6B-myT", "ស្គាល់អាសយដ្ឋានផ្លូវការ · មិនបានពិនិត្យនៅទីនេះ"),
        ("https://verify.gov.kh.evil.com/verify/ABC", "មិនមែនអាសយដ្ឋានផ្លូវការ"),
        ("KH1:NOT A CERTIFICATE", "ខូច ឬត្រូវបានកែប្រែ"),
    ],
)
def test_other_verdicts(page: CertificatesPage, settle: Any, source: str, title: str) -> None:
    type_into(page.check.scan, source)
    settle()
    assert page.check.verdict.head.title.words() == title
    assert not page.check.verdict._right.isVisible()  # nothing is shown that is not proved


def test_what_waits_for_a_line_is_listed_and_closed(page: CertificatesPage, siem: Any, settle: Any) -> None:
    type_into(page.check.scan, "https://verify.gov.kh/verify/ABC?key=V1StGXR8_Z5jdHi6B-myT")
    settle()
    assert page.check.list.isVisible()
    page.open_target("rechecks")
    settle()
    waiting = page.check.waiting
    assert page.check.stack.currentWidget() is waiting and waiting.table.rows.words(0, 0) == "ABC"
    waiting.genuine.click()
    settle()
    assert siem.run("rechecks")["total"] == 0 and waiting.empty.isVisible()


def test_a_folder_fills_a_list(page: CertificatesPage, siem: Any, settle: Any, tmp_path: Path) -> None:
    folder = tmp_path / "batch"
    folder.mkdir()
    for _ in range(3):
        siem.run("pdf", id=siem.issue()["id"], out=str(folder))
    for number in range(5):
        (folder / f"x{number}.pdf").write_bytes(b"%PDF-")
    page.check._folder(folder)
    settle()
    batch = page.check.batch
    assert batch.table.rows.rowCount() == 8 and not batch.stop.isVisible()
    assert batch.words.words() == "បានពិនិត្យ 8 ក្នុងចំណោម 8"
    batch.table.setFocus()
    batch.table.choose_row(0)
    QTest.keyClick(batch.table, Qt.Key.Key_Return)
    settle()
    assert page.check.stack.currentWidget() is page.check.verdict


def test_a_refusal_is_a_banner_and_the_target_stays(
    page: CertificatesPage, desk: Any, settle: Any, tmp_path: Path
) -> None:
    page.check.check(str(tmp_path / "gone.pdf"))
    settle()
    assert desk.refusals == ["CT-201"] and page.check.stack.currentWidget() is page.check.target


def test_next_one_by_keyboard(page: CertificatesPage, settle: Any) -> None:
    type_into(page.check.scan, "KH1:X")
    settle()
    page.open_target("check")  # F9
    assert page.check.stack.currentWidget() is page.check.target and page.check.scan.hasFocus()
    type_into(page.check.scan, "KH1:X")
    settle()
    page.primary()  # Ctrl+Enter
    assert page.check.stack.currentWidget() is page.check.target


# --- issue


def fill(page: CertificatesPage, data: dict[str, Any]) -> None:
    fields = page.issue.editor.fieldset.fields
    for name, value in data.items():
        fields[name].set_value({"birth": "1990-05-12", "chairs": 3}.get(name, value))
    page.issue.editor.fieldset.edited.emit()


def test_issue_by_typing(page: CertificatesPage, siem: Any, settle: Any, barber: dict[str, Any]) -> None:
    page.open_target("issue")
    settle()
    assert len(page.issue.gallery.cards) == 2
    page.issue.gallery.chosen.emit("barber-licence")
    settle()
    assert page.issue.editor.preview._sheet.image.height() > 1000  # the sample is drawn
    page.primary()
    settle()
    errors = {name for name, field in page.issue.editor.fieldset.fields.items() if field.error()}
    assert errors == {"name_km", "name_latin", "sex", "birth", "shop_name", "chairs", "shop_place"}
    fill(page, barber)
    page.primary()
    settle()
    assert page.issue.stack.currentWidget() is page.issue.done
    assert page.issue.done.title.words() == "បានចេញ៖ 0306-7-000038"
    assert siem.run("register")["total"] == 1
    assert siem.session.unlocked is not None and page.desk.run_now("certificates.templates")
    assert not drafts(siem)


def drafts(siem: Any) -> list[Any]:
    return list(siem.session.modules["certificates"]._drafting._api.drafts.list("certificates/"))


def test_what_is_typed_is_kept_and_found_again(
    page: CertificatesPage, siem: Any, settle: Any, barber: dict[str, Any]
) -> None:
    page.open_target("issue")
    settle()
    page.issue.gallery.chosen.emit("barber-licence")
    fill(page, {"name_km": barber["name_km"], "chairs": 3})
    page.leave()  # the page goes to the back, or the program locks
    (draft,) = drafts(siem)
    assert draft.title == "អាជ្ញាប័ណ្ណជាងកាត់សក់ · លឹម ស្រីមុំ" and draft.body["data"] == {"name_km": "លឹម ស្រីមុំ", "chairs": 3}
    page.issue.begin()
    page.open_target(draft.id)
    settle()
    assert page.tabs.current() == "issue" and page.issue.editor.fieldset.data() == draft.body["data"]
    assert len(drafts(siem)) == 1


def test_a_doubtful_clock_asks_and_goes_on(
    page: CertificatesPage, siem: Any, settle: Any, barber: dict[str, Any]
) -> None:
    siem.issue()
    siem.clock.wall -= 40 * 86_400_000
    page.open_target("issue")
    settle()
    page.issue.gallery.chosen.emit("barber-licence")
    fill(page, barber)
    page.primary()
    settle()
    assert page.issue.editor.banner.isVisible() and siem.run("register")["total"] == 1
    page.issue.editor.banner.acted.emit()
    settle()
    assert siem.run("register")["total"] == 2


def test_from_a_finished_form(page: CertificatesPage, siem: Any, settle: Any, tmp_path: Path) -> None:
    from PIL import Image

    scan = tmp_path / "id.png"
    Image.new("RGB", (20, 20), "white").save(scan)
    answers = {
        "applicant": {"km": "ចាន់ សុភា", "latin": "Chan Sophea"}, "sex": "male", "dob": "1988-03-02", "id_card": "012345678",
        "phone": "012345678", "address": {"code": "03060101", "house": ""}, "shop_name": "ហាងកាត់សក់ សុភា", "shop_name_latin": "",
        "shop_address": {"code": "03060507", "house": "១២"}, "chairs": 2, "workers": 2, "opens_on": "2026-12-10",
        "services": ["cut"], "sign": False, "remarks": "", "id_scan": [str(scan)],
    }  # fmt: skip
    done = siem.session.commands.run("forms.fill", form="barber-licence", answers=answers, finish=True)
    page.open_target("issue")
    settle()
    page.issue.gallery.chosen.emit("barber-licence")
    picks = page.issue.editor._find("សុភា", 5)
    assert [pick.value for pick in picks] == [done["id"]]
    page.open_target(f"issue/{done['id']}")
    settle()
    assert page.issue.editor.fieldset.data()["name_latin"] == "CHAN SOPHEA"
    page.primary()
    settle()
    (row,) = siem.run("register")["rows"]
    assert row["name"] == "ចាន់ សុភា" and siem.run("show", id=row["id"])["source"] == done["id"]


def test_printing_counts_after_the_printer_took_it(
    page: CertificatesPage, siem: Any, settle: Any, tmp_path: Path
) -> None:
    from PySide6.QtPrintSupport import QPrinter

    from modules.certificates.view import outputs

    made = siem.issue()
    sheet = siem.run("paper", id=made["id"])
    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    printer.setResolution(150)
    printer.setFullPage(True)
    printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
    printer.setOutputFileName(str(tmp_path / "printed.pdf"))
    told: list[bool] = []
    outputs.put_on_paper(printer, page.desk, made["id"], sheet, lambda: told.append(True))
    settle()
    assert told and siem.run("show", id=made["id"])["prints"] == 1
    assert siem.run("check", source=str(tmp_path / "printed.pdf"))["overall"] == "valid"


# --- register


def test_register_by_keyboard(page: CertificatesPage, siem: Any, settle: Any) -> None:
    made = [siem.issue(), siem.issue(name_km="សុខ ដារ៉ា", name_latin="SOK DARA")]
    page.open_target("register")
    settle()
    pane = page.register
    assert [pane.table.rows.words(row, 0) for row in range(2)] == ["0306-7-000039", "0306-7-000038"]
    pane.search.setText("sreymom")
    settle()
    assert pane.table.rows.rowCount() == 1
    QTest.keyClick(pane.search, Qt.Key.Key_Return)
    pane.table.choose_row(0)
    QTest.keyClick(pane.table, Qt.Key.Key_Return)
    settle()
    assert pane.detail.isVisible() and pane.detail.number.words() == made[0]["number"]
    QTest.keyClick(pane.detail.print, Qt.Key.Key_Escape)
    assert pane.detail.isHidden() and pane.table.isVisible()


def test_suspend_reinstate_revoke(page: CertificatesPage, siem: Any, settle: Any, qtbot: Any) -> None:
    from desktop.kit.dialogs import Confirm

    made = siem.issue()
    page.open_target(made["id"])  # from the palette's search
    settle()
    detail = page.register.detail
    assert detail.isVisible() and detail.suspend.isVisible() and not detail.reinstate.isVisible()
    detail.suspend.click()
    detail.reason.go.click()
    assert detail.reason.choice.error()  # no reason yet
    detail.reason.choice.set_value("breach")
    detail.reason.go.click()
    settle()
    assert detail.reinstate.isVisible() and siem.run("show", id=made["id"])["status"] == "suspended"
    detail.reinstate.click()
    detail.reason.words.set_value("បានកែ")
    detail.reason.go.click()
    settle()
    assert siem.run("show", id=made["id"])["status"] == "valid"
    detail.revoke.click()
    detail.reason.choice.set_value("fraud")
    detail.reason.go.click()
    (dialog,) = page.window().findChildren(Confirm)
    assert siem.run("show", id=made["id"])["status"] == "valid"  # not before the last word
    dialog.go.click()
    settle()
    assert siem.run("show", id=made["id"])["status"] == "revoked" and not detail.revoke.isVisible()


def test_replace(page: CertificatesPage, siem: Any, settle: Any) -> None:
    made = siem.issue()
    page.open_target(made["id"])
    settle()
    page.register.detail.successor.click()
    settle()
    assert page.tabs.current() == "issue" and page.issue.editor.banner.isVisible()
    page.issue.editor.fieldset.fields["chairs"].set_value(4)
    page.primary()
    settle()
    rows = siem.run("register")["rows"]
    assert [row["status"] for row in rows] == ["valid", "revoked"] and rows[0]["replaces"] == made["id"]
    page.issue.done.open.click()
    settle()
    assert page.register.detail.number.words() == "0306-7-000039"


def test_empty_register_teaches(page: CertificatesPage, settle: Any) -> None:
    page.open_target("register")
    settle()
    assert page.register.empty.isVisible() and not page.register.table.isVisible()


# --- for everybody


def visit(page: CertificatesPage, siem: Any, settle: Any) -> Iterator[str]:
    """Every state of the page."""
    made = siem.issue()
    yield "target"
    type_into(page.check.scan, made["text"])
    settle()
    yield "verdict"
    page.check.show_waiting()
    settle()
    yield "waiting"
    page.check._many([Path("/nonexistent/a.pdf"), Path("/nonexistent/b.pdf")])
    settle()
    yield "batch"
    page.open_target("issue")
    settle()
    yield "gallery"
    page.issue.gallery.chosen.emit("barber-licence")
    settle()
    yield "editor"
    page.issue.done.show_made({**made, "already": False}, {"km": "ក", "en": "a"}, "លឹម")
    page.issue.stack.setCurrentWidget(page.issue.done)
    settle()
    yield "done"
    page.open_target("register")
    settle()
    yield "register"
    page.register.open(made["id"])
    settle()
    page.register.detail.revoke.click()
    yield "detail"


@pytest.mark.parametrize("language", ["km", "en"])
def test_nothing_is_nameless_clipped_or_untranslated(
    page: CertificatesPage, siem: Any, settle: Any, dressed: Any, language: Any
) -> None:
    for state in visit(page, siem, settle):
        catalog.use(language)
        theme.retranslate(dressed)
        QApplication.processEvents()
        for button in page.findChildren(QAbstractButton):
            if button.isVisible():
                assert button.accessibleName().strip(), (state, button)
                assert min(button.width(), button.height()) >= 32, (state, button.accessibleName(), button.size())
        for line in page.findChildren(QLineEdit):
            if line.isVisible():
                assert line.accessibleName().strip(), (state, line.placeholderText())
        assert page.minimumSizeHint().height() <= 510 and page.minimumSizeHint().width() <= 928, (
            state,
            page.minimumSizeHint(),
        )
        if language == "km":
            for text in words(page):
                letters = [letter for letter in text if letter.isalpha()]
                assert not letters or any("\u1780" <= letter <= "\u17ff" for letter in text) or _is_data(text), (
                    state,
                    text,
                )
        catalog.use("km")


def _is_data(text: str) -> bool:
    return text in {"KH1 · Ed25519", "LIM SREYMOM"} or text.isupper()


@pytest.mark.parametrize(("scheme", "percent"), [("dark", 100), ("contrast", 100), ("light", 150), ("light", 200)])
def test_every_look_paints(
    page: CertificatesPage, siem: Any, settle: Any, dressed: Any, scheme: Any, percent: int
) -> None:
    for _state in visit(page, siem, settle):
        theme.apply(dressed, scheme=scheme, percent=percent)
        QApplication.processEvents()
        assert not page.grab().isNull()
        assert page.minimumSizeHint().width() <= 928 * max(1, percent / 100)
        theme.apply(dressed, scheme="light", percent=100)


def test_tab_walks_the_verdict(page: CertificatesPage, siem: Any, settle: Any) -> None:
    type_into(page.check.scan, siem.issue()["text"])
    settle()
    seen = []
    for _ in range(12):
        focus = QApplication.focusWidget()
        seen.append(focus)
        if focus is None:
            break
        QTest.keyClick(focus, Qt.Key.Key_Tab)
    assert {page.check.again, page.check.verdict.same, page.check.scan} <= set(seen)
