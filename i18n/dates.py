"""Dates as Cambodian offices write and read them, working days, and the clock of Phnom Penh.

Data keep UTC milliseconds and ISO dates; these functions are for what a person types, sees or prints.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, datetime, timedelta, timezone
from typing import Final

from i18n.catalog import Language
from i18n.errors import Refused
from i18n.lunar import to_lunar
from i18n.normalise import fold
from i18n.numbers import Digits, khmer_digits

PHNOM_PENH: Final = timezone(timedelta(hours=7), "ICT")  # no daylight saving: no time zone data needed
MONTHS: Final = (
    "មករា", "កុម្ភៈ", "មីនា", "មេសា", "ឧសភា", "មិថុនា", "កក្កដា", "សីហា", "កញ្ញា", "តុលា", "វិច្ឆិកា", "ធ្នូ",
)  # fmt: skip
MONTHS_EN: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
DAYS: Final = ("ច័ន្ទ", "អង្គារ", "ពុធ", "ព្រហស្បតិ៍", "សុក្រ", "សៅរ៍", "អាទិត្យ")
DAYS_EN: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_1970: Final = datetime(1970, 1, 1, 7, tzinfo=PHNOM_PENH)
_FIRST_MS: Final = -int((_1970 - datetime(1, 1, 2, tzinfo=PHNOM_PENH)).total_seconds()) * 1000
_LAST_MS: Final = int((datetime(9999, 12, 31, tzinfo=PHNOM_PENH) - _1970).total_seconds()) * 1000
_FIRST, _LAST = 1800, 2200  # a year outside is a typing error, or a Buddhist year
_LONGEST: Final = 60  # characters of a date that a person types
_MONTH_NUMBERS: Final = {
    **{fold(name): number for number, name in enumerate(MONTHS, 1)},
    **{name.lower(): number for number, name in enumerate(MONTHS_EN, 1)},
    fold("កុម្ភះ"): 2,
}
_ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_NUMERIC = re.compile(r"([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4})")
_NAMED = re.compile(r"(?:ថ្ងៃ)? ?(?:ទី)? ?([0-9]{1,2}) ?(?:ខែ)? ?([^\W\d_][^\d\s]*?) ?(?:ឆ្នាំ)? ?([0-9]{4})")


def parse_date(text: str) -> date:
    """The date that a person typed: day/month/year, ISO, or with the month's name, in Khmer or Latin digits.

    ``Refused`` TX-010: not a date as we write them; TX-011: the calendar has no such day.
    """
    if len(text) > _LONGEST:
        raise Refused("TX-010")
    folded = fold(text)
    if found := _ISO.fullmatch(folded):
        year, month, day = (int(part) for part in found.groups())
    elif found := _NUMERIC.fullmatch(folded):
        day, month, year = int(found[1]), int(found[3]), int(found[4])
    elif (found := _NAMED.fullmatch(folded)) and found[2] in _MONTH_NUMBERS:
        day, month, year = int(found[1]), _MONTH_NUMBERS[found[2]], int(found[3])
    else:
        raise Refused("TX-010")
    try:
        parsed = date(year, month, day)
    except ValueError:
        raise Refused("TX-011") from None
    if not _FIRST <= year <= _LAST:
        raise Refused("TX-011")
    return parsed


def short_date(day: date, digits: Digits = "latin") -> str:
    """``22/11/2026`` or ``២២/១១/២០២៦``."""
    written = day.strftime("%d/%m/") + f"{day.year:04}"
    return khmer_digits(written) if digits == "khmer" else written


def official_date(day: date, language: Language = "km") -> str:
    """``ថ្ងៃទី២២ ខែវិច្ឆិកា ឆ្នាំ២០២៦`` or ``22 November 2026``."""
    if language == "en":
        return f"{day.day} {MONTHS_EN[day.month - 1]} {day.year}"
    return f"ថ្ងៃទី{khmer_digits(f'{day.day:02}')} ខែ{MONTHS[day.month - 1]} ឆ្នាំ{khmer_digits(day.year)}"


def lunar_line(day: date) -> str:
    """The first date line of a document: ``ថ្ងៃអាទិត្យ ១៣កើត ខែកត្ដិក ឆ្នាំមមី អដ្ឋស័ក ព.ស.២៥៧០``."""
    return to_lunar(day).words("ព.ស.")


def solar_line(day: date, place: str = "រាជធានីភ្នំពេញ") -> str:
    """The second date line: the place, then the official date."""
    return f"{place} {official_date(day)}"


def moment(wall_ms: int) -> datetime:
    """The Phnom Penh time of milliseconds since 1970 UTC; the end of the calendar (year 1 or 9999) for what lies beyond it, because
    the clock of another computer may say anything."""
    return _1970 + timedelta(milliseconds=min(max(wall_ms, _FIRST_MS), _LAST_MS))


def midnight_ms(text: str) -> int:
    """Milliseconds since 1970 UTC at which a day begins in Phnom Penh: ``2026-11-22``, or as people write it."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = parse_date(text)
    return int(datetime(day.year, day.month, day.day, tzinfo=PHNOM_PENH).timestamp() * 1000)


def short_time(wall_ms: int, digits: Digits = "latin") -> str:
    """``14:02`` in Phnom Penh."""
    written = moment(wall_ms).strftime("%H:%M")
    return khmer_digits(written) if digits == "khmer" else written


def short_moment(wall_ms: int, digits: Digits = "latin") -> str:
    """``22/11/2026 14:02`` in Phnom Penh."""
    return f"{short_date(moment(wall_ms).date(), digits)} {short_time(wall_ms, digits)}"


def is_working_day(day: date, holidays: Collection[date]) -> bool:
    """Monday to Friday and no holiday."""
    return day.weekday() < 5 and day not in holidays


def working_days(start: date, n: int, holidays: Collection[date] = frozenset()) -> date:
    """The day that is ``n`` working days after ``start``; ``start`` itself does not count. ``n`` ≥ 0."""
    day = start
    while n > 0:
        day += timedelta(days=1)
        n -= is_working_day(day, holidays)
    return day


def working_days_between(start: date, end: date, holidays: Collection[date] = frozenset()) -> int:
    """How many working days lie after ``start`` up to ``end``; negative when ``end`` lies before ``start``."""
    if end < start:
        return -working_days_between(end, start, holidays)
    return sum(is_working_day(start + timedelta(days=step), holidays) for step in range(1, (end - start).days + 1))
