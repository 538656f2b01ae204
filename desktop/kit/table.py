"""Quiet tables: 36 px rows, no grid, numbers to the right, keyboard first, a million rows without waiting."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPen, QResizeEvent, QStaticText, QTextOption
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from desktop.kit import icons, theme
from desktop.kit.rows import Column, Fetch, Index, Record, Rows
from desktop.kit.states import STATES
from desktop.kit.wrap import Words, say

__all__ = ["Column", "Record", "Table"]

PAD = 12
LEAST_SHARE = 80  # pixels at 100 % text size of a column that shares the rest
COMFORTABLE_SHARE = 200  # below this the spare columns go


class _Cells(QStyledItemDelegate):
    """Draws cells from prepared glyphs: shaping Khmer again for every repaint is what makes scrolling slow."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._texts: OrderedDict[tuple[str, str, int, int], tuple[QStaticText, bool]] = OrderedDict()

    def _text(self, words: str, size: str, width: int) -> tuple[QStaticText, bool]:
        """Prepared ``words`` in ``width`` and whether they had to be cut."""
        key = (words, size, width, theme.look().percent)
        made = self._texts.get(key)
        if made is None:
            from PySide6.QtGui import QFontMetricsF

            metrics = QFontMetricsF(theme.font(size))
            cut = metrics.horizontalAdvance(words) > width
            static = QStaticText(metrics.elidedText(words, Qt.TextElideMode.ElideRight, width) if cut else words)
            static.setTextFormat(Qt.TextFormat.PlainText)
            static.setTextOption(QTextOption(Qt.AlignmentFlag.AlignLeft))
            static.setPerformanceHint(QStaticText.PerformanceHint.AggressiveCaching)
            static.prepare(font=theme.font(size))
            made = (static, cut)
            self._texts[key] = made
            if len(self._texts) > 4000:
                self._texts.popitem(last=False)
        else:
            self._texts.move_to_end(key)
        return made

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        rows = index.model()
        if not isinstance(rows, Rows):
            return
        rect: QRect = option.rect
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen:
            painter.fillRect(rect, theme.tone("blue_soft"))
            if index.column() == 0:
                painter.fillRect(QRect(rect.left(), rect.top(), 3, rect.height()), theme.tone("blue"))
        column = rows.columns[index.column()]
        words = rows.words(index.row(), index.column())
        if words is None:
            bar = QRectF(rect.left() + PAD, rect.center().y() - 4, min(rect.width() * 0.5, 140), 9)
            painter.fillRect(bar, theme.tone("skeleton"))
            return
        self._cell(painter, rect, column, words, rows.record(index.row()), chosen)

    def _cell(
        self, painter: QPainter, rect: QRect, column: Column, words: str, record: Record | None, chosen: bool
    ) -> None:
        left, width, ink, size = rect.left() + PAD, rect.width() - 2 * PAD, "ink", "body"
        if column.kind == "soft":
            ink, size = "soft", "note"
        if column.kind == "state" and record is not None and record.get(column.key) in STATES:
            state = STATES[str(record[column.key])]
            side = round(icons.beside(painter, left, rect.top(), rect.height(), state.icon, state.ink, size=16))
            left, width, ink, size = left + side + 6, width - side - 6, state.ink, "note"
        static, _cut = self._text(words, size, width)
        x = float(left)
        if column.kind == "number":
            x = left + width - static.size().width()
        painter.setFont(theme.font(size))
        painter.setPen(theme.tone("blue" if chosen and ink == "ink" and column.kind != "number" else ink))
        painter.drawStaticText(QPointF(x, rect.top() + (rect.height() - static.size().height()) / 2), static)


class _Header(QHeaderView):
    """Column titles in small soft words over a hairline."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setHighlightSections(False)
        self.setSectionsClickable(True)

    def paintEvent(self, event: object) -> None:
        painter = QPainter(self.viewport())
        painter.fillRect(self.viewport().rect(), theme.tone("surface"))
        painter.end()
        super().paintEvent(event)  # type: ignore[arg-type]

    def paintSection(self, painter: QPainter, rect: QRect, section: int) -> None:
        rows = self.model()
        if not isinstance(rows, Rows):
            return
        column = rows.columns[section]
        painter.fillRect(rect, theme.tone("surface"))
        painter.setPen(QPen(theme.tone("line"), 1))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        area = QRectF(rect).adjusted(PAD, 0, -PAD, 0)
        sorted_here = self.isSortIndicatorShown() and self.sortIndicatorSection() == section
        if sorted_here:
            up = self.sortIndicatorOrder() == Qt.SortOrder.AscendingOrder
            side = theme.scaled(14)
            icons.draw(
                painter,
                QRectF(area.right() - side, area.center().y() - side / 2, side, side),
                "chevron-up" if up else "chevron-down",
                "blue",
            )
            area.adjust(0, 0, -side - 4, 0)
        painter.setFont(theme.font("small", bold=sorted_here))
        painter.setPen(theme.tone("blue" if sorted_here else "soft"))
        side_flag = Qt.AlignmentFlag.AlignRight if column.kind == "number" else Qt.AlignmentFlag.AlignLeft
        painter.drawText(area, int(side_flag | Qt.AlignmentFlag.AlignVCenter), say(column.title))


class Table(QTableView):
    """A list of records. ``show(total, fetch)`` or ``show_records(list)``; ``opened(id)`` on Enter or double click,
    ``chosen(id)`` when the selection moves ("" when there is none), ``sorted(key, descending)`` when a title is clicked.
    """

    opened = Signal(str)
    chosen = Signal(str)
    sorted = Signal(str, bool)

    def __init__(self, columns: Sequence[Column], *, name: Words, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._wanted: frozenset[str] = frozenset()  # keys of the columns to show; empty: all
        self.rows = Rows(columns, self)
        self.setModel(self.rows)
        self.setItemDelegate(_Cells(self))
        self.setHorizontalHeader(_Header(self))
        self.setShowGrid(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setMinimumSectionSize(40)
        header.sectionClicked.connect(self._sort_by)
        self.doubleClicked.connect(self._open)
        self.selectionModel().currentRowChanged.connect(self._moved)
        self.rows.dataChanged.connect(self._arrived)
        self.rows.modelReset.connect(self._begin_again)
        self.retheme()
        self.setAccessibleName(say(name))

    def show(self, total: int | None = None, fetch: Fetch | None = None) -> None:
        """With arguments: show ``total`` rows read by ``fetch(first, count, deliver)``. Without: Qt's own
        ``show()``.
        """
        if total is None or fetch is None:
            super().show()
            return
        self.rows.show(total, fetch)

    def show_records(self, records: Sequence[Record]) -> None:
        self.rows.show_records(records)

    def current_id(self) -> str:
        """The id of the chosen row, "" when there is none or it is still on its way."""
        index = self.currentIndex()
        record = self.rows.record(index.row()) if index.isValid() else None
        return str(record["id"]) if record is not None else ""

    def choose(self, id: str) -> bool:
        """Choose the row of ``id`` if its page is here."""
        row = self.rows.row_of(id)
        if row < 0:
            return False
        self.choose_row(row)
        return True

    def choose_row(self, row: int) -> None:
        index = self.rows.index(row, 0)
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        self.selectionModel().setCurrentIndex(index, flags)
        self.scrollTo(index)

    def _moved(self, _current: QModelIndex, _previous: QModelIndex) -> None:
        self.chosen.emit(self.current_id())

    def _arrived(self, first: QModelIndex, last: QModelIndex) -> None:
        current = self.currentIndex()
        if current.isValid() and first.row() <= current.row() <= last.row():
            self.chosen.emit(self.current_id())

    def _open(self, _index: QModelIndex) -> None:
        if id := self.current_id():
            self.opened.emit(id)

    def _sort_by(self, section: int) -> None:
        column = self.rows.columns[section]
        header = self.horizontalHeader()
        if not column.sortable:
            return
        down = header.isSortIndicatorShown() and header.sortIndicatorSection() == section
        down = down and header.sortIndicatorOrder() == Qt.SortOrder.AscendingOrder
        header.setSortIndicatorShown(True)
        header.setSortIndicator(section, Qt.SortOrder.DescendingOrder if down else Qt.SortOrder.AscendingOrder)
        self.sorted.emit(column.key, down)

    def retheme(self) -> None:
        self.verticalHeader().setDefaultSectionSize(theme.height("row"))
        self.verticalHeader().setMinimumSectionSize(theme.height("row"))
        self.horizontalHeader().setFixedHeight(theme.height("target"))
        self._share_width()

    def show_columns(self, *keys: str) -> None:
        """Show only the columns of these keys, all when none is named: a list beside an open record has less room."""
        self._wanted = frozenset(keys)
        self._share_width()

    def _share_width(self) -> None:
        """Columns with a width get it (less when there is too little room), the others share what is left, exactly."""
        wide = self.viewport().width()
        columns = self._columns_for(wide)
        shared = sum(1 for _, column in columns if not column.width)
        fixed = sum(theme.scaled(column.width) for _, column in columns)
        squeeze = min(1.0, max(0.3, (wide - theme.scaled(LEAST_SHARE) * shared) / max(fixed, 1)))
        widths = {n: int(theme.scaled(column.width) * squeeze) for n, column in columns}
        left, open_ = wide - sum(widths.values()), shared
        for n, _ in enumerate(self.rows.columns):
            self.setColumnHidden(n, n not in widths)
        for n, column in columns:
            if not column.width:
                widths[n] = max(40, left // open_)
                left, open_ = left - widths[n], open_ - 1
            self.setColumnWidth(n, widths[n])

    def _columns_for(self, wide: int) -> list[tuple[int, Column]]:
        """What is shown in ``wide``: spare columns go, the rightmost first, before the others become too narrow to read."""
        columns = [(n, c) for n, c in enumerate(self.rows.columns) if not self._wanted or c.key in self._wanted]
        while any(column.spare for _, column in columns):
            needed = sum(theme.scaled(column.width or COMFORTABLE_SHARE) for _, column in columns)
            if needed <= wide:
                break
            last = max(n for n, column in columns if column.spare)
            columns = [(n, column) for n, column in columns if n != last]
        return columns

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_width()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self._open(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: object) -> None:
        super().focusInEvent(event)  # type: ignore[arg-type]
        self._begin_again()

    def _begin_again(self) -> None:
        """Who is in the list by keyboard always has a row."""
        if self.hasFocus() and not self.currentIndex().isValid() and self.rows.rowCount():
            self.choose_row(0)

    def paintEvent(self, event: object) -> None:
        super().paintEvent(event)  # type: ignore[arg-type]
        if self.hasFocus():
            painter = QPainter(self.viewport())
            painter.setPen(QPen(theme.tone("focus"), 2))
            painter.drawRect(self.viewport().rect().adjusted(1, 1, -1, -1))
            painter.end()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.setAccessibleName(say(self._name))
            self.rows.retranslate()
        super().changeEvent(event)
