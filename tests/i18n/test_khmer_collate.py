"""Khmer order of words (acceptance check 5)."""

from __future__ import annotations

import hashlib
import random
import sqlite3

from hypothesis import given
from hypothesis import strategies as st

from i18n import collate, gazetteer

ORDER = ["1", "២", "កូន", "កុំ", "កំពត", "កាំ", "កះ", "ក្រុង", "រដ្ឋ", "រូប", "ឫស្សី", "លុយ", "ឮ", "អាកាស", "ឥណ្ឌា", "abc"]
PROVINCES = ["កណ្ដាល", "កែប", "កំពង់ចាម", "កំពង់ឆ្នាំង", "កំពង់ធំ", "កំពង់ស្ពឺ", "កំពត", "កោះកុង", "ក្រចេះ", "តាកែវ", "ត្បូងឃ្មុំ"]
# SHA-256 of all place names in the order of ICU's Khmer collator
ICU_ORDER = "fbe6d71bf0d7c3a31f51b292a3f7cd3e42e381871bb64b1dfbbe9813b8124cfe"


def test_words_in_dictionary_order() -> None:
    shuffled = random.Random(7).sample(ORDER, len(ORDER))
    assert sorted(shuffled, key=collate.key) == ORDER


def test_provinces_start_as_in_the_dictionary() -> None:
    names = sorted((province.km for province in gazetteer.children()), key=collate.key)
    assert names[: len(PROVINCES)] == PROVINCES


def test_all_place_names_stand_as_icu_sorts_them(place_names: list[str]) -> None:
    ordered = sorted(place_names, key=collate.key)
    assert hashlib.sha256("\n".join(ordered).encode()).hexdigest() == ICU_ORDER


def test_sqlite_sorts_the_same() -> None:
    base = sqlite3.connect(":memory:")
    collate.install(base)
    base.execute("create table word(w text)")
    base.executemany("insert into word values (?)", [(word,) for word in reversed(ORDER)])
    assert [row[0] for row in base.execute("select w from word order by w collate KM")] == ORDER
    base.close()


@given(st.text(st.characters(min_codepoint=0x1780, max_codepoint=0x17E9), max_size=8), st.text(max_size=6))
def test_every_text_has_a_key_and_different_texts_differ(khmer: str, other: str) -> None:
    assert (collate.key(khmer) == collate.key(other)) == (khmer == other)


def test_robat_over_an_independent_vowel_and_odd_digits_have_keys() -> None:
    assert collate.key("ឧ៌") < collate.key("ឧ៌ក") < collate.key("²")
    assert collate.key("ក\u200bខ")[0] == collate.key("កខ")[0]
    assert collate.key("៉")[0] == ()
    assert collate.key("ក-ខ") < collate.key("ក១")
