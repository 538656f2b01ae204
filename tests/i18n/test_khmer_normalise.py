"""One spelling for every way to type a word (acceptance checks 1 to 4 and 7)."""

from __future__ import annotations

import time
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from i18n import catalog
from i18n.normalise import fold, store, validate

KHMER = st.characters(min_codepoint=0x1780, max_codepoint=0x17E9)
TRAPS = st.sampled_from(
    "\u17d2\u17bb\u17c6\u17c9\u17ca\u17be\u17c1\u17b8\u17b6\u179a\u178a\u200b\u200c\u200d\ufeff aA1İß"
)
TEXT = st.one_of(st.text(st.one_of(KHMER, TRAPS), max_size=20), st.text(max_size=20))


def test_every_order_of_the_marks_of_stri_is_one_word() -> None:
    word = "\u179f\u17d2\u178f\u17d2\u179a\u17b8"
    typed = {
        "\u179f" + "".join(marks)
        for ta_or_da in ("\u17d2\u178f", "\u17d2\u178a")
        for marks in permutations((ta_or_da, "\u17d2\u179a", "\u17b8"))
    }
    assert len(typed) == 12
    assert {fold(each) for each in typed} == {word}
    assert fold("ស្រ្តី") == fold("ស្ដ្រី") == fold("ស្ត្រី") == word


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("សុេីប", "\u179f\u17ca\u17be\u1794"), ("សើុប", "ស៊ើប"), ("សុី", "ស៊ី"), ("បុ័ង", "ប៉័ង"), ("លេាក", "លោក"), ("កំុ", "កុំ"),
        ("ចំា", "ចាំ"), ("ខែ្មរ", "ខ្មែរ"), ("ម៉្យាង", "ម្យ៉ាង"),
    ],
)  # fmt: skip
def test_common_wrong_spellings_are_mended(typed: str, meant: str) -> None:
    assert store(typed) == store(meant) == meant
    assert fold(typed) == fold(meant)


def test_coeng_da_is_stored_and_compares_equal_to_coeng_ta() -> None:
    assert "\u17d2\u178a" in store("កណ្ដាល")
    assert fold("កណ្ដាល") == fold("កណ្តាល")


@settings(max_examples=300)
@given(TEXT)
def test_normalising_twice_is_normalising_once(text: str) -> None:
    assert store(store(text)) == store(text)
    assert fold(fold(text)) == fold(text)


@settings(max_examples=200)
@given(
    st.text(
        st.one_of(st.characters(min_codepoint=0x1780, max_codepoint=0x17A2), KHMER.filter(lambda c: c not in "ឣឤ឴឵៘")),
        max_size=12,
    )
)
def test_what_is_stored_is_found_by_what_was_typed(typed: str) -> None:
    assert fold(store(typed)) == fold(typed)


def test_compare_form_ignores_digits_case_and_spaces() -> None:
    assert fold(" លេខ  ០១២៣ ABC\u00a0x\u200by\ufeff") == "លេខ 0123 abc xy"


def test_flaws_are_named_and_placed() -> None:
    (coeng,) = validate("ក្ ខ្មែរ")
    assert (coeng.code, coeng.start, coeng.end) == ("V1", 1, 2)
    (vowel,) = validate("បង្គងឃ្មុំុ")
    assert "បង្គងឃ្មុំុ"[vowel.start : vowel.end] == "\u17bb"
    assert validate("ព្រះរាជាណាចក្រកម្ពុជា") == ()


@pytest.mark.parametrize("text", ["ក្ ខ", "ក៉\u200cក", "ក\u200dក", "កិិ", "ា", "១\u17d2។", "ក៓", "ក\ufeffក"])
def test_every_flaw_has_words_in_both_languages(text: str) -> None:
    (flaw, *_) = validate(text)
    khmer = flaw.words()
    catalog.use("en")
    assert khmer != flaw.words()


def test_12700_characters_are_normalised_in_50_ms(khmer_prose: str) -> None:
    assert min(_seconds(khmer_prose) for _ in range(5)) < 0.050


def _seconds(text: str) -> float:
    start = time.perf_counter()
    store(text)
    return time.perf_counter() - start
