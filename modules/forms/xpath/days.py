"""Dates and times inside expressions: read from text, counted in days since 1970, written by ``%`` tokens.

A moment without an offset is one of Phnom Penh. A date is a whole number of days; a moment the days and parts of a day that have
passed since 1970 began in UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

from i18n.dates import DAYS, DAYS_EN, MONTHS, MONTHS_EN, PHNOM_PENH

EPOCH: Final = date(1970, 1, 1).toordinal()
DAY_S: Final = 86_400
_BEGIN: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TIME: Final = r"(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{1,2}(?::?\d{2})?)?"
_WHEN: Final = re.compile(rf"\s*(\d{{4}})-(\d{{1,2}})-(\d{{1,2}})(?:T{_TIME})?\s*", re.ASCII)
_CLOCK: Final = re.compile(rf"\s*{_TIME}\s*", re.ASCII)
_TOKENS: Final = re.compile(r"%(.)", re.DOTALL)


def when(text: str) -> date | datetime | None:
    """The date or dateTime that ``text`` writes as XML Schema does; None when it writes none, or a day that is not there."""
    found = _WHEN.fullmatch(text)
    if found is None:
        return None
    try:
        day = date(int(found[1]), int(found[2]), int(found[3]))
        if found[4] is None:
            return day
        seconds, zone = _clock(found.groups()[3:])
        return datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        return None


def time_of_day(text: str) -> float | None:
    """The part of the day in Phnom Penh that ``hh:mm:ss.sss+07:00`` writes: noon is 0.5."""
    found = _CLOCK.fullmatch(text)
    if found is None:
        return None
    try:
        seconds, zone = _clock(found.groups())
    except ValueError:
        return None
    shift = (PHNOM_PENH.utcoffset(None) - zone.utcoffset(None)).total_seconds()
    return ((seconds + shift) % DAY_S) / DAY_S


def _clock(parts: tuple[str | None, ...]) -> tuple[float, timezone]:
    hour, minute, second = (int(part or 0) for part in parts[:3])
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError
    return hour * 3600 + minute * 60 + second + float(f"0.{parts[3] or 0}"), _zone(parts[4])


def _zone(text: str | None) -> timezone:
    if text is None:
        return PHNOM_PENH
    if text == "Z":
        return UTC
    digits = text[1:].replace(":", "")
    hours, minutes = (int(digits), 0) if len(digits) < 3 else (int(digits[:-2]), int(digits[-2:]))
    return timezone(timedelta(hours=hours, minutes=minutes) * (-1 if text[0] == "-" else 1))


def days(moment: date | datetime) -> float:
    """Days since 1970: whole ones of a date, with parts of a moment."""
    if isinstance(moment, datetime):
        return (moment - _BEGIN).total_seconds() / DAY_S
    return float(moment.toordinal() - EPOCH)


def day_of(number: float) -> date | None:
    """The date of a number of days, its part of a day cut off; None outside the years 1 to 9999."""
    try:
        return date.fromordinal(int(number) + EPOCH)
    except (ValueError, OverflowError):
        return None


def moment_of(number: float) -> datetime | None:
    """The moment of a number of days since 1970 in UTC, to the millisecond."""
    try:
        return (_BEGIN + timedelta(milliseconds=round(number * DAY_S * 1000))).astimezone(PHNOM_PENH)
    except (ValueError, OverflowError):
        return None


def local(moment: datetime) -> datetime:
    """``moment`` by the clock of Phnom Penh; by its own in the first and last hours that the calendar knows."""
    try:
        return moment.astimezone(PHNOM_PENH)
    except OverflowError:
        return moment


def midnight(day: date) -> datetime:
    """When ``day`` begins in Phnom Penh."""
    return datetime(day.year, day.month, day.day, tzinfo=PHNOM_PENH)


def iso(moment: date | datetime) -> str:
    """``2026-11-23``, or ``2026-11-23T14:02:00.000+07:00`` with the offset that it came with."""
    return moment.isoformat(timespec="milliseconds") if isinstance(moment, datetime) else moment.isoformat()


def written(moment: date | datetime, form: str, language: str) -> str:
    """``moment`` in Phnom Penh by the tokens of ``format-date``; another letter behind a ``%`` stands for itself."""
    here = local(moment) if isinstance(moment, datetime) else midnight(moment)
    return _TOKENS.sub(lambda found: _token(here, found[1], language), form)


def _token(local: datetime, token: str, language: str) -> str:
    match token:
        case "Y":
            return f"{local.year:04}"
        case "y":
            return f"{local.year % 100:02}"
        case "m":
            return f"{local.month:02}"
        case "n":
            return str(local.month)
        case "b":
            return MONTHS[local.month - 1] if language == "km" else MONTHS_EN[local.month - 1][:3]
        case "d":
            return f"{local.day:02}"
        case "e":
            return str(local.day)
        case "a":
            return DAYS[local.weekday()] if language == "km" else DAYS_EN[local.weekday()][:3]
        case "H":
            return f"{local.hour:02}"
        case "h":
            return str(local.hour)
        case "M":
            return f"{local.minute:02}"
        case "S":
            return f"{local.second:02}"
        case "3":
            return f"{local.microsecond // 1000:03}"
        case "W":
            return str(local.isocalendar().week)
        case _:
            return token
