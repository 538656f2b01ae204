"""Sentences in two languages, and refusals in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from i18n import catalog, errors
from i18n.errors import Known, Refused, explain

SENTENCE = "An outdated sign is used."


def test_the_language_is_switched_live() -> None:
    khmer = catalog.tr(SENTENCE)
    assert khmer == "មានប្រើសញ្ញាចាស់ដែលលែងប្រើ។"
    catalog.use("en")
    assert catalog.language() == "en"
    assert catalog.tr(SENTENCE) == SENTENCE
    assert catalog.tr_in("km", SENTENCE) == khmer
    with pytest.raises(ValueError, match="no catalogue"):
        catalog.use("fr")  # type: ignore[arg-type]


def test_fields_are_filled() -> None:
    assert catalog.tr_in("en", "{count} waiting", count=3) == "3 waiting"


def test_words_that_are_data() -> None:
    words = {"km": "ខេត្ត", "en": "Province"}
    assert (catalog.text(words), catalog.text(words, "en")) == ("ខេត្ត", "Province")


def test_a_refusal_says_what_was_kept_and_what_to_do() -> None:
    told = explain(Refused("TX-001"), "en")
    assert (told.code, told.what) == ("TX-001", "This is not a number.")
    assert told.kept and told.next
    assert explain(Refused("TX-001")).what == "នេះមិនមែនជាលេខទេ។"
    assert str(Refused("TX-001")) == "TX-001"
    assert str(Known("SY-204", days=3)) == "SY-204(days=3)"


def test_what_was_kept_and_what_to_do_are_whole_sentences() -> None:
    ends = {"km": ("។", "?", "}"), "en": (".", "?", "}")}
    open_ = [
        (code, side, part) for code, entry in errors.catalogue().items() for side in catalog.LANGUAGES for part in ("kept", "next")
        if entry[side][part] and not entry[side][part].endswith(ends[side])
    ]  # fmt: skip
    assert open_ == []


def test_an_unknown_code_is_a_bug() -> None:
    with pytest.raises(KeyError):
        explain(Refused("XX-999"))


ENTRY = """
[TX-999]
km = { what = "ចំនួន {count}", kept = "ក", next = "ខ" }
en = { what = "Count {count}", kept = "a", next = "b" }
cause = "A test."
"""


@pytest.fixture
def own_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "a.toml").write_text(ENTRY, "utf-8")
    monkeypatch.setattr(errors, "CATALOGUES", tmp_path)
    monkeypatch.setattr(errors, "catalogue", errors.catalogue.__wrapped__)
    return tmp_path


def test_a_value_that_is_missing_is_an_ellipsis(own_catalogue: Path) -> None:
    assert explain(Refused("TX-999", count=2), "en").what == "Count 2"
    assert explain(Refused("TX-999"), "en").what == "Count …"


def test_a_code_that_stands_twice_is_a_bug(own_catalogue: Path) -> None:
    (own_catalogue / "b.toml").write_text(ENTRY, "utf-8")
    with pytest.raises(ValueError, match="stands twice"):
        errors.catalogue()
