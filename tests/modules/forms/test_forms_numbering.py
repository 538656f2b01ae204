"""Receipt numbers and the code on the paper: one spelling out, many spellings in, forgeries seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.contract import Refused
from modules.forms import numbering

LEASE = {"prefix": "0306-01-", "first": 1, "width": 6}
OP = "ab" * 32


def test_a_number_is_office_device_serial() -> None:
    assert numbering.number(LEASE, 213) == "0306-01-000214"
    assert numbering.number({**LEASE, "first": 999_999}, 1) == "0306-01-1000000"


@pytest.mark.parametrize("content", [{}, {"prefix": "0306-01-"}, {**LEASE, "prefix": "x"}, {**LEASE, "first": "1"}])
def test_a_lease_of_another_shape_is_refused(content: dict[str, object]) -> None:
    with pytest.raises(Refused, match="FM-041"):
        numbering.number(content, 0)


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_numbers_of_one_lease_are_never_the_same(a: int, b: int) -> None:
    assert (numbering.number(LEASE, a) == numbering.number(LEASE, b)) == (a == b)


@pytest.mark.parametrize(
    "typed",
    ["0306-01-000214", "០៣០៦-០១-០០០២១៤", " 0306 – 01 – 000214 ", "0306-1-214", "0306/01/000214", "214", "២១៤", "\u200b214",
     numbering.qr_text(OP, "0306-01-000214"), numbering.qr_text(OP, "0306-01-000214").lower() + "\r\n"],
)  # fmt: skip
def test_a_receipt_is_understood_however_it_comes(typed: str) -> None:
    assert numbering.read(typed).same("0306-01-000214")
    assert not numbering.read(typed).same("0306-01-000215")


def test_another_office_or_device_is_another_receipt() -> None:
    assert not numbering.read("0306-02-000214").same("0306-01-000214")
    assert not numbering.read("0307-01-000214").same("0306-01-000214")


@given(st.text(max_size=300))
def test_other_text_is_refused_and_nothing_else_happens(text: str) -> None:
    plain = "".join(text.split()).replace("\u200b", "")
    if plain and all(letter in "0123456789០១២៣៤៥៦៧៨៩-/:" or letter.isalpha() for letter in plain):
        return  # may be a receipt
    with pytest.raises(Refused, match="FM-035"):
        numbering.read(text)


def test_the_code_depends_on_every_part() -> None:
    code = numbering.check_code(OP, "0306-01-000214")
    assert len(code) == 10 and code == numbering.check_code(OP, "0306-01-000214")
    assert code != numbering.check_code("ac" * 32, "0306-01-000214")
    assert code != numbering.check_code(OP, "0306-01-000215")
    assert numbering.read(numbering.qr_text(OP, "0306-01-000214")).code == code
