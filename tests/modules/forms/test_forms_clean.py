"""Cleaning: what may be typed into each field, what is stored, and the laws that hold for all input."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from i18n.errors import catalogue
from i18n.normalise import store
from modules.contract import Refused
from modules.forms.clean import clean, line
from modules.forms.definition import Field, Option

Z = "\u200b"


def field(type: str, **rules: Any) -> Field:
    label = {"km": "ចំណុច", "en": "Field"}
    options = (
        Option("a", {"km": "ក្រហម", "en": "Red"}),
        Option("b", {"km": "ស", "en": "White"}),
        Option("c", {"km": "ខ្មៅ", "en": "Black"}),
    )
    return Field("x", type, label, "one", None, None, True, None, options if type.startswith("choice") else (), rules)  # type: ignore[arg-type]


GOOD: list[tuple[str, dict[str, Any], Any, Any]] = [
    ("text", {}, "  ហាង​កាត់​សក់ ", "ហាង កាត់ សក់"),
    ("text", {}, "ស្រ្តី", "ស្ត្រី"),
    ("text", {}, "a\u00a0\t b", "a b"),
    ("note", {}, f"មួយ{Z}ពីរ\r\n\r\n\r\n\r\nបី  \n", f"មួយ{Z}ពីរ\n\nបី"),
    ("number", {}, "៣", 3),
    ("number", {}, f" ១{Z}២ ", 12),
    ("number", {}, "1,234", 1234),
    ("number", {}, "១.២៣៤", 1234),
    ("number", {}, 7, 7),
    ("number", {}, "-4", -4),
    ("number", {"decimals": 2}, "12.50", "12.5"),
    ("number", {"decimals": 2}, "១២,៥", "12.5"),
    ("number", {"decimals": 1}, 3, "3"),
    ("date", {}, "១៧/០៥/១៩៩០", "1990-05-17"),
    ("date", {}, f"17{Z}/05/1990", "1990-05-17"),
    ("date", {}, "17051990", "1990-05-17"),
    ("date", {}, "17 5 1990", "1990-05-17"),
    ("date", {}, "17.05.1990", "1990-05-17"),
    ("date", {}, "1990-05-17", "1990-05-17"),
    ("date", {}, "ថ្ងៃទី១៧ ខែឧសភា ឆ្នាំ១៩៩០", "1990-05-17"),
    ("date", {}, "29/02/2024", "2024-02-29"),
    ("id_card", {}, f"០១២{Z}៣៤៥ ៦៧៨", "012345678"),
    ("id_card", {}, "010123456(01)", "01012345601"),
    ("phone", {}, f"០១២{Z}៣៤៥{Z}៦៧៨", "+85512345678"),
    ("phone", {}, "+855 12 345 678", "+85512345678"),
    ("phone", {}, "012-345-678", "+85512345678"),
    ("yes_no", {}, True, True),
    ("yes_no", {}, "ទេ", False),
    ("yes_no", {}, "ចាស", True),
    ("choice", {}, "b", "b"),
    ("choice", {}, "ស", "b"),
    ("choice", {}, "Red", "a"),
    ("choices", {}, ["c", "a", "c"], ["a", "c"]),
    ("choices", {}, "b", ["b"]),
    ("name", {}, {"km": f"លឹម{Z}ស្រីមុំ", "latin": " lim  sreymom "}, {"km": "លឹម ស្រីមុំ", "latin": "LIM SREYMOM"}),
    ("name", {}, {"latin": "Béatrice O'Neil-Sok"}, {"km": "", "latin": "BÉATRICE O'NEIL-SOK"}),
    ("name", {}, "លឹម ស្រីមុំ", {"km": "លឹម ស្រីមុំ", "latin": ""}),
    ("address", {"house": True}, {"code": "០៣០៦០១០១", "house": "១២"}, {"code": "03060101", "house": "១២"}),
    ("address", {}, "0306", {"code": "0306", "house": ""}),
    ("address", {"house": True}, {"house": "១២ ផ្លូវ២"}, {"code": "", "km": "", "house": "១២ ផ្លូវ២"}),
]


@pytest.mark.parametrize(("kind", "rules", "typed", "stored"), GOOD)
def test_what_is_typed_becomes_what_is_stored(kind: str, rules: dict[str, Any], typed: Any, stored: Any) -> None:
    made = clean(field(kind, **rules), typed)
    if kind == "address":
        assert {**made, **stored} == made
    else:
        assert made == stored and type(made) is type(stored)
    assert clean(field(kind, **rules), made) == made


BAD: list[tuple[str, dict[str, Any], Any, str]] = [
    ("number", {}, "បី", "TX-001"),
    ("number", {}, "1.234,5", "TX-002"),
    ("number", {}, "1.5", "TX-003"),
    ("number", {}, True, "FM-120"),
    ("number", {}, 1.5, "FM-120"),
    ("number", {"decimals": 1}, "1.25", "FM-119"),
    ("number", {}, "9" * 50, "TX-001"),
    ("date", {}, "31/02/2024", "TX-011"),
    ("date", {}, "17/5", "TX-010"),
    ("date", {}, "11/22/2026", "TX-011"),
    ("date", {}, ["1990"], "FM-120"),
    ("id_card", {}, "A12345", "FM-110"),
    ("id_card", {}, "1" * 21, "FM-110"),
    ("phone", {}, "12", "TX-020"),
    ("phone", {}, "call me", "TX-020"),
    ("yes_no", {}, "maybe", "FM-120"),
    ("choice", {}, "d", "FM-114"),
    ("choices", {}, ["a", "z"], "FM-114"),
    ("choices", {}, [{}], "FM-120"),
    ("name", {}, {"km": "Lim"}, "FM-117"),
    ("name", {}, {"latin": "លឹម"}, "FM-118"),
    ("name", {}, {"latin": "<b>LIM"}, "FM-118"),
    ("name", {}, {"km": "លឹម", "age": "3"}, "FM-120"),
    ("name", {}, {"km": 3}, "FM-120"),
    ("name", {}, {"km": "ក" * 300}, "FM-109"),
    ("address", {}, {"code": "9999"}, "FM-112"),
    ("address", {}, {"code": "03060101", "gps": "1"}, "FM-120"),
    ("address", {}, 7, "FM-120"),
    ("text", {}, "ក" * 20_001, "FM-109"),
    ("text", {}, {"a": 1}, "FM-120"),
    ("fee", {}, 100, "FM-012"),
    ("attachment", {}, "x.png", "FM-014"),
]


@pytest.mark.parametrize(("kind", "rules", "typed", "code"), BAD)
def test_what_cannot_be_read_is_refused_with_its_reason(
    kind: str, rules: dict[str, Any], typed: Any, code: str
) -> None:
    with pytest.raises(Refused, match=code):
        clean(field(kind, **rules), typed)


TYPES = ["name", "text", "note", "number", "date", "id_card", "phone", "address", "yes_no", "choice", "choices"]
anything = (
    st.text(max_size=60) | st.text("០១២៣៤៥៦៧៨៩0123456789/-. ,\u200b", max_size=30) | st.integers() | st.booleans()
)
keys = st.sampled_from(["km", "latin", "code", "house"])
anything |= st.lists(st.text(max_size=5), max_size=3) | st.dictionaries(keys, st.text(max_size=20))


@given(st.sampled_from(TYPES), anything)
def test_cleaning_is_total_and_stable(type: str, raw: Any) -> None:
    """Whatever is given: a refusal with a known code or a value, and cleaning that value again changes nothing."""
    asked = field(type, **({"house": True} if type == "address" else {}))
    try:
        once = clean(asked, raw)
    except Refused as error:
        code, once = error.code, None
    else:
        code = ""
    assert not code or code in catalogue()
    assert once is None or clean(asked, once) == once


@given(st.integers(-(10**12), 10**12), st.booleans())
def test_digits_of_either_script_are_one_number(number: int, khmer: bool) -> None:
    typed = str(number).translate(str.maketrans("0123456789", "០១២៣៤៥៦៧៨៩")) if khmer else str(number)
    assert clean(field("number"), f"{Z}{typed}{Z}") == number


@given(st.dates())
def test_a_date_is_one_date_however_it_is_typed(day: Any) -> None:
    if not 1800 <= day.year <= 2200:
        return
    khmer = str.maketrans("0123456789", "០១២៣៤៥៦៧៨៩")
    for typed in (
        day.isoformat(),
        day.strftime("%d/%m/%Y"),
        day.strftime("%d%m%Y"),
        day.strftime("%d/%m/%Y").translate(khmer),
    ):
        assert clean(field("date"), typed) == day.isoformat()


@given(st.text(max_size=80))
def test_a_line_is_normal_text_on_one_line(raw: str) -> None:
    made = line(raw)
    assert Z not in made and "\n" not in made and made == made.strip() and "  " not in made
    assert store(made) == made and line(made) == made
