"""How one type becomes another: laws over many values."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from i18n.dates import PHNOM_PENH
from modules.forms.xpath import days, values
from modules.forms.xpath.functions.sets import park_miller, shuffled
from modules.forms.xpath.functions.time import _date as to_date
from modules.forms.xpath.tree import Element

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.one_of(
    st.floats(), st.text(max_size=20), st.booleans(), st.dates(), st.datetimes(timezones=st.just(PHNOM_PENH))
)


@given(NUMBERS)
def test_a_number_written_is_the_same_number(number: float) -> None:
    text = values.string(number)
    assert "e" not in text.lower()
    assert values.number(text) == number


@given(SCALARS)
def test_every_value_becomes_every_type(value: values.Scalar) -> None:
    assert isinstance(values.string(value), str)
    assert isinstance(values.number(value), float)
    assert isinstance(values.boolean(value), bool)
    assert values.same(value, value) is not (isinstance(value, float) and math.isnan(value))


@given(SCALARS, SCALARS)
def test_comparing_is_symmetric(a: values.Scalar, b: values.Scalar) -> None:
    assert values.same(a, b) is values.same(b, a)
    assert values.ORDER["<"](a, b) is values.ORDER[">"](b, a)
    assert not (values.ORDER["<"](a, b) and values.ORDER[">"](a, b))


@given(st.dates())
def test_a_date_goes_through_days_and_text(day: date) -> None:
    assert days.day_of(days.days(day)) == day
    assert days.when(days.iso(day)) == day
    assert to_date(days.days(day)) == day


@given(st.datetimes(timezones=st.just(PHNOM_PENH)).map(
    lambda moment: moment.replace(year=1900 + moment.year % 300, day=min(moment.day, 28), microsecond=moment.microsecond // 1000 * 1000)
))  # fmt: skip
def test_a_moment_goes_through_days_and_text(moment: datetime) -> None:
    assert days.when(days.iso(moment)) == moment
    back = days.moment_of(days.days(moment))
    assert back is not None and abs(back - moment) <= timedelta(milliseconds=1)
    assert days.midnight(moment.date()) <= moment


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2012-01-31T10:30", datetime(2012, 1, 31, 10, 30, tzinfo=PHNOM_PENH)),
        ("2012-01-31T10:30:05.25Z", datetime(2012, 1, 31, 10, 30, 5, 250000, tzinfo=UTC)),
        ("2012-01-31T10:30:00+07", datetime(2012, 1, 31, 10, 30, tzinfo=PHNOM_PENH)),
        ("2012-01-31T10:30:00-0330", datetime(2012, 1, 31, 14, 0, tzinfo=UTC)),
        ("2012-1-5", date(2012, 1, 5)), (" 2012-01-31 ", date(2012, 1, 31)), ("2012-02-30", None), ("2012-13-01", None),
        ("12-01-31", None), ("2012-01-31T", None),
        ("2012-01-31T24:00", None), ("2012-01-31T10:61", None), ("2012-01-31T10:30:00+99:00", None),
        ("9999-12-31T23:59:59-14:00", datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone(timedelta(hours=-14)))),
        ("០១២", None), ("", None), ("2012-01-31x", None), ("0000-01-01", None),
    ],
)  # fmt: skip
def test_dates_in_texts(text: str, wanted: date | datetime | None) -> None:
    found = days.when(text)
    assert type(found) is type(wanted)
    assert str(found) == str(wanted) or found == wanted


@given(st.integers(-(2**63), 2**63 - 1), st.integers(0, 40))
def test_a_seed_gives_one_order_of_all(seed: int, count: int) -> None:
    nodes = [Element(str(at)) for at in range(count)]
    made = shuffled(nodes, park_miller(seed))
    assert sorted(map(id, made)) == sorted(map(id, nodes))
    assert made == shuffled(nodes, park_miller(seed))
    chance = park_miller(seed)
    assert all(0 <= chance() < 1 for _ in range(20))


def test_the_generator_is_park_and_millers() -> None:
    chance = park_miller(1)
    for _ in range(10_000):
        last = chance()
    assert round(last * 2_147_483_646) + 1 == 1_043_618_065
