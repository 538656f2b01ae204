"""The grammar: precedence, names, what is refused and where; hostile expressions end quickly."""

from __future__ import annotations

import inspect
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from i18n.errors import explain
from modules.contract import Refused
from modules.forms.xpath import parse as grammar
from modules.forms.xpath.parse import parse
from modules.forms.xpath.syntax import Arithmetic, Comparison, Connective, Negation, Number, Path, Start, Union
from modules.forms.xpath.tokens import LONGEST, Kind, tokens
from tests.modules.forms.xpath.evaluating import refusal, value


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("1 + 2 * 3", 7.0), ("(1 + 2) * 3", 9.0), ("10 - 2 - 3", 5.0), ("2 * 3 mod 4", 2.0), ("-2 * -3", 6.0), ("- - 3", 3.0), ("--3", 3.0),
        ("3-2", 1.0), ("2 - -3", 5.0), ("12 div 4 div 3", 1.0), ("5 mod 3 + 1", 3.0), ("-5 mod 3", -2.0), ("5 mod -3", 2.0),
        ("5.5 mod 2", 1.5),
        ("1 < 2 = true()", True), ("1 = 1 = 1", True), ("3 > 2 > 1", False), ("1 or 0 and 0", True), ("0 and 1 or 1", True),
        ("1 div 0 > 5", True),
        ("'a' = \"a\"", True), ('"it\'s"', "it's"), ("1.5 + .5", 2.0), ("1. + 1", 2.0), ("true() != false()", True),
        ("1 AND 0 Or 1", True), ("7 DIV 2", 3.5),
        ("1 + 1 = 2 and 2 > 1", True),
        ("-/data/a", -5.0), ("-/data/a + 1", -4.0), ("/data/a * /data/b", 35.0), ("/data/a*2", 10.0), ("/data/a div/data/b < 1", True),
        (" \n\t1\r+\f1 ", 2.0), ("0.1 + 0.2 = 0.3", True), ("'5' = 5", True), ("'5.0' = 5", True), ("'5.0' = '5'", False),
        ("'2' > '10'", False),
        ("'a' < 'b'", False), ("true() = 'x'", True), ("1 div 0 = 1 div 0", True), ("0 div 0 = 0 div 0", False),
        ("0 div 0 != 0 div 0", True),
    ],
)  # fmt: skip
def test_operators(expression: str, wanted: object) -> None:
    assert value(expression) == wanted


def test_words_are_operators_only_between_operands() -> None:
    made = parse("div div mod")
    assert isinstance(made, Arithmetic) and made.rest[0][0] == "div"
    assert isinstance(parse("* * *"), Arithmetic)
    assert isinstance(parse("or or or"), Connective)
    assert [token.kind for token in tokens("a*b")] == [Kind.NAME, Kind.OPERATOR, Kind.NAME, Kind.END]


def test_a_name_may_hold_hyphens_points_and_khmer() -> None:
    assert isinstance(parse("a-b"), Path)
    assert isinstance(parse("a - b"), Arithmetic)
    assert value("/data/ឈ្មោះ") == ["សុខ"]
    assert value("string(/data/orx:a)") == "5"


def test_a_long_sum_is_flat() -> None:
    assert value("+".join(["1"] * 5_000)) == 5_000.0
    assert value("1" + " + /data/a" * 2_000) == 10_001.0
    assert value(" and ".join(["true()"] * 3_000)) is True
    assert value(" | ".join(["/data/a"] * 2_000)) == ["5"]


def test_where_a_path_begins() -> None:
    starts = {
        "/": Start.ROOT,
        "//a": Start.ROOT,
        "a": Start.HERE,
        ".": Start.HERE,
        "..": Start.HERE,
        "current()/../a": Start.CURRENT,
    }
    for expression, start in starts.items():
        made = parse(expression)
        assert isinstance(made, Path) and made.start is start, expression
    assert isinstance(parse("instance('x')/root"), Path)
    assert isinstance(parse("a | b"), Union)
    assert isinstance(parse("-a"), Negation)
    assert parse("5") == Number(5.0, 1)
    assert isinstance(parse("a = b"), Comparison)


@pytest.mark.parametrize(
    ("expression", "code", "place"),
    [
        ("", "FM-302", 1), ("1 +", "FM-302", 4), ("(1", "FM-302", 3), ("concat('a'", "FM-302", 11), ("a[1", "FM-302", 4),
        ("a/", "FM-302", 3),
        ("1 2", "FM-301", 3), (")", "FM-301", 1), ("a b", "FM-301", 3), ("1 = = 2", "FM-301", 5), ("a[]", "FM-301", 3),
        ("f(,)", "FM-301", 3),
        ("'abc", "FM-303", 1), ("1 ! 2", "FM-303", 3), ("a # b", "FM-303", 3), ("${}", "FM-303", 1), ("$a", "FM-303", 1),
        ("a & b", "FM-303", 3),
        ("@id", "FM-315", 1), ("/data/@id", "FM-315", 7), ("following::a", "FM-315", 1), ("text()", "FM-315", 1),
        ("a/comment()", "FM-315", 3),
        (". [1]", "FM-301", 3), ("1e5", "FM-301", 2),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused_with_its_place(expression: str, code: str, place: int) -> None:
    with pytest.raises(Refused) as refused:
        parse(expression)
    assert (refused.value.code, refused.value.values["place"]) == (code, place)
    for language in ("km", "en"):
        assert "…" not in explain(refused.value, language).what or code == "FM-302"


@pytest.mark.parametrize(
    "expression",
    [
        "(" * 30_000, "-" * 39_000 + "(", "a[" * 15_000, "f(" * 15_000, "1=" * 15_000, "if(a," * 7_000, "((((" * 100 + "1" + "))))" * 100,
        "." * 39_999, "/" * 39_999, "'" * 39_999, "${" * 19_999, "[" * 39_999, "not(" * 121 + "1" + ")" * 121,
        "a[" * 21 + "1" + "]" * 21,
    ],
)  # fmt: skip
def test_depth_is_bounded(expression: str) -> None:
    began = time.process_time()
    with pytest.raises(Refused) as refused:
        parse(expression)
    assert refused.value.code in ("FM-301", "FM-302", "FM-303", "FM-305")
    assert time.process_time() - began < 2


def test_length_is_bounded() -> None:
    with pytest.raises(Refused) as refused:
        parse("1" * (LONGEST + 1))
    assert refused.value.code == "FM-304"


def test_what_is_just_allowed_can_be_computed() -> None:
    deep = grammar.DEEPEST - 2
    assert value("not(" * deep + "true()" + ")" * deep) is (deep % 2 == 0)
    assert value("if(false(), 1, " * deep + "2" + ")" * deep) == 2.0
    assert value("-" * 1_001 + "1") == -1.0
    filters = grammar.DEEPEST_FILTER
    assert value("count(" + "/data[" * filters + "1" + "]" * filters + ")") == 1.0


def test_a_stack_that_is_deep_already_is_a_refusal() -> None:
    def down(left: int) -> object:
        return down(left - 1) if left else value("not(" * 110 + "true()" + ")" * 110)

    with pytest.raises(Refused) as refused:
        down(sys.getrecursionlimit() - len(inspect.stack(0)) - 100)
    assert refused.value.code == "FM-305"


@given(st.text(max_size=40))
def test_any_text_is_understood_or_refused(text: str) -> None:
    assert refusal(lambda: parse(text)) in {None, "FM-301", "FM-302", "FM-303", "FM-305", "FM-315"}


WORDS = ["1", "'a'", "/data/a", "row", "(", ")", "[", "]", "+", "-", "*", "div", "=", "<", "and", "|"]
WORDS += ["/", "//", "..", ".", "count(", ",", "position()", "${a}"]


@given(st.lists(st.sampled_from(WORDS), max_size=14))
def test_any_row_of_tokens_is_computed_or_refused(words: list[str]) -> None:
    code = refusal(lambda: value(" ".join(words)))
    assert code is None or code.startswith("FM-3")
