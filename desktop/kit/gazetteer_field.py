"""A place of Cambodia: typing finds province, district, commune and village; F4 goes down the tree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from desktop.kit.pick import Pick, PickField
from desktop.kit.wrap import Words
from i18n import gazetteer
from i18n.catalog import tr
from i18n.gazetteer import Level, Unit


class GazetteerField(PickField):
    """Value: the official code of a unit of ``level``. ``set_within(code)`` keeps it to what lies in another unit.

    A unit above ``level`` is offered too; taking it goes down into it, so that a whole address can be picked in one
    field.
    """

    def __init__(
        self,
        label: Words,
        *,
        level: Level = "village",
        within: str | None = None,
        note: Words = "",
        required: bool = True,
    ) -> None:
        self.level: Level = level
        self._home = within
        self._within = within
        super().__init__(label, self._places, note=note, required=required)

    def set_within(self, code: str | None) -> None:
        """Find only in the unit ``code``. A picked place that does not lie there is taken away."""
        self._home = self._within = code
        value = self.value()
        if value and code and not any(unit.code == code for unit in gazetteer.ancestry(value)):
            self.set_value(None)

    def set_value(self, value: Any) -> None:
        self._within = self._home
        super().set_value(None if not value else self._pick(gazetteer.unit(value)))
        self._say_where()

    def _places(self, typed: str, limit: int) -> Sequence[Pick]:
        if not typed:
            deeper = gazetteer.children(self._within)
            return [self._pick(unit) for unit in deeper[:limit]]
        deepest = gazetteer.LEVELS.index(self.level)
        found = gazetteer.search(typed, level=self.level, within=self._within, limit=limit)
        for level in reversed(gazetteer.LEVELS[:deepest]):
            if len(found) >= limit:
                break
            if self._within is None or len(gazetteer.unit(self._within).code) < 2 * (gazetteer.LEVELS.index(level) + 1):
                found += gazetteer.search(typed, level=level, within=self._within, limit=limit - len(found))
        return [self._pick(unit) for unit in found]

    def _pick(self, unit: Unit) -> Pick:
        above = gazetteer.ancestry(unit.code)[:-1]
        where = " · ".join([unit.en, *(parent.km for parent in reversed(above))])
        return Pick(unit.code, unit.full_km(), where, unit.code)

    def _take(self, number: int) -> None:
        if self._list is not None and 0 <= number < len(self._list.picks):
            unit = gazetteer.unit(self._list.picks[number].value)
            if unit.level != self.level:
                self._go_into(unit)
                return
        super()._take(number)
        self._say_where()

    def _go_into(self, unit: Unit) -> None:
        """A unit above the wanted level: show what lies in it."""
        self._within = unit.code
        self.line.clear()
        self.set_note(lambda: tr("In {place}", place=gazetteer.address_km(unit.code)))
        self.open_list()

    def _key(self, event: Any) -> bool:
        going_down = self.list_open()
        handled = super()._key(event)
        if going_down and self.list_open():
            return True  # Enter went into a province: the field keeps the focus
        return handled

    def _say_where(self) -> None:
        code = self.value()
        if not code:
            self.set_note("")
            return
        above = gazetteer.ancestry(code)[:-1]
        self.set_note(" ".join(unit.full_km() for unit in reversed(above)))
