"""Dates as offices write them, working days, Phnom Penh time."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from i18n import dates
from i18n.errors import Refused

DAY = date(2026, 11, 22)
DAYS = st.dates(date(1800, 1, 1), date(2200, 12, 31))


@pytest.mark.parametrize(
    "typed",
    [
        "22/11/2026", "២២/១១/២០២៦", "22-11-2026", "22.11.2026", "2026-11-22", "២០២៦-១១-២២", " 22/11/2026 ", "2\u200b2/11/2026",
        "ថ្ងៃទី២២ ខែវិច្ឆិកា ឆ្នាំ២០២៦", "ថ្ងៃទី២២\u200bខែវិច្ឆិកា\u200bឆ្នាំ២០២៦", "ទី២២ វិច្ឆិកា ២០២៦", "22 វិច្ឆិកា 2026", "22 November 2026",
    ],
)  # fmt: skip
def test_dates_that_are_read(typed: str) -> None:
    assert dates.parse_date(typed) == DAY


def test_both_spellings_of_february_are_read() -> None:
    assert dates.parse_date("១ កុម្ភៈ ២០២៦") == dates.parse_date("១ កុម្ភះ ២០២៦") == date(2026, 2, 1)


@pytest.mark.parametrize(
    "typed",
    ["", "22/11/26", "22/11-2026", "2026-1-2", "22 វិច្ឆ 2026", "22112026", "22/11/2026 10:00", "x" * 61, "22 Nov 2026"],
)
def test_what_is_no_date_is_refused(typed: str) -> None:
    with pytest.raises(Refused, match="TX-010"):
        dates.parse_date(typed)


@pytest.mark.parametrize(
    "typed", ["31/02/2026", "29/02/2025", "00/01/2026", "01/13/2026", "22/11/2569", "01/01/1799", "0000-01-01"]
)
def test_days_that_the_calendar_has_not_are_refused(typed: str) -> None:
    with pytest.raises(Refused, match="TX-011"):
        dates.parse_date(typed)


@given(DAYS)
def test_every_written_date_is_read_back(day: date) -> None:
    for written in (
        dates.short_date(day), dates.short_date(day, "khmer"), dates.official_date(day), dates.official_date(day, "en"), day.isoformat(),
    ):  # fmt: skip
        assert dates.parse_date(written) == day


def test_written_dates() -> None:
    assert dates.short_date(DAY) == "22/11/2026"
    assert dates.official_date(date(2026, 2, 3)) == "ថ្ងៃទី០៣ ខែកុម្ភៈ ឆ្នាំ២០២៦"
    assert dates.official_date(DAY, "en") == "22 November 2026"
    assert dates.lunar_line(DAY) == "ថ្ងៃអាទិត្យ ១៣កើត ខែកត្ដិក ឆ្នាំមមី អដ្ឋស័ក ព.ស.២៥៧០"
    assert dates.solar_line(DAY) == "រាជធានីភ្នំពេញ ថ្ងៃទី២២ ខែវិច្ឆិកា ឆ្នាំ២០២៦"


def test_the_clock_of_phnom_penh() -> None:
    midnight_utc = 1_795_305_600_000  # 22 November 2026, 00:00 UTC
    assert dates.short_moment(midnight_utc) == "22/11/2026 07:00"
    assert dates.short_time(midnight_utc + 25_320_000, "khmer") == "១៤:០២"
    assert dates.moment(midnight_utc + 17 * 3_600_000).date() == date(2026, 11, 23)


def test_working_days_skip_weekends_and_holidays() -> None:
    friday = date(2026, 11, 20)
    water_festival = {date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 25)}
    assert dates.working_days(friday, 0) == friday
    assert dates.working_days(friday, 1) == date(2026, 11, 23)
    assert dates.working_days(friday, 1, water_festival) == date(2026, 11, 26)
    assert not dates.is_working_day(DAY, ())


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 60))
def test_counting_working_days_is_the_inverse_of_adding_them(start: date, n: int) -> None:
    end = dates.working_days(start, n)
    assert dates.working_days_between(start, end) == n
    assert dates.working_days_between(end, start) in (-n, -n + 1, -n - 1)
    assert n == 0 or dates.is_working_day(end, ())
    assert end - start <= timedelta(days=n * 7 // 5 + 4)


def test_a_clock_that_says_anything_still_says_a_moment() -> None:
    assert dates.short_moment((1 << 53) - 1) == "31/12/9999 00:00"
    assert dates.short_moment(-(1 << 53)) == "02/01/0001 00:00"
    assert dates.moment(-1).isoformat() == "1970-01-01T06:59:59.999000+07:00"
