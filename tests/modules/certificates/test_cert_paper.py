"""The sheet: exact text, same bytes, a code that reads, every copy counted."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from i18n.errors import Known, Refused
from modules.certificates import paper, prints, sources


def text_of(data: bytes) -> str:
    document = pypdfium2.PdfDocument(data)
    text = document[0].get_textpage().get_text_range()
    document.close()
    return str(text)


def squeezed(text: str) -> str:
    return re.sub(r"[\s\u200b\u2060\ufeff\u00a0]+", "", text)


@pytest.fixture
def printed(siem: Any, tmp_path: Path) -> tuple[Any, dict[str, Any], bytes]:
    made = siem.issue()
    result = siem.run("pdf", id=made["id"], out=str(tmp_path / "a.pdf"))
    return siem, made, Path(result["path"]).read_bytes()


def test_every_word_extracts_exactly(printed: Any) -> None:
    _, _, data = printed
    found = squeezed(text_of(data))
    for words in (
        "ព្រះរាជាណាចក្រកម្ពុជា", "ជាតិ សាសនា ព្រះមហាក្សត្រ", "រដ្ឋបាលខេត្តកំពង់ចាម", "រដ្ឋបាលស្រុកកំពង់សៀម", "លេខ៖ ០៣០៦-៧-០០០០៣៨",
        "អាជ្ញាប័ណ្ណអាជីវកម្មកាត់សក់បុរស", "លឹម ស្រីមុំ", "LIM SREYMOM", "ស្រី", "ថ្ងៃទី១២ ខែឧសភា ឆ្នាំ១៩៩០", "ហាងកាត់សក់ ស្រីមុំ", "៣ កៅអី",
        "ផ្ទះលេខ ១២ ផ្លូវជាតិលេខ៧ ភូមិស្វាយជ្រុំ ឃុំកោះមិត្ដ ស្រុកកំពង់សៀម ខេត្តកំពង់ចាម", "រហូតដល់"[4:], "ថ្ងៃទី២២ ខែវិច្ឆិកា ឆ្នាំ២០២៧",
        "ថ្ងៃអាទិត្យ ១៣កើត ខែកត្ដិក ឆ្នាំមមី អដ្ឋស័ក ព.ស.២៥៧០", "ស្រុកកំពង់សៀម ថ្ងៃទី២២ ខែវិច្ឆិកា ឆ្នាំ២០២៦", "អភិបាលស្រុក",
        "ត្រាការិយាល័យ (បញ្ជាក់ភាពត្រឹមត្រូវ)", "Office seal (integrity) · 0306-7-000038",
    ):  # fmt: skip
        assert squeezed(words) in found, words
    assert "signature" not in found.lower() and "ហត្ថលេខា" not in found


def test_same_data_same_bytes(printed: Any) -> None:
    siem, _, data = printed
    row = siem.session.store.read(lambda c: dict(c.execute("SELECT * FROM certificates_issued").fetchone()))
    again = siem.session.modules["certificates"]._prints._sheet(row, 1)
    assert again == data and len(data) < 80_000


def test_the_code_is_large_enough_for_copiers(printed: Any) -> None:
    _, made, data = printed
    side, count = paper.code_side(made["text"]), paper.modules(made["text"])
    module = side / (count + 8)
    assert module >= 0.45 and count * module >= 30
    assert count <= 105  # version 22
    picture = sources.pages(data, 300)[0]
    import zxingcpp

    (code,) = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
    width = (code.position.top_right.x - code.position.top_left.x) / 300 * 25.4
    assert abs(width - count * module) < 0.6
    margin = code.position.top_left.x / 300 * 25.4
    assert margin > 11 + 4 * module  # the quiet zone lies inside the frame


def test_the_credential_travels_in_the_file(printed: Any) -> None:
    _, made, data = printed
    assert [(found.text, found.attached) for found in sources.attached(data)] == [(made["text"], True)]


def test_page_and_metadata(printed: Any) -> None:
    _, _, data = printed
    document = pypdfium2.PdfDocument(data)
    assert len(document) == 1
    width, height = document[0].get_size()
    assert (round(width), round(height)) == (595, 842)
    assert "0306-7-000038" in document.get_metadata_value("Title") and "ស្រីមុំ" not in repr(document.get_metadata_dict())
    document.close()


def test_copies_are_counted_and_said_on_paper(siem: Any, tmp_path: Path) -> None:
    made = siem.issue()
    results = [siem.run("pdf", id=made["number"], out=str(tmp_path / f"{n}.pdf")) for n in (1, 2)]
    assert [result["copy"] for result in results] == [1, 2]
    first, second = (text_of(Path(result["path"]).read_bytes()) for result in results)
    assert "ច្បាប់បោះពុម្ព" not in first and squeezed("ច្បាប់បោះពុម្ពលើកទី២") in squeezed(second)
    shown = siem.run("show", id=made["id"])
    assert [(event["copy"], event["way"]) for event in shown["printed"]] == [(1, "file"), (2, "file")] and shown[
        "prints"
    ] == 2
    assert results[1]["sha256"] == hashlib.sha256((tmp_path / "2.pdf").read_bytes()).hexdigest()
    assert siem.run("check", source=results[1]["path"])["overall"] == "valid"


def test_nothing_is_counted_when_the_file_cannot_be_written(siem: Any, tmp_path: Path) -> None:
    made = siem.issue()
    with pytest.raises(Known, match="CT-150"):
        siem.run("pdf", id=made["id"], out=str(tmp_path / "none" / "a.pdf"))
    assert siem.run("show", id=made["id"])["prints"] == 0


def test_nothing_is_counted_when_the_code_does_not_read(
    siem: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A printer fault in the drawing: the code is covered by a line."""
    made = siem.issue()
    real = paper._code

    def spoiled(canvas: Any, sheet: Any) -> None:
        real(canvas, sheet)
        canvas.setFillGray(1)
        canvas.rect(paper.LEFT * paper.MM, 40 * paper.MM, 60 * paper.MM, 8 * paper.MM, stroke=0, fill=1)

    monkeypatch.setattr(paper, "_code", spoiled)
    with pytest.raises(Known, match="CT-151"):
        siem.run("pdf", id=made["id"], out=str(tmp_path))
    assert list(tmp_path.glob("*.pdf")) == [] and siem.run("show", id=made["id"])["prints"] == 0
    with pytest.raises(Known, match="CT-151"):
        siem.run("paper", id=made["id"])


def test_proof_wants_this_credential_and_no_other(siem: Any, tmp_path: Path) -> None:
    one, two = siem.issue(), siem.issue()
    data = Path(siem.run("pdf", id=one["id"], out=str(tmp_path))["path"]).read_bytes()
    prints.prove(data, one["text"])
    with pytest.raises(Known, match="CT-151"):
        prints.prove(data, two["text"])


def test_paper_for_a_printer_counts_when_it_was_printed(siem: Any) -> None:
    made = siem.issue()
    sheet = siem.run("paper", id=made["id"])
    assert sheet["copy"] == 1 and siem.run("show", id=made["id"])["prints"] == 0
    siem.run("note_print", id=made["id"], copy=1, way="printer", sha256=sheet["sha256"])
    assert siem.run("show", id=made["id"])["prints"] == 1
    with pytest.raises(Known, match="CT-152"):
        siem.run("note_print", id=made["id"], copy=1, way="printer", sha256=sheet["sha256"])


def test_a_copy_of_a_revoked_certificate_is_still_read_as_revoked(siem: Any, tmp_path: Path) -> None:
    made = siem.issue()
    siem.run("revoke", id=made["id"], reason="error")
    path = siem.run("pdf", id=made["id"], out=str(tmp_path))["path"]
    assert siem.run("check", source=path)["overall"] == "revoked"


def test_preview_is_no_certificate(siem: Any, barber: dict[str, Any]) -> None:
    from base64 import b64decode

    whole = siem.run("preview", template="barber-licence", data=barber)
    assert whole["problems"] == {}
    data = b64decode(whole["pdf"])
    assert squeezed("គំរូ · មិនមែនវិញ្ញាបនបត្រ") in squeezed(text_of(data))
    assert sources.attached(data) == [] and siem.run("check", source=data)["overall"] == "unreadable"
    assert "០៣០៦-៧-០០០០៣៨" in text_of(data) and siem.run("register")["total"] == 0
    part = siem.run("preview", template="barber-licence", data={"name_km": "លឹម ស្រីមុំ", "chairs": "9"})
    assert part["pdf"] and set(part["problems"]) == {"name_latin", "sex", "birth", "shop_name", "chairs", "shop_place"}
    assert part["problems"]["chairs"].keys() == {"km", "en"}
    late = siem.run("preview", template="barber-licence", data=barber, valid_until="2020-01-01")
    assert "valid_until" in late["problems"]


def test_every_template_fits_its_sheet_with_long_values(
    siem: Any, barber: dict[str, Any], attestation: dict[str, Any]
) -> None:
    for template, data in (("barber-licence", barber), ("attestation", attestation)):
        made = siem.run("issue", template=template, data=data)
        assert siem.run("paper", id=made["id"])["copy"] == 1


def test_unknown_certificate(siem: Any, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="CT-140"):
        siem.run("pdf", id="0306-7-999999", out=str(tmp_path))
