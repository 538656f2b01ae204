"""Working days of a Cambodian office: weekends, fixed holidays, lunar holidays and the New Year feast, all from data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache, lru_cache
from typing import Any, Final

from i18n.catalog import Text
from i18n.dates import working_days, working_days_between

_SLACK: Final = 30  # days beyond weekends that holidays may add to a term; no year has as many


class Holidays:
    """Public holidays by rule, with the days that a year's sub-decree adds or makes working days."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._fixed = {(row["month"], row["day"]): row["title"] for row in data["fixed"]}
        self._lunar = {(row["month"], row["half"], row["day"]): row["title"] for row in data["lunar"]}
        self._feast: Mapping[str, Any] = data["new_year"]
        self._added = {date.fromisoformat(row["day"]): row["title"] for row in data["added"]}
        self._worked = {date.fromisoformat(day) for day in data["worked"]}
        self.name = cache(self._name)
        self.left = lru_cache(maxsize=4096)(self._left)  # a list asks the same few days for every row

    def _name(self, day: date) -> Text | None:
        """What is celebrated on ``day``, or None."""
        from i18n import lunar

        if day in self._worked:
            return None
        title: Text | None = self._added.get(day) or self._fixed.get((day.month, day.day))
        if title is None and day.month == 4 and self._feast_begins(day.year) <= day:
            title = (
                self._feast["title"] if day < self._feast_begins(day.year) + timedelta(self._feast["days"]) else None
            )
        if title is None:
            that = lunar.to_lunar(day)
            title = self._lunar.get((that.month, that.phase, that.day))
        return title

    def _feast_begins(self, year: int) -> date:
        from i18n import lunar

        return lunar.new_year(year).moment.date()

    def between(self, first: date, last: date) -> frozenset[date]:
        """The holidays from ``first`` to ``last``, both included."""
        days = (first + timedelta(step) for step in range((last - first).days + 1))
        return frozenset(day for day in days if self.name(day))

    def due(self, received: date, days: int) -> date:
        """The last of ``days`` working days after ``received``; the day of receiving does not count."""
        return working_days(received, days, self.between(received, received + timedelta(2 * days + _SLACK)))

    def _left(self, today: date, due: date) -> int:
        """Working days from ``today`` until ``due``: 0 on the day, negative when it has passed."""
        return working_days_between(today, due, self.between(min(today, due), max(today, due)))
