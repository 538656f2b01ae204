"""Segments are counted as networks count, and cut where networks cut."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.messages import segments
from modules.messages.segments import Bits, count, split

KA = "ក"
BITS: tuple[Bits, ...] = (8, 16)
texts = st.text(alphabet=["a", "[", "€", KA, "😀", "្", "\n", "\u200b", "é"], max_size=500) | st.text(max_size=300)
gsm = st.text(alphabet="ab[€é\n~", max_size=700)

VECTORS = [
    ("", "GSM-7", 0, 1), ("a" * 160, "GSM-7", 160, 1), ("a" * 161, "GSM-7", 161, 2), ("a" * 306, "GSM-7", 306, 2),
    ("a" * 307, "GSM-7", 307, 3),
    ("€" * 80, "GSM-7", 160, 1), ("€" * 81, "GSM-7", 162, 2), ("€" * 153, "GSM-7", 306, 3),  # 76 pairs fit a part, not 76.5
    ("a" * 152 + "[" + "a" * 152, "GSM-7", 306, 3),
    (KA * 70, "UCS-2", 70, 1), (KA * 71, "UCS-2", 71, 2), (KA * 134, "UCS-2", 134, 2), (KA * 135, "UCS-2", 135, 3),
    ("😀" * 35, "UCS-2", 70, 1), ("😀" * 36, "UCS-2", 72, 2), (KA * 66 + "😀" + KA * 66, "UCS-2", 134, 3),
    ("`", "UCS-2", 1, 1), ("§", "GSM-7", 1, 1), ("\x1b", "UCS-2", 1, 1), ("ş", "UCS-2", 1, 1), ("\f", "GSM-7", 2, 1),
    ("a" * 160 + "“", "UCS-2", 161, 3),
]  # fmt: skip


@pytest.mark.parametrize(("text", "encoding", "units", "parts"), VECTORS)
def test_known_texts(text: str, encoding: str, units: int, parts: int) -> None:
    assert count(text) == (encoding, units, parts)


def test_a_larger_header_leaves_less_room() -> None:
    assert (count(KA * 133, 8).segments, count(KA * 133, 16).segments) == (2, 3)
    assert (count("a" * 306, 8).segments, count("a" * 306, 16).segments) == (2, 3)


def units_of(text: str, encoding: str) -> int:
    if encoding == "GSM-7":
        return sum(2 if sign in "\f^{}\\[~]|€" else 1 for sign in text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


@given(texts | gsm, st.sampled_from(BITS))
def test_parts_joined_are_the_text_and_each_is_full(text: str, bits: Bits) -> None:
    encoding, units, number = count(text, bits)
    parts = split(text, bits)
    assert "".join(parts) == text and len(parts) == number and units == units_of(text, encoding)
    room = {("GSM-7", 8): 153, ("UCS-2", 8): 67, ("GSM-7", 16): 152, ("UCS-2", 16): 66}[encoding, bits]
    if number == 1:
        assert units <= {"GSM-7": 160, "UCS-2": 70}[encoding]
        return
    assert units > {"GSM-7": 160, "UCS-2": 70}[encoding]
    sizes = [units_of(part, encoding) for part in parts]
    assert max(sizes) <= room
    for size, after in zip(sizes, parts[1:], strict=False):  # greedy: the next sign did not fit
        assert size + units_of(after[0], encoding) > room


@given(st.text(alphabet=[KA, "\u200b", "a"], max_size=200))
def test_without_breaks_the_reader_sees_the_same_for_no_more(text: str) -> None:
    bare = segments.without_breaks(text)
    assert bare == text.replace("\u200b", "") and count(bare).segments <= count(text).segments


def test_a_notice_typed_on_the_khmer_keyboard_costs_double() -> None:
    words = ["សូម", "អញ្ជើញ", "ប្រជាពលរដ្ឋ", "ចូលរួម", "ប្រជុំ", "នៅ", "សាលា", "ឃុំ", "ថ្ងៃ", "ច័ន្ទ", "ម៉ោង", "៨", "ព្រឹក"]
    typed = "\u200b".join(words)
    assert (count(typed).segments, count(segments.without_breaks(typed)).segments) == (2, 1)


def test_a_hundred_thousand_texts_a_second() -> None:
    some = ["សូមអញ្ជើញប្រជាពលរដ្ឋចូលរួមប្រជុំនៅសាលាឃុំ" * n for n in (1, 2, 3)] + ["Please come at 8", "é" * 200]
    start = time.process_time()
    for _ in range(4_000):
        for text in some:
            count(text)
    assert 20_000 / (time.process_time() - start) > 100_000
