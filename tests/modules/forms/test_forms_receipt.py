"""The A5 receipt, read back as a person and a scanner do: its text exactly, its QR code from the pixels."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import zxingcpp

from i18n import dates, numbers
from modules.contract import Known
from modules.forms import receipt


@pytest.fixture
def run(session: Any) -> Any:
    return session.commands.run


def page_text(path: Path) -> str:
    """The text that a reader copies, without white space."""
    with pypdfium2.PdfDocument(path) as document:
        assert len(document) == 1
        page = document[0]
        assert [round(side * 25.4 / 72) for side in page.get_size()] == [148, 210], "A5 upright"
        text = page.get_textpage().get_text_range()
    return re.sub(r"\s", "", text)


def codes(path: Path) -> list[str]:
    with pypdfium2.PdfDocument(path) as document:
        picture = document[0].render(scale=2).to_pil().convert("L")
    return [found.text for found in zxingcpp.read_barcodes(picture)]


def test_the_receipt_says_who_what_how_much_and_when(run: Any, finished: Any, tmp_path: Path) -> None:
    made, out = finished(), tmp_path / "បង្កាន់ដៃ.pdf"
    given = run("forms.receipt", id=made["id"], out=str(out))
    assert given["copy"] == 0 and given["receipt"] == made["receipt"] and out.stat().st_size == given["bytes"]
    text, day = page_text(out), date.fromisoformat(made["received"])
    for said in (
        "ព្រះរាជាណាចក្រកម្ពុជា", "ជាតិ សាសនា ព្រះមហាក្សត្រ", "បង្កាន់ដៃទទួលពាក្យស្នើសុំ", made["receipt"],
        "អាជ្ញាប័ណ្ណជាងកាត់សក់បុរស ២ ដល់ ៤ កៅអី", "Men's barber shop licence, 2 to 4 chairs", "លឹម ស្រីមុំ", "LIM SREYMOM",
        "០១២ ៣៤៥ ៦៧៨", "២០.០០០ ៛", "ពីរម៉ឺនរៀលគត់", dates.official_date(date.fromisoformat(made["due"])), "៧ ថ្ងៃធ្វើការ",
        dates.lunar_line(day), dates.official_date(day), "ប្រកាសអន្តរក្រសួងលេខ ១៤៣៤២ ប្រក ចុះថ្ងៃទី២៩ ខែធ្នូ ឆ្នាំ២០១៦",
        "ចាន់ សុខា",
    ):  # fmt: skip
        assert re.sub(r"\s", "", said) in text, said
    assert not re.search("[\ue000-\uf8ff]", text)


def test_the_code_on_the_paper_finds_the_case(run: Any, finished: Any, tmp_path: Path) -> None:
    made, out = finished("copy-legalisation"), tmp_path / "r.pdf"
    given = run("forms.receipt", id=made["id"], out=str(out))
    (code,) = codes(out)
    assert code == given["qr"]
    assert run("forms.case_by_receipt", text=code)["id"] == made["id"]


def test_a_second_receipt_is_a_counted_copy(run: Any, finished: Any, tmp_path: Path) -> None:
    made = finished("general-application")
    copies = [run("forms.receipt", id=made["id"], out=str(tmp_path / f"{n}.pdf"))["copy"] for n in range(3)]
    assert copies == [0, 1, 2]
    assert "ច្បាប់ចម្លងទី" not in page_text(tmp_path / "0.pdf")
    assert "ច្បាប់ចម្លងទី២" in page_text(tmp_path / "2.pdf")
    run("forms.withdraw", id=made["id"], reason="x")
    run("forms.receipt", id=made["id"], out=str(tmp_path / "w.pdf"))
    assert "បានដកវិញ" in page_text(tmp_path / "w.pdf")


def test_what_was_not_written_is_not_counted(run: Any, finished: Any, tmp_path: Path) -> None:
    made = finished("general-application")
    with pytest.raises(Known, match="FM-040"):
        run("forms.receipt", id=made["id"], out=str(tmp_path / "no" / "such" / "folder.pdf"))
    assert list(tmp_path.rglob("*.part")) == []
    assert run("forms.receipt", id=made["id"], out=str(tmp_path / "r.pdf"))["copy"] == 0


def test_giving_out_is_an_event_of_the_audit_log(session: Any, run: Any, finished: Any, tmp_path: Path) -> None:
    made = finished("general-application")
    run("forms.receipt", id=made["id"], out=str(tmp_path / "r.pdf"))
    event = session.store.read(
        lambda c: c.execute("SELECT event FROM audit ORDER BY seq DESC LIMIT 1").fetchone()["event"]
    )
    assert "printed" in str(event) and made["id"] in str(event)


def test_the_longest_names_stay_on_the_page(tmp_path: Path) -> None:
    from modules.forms.capture import service_json
    from modules.forms.library import Library

    library = Library()
    for service in library.catalogue.services:
        case = {
            "receipt": "0306-01-1000214", "title": service.title, "state": "finished", "person": "ព្រហ្មវង្សចន្ទ " * 5,
            "latin": "PROHMVONG CHANSORIYAVUTH " * 2, "phone": "+85512345678", "fee": 123_456_789, "received": "2026-11-22",
            "due": "2026-12-04", "service_row": service_json(service, library, date(2026, 11, 22)),
            "qr": "SALA:R1:0306-01-1000214:RKQA4A6QAQ", "officer_name": "ព្រហ្មវង្ស ចន្ទសុរិយាវុធ",
        }  # fmt: skip
        office = {"name": {"km": "សាលាស្រុកកំពង់សៀម", "en": "Kampong Siem district hall"}}
        out = tmp_path / "long.pdf"
        out.write_bytes(receipt.render(case, office, 12))
        assert re.sub(r"\s", "", numbers.riel_in_words(123_456_789)) in page_text(out)
        assert codes(out) == ["SALA:R1:0306-01-1000214:RKQA4A6QAQ"]
        with pypdfium2.PdfDocument(out) as document:
            reader = document[0].get_textpage()
            boxes = [reader.get_charbox(at) for at in range(reader.count_chars())]
        assert min(box[0] for box in boxes) > 20 and max(box[2] for box in boxes) < 400, service.id
