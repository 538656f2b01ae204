"""Relevance and constraints, interpreted from data: what is asked, what is wrong, what is only unusual."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from i18n.errors import catalogue
from modules.forms import rules
from modules.forms.definition import Condition, Definition, Field, Option, Section
from modules.forms.library import Library
from modules.forms.rules import Problem

TODAY = date(2026, 11, 22)
LABEL = {"km": "ចំណុច", "en": "Field"}


def field(
    id: str = "x", type: str = "text", show_if: Condition | None = None, required: bool = False, **more: Any
) -> Field:
    options = tuple(Option(name, LABEL) for name in more.pop("options", ()))
    return Field(id, type, LABEL, "one", None, None, required, show_if, options, more)  # type: ignore[arg-type]


def form(*fields: Field) -> Definition:
    return Definition(
        "f", 1, None, LABEL, None, {"person": "x"}, (), (Section("one", LABEL, None, None, fields),), "", {}
    )


def codes(asked: Field, value: Any) -> list[str]:
    return [code for code, _ in rules.wrong(asked, value, TODAY)]


@pytest.mark.parametrize(
    ("asked", "value", "expected"),
    [
        (field(required=True), None, ["FM-101"]),
        (field(required=False), None, []),
        (field(type="attachment", required=True), None, ["FM-115"]),
        (field(min_length=3), "ខ្ញុំ", ["FM-107"]),
        (field(max_length=2), "ខ្ញុំ", []),
        (field(max_length=2), "ស្ត្រីខ្មែរ", ["FM-108"]),
        (field(type="note", max_length=1), "ព្រះ", []),
        (field(type="number", min=2, max=4), 1, ["FM-102"]),
        (field(type="number", min=2, max=4), 5, ["FM-103"]),
        (field(type="number", min=2, max=4), 4, []),
        (field(type="number", min=2, decimals=1), "1.9", ["FM-102"]),
        (field(type="date", max="today"), "2026-11-22", []),
        (field(type="date", max="today"), "2026-11-23", ["FM-104"]),
        (field(type="date", min="1900-01-01"), "1899-12-31", ["FM-105"]),
        (field(type="date", min="today"), "2026-11-21", ["FM-105"]),
        (field(type="date", max="2026-01-01"), "2026-01-02", ["FM-106"]),
        (field(type="yes_no", must=True), False, ["FM-121"]),
        (field(type="yes_no", must=True), True, []),
        (field(type="choices", options=("a", "b", "c"), min=2), ["a"], ["FM-122"]),
        (field(type="choices", options=("a", "b", "c"), max=1), ["a", "b"], ["FM-123"]),
        (field(type="name"), {"km": "លឹម ស្រី", "latin": ""}, []),
        (field(type="name", latin_required=True), {"km": "លឹម ស្រី", "latin": ""}, ["FM-116"]),
        (field(type="name"), {"km": "", "latin": "LIM"}, ["FM-101"]),
        (field(type="name"), {"km": "ក" * 61, "latin": "LIM"}, ["FM-108"]),
        (field(type="address", level="village"), {"code": "0306", "km": "", "house": ""}, ["FM-113"]),
        (field(type="address", level="commune"), {"code": "030601", "km": "", "house": ""}, []),
        (field(type="address", level="commune"), {"code": "03060101", "km": "", "house": ""}, []),
        (field(type="address"), {"code": "", "km": "", "house": "12"}, ["FM-101"]),
    ],
)
def test_constraints(asked: Field, value: Any, expected: list[str]) -> None:
    assert codes(asked, value) == expected


@pytest.mark.parametrize(
    ("asked", "value", "expected"),
    [
        (field(type="id_card"), "012345678", []),
        (field(type="id_card"), "0123456789", []),
        (field(type="id_card"), "12345", ["FM-151"]),
        (field(type="name"), {"km": "ស្រីមុំ", "latin": ""}, ["FM-152"]),
        (field(type="text"), "បង្គងឃ្មុំុ", ["FM-153"]),
        (field(type="text"), None, []),
    ],
)
def test_hints_stop_nothing(asked: Field, value: Any, expected: list[str]) -> None:
    assert [code for code, _ in rules.hints(asked, value)] == expected


CHAIN = form(
    field("a", "yes_no"),
    field("b", "choice", Condition("a", (True,)), options=("one", "two")),
    field("c", "text", Condition("b", ("one", "two")), required=True),
    field("d", "choices", options=("p", "q", "r")),
    field("e", "number", Condition("d", ("q", "r")), required=True),
    field("f", "text", Condition("e", (1,))),
)


def asked(answers: dict[str, Any]) -> str:
    return "".join(one.id for one in rules.shown(CHAIN, answers))


def test_a_question_hangs_on_the_answers_before_it() -> None:
    assert asked({}) == "ad"
    assert asked({"a": True}) == "abd"
    assert asked({"a": True, "b": "two"}) == "abcd"
    assert asked({"a": False, "b": "two", "c": "x"}) == "ad", "a hidden answer opens nothing"
    assert asked({"d": ["p", "q"], "e": 1}) == "adef"
    assert asked({"a": 1}) == "ad", "1 is not yes"
    assert asked({"d": ["q"], "e": True}) == "ade", "yes is not 1"


def test_hidden_answers_do_not_count() -> None:
    answers = {"a": False, "b": "one", "c": "x", "d": ["p"], "e": 3}
    assert rules.relevant(CHAIN, answers) == {"a": False, "d": ["p"]}
    assert rules.problems(CHAIN, answers, {}, TODAY) == []
    assert [one.field for one in rules.problems(CHAIN, {"a": True, "b": "one", "d": ["q"]}, {}, TODAY)] == ["c", "e"]


answer_sets = st.fixed_dictionaries(
    {},
    optional={
        "a": st.booleans(), "b": st.sampled_from(["one", "two", "three"]), "c": st.text(max_size=3),
        "d": st.lists(st.sampled_from(["p", "q", "r"]), max_size=3), "e": st.integers(0, 2), "f": st.text(max_size=3),
    },
)  # fmt: skip


@given(answer_sets)
def test_what_counts_is_asked_and_stays_so(answers: dict[str, Any]) -> None:
    """Dropping hidden answers changes neither what is asked nor what counts."""
    kept = rules.relevant(CHAIN, answers)
    assert rules.relevant(CHAIN, kept) == kept
    assert rules.shown(CHAIN, kept) == rules.shown(CHAIN, answers)


def test_every_problem_is_found_at_once_with_words_in_both_languages() -> None:
    barber = Library().current("barber-licence")
    found = rules.problems(barber, {"chairs": 9, "sign": True}, {}, TODAY)
    assert {"applicant", "dob", "phone", "address", "chairs", "sign_words", "id_scan"} <= {one.field for one in found}
    for one in found:
        said = one.json()["words"]
        assert said["km"] and said["en"] and "…" not in said["km"] + said["en"] and "{" not in said["km"] + said["en"]
    counts = {
        row["id"]: (row["answered"], row["of"])
        for row in rules.completeness(barber, {"chairs": 9, "sign": True}, found)
    }
    assert counts["business"] == (2, 10) and counts["payment"] == (1, 1)


def test_text_that_cannot_be_read_is_the_problem_of_its_field() -> None:
    unread = {"a": Problem("a", "one", "FM-120", {"label": LABEL})}
    assert rules.problems(CHAIN, {}, unread, TODAY) == [unread["a"]]


def test_every_code_of_this_module_stands_in_the_catalogue() -> None:
    import re
    from pathlib import Path

    used = set()
    for path in Path(rules.__file__).parent.rglob("*.py"):
        used |= set(re.findall(r'"(FM-\d{3})"', path.read_text("utf-8")))
    known = {code for code in catalogue() if code.startswith("FM-")}
    assert used <= known
    assert known <= used, f"no line raises {sorted(known - used)}"
