"""Telephone numbers (acceptance check 14)."""

from __future__ import annotations

import pytest

from i18n.errors import Refused
from i18n.phones import national, parse_phone


@pytest.mark.parametrize(
    "typed", ["០១២៣៤៥៦៧៨", "012 345 678", "+855 12 345 678", "85512345678", "012-345-678", "0\u200b12345678"]
)
def test_one_number_in_many_writings(typed: str) -> None:
    assert parse_phone(typed) == "+85512345678"


def test_shown_as_people_say_it() -> None:
    assert national("+85512345678") == "012 345 678"
    assert national(parse_phone("០៩៦១២៣៤៥៦៧")) == "096 123 4567"
    assert national(parse_phone("+66 81 234 5678")) == "+66 81 234 5678"


@pytest.mark.parametrize(
    "typed", ["", "123", "012", "0123456789012", "0800FLOWERS", "012345678 ext 5", "+", "1" * 50, "+855 99"]
)
def test_what_is_no_number_is_refused(typed: str) -> None:
    with pytest.raises(Refused, match="TX-020"):
        parse_phone(typed)
