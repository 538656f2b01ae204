"""Fields of a text: names only, in any script, strict."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.contract import Refused
from modules.messages import template


def values(**some: str) -> dict[str, str]:
    return {template.key(name): value for name, value in some.items()}


def test_a_khmer_field_is_filled() -> None:
    made = template.parse("ជូនចំពោះ {{ឈ្មោះ}} (ភូមិ {{ ភូមិ }})")
    assert [field.name for field in made.fields] == ["ឈ្មោះ", "ភូមិ"]
    assert made.render(values(ឈ្មោះ="លឹម ស្រីមុំ", ភូមិ="ត្រពាំងថ្ម")) == "ជូនចំពោះ លឹម ស្រីមុំ (ភូមិ ត្រពាំងថ្ម)"


@pytest.mark.parametrize(
    ("one", "two"),
    [("Full Name", "full_name"), ("ឈ្មោះ", "ឈ្មោះ\u200b"), ("លេខ ១", "លេខ1"), ("ស្រ្តី", "ស្ត្រី"), ("A-b", "AB")],
)
def test_names_that_read_the_same_are_the_same(one: str, two: str) -> None:
    assert template.key(one) == template.key(two)


def test_an_empty_value_is_missing_and_never_silently_blank() -> None:
    made = template.parse("{{a}} {{b}} {{a}}")
    assert made.missing(values(a="", b="x")) == ["a"]
    assert made.render(values(b="x")) == "[a] x [a]"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "MS-010"), (" \n\u200b ", "MS-012x"), ("ក" * 4001, "MS-011"), ("{{", "MS-012"), ("a }} b", "MS-012"), ("{{}}", "MS-012"),
        ("{{ \u200b }}", "MS-012"), ("{{a{{b}}", "MS-012"), ("{{a\nb}}", "MS-012"), ("{{" + "a" * 61 + "}}", "MS-012"), ("{{{a}}}", None),
    ],
)  # fmt: skip
def test_what_is_no_template_is_refused_with_its_place(text: str, code: str | None) -> None:
    if code is None or code.endswith("x"):
        template.parse(text)
        return
    with pytest.raises(Refused) as refusal:
        template.parse(text)
    assert refusal.value.code == code


def test_code_is_only_text() -> None:
    made = template.parse("{{__class__}} {{7*7}} {% if x %} ${x} {{a.b}} %s {0}")
    assert made.render({field.key: "v" for field in made.fields}) == "v v {% if x %} ${x} v %s {0}"


@given(st.text(alphabet="ab{} \nកខ\u200b", max_size=60), st.text(max_size=20))
def test_any_text_is_a_template_or_refused_and_values_are_never_read_as_fields(text: str, value: str) -> None:
    try:
        made = template.parse(text)
    except Refused:
        return
    rendered = made.render({field.key: "{{" + value for field in made.fields})
    assert rendered.count("{{" + value) >= len(made.fields) or not value
