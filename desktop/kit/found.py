"""A list that is found by typing, and the record that is open beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from desktop.kit import theme
from desktop.kit.card import Card
from desktop.kit.desk import Desk
from desktop.kit.empty import Empty
from desktop.kit.field import Line
from desktop.kit.layout import column, row
from desktop.kit.rows import Deliver, Record
from desktop.kit.table import Table
from desktop.kit.tabs import Tabs
from desktop.kit.timers import single_shot

SEARCH_MS = 180
SIDE = 24  # pixels that a page leaves at its left and at its right
DETAIL_FROM = 1100  # pixels of the page at 100 %: below that an open record takes the place of the list

Asked = Mapping[str, Any]


class FoundList(Card):
    """The newest answer to what is asked for: a table, or words when there is nothing, or nothing that fits.

    ``command`` answers ``{"total", "rows", …}`` to ``asked()`` with ``offset`` and ``limit``; filters that are all empty
    ask for everything. ``look(row)`` is a row as the table shows it. ``arrived(answer)``: an answer that is still wanted.
    """

    arrived = Signal(object)

    def __init__(
        self, desk: Desk, command: str, table: Table, *, asked: Callable[[], Asked], look: Callable[[Record], Record],
        empty: Empty, nothing: Empty,
    ) -> None:  # fmt: skip
        super().__init__(column(table, empty, nothing, margins=(1, 4, 1, 4)))
        self.table, self.empty, self.nothing = table, empty, nothing
        self._desk, self._command, self._asked, self._look = desk, command, asked, look
        self._shown: Asked | None = None
        empty.hide()
        nothing.hide()

    def follow(self, search: Line, states: Tabs | None = None) -> None:
        """Read again soon after the person has typed in ``search``, and at once when they choose one of ``states``."""
        soon = single_shot(self, SEARCH_MS, self.read)
        search.textChanged.connect(lambda _: soon.start())
        search.returnPressed.connect(self.table.setFocus)
        if states is not None:
            states.chosen.connect(lambda _: self.read())

    def read(self) -> None:
        """Read the list again; what is chosen stays chosen."""
        asked = self._asked()
        self._desk.run(self._command, then=lambda answer: self._take(asked, answer), limit=1, **asked)

    def _take(self, asked: Asked, answer: Mapping[str, Any]) -> None:
        if asked != self._asked():
            return  # the person has typed on
        total, everything = int(answer["total"]), not any(asked.values())
        self.table.setVisible(total > 0)
        self.empty.setVisible(total == 0 and everything)
        self.nothing.setVisible(total == 0 and not everything)
        self.arrived.emit(answer)
        if asked == self._shown:
            self.table.rows.refresh(total)
            return
        self._shown = asked
        self.table.show(total, lambda first, count, deliver: self._page(asked, first, count, deliver))

    def _page(self, asked: Asked, first: int, count: int, deliver: Deliver) -> None:
        def done(answer: Mapping[str, Any]) -> None:
            deliver([self._look(record) for record in answer["rows"]])

        self._desk.run(self._command, then=done, offset=first, limit=count, **asked)


class BesideList(QWidget):
    """A list, and beside it the record that was opened; where there is no room for both, the record takes its place.

    ``show(id)`` puts a record into ``detail``, ``start`` takes the focus then. ``around`` belongs to the list and goes with it.
    Columns: all of them with room, ``narrow`` without, ``beside`` while a record is open.
    """

    def __init__(
        self, found: FoundList, detail: QWidget, *, show: Callable[[str], None], start: QWidget, around: Sequence[QWidget],
        beside: Sequence[str], narrow: Sequence[str] = (),
    ) -> None:  # fmt: skip
        super().__init__()
        self._found, self._detail, self._show, self._start, self._around = found, detail, show, start, around
        self._beside, self._narrow = beside, narrow
        self._offered = True
        body = row(spacing=16)
        body.addWidget(found, 3)
        body.addWidget(detail, 2)
        self.setLayout(body)
        detail.hide()
        found.table.opened.connect(self.open_record)
        found.table.chosen.connect(self._chosen)

    def offer(self, offered: bool) -> None:
        """Whether there is a list to show at all."""
        self._offered = offered
        self.fit()

    def open_record(self, id: str) -> None:
        """Show the record ``id``."""
        self._show(id)
        self._detail.show()
        self.fit()
        self._found.table.choose(id)
        self._start.setFocus()

    def close_record(self) -> None:
        self._detail.hide()
        self.fit()
        self._found.table.setFocus()

    def _chosen(self, id: str) -> None:
        if id and self._detail.isVisible() and self._found.isVisible():
            self._show(id)

    def fit(self) -> None:
        """Share the room between list and record."""
        room = self.width() >= theme.scaled(DETAIL_FROM) - 2 * SIDE
        beside = not self._detail.isHidden()
        for part in (self._found, *self._around):
            part.setVisible(self._offered and (room or not beside))
        self._found.table.show_columns(*(self._beside if beside else () if room else self._narrow))

    def retheme(self) -> None:
        self.fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()
