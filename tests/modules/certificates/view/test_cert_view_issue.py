"""Issue and register through their real widgets over a real session, by keyboard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from modules.certificates.view import CertificatesPage
from tests.modules.certificates.view.hands import fill

# --- issue


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
