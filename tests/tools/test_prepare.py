"""Preparation: faults of catalogues are named, products are rebuilt only when their sources changed."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools import catalogues, fonts, prepare

ROOT = Path(__file__).parents[2]
HEAD = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n"Language: km\\n"\n\n'


def entry(english: str, khmer: str) -> str:
    return f'msgid "{english}"\nmsgstr "{khmer}"\n\n'


@pytest.mark.parametrize(
    ("first", "second", "fault"),
    [
        (entry("Save", "រក្សាទុក"), entry("Save", "ទុក"), "here and"),
        (entry("Save", ""), "", "no Khmer"),
        (entry("Saved {time}", "រក្សាទុក {clock}"), "", "placeholders differ"),
        (entry("Saved {time}", "រក្សាទុក {time"), "", "expected '}'"),
        (entry("Women", "ស្រ្តី"), "", "normal order"),
        (entry("Save", "រក្សា\u200bទុក"), "", "zero-width"),
        ("#, fuzzy\n" + entry("Save", "រក្សាទុក"), "", "fuzzy"),
        ('msgctxt "menu"\n' + entry("Save", "រក្សាទុក"), "", "context"),
        ('msgid "{n} case"\nmsgid_plural "{n} cases"\nmsgstr[0] "{n} ករណី"\n', "", "plural"),
    ],
)
def test_faults_of_catalogues_are_named(tmp_path: Path, first: str, second: str, fault: str) -> None:
    paths = [tmp_path / "forms.po", tmp_path / "shell.po"]
    for path, body in zip(paths, (first, second), strict=True):
        path.write_text(HEAD + body, "utf-8")
    entries, found = catalogues.read(paths)
    assert any(fault in each for each in found + catalogues.faults_of(entries))


def test_two_areas_may_say_the_same(tmp_path: Path) -> None:
    paths = [tmp_path / "forms.po", tmp_path / "shell.po"]
    for path in paths:
        path.write_text(HEAD + entry("Saved {time}", "បានរក្សាទុក {time}"), "utf-8")
    entries, found = catalogues.read(paths)
    assert found + catalogues.faults_of(entries) == []


def test_a_faulty_catalogue_is_not_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "forms.po").write_text(HEAD + entry("Save", ""), "utf-8")
    monkeypatch.setattr(catalogues, "KHMER", tmp_path)
    monkeypatch.setattr(catalogues, "COMPILED", tmp_path / "sala.mo")
    with pytest.raises(SystemExit, match="no Khmer"):
        catalogues.build()
    assert not (tmp_path / "sala.mo").exists()


def test_nothing_changed_takes_no_time() -> None:
    prepare.prepare()
    start = time.perf_counter()
    assert prepare.prepare() == []
    assert time.perf_counter() - start < 1


def test_a_changed_source_is_built_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, product = tmp_path / "source", tmp_path / "made" / "product"
    source.write_text("1")
    step = prepare.Step("copy", [source], [product], lambda: product.write_bytes(source.read_bytes()) and None)
    monkeypatch.setattr(prepare, "STATE", tmp_path / "build" / "state.json")
    monkeypatch.setattr(prepare, "_steps", lambda: [step])
    assert prepare.prepare() == ["copy"]
    assert prepare.prepare() == []
    source.write_text("2")
    assert prepare.prepare() == ["copy"]
    product.unlink()
    assert prepare.prepare() == ["copy"]
    assert product.read_text() == "2"
    (tmp_path / "build" / "state.json").write_text("damaged")
    assert prepare.prepare() == ["copy"]


def test_it_runs_as_a_script_from_anywhere(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "prepare.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(("nothing to prepare", "prepared:"))


def test_fonts_that_are_not_the_expected_bytes_are_not_taken(tmp_path: Path) -> None:
    assert not fonts._take_from(tmp_path)
    for name in fonts.DOCUMENT_DIGESTS:
        (tmp_path / name).write_bytes(b"another font")
    assert not fonts._take_from(tmp_path)


def test_without_a_source_the_missing_fonts_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "FONTS", tmp_path)
    monkeypatch.setattr(fonts, "INSTALLED", tmp_path / "nowhere")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match="KhmerOSmuollight"):
        fonts.fetch_document()


def test_the_same_sources_give_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for moment in ("1000000000", "1900000000"):
        monkeypatch.setattr(catalogues, "COMPILED", tmp_path / f"{moment}.mo")
        monkeypatch.setattr("time.time", lambda moment=moment: float(moment))
        catalogues.build()
        made.append((tmp_path / f"{moment}.mo").read_bytes())
    assert made[0] == made[1]
    assert b"2026-01-01" in made[0]
