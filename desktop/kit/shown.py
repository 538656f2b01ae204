"""Numbers, riel, dates and times as the window writes them: in the digits that the person chose."""

from __future__ import annotations

from datetime import date as Date

from i18n import dates, numbers
from i18n.catalog import tr
from i18n.numbers import Digits

_digits: Digits = "latin"


def use_digits(digits: Digits) -> None:
    """Write with "latin" or "khmer" digits from now on, in the whole window."""
    global _digits
    _digits = digits


def digits() -> Digits:
    return _digits


def plain(text: str | int) -> str:
    """``text`` with its digits as the setting wants them: codes, counts in sentences."""
    return numbers.khmer_digits(text) if _digits == "khmer" else str(text)


def number(value: int) -> str:
    """``1,234`` or ``១.២៣៤``."""
    return numbers.format_number(value, _digits)


def riel(value: int) -> str:
    """``1,250,000៛`` or ``១.២៥០.០០០ ៛``."""
    return numbers.riel(value, _digits)


def date(iso: str) -> str:
    """``"2026-11-22"`` as 22/11/2026."""
    return dates.short_date(Date.fromisoformat(iso), _digits)


def time(wall_ms: int) -> str:
    """``14:02``, Phnom Penh."""
    return dates.short_time(wall_ms, _digits)


def doubt(clock: str) -> str:
    """What stands beside a time when the laptop's clock was doubted then (``clock`` of a record's history), else ""."""
    return tr("clock not certain") if clock else ""


def moment(wall_ms: int, now_ms: int) -> str:
    """``14:02`` when it was on the day of ``now_ms``, else with its date."""
    if dates.moment(wall_ms).date() == dates.moment(now_ms).date():
        return time(wall_ms)
    return dates.short_moment(wall_ms, _digits)
