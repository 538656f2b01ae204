"""Every way in: PDF, picture, text, bytes; sharp, small, copied and hostile."""

from __future__ import annotations

import io
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageFilter

from i18n.errors import Known, Refused
from modules.certificates import sources, verdict


@pytest.fixture
def licence(siem: Any, tmp_path: Path) -> tuple[Any, dict[str, Any], Path]:
    """A hall, a certificate it issued, and its PDF."""
    made = siem.issue()
    siem.statuses("0306")
    return siem, made, Path(siem.run("pdf", id=made["id"], out=str(tmp_path))["path"])


def page(pdf: Path, dpi: int) -> Image.Image:
    return sources.pages(pdf.read_bytes(), dpi)[0]


def as_bytes(picture: Image.Image, format: str = "PNG", **how: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, format, **how)
    return out.getvalue()


def photocopy(picture: Image.Image, seed: int, generations: int) -> Image.Image:
    """A page through a tired copier: blur, contrast, specks, a slight turn."""
    chance = random.Random(seed)
    for _ in range(generations):
        picture = picture.filter(ImageFilter.GaussianBlur(0.8)).rotate(
            chance.uniform(-0.7, 0.7), fillcolor=255, resample=Image.Resampling.BICUBIC
        )
        picture = picture.point(lambda value: max(0, min(255, round((value - 128) * 1.6 + 134))))
        dots = picture.load()
        assert dots is not None
        for _ in range(picture.width * picture.height // 400):
            dots[chance.randrange(picture.width), chance.randrange(picture.height)] = chance.choice((0, 255))
    return picture


def test_pdf_by_path_and_by_bytes(licence: Any) -> None:
    siem, made, pdf = licence
    for source in (str(pdf), pdf.read_bytes()):
        report = siem.run("check", source=source)
        assert (report["overall"], report["level"], report["text"]) == ("valid", "green", made["text"])
        assert report["attached"] and report["page"] == 1 and report["more"] == [] and report["notice"] is None
        assert report["source"] == "pdf"


@pytest.mark.parametrize(
    ("format", "suffix"),
    [("PNG", "png"), ("JPEG", "jpg"), ("TIFF", "tif"), ("BMP", "bmp"), ("WEBP", "webp"), ("GIF", "gif")],
)
def test_pictures(licence: Any, tmp_path: Path, format: str, suffix: str) -> None:
    siem, _, pdf = licence
    file = tmp_path / f"រូបភាព.{suffix}"
    file.write_bytes(as_bytes(page(pdf, 150), format))
    report = siem.run("check", source=str(file))
    assert (report["overall"], report["level"], report["source"]) == ("valid", "green", "picture")


def test_transparent_and_turned_pictures(licence: Any) -> None:
    siem, _, pdf = licence
    picture = page(pdf, 150)
    clear = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    clear.paste((0, 0, 0, 255), mask=picture.point(lambda value: 255 - value))
    for made in (
        clear,
        picture.rotate(90, expand=True),
        picture.rotate(187, expand=True, fillcolor=255),
        picture.convert("1"),
    ):
        assert siem.run("check", source=as_bytes(made))["overall"] == "valid"


def test_text_in_every_dress(licence: Any, tmp_path: Path) -> None:
    siem, made, _ = licence
    text = made["text"]
    file = tmp_path / "cert.txt"
    file.write_text("\ufeff" + text + "\r\n", "utf-8")
    folded = "\n".join(text[at : at + 60] for at in range(0, len(text), 60))
    for source in (text, f"  {text}  ", f"សូមពិនិត្យ៖\n{text}\n។", folded, str(file), text.encode()):
        assert siem.run("check", source=source)["overall"] == "valid", source


@pytest.mark.parametrize("seed", range(6))
def test_photocopies_are_read(licence: Any, seed: int) -> None:
    siem, _, pdf = licence
    copy = photocopy(page(pdf, 200), seed, 2 + seed % 2)
    assert siem.run("check", source=as_bytes(copy, "JPEG", quality=60))["overall"] == "valid"


@pytest.mark.parametrize("dots", [2.0, 2.5, 3.0])
def test_small_modules_are_read(licence: Any, dots: float) -> None:
    """A page photographed from afar: few pixels a module (0.5 mm)."""
    siem, _, pdf = licence
    sharp = page(pdf, 300)
    factor = dots / (300 / 25.4 * 0.5)
    small = sharp.resize((round(sharp.width * factor), round(sharp.height * factor)), Image.Resampling.BICUBIC)
    small = small.filter(ImageFilter.GaussianBlur(0.5))
    assert siem.run("check", source=as_bytes(small))["overall"] == "valid"


def test_scanned_pdf_without_attachment(licence: Any) -> None:
    siem, _, pdf = licence
    scan = photocopy(page(pdf, 150), 1, 1)
    report = siem.run("check", source=as_bytes(scan, "PDF", resolution=150))
    assert (report["overall"], report["attached"], report["page"]) == ("valid", False, 1)


def test_several_pages_several_certificates(siem: Any, tmp_path: Path) -> None:
    siem.statuses("0306")
    first, second = siem.issue(), siem.issue(name_km="សុខ ដារ៉ា", name_latin="SOK DARA")
    siem.run("revoke", id=second["id"], reason="error")
    sheets = [page(Path(siem.run("pdf", id=made["id"], out=str(tmp_path))["path"]), 150) for made in (first, second)]
    stack = io.BytesIO()
    sheets[0].save(
        stack, "PDF", save_all=True, append_images=[Image.new("L", sheets[0].size, 255), sheets[1]], resolution=150
    )
    report = siem.run("check", source=stack.getvalue())
    assert (report["overall"], report["page"]) == ("revoked", 3)  # the one that needs most attention
    assert [(each["overall"], each["page"]) for each in report["more"]] == [("valid", 1)]
    assert report["notice"]["en"].startswith("2 certificates")


def test_attached_certificate_of_somebody_else(siem: Any, tmp_path: Path) -> None:
    """A forger puts a genuine credential into the PDF of another paper."""
    from modules.certificates import paper

    siem.statuses("0306")
    first, second = siem.issue(), siem.issue(name_km="សុខ ដារ៉ា", name_latin="SOK DARA")
    real = paper._attach
    try:
        paper._attach = lambda canvas, _: real(canvas, second["text"].encode())  # type: ignore[assignment]
        pdf = siem.session.modules["certificates"]._prints._sheet
        data = siem.session.store.read(
            lambda c: pdf(
                dict(c.execute("SELECT * FROM certificates_issued WHERE id = ?", (first["id"],)).fetchone()), 1
            )
        )
    finally:
        paper._attach = real
    report = siem.run("check", source=data)
    assert report["level"] == "amber" and "another certificate" in report["notice"]["en"]
    assert {report["text"], *(each["text"] for each in report["more"])} == {first["text"], second["text"]}


def test_link_beside_a_certificate_does_not_decide(siem: Any, tmp_path: Path) -> None:
    import zxingcpp

    made = siem.issue()
    sheet = page(Path(siem.run("pdf", id=made["id"], out=str(tmp_path))["path"]), 150)
    code = zxingcpp.create_barcode("https://go.gov.kh/abc", zxingcpp.BarcodeFormat.QRCode)
    picture = zxingcpp.write_barcode_to_image(code, scale=4)
    sheet.paste(Image.fromarray(picture) if hasattr(picture, "__array_interface__") else _of(picture), (700, 1300))
    report = siem.run("check", source=as_bytes(sheet))
    assert report["overall"] == "valid" and [each["format"] for each in report["more"]] == ["address"]


def _of(picture: Any) -> Image.Image:
    view = memoryview(picture)
    assert view.shape is not None
    return Image.frombytes("L", (view.shape[1], view.shape[0]), view.tobytes())


def test_empty_page_and_picture_say_so_quickly(siem: Any) -> None:
    blank = Image.new("L", (1240, 1754), 255)
    for data in (as_bytes(blank), as_bytes(blank, "PDF", resolution=150)):
        start = time.perf_counter()
        report = siem.run("check", source=data)
        assert (report["overall"], report["code"]) == ("unreadable", verdict.NO_CODE)
        assert time.perf_counter() - start < 5


def test_signed_pdf_is_named_not_judged(siem: Any) -> None:
    report = siem.run("check", source=_signed_pdf())
    assert (report["overall"], report["code"], report["format"]) == (
        "not_checked",
        verdict.OTHER_KIND,
        "Signature of a PDF",
    )


def _signed_pdf() -> bytes:
    """The least PDF that has a signature field."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R]/SigFlags 3>>>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Annots[4 0 R]>>",
        b"<</Type/Annot/Subtype/Widget/FT/Sig/T(s)/Rect[0 0 0 0]/P 3 0 R/V 5 0 R>>",
        b"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/ByteRange[0 1 2 3]/Contents<00>>>",
    ]
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(out + b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % start)


# --- hostile and impossible


@pytest.mark.parametrize("cut", [0.2, 0.5, 0.9])
def test_truncated_files(licence: Any, cut: float) -> None:
    siem, _, pdf = licence
    data = pdf.read_bytes()
    assert siem.run("check", source=data[: int(len(data) * cut)])["level"] != "green"
    png = as_bytes(page(pdf, 150))
    assert siem.run("check", source=png[: int(len(png) * cut)])["level"] != "green"


def test_missing_file(siem: Any, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="CT-201"):
        siem.run("check", source=str(tmp_path / "none.pdf"))


def test_bounds_before_opening(siem: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large = tmp_path / "large.png"
    with large.open("wb") as file:
        file.truncate(sources.MAX_FILE + 1)
    for source in (str(large), "x" * (sources.MAX_TEXT + 1), b"y" * (sources.MAX_TEXT + 1)):
        with pytest.raises(Refused, match="CT-202"):
            siem.run("check", source=source)
    monkeypatch.setattr(sources, "MAX_PAGES", 2)
    pages = [Image.new("L", (50, 50), 255)] * 3
    out = io.BytesIO()
    pages[0].save(out, "PDF", save_all=True, append_images=pages[1:])
    with pytest.raises(Refused, match="CT-203"):
        siem.run("check", source=out.getvalue())


def test_picture_that_unpacks_to_gigabytes(siem: Any) -> None:
    import struct
    import zlib

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1_000_000))) + chunk(b"IEND", b"")
    report = siem.run("check", source=bomb)
    assert report["overall"] == "unreadable"


def test_inflating_code_on_paper(siem: Any) -> None:
    import zlib

    import zxingcpp

    from sync import base45

    text = "KH1:" + base45.encode(zlib.compress(bytes(2_700_000), 9))
    code = zxingcpp.create_barcode(text[:4296], zxingcpp.BarcodeFormat.QRCode, ec_level="L")
    picture = _of(zxingcpp.write_barcode_to_image(code, scale=4))
    start = time.perf_counter()
    report = siem.run("check", source=as_bytes(picture))
    assert (report["overall"], report["code"]) == ("altered", verdict.BOMB)
    assert time.perf_counter() - start < 3


def test_folder(siem: Any, tmp_path: Path, as_json: Callable[[Any], Any]) -> None:
    siem.statuses("0306")
    folder = tmp_path / "ប្រអប់"
    folder.mkdir()
    made = siem.issue()
    siem.run("pdf", id=made["id"], out=str(folder))
    (folder / "broken.pdf").write_bytes(b"%PDF-nothing")
    (folder / "link.txt").write_text("https://verify.gov.kh/verify/ABC")
    (folder / "notes.docx").write_bytes(b"not looked at")
    paths = siem.run("folder", folder=str(folder))["paths"]
    result = as_json(siem.run("check_files", paths=[*paths, str(folder / "gone.pdf")]))
    assert [(row["file"], row["overall"], row["error"]) for row in result["rows"]] == [
        ("0306-7-000038.pdf", "valid", None), ("broken.pdf", "unreadable", None), ("link.txt", "not_checked", None),
        ("gone.pdf", "unreadable", "CT-201"),
    ]  # fmt: skip
    assert siem.run("rechecks")["total"] == 1
    with pytest.raises(Known, match="CT-204"):
        siem.run("folder", folder=str(folder / "none"))
