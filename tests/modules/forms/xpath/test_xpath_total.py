"""Whatever answers hold, a function gives a value of its type or refuses in words: a form never stops at an answer."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from i18n.dates import PHNOM_PENH
from modules.forms.xpath import FUNCTIONS, Context, Kind, compile_expression, tree
from modules.forms.xpath.functions.registry import Function
from modules.forms.xpath.nodes import Scalar
from tests.modules.forms.xpath.evaluating import Still, refusal

EDGES: list[Scalar] = [
    0.0, -0.0, 1.0, -1.0, 0.5, 1e-320, 1e308, -1e308, 1e16, float("inf"), float("-inf"), float("nan"), 2.0**63,
    "", " ", "a", "a b", "12", "-3.5",
    "2012-01-31", "9999-12-31T23:59:59.999-14:00", "0001-01-01T00:00:00+14:00", "11.5 104.9", "1 2;3 4;5 6;1 2",
    "nan", "inf", "1e5", "\x00", "\ud800",
    "ភ្នំ", "[a-z]+", "(", "SHA-256", "hex", "fruit", "name", "/data/v0", True, False, date.min, date.max, date(1970, 1, 1),
    datetime.min.replace(tzinfo=PHNOM_PENH), datetime.max.replace(tzinfo=PHNOM_PENH),
]  # fmt: skip
VALUES = st.one_of(st.sampled_from(EDGES), st.floats(), st.text(max_size=12))
TYPES: dict[Kind, tuple[type, ...]] = {
    Kind.NUMBER: (float,), Kind.STRING: (str,), Kind.BOOLEAN: (bool,), Kind.DATE: (date, str),
    Kind.ANY: (float, str, bool, date), Kind.NODES: (float, str, bool, date),
}  # fmt: skip


@pytest.mark.parametrize("made", FUNCTIONS.values(), ids=lambda made: made.name)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_every_function_takes_every_answer(made: Function, data: st.DataObject) -> None:
    count = data.draw(st.integers(made.least, min(made.most, made.least + 3)))
    answers = {f"v{at}": data.draw(VALUES) for at in range(count)}
    document = tree.from_answers({**answers, "row": [{"x": value} for value in answers.values()]})
    fruit = tree.from_rows([{"name": "a", "label": "A"}])
    way = data.draw(st.sampled_from(["/data/v{}", "/data/row[{}]/x", "/data/row/x | /data/v{}"]))
    arguments = ", ".join(
        f"({way.format(at)})" if made.name != "indexed-repeat" else "/data/row" for at in range(count)
    )
    source = f"{made.name}({arguments})"
    context = Context(Still(document, {"fruit": fruit}, seed=1), document.children("data")[0])
    code = refusal(lambda: given_by(source, context))
    assert code is None or code.startswith("FM-3"), source


def given_by(source: str, context: Context) -> None:
    expression = compile_expression(source)
    value = expression.value(context)
    assert isinstance(value, TYPES[expression.kind]), source
    assert expression.kind is not Kind.NUMBER or not isinstance(value, bool), source
    assert isinstance(expression.string(context), str)
