"""The model behind every list: a million rows, of which only the pages on the screen are held.

A list knows how many rows there are and how to ask for a page of them; asking never blocks, the answer comes when it
comes, and until then a row is drawn as a skeleton.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from desktop.kit.states import STATES, state_word
from desktop.kit.timers import single_shot
from desktop.kit.wrap import Words, say

Record = Mapping[str, Any]  # one row: {"id": …, column key: value}
Deliver = Callable[[Sequence[Record]], None]
Fetch = Callable[[int, int, Deliver], None]
"""``fetch(first, count, deliver)``: get rows [first, first+count) somehow and call ``deliver(rows)`` on the GUI
thread.
"""

PAGE: Final = 100
KEPT_PAGES: Final = 30

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``width`` in pixels at 100 % text size, 0 shares the rest. ``kind`` state shows a word of
    ``kit.states``.
    """

    key: str
    title: Words
    width: int = 0
    kind: Literal["text", "number", "state", "soft"] = "text"
    show: Callable[[Any], str] | None = None  # value → words, for dates, riel, …
    sortable: bool = False
    spare: bool = False  # hidden first when there is too little room


class Rows(QAbstractTableModel):
    """Rows of ``columns``; pages come by ``fetch`` and the oldest unused pages are dropped."""

    def __init__(self, columns: Sequence[Column], parent: Any = None) -> None:
        super().__init__(parent)
        self.columns = tuple(columns)
        self._total = 0
        self._fetch: Fetch | None = None
        self._pages: OrderedDict[int, list[Record]] = OrderedDict()
        self._asked: set[int] = set()
        self._wanted: set[int] = set()
        self._generation = 0
        self._ask_soon = single_shot(self, 0, self._ask)

    def show(self, total: int, fetch: Fetch) -> None:
        """Begin anew: ``total`` rows, read by ``fetch``."""
        self.beginResetModel()
        self._total, self._fetch = total, fetch
        self._generation += 1
        self._pages.clear()
        self._asked.clear()
        self._wanted.clear()
        self.endResetModel()

    def show_records(self, records: Sequence[Record]) -> None:
        """A list that is already here."""
        held = list(records)
        self.show(len(held), lambda first, count, deliver: deliver(held[first : first + count]))
        for page in range(0, min(len(held), PAGE * KEPT_PAGES), PAGE):
            self._pages[page // PAGE] = held[page : page + PAGE]

    def refresh(self, total: int | None = None) -> None:
        """The data changed: keep what is drawn until newer rows come, so that nothing flickers."""
        if total is not None and total != self._total:
            if total > self._total:
                self.beginInsertRows(QModelIndex(), self._total, total - 1)
                self._total = total
                self.endInsertRows()
            else:
                self.beginRemoveRows(QModelIndex(), total, self._total - 1)
                self._total = total
                self.endRemoveRows()
        self._generation += 1
        self._asked.clear()
        self._wanted.update(self._pages)
        self._ask_soon.start()

    def record(self, row: int) -> Record | None:
        """The row if it is here; else None, and its page is asked for."""
        page, offset = divmod(row, PAGE)
        rows = self._pages.get(page)
        if rows is None:
            if page not in self._asked and page not in self._wanted:
                self._wanted.add(page)
                self._ask_soon.start()
            return None
        self._pages.move_to_end(page)
        return rows[offset] if offset < len(rows) else None

    def row_of(self, id: str) -> int:
        """The row of an id among the pages that are here, -1 when it is not."""
        for page, rows in self._pages.items():
            for offset, record in enumerate(rows):
                if record["id"] == id:
                    return page * PAGE + offset
        return -1

    def _ask(self) -> None:
        wanted, self._wanted = sorted(self._wanted), set()
        for page in wanted[-4:]:  # a fast scroll leaves pages behind that nobody sees: drawing them again asks again
            self._ask_page(page)

    def _ask_page(self, page: int) -> None:
        count = min(PAGE, self._total - page * PAGE)
        if self._fetch is None or count <= 0:
            return
        self._asked.add(page)
        generation = self._generation
        self._fetch(page * PAGE, count, lambda rows: self._take(generation, page, rows))

    def _take(self, generation: int, page: int, rows: Sequence[Record]) -> None:
        if generation != self._generation:
            return
        self._asked.discard(page)
        self._pages[page] = list(rows)
        self._pages.move_to_end(page)
        while len(self._pages) > KEPT_PAGES:
            self._pages.popitem(last=False)
        last = min(self._total, (page + 1) * PAGE) - 1
        if last >= page * PAGE:
            self.dataChanged.emit(self.index(page * PAGE, 0), self.index(last, len(self.columns) - 1))

    def words(self, row: int, column: int) -> str | None:
        """What cell (row, column) says; None while the row is on its way."""
        record = self.record(row)
        if record is None:
            return None
        at = self.columns[column]
        value = record.get(at.key)
        if at.kind == "state":
            return state_word(value) if value in STATES else ""
        if at.show is not None:
            return at.show(value)
        return "" if value is None else str(value)

    # Qt's side

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else self._total

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return self.words(index.row(), index.column())
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if (
            orientation == Qt.Orientation.Horizontal
            and role == Qt.ItemDataRole.DisplayRole
            and section < len(self.columns)
        ):
            return say(self.columns[section].title)
        return None

    def retranslate(self) -> None:
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(self.columns) - 1)
        if self._total:
            self.dataChanged.emit(self.index(0, 0), self.index(self._total - 1, len(self.columns) - 1))
