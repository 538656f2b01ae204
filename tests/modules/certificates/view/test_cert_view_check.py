"""The check page through its real widgets over a real session: scanner, drop, paste, verdict, by keyboard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication, QImage
from PySide6.QtTest import QTest

from modules.certificates import wedge
from modules.certificates.view import CertificatesPage
from modules.certificates.view.verdict import Answer
from tests.modules.certificates.view.hands import type_into, words

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
