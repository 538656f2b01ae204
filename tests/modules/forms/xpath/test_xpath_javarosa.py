"""Random expressions over random forms give what JavaRosa gives; where the two differ on purpose, each case stands here with its reason."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modules.contract import Refused
from modules.forms.xpath import Context, compile_expression, files, trial
from modules.forms.xpath.regex import fits
from modules.forms.xpath.values import string
from tests.modules.forms.xpath.expressions import Expressions, form
from tests.modules.forms.xpath.oracle import FORM, JavaRosa, missing
from tests.modules.forms.xpath.test_xpath_regex import PATTERNS

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())
FORMS, QUESTIONS = 6, 120


@pytest.fixture(scope="module")
def javarosa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JavaRosa]:
    made = JavaRosa(tmp_path_factory.mktemp("oracle"))
    yield made
    made.close()


def ours(world: Any, place: str, expression: str) -> tuple[str, Any]:
    names, node = files.place(world, place)
    try:
        made = trial.result(compile_expression(expression, at=names), Context(world, node))
    except Refused as error:
        return "error", error.code
    value = made["value"]
    return made["type"], float(value) if made["type"] == "number" else value


def agree(mine: tuple[str, Any], theirs: tuple[str, Any]) -> bool:
    """Alike in type and value; JavaRosa's if() and coalesce() may hand the one node on whose value is ours."""
    a, b = mine[1], theirs[1]
    if theirs[0] == "nodeset" and mine[0] != "nodeset" and len(b) <= 1:
        return string(a) == (b[0] if b else "")
    if mine[0] != theirs[0]:
        return False
    if mine[0] == "number":
        return (math.isnan(a) and math.isnan(b)) or a == b or math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-12)
    return bool(a == b)


def somewhere(world: Any, made: random.Random) -> tuple[str, int]:
    """A question outside of rows, in a row, or in a row of a row, and how deep that is."""
    rows = world.root.children("data")[0].children("row")
    row, depth = made.randint(1, len(rows)), made.randint(0, 2)
    inner = made.randint(1, len(rows[row - 1].children("sub")))
    return ("/data/out", f"/data/row[{row}]/y", f"/data/row[{row}]/sub[{inner}]/q")[depth], depth


@pytest.mark.parametrize("seed", range(FORMS))
def test_random_expressions_agree(javarosa: JavaRosa, tmp_path: Path, seed: int) -> None:
    made = random.Random(seed)
    path = tmp_path / "form.xml"
    path.write_text(form(FORM, made), "utf-8")
    javarosa.open(path)
    world = files.read_answers(path.read_bytes(), name="form.xml")
    asked = [
        (place, Expressions(made, depth).any()) for place, depth in (somewhere(world, made) for _ in range(QUESTIONS))
    ]
    differ = [
        f"{place}  {expression}\n    ours {mine}, JavaRosa {theirs}"
        for (place, expression), theirs in zip(asked, javarosa.ask(asked), strict=True)
        if not agree(mine := ours(world, place, expression), theirs)
    ]
    assert not differ, "\n".join(differ)


def test_patterns_mean_what_they_mean_in_java(javarosa: JavaRosa) -> None:
    javarosa.open(FORM)
    tried = [(pattern, text) for pattern, yes, no in PATTERNS for text in yes + no if "'" not in pattern]
    said = javarosa.ask([("/data/out", f"regex('{text}', '{pattern}')") for pattern, text in tried])
    assert [
        pair for pair, answer in zip(tried, said, strict=True) if answer != ("boolean", fits(pair[0], pair[1]))
    ] == []


DIFFER = [
    # XPath 1.0 and ODK's specification are explicit, JavaRosa does otherwise
    ("number('2012-01-31')", 15370.0, math.nan, "number() turns dates in a text into days"),
    ("number(/data/dt)", 15370 + 3.5 / 24, 15370.0, "a dateTime counts with its part of the day, in UTC"),
    ("/data/dt - /data/date", 10.5 / 24, 0.0, "the same; a date beside it is the midnight it begins at"),
    ("/data/date > '2012-01-01'", True, False, "comparing calls number()"),
    ("string(/data/dt)", "2012-01-31T10:30:00.000+07:00", "2012-01-31", "a dateTime is written with its time"),
    ("string(3000000000)", "3000000000", "3.0E9", "XPath 1.0 knows no exponents"),
    ("string(0.0000001)", "0.0000001", "1.0E-7", "the same"),
    ("boolean(0.0000000000001)", True, False, "a number is false when it is 0 or NaN"),
    ("max(-5, -3)", -3.0, 5e-324, "JavaRosa begins at the smallest positive number"),
    ("min('a', 2)", math.nan, 2.0, "XPath 3.0: NaN among them gives NaN; only what is not answered is left out"),
    ("sum(/data/row/y)", math.nan, 0.0, "XPath 1.0, as above"),
    ("round(-1234, -2)", -1200.0, -1100.0, "JavaRosa cuts where it should round down"),
    ("pow(1, 0 div 0)", 1.0, math.nan, "XPath 3.0, math:pow"),
    ("number('1,5')", math.nan, 1.5, "XPath 1.0; a comma between thousands would become a point"),
    ("selected('a b c', 'a b')", False, True, "one item of the list, not two"),
    ("checklist(1, 1, 'no')", False, True, "what is more than 0 as a number, or yes, is ticked"),
    ("weighted-checklist(3, -1, true(), 4)", True, False, "-1 is no bound, as in checklist"),
    ("/data/row[2]/x", ["2"], [], "a number in a predicate is a position"),
    ("instance('list')/root/item[2]/label", ["Banana"], [], "the same"),
    ("decimal-date-time('1970-01-02')", 1.0, 0.7083333333333334, "days since 1970 began in UTC; the inverse of date()"),
    # JavaRosa refuses what the specification allows
    ("/data/row/x = 2", True, None, "a comparison is true when one of the nodes fits"),
    ("string(/data/row/x)", "1", None, "the text of a set is that of its first node"),
    ("count(//x)", 4.0, None, "// is one of the paths"),
    ("/data/row/x | /data/i", ["5", "1", "2", "3"], None, "| is one of the operators"),
    ("concat('a', /data/row/y, 1)", "aabc1", None, "every node of a set, whatever else stands there"),
    ("max(/data/row/x, 5)", 5.0, None, "sets among other values"),
    ("area('0 0; 0 1; 1 1; 0 0') > 0", True, None, "a geoshape may be a text"),
    ("intersects('0 0; 1 1; 0 1; 1 0')", True, None, "added to the specification later; Collect brings it itself"),
    ("pulldata('list', 'label', 'name', 'c')", "Cherry", None, "Collect brings it itself"),
    # nothing stops a form while it is filled in
    ("date('abc')", "", None, "what is no date is empty"),
    ("decimal-time('x')", math.nan, None, "what is no time is NaN"),
    ("distance('x')", math.nan, None, "what is no place is NaN"),
    ("selected(/data/choices, 3)", False, None, "the choice is taken as text"),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "mine", "theirs", "reason"), DIFFER)
def test_where_the_two_differ_on_purpose(
    javarosa: JavaRosa, expression: str, mine: Any, theirs: Any, reason: str
) -> None:
    javarosa.open(FORM)
    world = files.read_answers(FORM.read_bytes(), name="form.xml")
    assert _alike(ours(world, "/data/out", expression)[1], mine), reason
    type_, said = javarosa.ask([("/data/out", expression)])[0]
    assert type_ == "error" if theirs is None else _alike(said, theirs), f"JavaRosa now gives {said}: {reason}"


def test_inner_rows_behind_a_filter_are_all_meant(javarosa: JavaRosa) -> None:
    """JavaRosa takes, of each row that the filter leaves, the inner row of the own number: a number of another row."""
    javarosa.open(FORM)
    world = files.read_answers(FORM.read_bytes(), name="form.xml")
    place, expression = "/data/row[1]/sub[2]/q", "/data/row[x > 0]/sub/q"
    assert ours(world, place, expression)[1] == ["10", "11", "20", "30"]
    assert javarosa.ask([(place, expression)])[0][1] == ["11"]


def _alike(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=1e-12)
    return bool(a == b)
