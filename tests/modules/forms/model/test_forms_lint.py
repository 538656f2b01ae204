"""The linter: what it finds, and that it says nothing about what is possible."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import pytest

from modules.forms.library import ASSETS
from modules.forms.model.changes import changes
from modules.forms.model.conditions import ways
from modules.forms.model.form import AnyItem, ChoiceList, Choices, Field, Form, Group, Repeat, Row
from modules.forms.model.identity import keep_ids
from modules.forms.model.lint import lint
from modules.forms.model.reading import read_form

WORDS = {"km": "ក", "en": "a"}
PROVINCES = ChoiceList(rows=(Row(id="12", label=WORDS), Row(id="08", label=WORDS)))
DISTRICTS = ChoiceList(
    rows=(
        Row(id="1201", label=WORDS, columns={"province": "12"}),
        Row(id="1202", label=WORDS, columns={"province": "12"}),
    )
)


def field(id: str, type: str = "text", **more: Any) -> Field:
    return Field(id=id, name=id, type=type, **{"label": WORDS, **more})


def form(*items: AnyItem, **lists: ChoiceList) -> Form:
    return Form(id="abc", version=1, title=WORDS, languages=("km", "en"), items=items, lists=lists)


def codes(made: Form, older: Form | None = None) -> list[tuple[str, str]]:
    return [(one.code, one.where) for one in lint(made, older)]


@pytest.mark.parametrize("path", sorted((ASSETS / "forms").glob("*-1.json")), ids=lambda path: path.stem)
def test_the_shipped_forms_are_clean(path: Any) -> None:
    assert lint(read_form(path.read_bytes())) == []


def test_missing_translations_and_dashes() -> None:
    made = form(
        field("a", label={"km": "ក"}),
        field("b", label={"km": "ក", "en": "-"}),
        field("c", label={"und": "x"}),
        field("d"),
    )
    assert codes(made) == [("FM-431", "a"), ("FM-431", "b")]


def test_codes_that_stand_twice_and_empty_lists() -> None:
    same = ChoiceList(rows=(Row(id="1", label=WORDS), Row(id="1", label=WORDS)))
    by_filter = ChoiceList(
        rows=(Row(id="1", label=WORDS, columns={"p": "a"}), Row(id="1", label=WORDS, columns={"p": "b"}))
    )
    made = form(
        field("a", "select_one", choices=Choices(list="none")), same=same, by_filter=by_filter, none=ChoiceList()
    )
    assert codes(made) == [("FM-443", "none"), ("FM-432", "same"), ("FM-432", "by_filter")] or set(codes(made)) == {
        ("FM-443", "none"), ("FM-432", "same"), ("FM-432", "by_filter")
    }  # fmt: skip
    assert [one.grade for one in lint(made) if one.where == "by_filter"] == ["note"]


@pytest.mark.parametrize(
    "filter", ["province = ${p}", "province=/data/p", "../p = province", "province = ${p} and kind = 'x'"]
)
def test_a_cascade_without_choices_is_named_by_its_value(filter: str) -> None:
    made = form(
        field("p", "select_one", choices=Choices(list="provinces")),
        field("d", "select_one", choices=Choices(list="districts", filter=filter)),
        provinces=PROVINCES, districts=DISTRICTS,
    )  # fmt: skip
    found = [one for one in lint(made) if one.code == "FM-433"]
    assert [(one.where, one.values["value"]) for one in found] == [("d", "08")]
    whole = dataclasses.replace(
        DISTRICTS, rows=(*DISTRICTS.rows, Row(id="0801", label=WORDS, columns={"province": "08"}))
    )
    assert "FM-433" not in {
        code for code, _ in codes(dataclasses.replace(made, lists={"provinces": PROVINCES, "districts": whole}))
    }


def test_a_filter_by_a_column_that_is_not_there() -> None:
    made = form(
        field("p", "select_one", choices=Choices(list="provinces")),
        field("d", "select_one", choices=Choices(list="districts", filter="region = ${p}")), provinces=PROVINCES, districts=DISTRICTS,
    )  # fmt: skip
    assert codes(made) == [("FM-444", "d")]


@pytest.mark.parametrize(
    ("relevant", "never"),
    [
        ("${p} = '12'", False),
        ("${p} = '99'", True),
        ("selected(${p}, '99')", True),
        ("${p} = '12' and ${p} = '08'", True),
        ("${p} = '12' or ${p} = '08'", False),
        ("(${p} = '99' or ${p} = '98') and ${n} > 1", True),
        ("${n} > 5 and ${n} < 3", True),
        ("${n} >= 5 and ${n} <= 5", False),
        ("${n} > 5 and ${n} <= 5", True),
        ("${n} = 1 and ${n} = 1.0", False),
        ("${n} = 1 and ${n} != 1", True),
        ("false()", True),
        ("not(false())", False),
        ("selected(${m}, '12') and selected(${m}, '08')", False),
        ("selected(${m}, '12') and selected(${m}, '99')", True),
        ("'99' = ${p}", True),
        ("${p} = 'a and b'", True),
        ("${p} = ''", False),
        ("count(/data/r) > 5 and count(/data/r) < 2", False),
    ],
)
def test_what_can_never_be_shown(relevant: str, never: bool) -> None:
    made = form(
        field("p", "select_one", choices=Choices(list="provinces")), field("m", "select_multiple", choices=Choices(list="provinces")),
        field("n", "integer"), Repeat(id="r", name="r", label=WORDS, items=(field("y"),)),
        field("x", relevant=relevant), provinces=PROVINCES,
    )  # fmt: skip
    assert (("FM-436", "x") in codes(made)) is never


def test_a_condition_is_looked_at_with_those_of_its_groups() -> None:
    inner = field("x", relevant="${p} = '08'")
    made = form(
        field("p", "select_one", choices=Choices(list="provinces")),
        Group(id="g", name="g", label=WORDS, relevant="${p} = '12'", items=(inner,)), provinces=PROVINCES,
    )  # fmt: skip
    assert codes(made) == [("FM-436", "x")]


def test_rows_of_a_repeat_seen_from_outside_may_differ() -> None:
    row = field("k", "select_one", choices=Choices(list="provinces"))
    made = form(
        Repeat(id="r", name="r", label=WORDS, items=(row,)),
        field("x", relevant="${k} = '12' and ${k} = '08'"),
        provinces=PROVINCES,
    )
    assert codes(made) == []


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ({"constraint": ". > 5 and . < 3"}, True),
        ({"constraint": ". > 5 or . < 3"}, False),
        ({"parameters": {"min": "9", "max": "10"}}, False),
        ({"parameters": {"min": "10", "max": "9"}}, True),
    ],
)
def test_bounds_that_nothing_keeps(more: dict[str, Any], wrong: bool) -> None:
    assert (codes(form(field("n", "integer", **more))) == [("FM-437", "n")]) is wrong


def test_circles_are_named_with_their_way() -> None:
    made = form(
        field("a", "calculate", label={}, calculate="${b} + 1"), field("b", "calculate", label={}, calculate="${c}"),
        field("c", "calculate", label={}, calculate="${a}"), field("d", relevant="${d} = 1"), field("e", constraint=". > ${e}"),
    )  # fmt: skip
    found = [one for one in lint(made) if one.code == "FM-438"]
    assert [one.values["way"] for one in found] == ["a → b → c → a", "ក → ក"]


def test_a_long_chain_is_no_circle() -> None:
    made = form(
        *(field(f"f{n}", "calculate", label={}, calculate=f"${{f{n + 1}}}" if n < 1_999 else "1") for n in range(2_000))
    )
    assert lint(made) == []


def test_names_that_lead_nowhere() -> None:
    made = form(
        field("a", relevant="${nobody} = 1"), field("b", calculate="/data/gone"), field("c", constraint="instance('lost')/root/item"),
        field("d", label={"km": "ក ${../lost}", "en": "a"}), field("e", relevant="${a} = /data/b and ../c != '' and /data/meta/instanceID"),
    )  # fmt: skip
    found = {(one.where, one.values["path"]) for one in lint(made)}
    assert found == {("a", "${nobody}"), ("b", "/data/gone"), ("c", "instance('lost')"), ("d", "/data/lost")}


@pytest.mark.parametrize(
    ("expression", "code"), [("1 +", "FM-302"), ("'", "FM-303"), ("no_such_function(1)", "FM-306"), ("../a + 2", "")]
)
def test_expressions_that_cannot_be_understood_are_told_in_the_compilers_words(expression: str, code: str) -> None:
    made = form(field("a"), field("x", calculate=expression))
    found = [one for one in lint(made) if one.where == "x"]
    assert [one.code for one in found] == ([code] if code else [])
    assert all(one.words("km") != one.words("en") for one in found)


def test_what_a_new_version_would_cost() -> None:
    older = form(
        field("a"), field("b"), field("c", "integer"), field("k", "select_one", choices=Choices(list="provinces")), provinces=PROVINCES,
    )  # fmt: skip
    fewer = dataclasses.replace(PROVINCES, rows=PROVINCES.rows[:1])
    newer = form(
        dataclasses.replace(field("a"), name="renamed"), field("c", "text"), field("k", "select_one", choices=Choices(list="provinces")),
        provinces=fewer,
    )  # fmt: skip
    assert set(codes(newer, older)) == {("FM-434", "b"), ("FM-435", "a"), ("FM-440", "c"), ("FM-441", "k")}


def test_a_question_that_moves_into_a_repeat_changes_what_its_answers_are() -> None:
    older, newer = form(field("a")), form(Repeat(id="r", name="r", label=WORDS, items=(field("a"),)))
    assert codes(newer, older) == [("FM-440", "a")]


def test_a_condition_with_very_many_ways_is_left_alone() -> None:
    assert ways(" and ".join(f"(${{a}} = {n} or ${{b}} = {n})" for n in range(40))) is None


@pytest.mark.parametrize(
    "relevant",
    ["(" * 10_000 + "1" + ")" * 10_000, "../" * 13_000, "/a " * 13_000, "[" * 39_000, "number( " * 4_900, "'" * 39_001,
     "${a} = 1 and " * 3_000],
)  # fmt: skip
def test_no_expression_costs_more_than_its_length(relevant: str) -> None:
    made = form(field("a"), field("x", relevant=relevant))
    began = time.process_time()
    lint(made, made)
    assert time.process_time() - began < 2


def test_thousands_of_changes_are_told_in_seconds() -> None:
    many = [field(f"f{number}") for number in range(3_000)]
    rows = [Row(id=str(number), label=WORDS) for number in range(20_000)]
    before = form(*many, l=ChoiceList(rows=tuple(rows)))
    after = form(*reversed(many), l=ChoiceList(rows=tuple(reversed(rows))))
    began = time.process_time()
    assert len(changes(before, after)) == 2_999 + 19_999
    assert keep_ids(after, before) == after
    assert time.process_time() - began < 5
