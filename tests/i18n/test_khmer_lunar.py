"""The lunar calendar against published days (acceptance check 15)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from i18n.lunar import FIRST_YEAR, LAST_YEAR, Phase, _leap_month, new_year, to_lunar, to_solar

GOLDEN = [
    (date(2026, 11, 22), "ថ្ងៃអាទិត្យ ១៣កើត ខែកត្ដិក ឆ្នាំមមី អដ្ឋស័ក ពុទ្ធសករាជ ២៥៧០"),
    (date(2024, 5, 22), "ថ្ងៃពុធ ១៥កើត ខែពិសាខ ឆ្នាំរោង ឆស័ក ពុទ្ធសករាជ ២៥៦៧"),
    (date(2024, 5, 23), "ថ្ងៃព្រហស្បតិ៍ ១រោច ខែពិសាខ ឆ្នាំរោង ឆស័ក ពុទ្ធសករាជ ២៥៦៨"),
    (date(2025, 5, 11), "ថ្ងៃអាទិត្យ ១៥កើត ខែពិសាខ ឆ្នាំម្សាញ់ សប្តស័ក ពុទ្ធសករាជ ២៥៦៨"),
    (date(2025, 5, 12), "ថ្ងៃចន្ទ ១រោច ខែពិសាខ ឆ្នាំម្សាញ់ សប្តស័ក ពុទ្ធសករាជ ២៥៦៩"),
    (date(2026, 5, 1), "ថ្ងៃសុក្រ ១៥កើត ខែពិសាខ ឆ្នាំមមី អដ្ឋស័ក ពុទ្ធសករាជ ២៥៦៩"),
    (date(2026, 10, 11), "ថ្ងៃអាទិត្យ ១៥រោច ខែភទ្របទ ឆ្នាំមមី អដ្ឋស័ក ពុទ្ធសករាជ ២៥៧០"),
    (date(2026, 11, 24), "ថ្ងៃអង្គារ ១៥កើត ខែកត្ដិក ឆ្នាំមមី អដ្ឋស័ក ពុទ្ធសករាជ ២៥៧០"),
    (date(1900, 1, 1), "ថ្ងៃចន្ទ ១កើត ខែបុស្ស ឆ្នាំកុរ ឯកស័ក ពុទ្ធសករាជ ២៤៤៣"),
]

VISAK_BOCHEA = {  # the public holiday of ១៥កើត ពិសាខ
    2007: (5, 1), 2008: (5, 19), 2009: (5, 8), 2010: (4, 28), 2011: (5, 17), 2012: (5, 5), 2013: (5, 24), 2014: (5, 13),
    2015: (5, 2), 2016: (5, 20), 2017: (5, 10), 2018: (4, 29), 2019: (5, 18), 2020: (5, 6), 2021: (4, 26), 2022: (5, 15),
    2023: (5, 4), 2024: (5, 22), 2025: (5, 11), 2026: (5, 1),
}  # fmt: skip


@pytest.mark.parametrize(("day", "words"), GOLDEN)
def test_published_days(day: date, words: str) -> None:
    assert to_lunar(day).words() == words


def test_visak_bochea_of_twenty_years() -> None:
    for year, (month, day) in VISAK_BOCHEA.items():
        assert to_solar(15, "waxing", "ពិសាខ", year + 543) == date(year, month, day)


@pytest.mark.parametrize(
    "moment", ["2024-04-13 22:17", "2025-04-14 04:48", "2026-04-14 10:48", "2012-04-14 19:11", "1879-04-12 11:36"]
)
def test_new_year_moments(moment: str) -> None:
    assert new_year(int(moment[:4])).moment.isoformat(" ", "minutes") == moment


def test_animal_and_sak_change_on_their_own_days() -> None:
    assert to_lunar(date(2024, 4, 13)).animal == "ថោះ"  # the new angel comes at 22:17
    assert to_lunar(date(2024, 4, 14)).animal == "រោង"
    assert to_lunar(date(2024, 4, 15)).sak == "បញ្ចស័ក"
    assert to_lunar(date(2024, 4, 16)).sak == "ឆស័ក"


def test_there_and_back_is_the_same_day_from_1900_to_2200() -> None:
    day = date(1900, 1, 1)
    while day <= date(2200, 12, 31):
        lunar = to_lunar(day)
        assert to_solar(lunar.day, lunar.phase, lunar.month, lunar.be_year) == day
        day += timedelta(days=1)


def test_the_exceptions_of_the_leap_month() -> None:
    assert _leap_month(24, 6)  # 2012 and 2031: without it ពិសាខ would come too early
    assert not _leap_month(25, 5)  # not met between 1860 and 2200


@given(st.dates(date(FIRST_YEAR, 1, 1), date(LAST_YEAR - 1, 12, 30)))
def test_the_moon_goes_on_by_one_day(day: date) -> None:
    today, tomorrow = to_lunar(day), to_lunar(day + timedelta(days=1))
    step = (tomorrow.day - today.day) if tomorrow.phase == today.phase else 1
    assert step == 1
    assert tomorrow.be_year - today.be_year == int(
        (tomorrow.day, tomorrow.phase, tomorrow.month) == (1, "waning", "ពិសាខ")
    )


@pytest.mark.parametrize("day", [date(1859, 12, 31), date(2201, 1, 1)])
def test_days_outside_the_reckoning_are_refused(day: date) -> None:
    with pytest.raises(ValueError, match="no lunar date"):
        to_lunar(day)


@pytest.mark.parametrize(
    ("day", "phase", "month", "be_year"),
    [
        (15, "waning", "មាឃ", 2569), (0, "waxing", "មាឃ", 2569), (16, "waxing", "មាឃ", 2569), (1, "waxing", "បឋមាសាឍ", 2569),
        (1, "waxing", "January", 2569), (1, "waxing", "មាឃ", 1000), (1, "waxing", "អាសាឍ", 2567),
    ],
)  # fmt: skip
def test_lunar_days_that_do_not_exist_are_refused(day: int, phase: Phase, month: str, be_year: int) -> None:
    with pytest.raises(ValueError, match="no such day"):
        to_solar(day, phase, month, be_year)
