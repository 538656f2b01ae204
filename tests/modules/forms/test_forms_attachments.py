"""Files from outside: too large, of the wrong kind, damaged, missing; and what is kept of a good one."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modules.contract import Refused
from modules.forms import attachments
from modules.forms.definition import Field


class Shelf:
    """Files in memory: what the module hands over for keeping."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[bytes, str]] = {}

    def add_bytes(self, data: bytes, media_type: str) -> str:
        self.kept[f"{len(self.kept):064x}"] = (data, media_type)
        return list(self.kept)[-1]

    def add(self, source: Path, media_type: str) -> str:
        return self.add_bytes(source.read_bytes(), media_type)

    def read(self, blob: str) -> bytes:
        return self.kept[blob][0]


def field(**rules: Any) -> Field:
    label = {"km": "រូប", "en": "Picture"}
    return Field(
        "scan",
        "attachment",
        label,
        "one",
        None,
        None,
        False,
        None,
        (),
        {"max_bytes": 5_000_000, "max_files": 2, **rules},
    )


@pytest.fixture
def take(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    def work(data: bytes, name: str = "x.png", present: int = 0, **rules: Any) -> dict[str, Any]:
        path = tmp_path / name
        path.write_bytes(data)
        return attachments.take(Shelf(), field(**rules), path, [None] * present)

    return work


def jpeg() -> bytes:
    from PIL import Image

    made = io.BytesIO()
    Image.effect_noise((200, 200), 60).save(made, "JPEG")
    return made.getvalue()


def pdf() -> bytes:
    from reportlab.pdfgen.canvas import Canvas

    made = io.BytesIO()
    page = Canvas(made)
    page.drawString(50, 50, "x")
    page.save()
    return made.getvalue()


def test_the_kind_is_known_by_the_bytes_and_not_by_the_name(take: Any, png: Any) -> None:
    assert take(png(), "photo.pdf")["media"] == "image/png"
    assert take(jpeg(), "photo.png")["media"] == "image/jpeg"
    assert take(pdf(), "scan.exe")["media"] == "application/pdf"


@pytest.mark.parametrize(
    "data",
    [
        b"MZ\x90\x00" + b"x" * 100,
        b"PK\x03\x04zip",
        b"<svg xmlns='x'/>",
        b"GIF89a....",
        b"hello",
        b" %PDF-1.4",
        b"\x00" * 64,
    ],
    ids=["exe", "zip", "svg", "gif", "text", "late pdf", "zeros"],
)
def test_other_kinds_are_refused_whatever_their_name_says(take: Any, data: bytes) -> None:
    with pytest.raises(Refused, match="FM-021"):
        take(data, "photo.jpg")


def test_a_kind_that_this_field_does_not_accept_is_refused(take: Any, png: Any) -> None:
    with pytest.raises(Refused, match="FM-021") as refused:
        take(png(), accept=["application/pdf"])
    assert refused.value.values["accepted"] == "PDF"


def test_fifty_megabytes_are_refused_before_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large.jpg"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    shelf = Shelf()
    with pytest.raises(Refused, match="FM-020") as refused:
        attachments.take(shelf, field(), path, [])
    assert refused.value.values == {"size": "50", "limit": "5"}
    assert shelf.kept == {}
    with pytest.raises(Refused, match="FM-020") as refused:
        attachments.take(shelf, field(max_bytes=10**12), path, [])
    assert refused.value.values["limit"] == "20", "no definition lifts the program's own limit"


def test_a_file_on_the_limit_is_taken_and_one_byte_more_is_not(take: Any, png: Any) -> None:
    data = png(64)
    assert take(data, max_bytes=len(data))["size"] == len(data)
    with pytest.raises(Refused, match="FM-020"):
        take(data, max_bytes=len(data) - 1)


@pytest.mark.parametrize("make", [jpeg, pdf], ids=["jpeg", "pdf"])
def test_a_cut_off_file_is_damaged(take: Any, make: Callable[[], bytes]) -> None:
    data = make()
    with pytest.raises(Refused, match="FM-024"):
        take(data[: len(data) // 2])


def test_a_picture_that_explodes_is_damaged(take: Any) -> None:
    from PIL import Image

    made = io.BytesIO()
    Image.new("1", (9_000, 9_000)).save(made, "PNG", compress_level=9)
    with pytest.raises(Refused, match="FM-024"):
        take(made.getvalue())


def test_a_full_field_takes_no_more(take: Any, png: Any) -> None:
    with pytest.raises(Refused, match="FM-022"):
        take(png(), present=2)


def test_what_is_no_readable_file_is_refused(tmp_path: Path, take: Any) -> None:
    with pytest.raises(Refused, match="FM-023"):
        attachments.take(Shelf(), field(), tmp_path / "gone.png", [])
    with pytest.raises(Refused, match="FM-023"):
        attachments.take(Shelf(), field(), tmp_path, [])
    with pytest.raises(Refused, match="FM-023"):
        take(b"")
    if Path("/dev/zero").exists():
        with pytest.raises(Refused, match="FM-023"):
            attachments.take(Shelf(), field(), Path("/dev/zero"), [])


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("សំបុត្រ កំណើត.jpg", "សំបុត្រ កំណើត.jpg"),
        ("../../etc/passwd.png", "etcpasswd.png"),
        ("C:\\Users\\x.png", "CUsersx.png"),
        ("gpj.\u202eexe.png", "gpj.exe.png"),
        ("a\n\tb.png", "ab.png"),
        ("…" * 200 + ".png", "…" * 70 + ".png"),
        ("...", "file"),
    ],
)
def test_names_are_harmless(name: str, kept: str) -> None:
    assert attachments.safe_name(name) == kept
    assert attachments.safe_name(kept) == kept


def test_what_is_kept_names_blob_kind_and_size(tmp_path: Path, png: Any) -> None:
    path = tmp_path / "អត្តសញ្ញាណប័ណ្ណ.png"
    path.write_bytes(png())
    shelf = Shelf()
    made = attachments.take(shelf, field(), path, [])
    assert shelf.kept[made["blob"]] == (png(), "image/png")
    assert made == {"blob": made["blob"], "name": path.name, "media": "image/png", "size": os.stat(path).st_size}
