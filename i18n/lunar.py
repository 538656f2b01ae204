"""The Khmer lunar calendar: day, phase, month, Buddhist year, animal and sak of a date; the date of a lunar day.

Day names of one civil day are taken at noon, so a change of year at some hour never depends on rounding. The year types
come from the traditional reckoning (aharkun, avoman, bodithey); 1 January 1900 = ១កើត បុស្ស anchors the count.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Final, Literal

from i18n.numbers import khmer_digits

Phase = Literal["waxing", "waning"]

FIRST_YEAR: Final = 1860  # years of the calendar that are reckoned here
LAST_YEAR: Final = 2201
MONTHS: Final = (
    "មិគសិរ", "បុស្ស", "មាឃ", "ផល្គុន", "ចេត្រ", "ពិសាខ", "ជេស្ឋ", "អាសាឍ", "ស្រាពណ៍", "ភទ្របទ", "អស្សុជ", "កត្ដិក",
)  # fmt: skip
LEAP_MONTHS: Final = ("បឋមាសាឍ", "ទុតិយាសាឍ")  # both of 30 days, in place of អាសាឍ
ANIMALS: Final = ("ជូត", "ឆ្លូវ", "ខាល", "ថោះ", "រោង", "ម្សាញ់", "មមី", "មមែ", "វក", "រកា", "ច", "កុរ")
SAKS: Final = (
    "សំរឹទ្ធិស័ក", "ឯកស័ក", "ទោស័ក", "ត្រីស័ក", "ចត្វាស័ក", "បញ្ចស័ក", "ឆស័ក", "សប្តស័ក", "អដ្ឋស័ក", "នព្វស័ក",
)  # fmt: skip
WEEKDAYS: Final = ("ចន្ទ", "អង្គារ", "ពុធ", "ព្រហស្បតិ៍", "សុក្រ", "សៅរ៍", "អាទិត្យ")
PHASES: Final = {"waxing": "កើត", "waning": "រោច"}

PUBLISHED_NEW_YEARS: Final = {  # moments that the court astrologers announced other than reckoned
    1879: datetime(1879, 4, 12, 11, 36),  # noqa: DTZ001  Cambodian local time, as announced
    1897: datetime(1897, 4, 13, 2, 0),  # noqa: DTZ001
    2011: datetime(2011, 4, 14, 13, 12),  # noqa: DTZ001
    2012: datetime(2012, 4, 14, 19, 11),  # noqa: DTZ001
    2013: datetime(2013, 4, 14, 2, 12),  # noqa: DTZ001
    2014: datetime(2014, 4, 14, 8, 7),  # noqa: DTZ001
    2015: datetime(2015, 4, 14, 14, 2),  # noqa: DTZ001
    2024: datetime(2024, 4, 13, 22, 17),  # noqa: DTZ001
}


@dataclass(frozen=True, slots=True)
class LunarDate:
    """One day of the lunar calendar. ``be_year`` is the Buddhist era; the names are Khmer words without unit words."""

    day: int  # 1 to 15
    phase: Phase
    month: str  # one of MONTHS or LEAP_MONTHS
    be_year: int
    animal: str
    sak: str
    weekday: str

    def words(self, era: str = "ពុទ្ធសករាជ ") -> str:
        """``ថ្ងៃអាទិត្យ ១៣កើត ខែកត្ដិក ឆ្នាំមមី អដ្ឋស័ក ពុទ្ធសករាជ ២៥៧០``."""
        return (
            f"ថ្ងៃ{self.weekday} {khmer_digits(self.day)}{PHASES[self.phase]} ខែ{self.month} "
            f"ឆ្នាំ{self.animal} {self.sak} {era}{khmer_digits(self.be_year)}"
        )


# --- the type of a lunar year; ``be`` is the Buddhist year that begins in it


def _aharkun(be: int) -> int:
    return (292207 * be + 499) // 800 + 4


def _avoman(be: int) -> int:
    return (11 * _aharkun(be) + 25) % 692


def _bodithey(be: int) -> int:
    aharkun = _aharkun(be)
    return ((11 * aharkun + 25) // 692 + aharkun + 29) % 30


def _leap_month(bodithey: int, following: int) -> bool:
    """Whether a year of this bodithey has a leap month, ``following`` being the next year's."""
    if (bodithey, following) == (25, 5):
        return False
    return bodithey >= 25 or bodithey < 6 or (bodithey, following) == (24, 6)


def _raw_leap_day(avoman: int, before: int, following: int, *, solar_leap: bool) -> bool:
    """A leap day by the reckoning alone; a leap month in the same year postpones it to the next."""
    if avoman == 0 and before == 137:
        return True
    if solar_leap:
        return avoman < 127
    if avoman == 137 and following == 0:
        return False
    return avoman < 138


def _has_leap_month(be: int) -> bool:
    return _leap_month(_bodithey(be), _bodithey(be + 1))


def _has_raw_leap_day(be: int) -> bool:
    solar_leap = 800 - (292207 * be + 499) % 800 <= 207
    return _raw_leap_day(_avoman(be), _avoman(be - 1), _avoman(be + 1), solar_leap=solar_leap)


def _has_leap_day(be: int) -> bool:
    if _has_leap_month(be):
        return False
    return _has_raw_leap_day(be) or (_has_leap_month(be - 1) and _has_raw_leap_day(be - 1))


@cache
def _months(year: int) -> tuple[tuple[str, int], ...]:
    """Names and lengths of the months of the lunar year whose ជេស្ឋ falls in the CE year ``year``."""
    be = year + 544
    months: list[tuple[str, int]] = []
    for place, name in enumerate(MONTHS):
        if name == "អាសាឍ" and _has_leap_month(be):
            months += [(leap, 30) for leap in LEAP_MONTHS]
        elif name == "ជេស្ឋ" and _has_leap_day(be):
            months.append((name, 30))
        else:
            months.append((name, 30 if place % 2 else 29))
    return tuple(months)


@cache
def _year_starts() -> dict[int, int]:
    """The day number of ១កើត មិគសិរ of every lunar year."""
    anchor = date(1900, 1, 1).toordinal() - 29  # មិគសិរ of 29 days lies before ១កើត បុស្ស
    starts = {1900: anchor}
    for year in range(1900, LAST_YEAR + 1):
        starts[year + 1] = starts[year] + sum(length for _, length in _months(year))
    for year in range(1899, FIRST_YEAR - 1, -1):
        starts[year] = starts[year + 1] - sum(length for _, length in _months(year))
    return starts


# --- the solar New Year


@dataclass(frozen=True, slots=True)
class NewYear:
    """``moment`` is when the animal changes (Cambodian time), ``lerng_sak`` the day on which the sak changes."""

    moment: datetime
    lerng_sak: date


def _lesser_era(j: int) -> tuple[int, int, int, int]:
    """Kromthupul, aharkun, avoman and bodithey of the lesser era ``j`` (CE − 638)."""
    kromthupul = 800 - (292207 * j + 373) % 800
    aharkun = (292207 * j + 373) // 800 + 1
    carried = 11 * aharkun + 650
    return kromthupul, aharkun, carried % 692, (aharkun + carried // 692) % 30


def _era_leap_both(j: int) -> bool:
    """Whether the era year ``j`` has a leap month and a raw leap day at once."""
    kromthupul, _, avoman, bodithey = _lesser_era(j)
    _, _, avoman_before, _ = _lesser_era(j - 1)
    _, _, avoman_following, bodithey_following = _lesser_era(j + 1)
    leap_day = _raw_leap_day(avoman, avoman_before, avoman_following, solar_leap=kromthupul <= 207)
    return leap_day and _leap_month(bodithey, bodithey_following)


_PHOL: Final = ((35, 0), (32, 35), (27, 67), (22, 94), (13, 116), (5, 129))


def _true_sun(days: int, kromthupul: int) -> int:
    """The place of the true sun in minutes of arc after ``days`` of the year before."""
    rest = 800 * days + kromthupul
    mean = 1800 * (rest // 24350) + 60 * (rest % 24350 // 811) + rest % 24350 % 811 // 14 - 3
    left = (mean - 4800) % 21600
    quarter = left // 1800
    folded = (left, 10800 - left, left - 10800, 21600 - left)[quarter // 3]
    half_sign, within = divmod(folded, 900)
    weight, base = _PHOL[half_sign] if half_sign < len(_PHOL) else (0, 134)
    correction = within * weight // 900 + base
    return mean - correction if quarter <= 5 else mean + correction


@cache
def new_year(year: int) -> NewYear:
    """The New Year that falls in April of the CE year ``year``."""
    j = year - 638
    kromthupul_before = _lesser_era(j - 1)[0]
    first = 363 if kromthupul_before <= 207 else 362
    suns = [_true_sun(first + step, kromthupul_before) for step in range(4)]
    step = next(step for step, sun in enumerate(suns) if sun % 1800 // 60 == 0)
    feast = 4 if step == 0 else 3

    bodithey = _lesser_era(j)[3] + int(_era_leap_both(j - 1))
    month, day = ("ចេត្រ", bodithey - 1) if bodithey >= 6 else ("ពិសាខ", bodithey)
    lerng_sak = date.fromordinal(_month_starts(year)[month] + day)
    reckoned = datetime.combine(lerng_sak - timedelta(days=feast - 1), time()) + timedelta(
        minutes=24 * 60 - 24 * (suns[step] % 60)
    )
    return NewYear(PUBLISHED_NEW_YEARS.get(year, reckoned), lerng_sak)


# --- there and back


@cache
def _month_starts(year: int) -> dict[str, int]:
    """The day number of ១កើត of each month of the lunar year ``year``, in order."""
    lengths = [length for _, length in _months(year)]
    first = _year_starts()[year]
    return {month: first + sum(lengths[:place]) for place, (month, _) in enumerate(_months(year))}


def to_lunar(day: date) -> LunarDate:
    """The lunar day of a civil day. ValueError outside 1860 to 2200."""
    if not FIRST_YEAR <= day.year < LAST_YEAR:
        raise ValueError(f"no lunar date for the year {day.year}")
    number = day.toordinal()
    year = day.year + 1 if _year_starts()[day.year + 1] <= number else day.year
    starts = _month_starts(year)
    place = bisect_right(list(starts.values()), number) - 1
    month = list(starts)[place]
    rest = number - starts[month]
    visakha_passed = place > 5 or (place == 5 and rest >= 15)
    this_new_year = new_year(day.year)
    begun = datetime.combine(day, time(12)) >= this_new_year.moment
    return LunarDate(
        day=rest % 15 + 1,
        phase="waxing" if rest < 15 else "waning",
        month=month,
        be_year=year + 543 + visakha_passed,
        animal=ANIMALS[(day.year + 7 + begun) % 12],
        sak=SAKS[(day.year - 639 + (day >= this_new_year.lerng_sak)) % 10],
        weekday=WEEKDAYS[day.weekday()],
    )


def to_solar(day: int, phase: Phase, month: str, be_year: int) -> date:
    """The civil day of a lunar day. ValueError when the calendar has no such day."""
    rest = day - 1 + (15 if phase == "waning" else 0)
    second_half = month == "ពិសាខ" and rest >= 15
    before_visakha = month in MONTHS[:6] and not second_half
    year = be_year - (543 if before_visakha else 544)
    length = dict(_months(year)).get(month, 0) if FIRST_YEAR <= year <= LAST_YEAR else 0
    if not (1 <= day <= 15 and rest < length):
        raise ValueError("the lunar calendar has no such day")
    return date.fromordinal(_month_starts(year)[month] + rest)
