"""Numbers as people write them (acceptance check 14)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from i18n.errors import Refused
from i18n.numbers import (
    ascii_digits,
    format_number,
    in_words,
    khmer_digits,
    parse_decimal,
    parse_int,
    parse_riel,
    riel,
    riel_in_words,
)  # fmt: skip

WHOLE = st.integers(min_value=-(10**15), max_value=10**15)


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("0", 0), ("1250", 1250), ("១២៥០", 1250), ("១2", 12), ("-5", -5), ("−៥", -5), ("-0", 0), ("1,250,000", 1250000),
        ("១.២៥០.០០០", 1250000), ("១,២៥០,០០០", 1250000), ("1\u200b2\u200b3", 123), (" ១២ ", 12),
    ],
)  # fmt: skip
def test_whole_numbers(typed: str, value: int) -> None:
    assert parse_int(typed) == value
    assert parse_decimal(typed) == value


@pytest.mark.parametrize(
    ("typed", "value"),
    [("1.5", "1.5"), ("១,៥", "1.5"), ("1,234.5", "1234.5"), ("១.២៣៤,៥", "1234.5"), ("-0.25", "-0.25"),
     ("១១,៥៦២១", "11.5621"), ("-0.0", "0")],
)  # fmt: skip
def test_decimals(typed: str, value: str) -> None:
    assert parse_decimal(typed) == Decimal(value)
    with pytest.raises(Refused, match="TX-003"):
        parse_int(typed)


@pytest.mark.parametrize("typed", ["", "-", "abc", "1e5", "1_0", "1 000", "½", "١٢", "៛", "--1", "9" * 41, "+1", ".5"])
def test_what_is_no_number_is_refused(typed: str) -> None:
    for parse in (parse_int, parse_decimal, parse_riel):
        with pytest.raises(Refused, match="TX-001"):
            parse(typed)


@pytest.mark.parametrize(
    "typed", ["1.234,5", "1,2", "1.250.000", "12,50", "១,២៥០", "១2,5", "១.២៥", "1,25,000", "1.", "១២.៥", "1,250,"]
)
def test_what_could_mean_two_numbers_is_refused(typed: str) -> None:
    for parse in (parse_int, parse_decimal, parse_riel):
        with pytest.raises(Refused, match="TX-002"):
            parse(typed)


@pytest.mark.parametrize(
    "typed", ["១.២៥០.០០០ ៛", "1,250,000៛", "1250000 រៀល", "1250000 KHR", "1250000riels", "1250000"]
)
def test_riel_amounts(typed: str) -> None:
    assert parse_riel(typed) == 1250000


def test_written_amounts() -> None:
    assert riel(1250000) == "1,250,000៛"
    assert riel(1250000, "khmer") == "១.២៥០.០០០ ៛"
    assert format_number(Decimal("1234567.5"), "khmer") == "១.២៣៤.៥៦៧,៥"
    assert riel_in_words(5000) == "ប្រាំពាន់រៀលគត់"
    assert khmer_digits(2026) == "២០២៦"
    assert ascii_digits("ភូមិ ០៩\u200b៨") == "ភូមិ 098"


@given(WHOLE)
def test_what_is_written_is_read_back(n: int) -> None:
    assert parse_int(format_number(n)) == n
    assert parse_riel(riel(n)) == n
    assert parse_riel(riel(n, "khmer")) == n
    if abs(n) >= 10**6 or abs(n) < 1000:  # ៥.០០០ alone stays a group, so every Khmer number reads back too
        assert parse_int(format_number(n, "khmer")) == n


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=2))
def test_decimals_are_read_back(value: Decimal) -> None:
    assert parse_decimal(format_number(value)) == value
    assert parse_decimal(format_number(value, "khmer")) == value


@pytest.mark.parametrize(
    ("n", "words"),
    [
        (0, "សូន្យ"), (10, "ដប់"), (15, "ដប់ប្រាំ"), (20, "ម្ភៃ"), (21, "ម្ភៃមួយ"), (105, "មួយរយប្រាំ"), (2026, "ពីរពាន់ម្ភៃប្រាំមួយ"),
        (10_000, "មួយម៉ឺន"), (100_000, "មួយសែន"), (1_250_000, "មួយលានពីរសែនប្រាំម៉ឺន"), (-3, "ដកបី"), (10**9, "មួយពាន់លាន"),
        (123_456_789, "មួយរយម្ភៃបីលានបួនសែនប្រាំម៉ឺនប្រាំមួយពាន់ប្រាំពីររយប៉ែតសិបប្រាំបួន"),
    ],
)  # fmt: skip
def test_numbers_in_words(n: int, words: str) -> None:
    assert in_words(n) == words


@given(WHOLE, WHOLE)
def test_different_numbers_have_different_words(a: int, b: int) -> None:
    assert (in_words(a) == in_words(b)) == (a == b)
