"""The palette (Ctrl+K): type, and commands, pages, records and drafts that fit stand under the line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QWidget

from desktop.kit import icons, theme
from desktop.kit.card import Card
from desktop.kit.field import Line
from desktop.kit.layout import Rule, column
from desktop.kit.timers import single_shot
from desktop.kit.wrap import say
from i18n.catalog import tr


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to do or to open. ``group`` is a small heading; entries of a group stand together."""

    words: str
    group: str
    act: Callable[[], None]
    second: str = ""
    icon: str = "chevron-right"
    key: str = ""


class _Entries(QWidget):
    """The list: painted rows with group headings."""

    picked = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[Entry] = []
        self.current = 0
        self.setMouseTracking(True)

    def show_entries(self, entries: Sequence[Entry]) -> None:
        self.entries, self.current = list(entries), 0
        self.updateGeometry()
        self.update()

    def move_by(self, step: int) -> None:
        if self.entries:
            self.current = (self.current + step) % len(self.entries)
            self.update()

    def _heading(self, number: int) -> bool:
        return number == 0 or self.entries[number].group != self.entries[number - 1].group

    def _rows(self) -> list[tuple[float, bool]]:
        """The top of each entry, and whether a heading stands above it."""
        tops, y = [], 4.0
        for number in range(len(self.entries)):
            heading = self._heading(number)
            y += theme.line_height("small") + 6 if heading else 0
            tops.append((y, heading))
            y += theme.height("row") + 2
        return tops

    def sizeHint(self) -> QSize:
        tops = self._rows()
        return QSize(400, round(tops[-1][0] + theme.height("row") + 8) if tops else theme.height("row") + 16)

    def whole_rows(self, most: int) -> int:
        """The height up to ``most`` that cuts no entry in two."""
        bottoms = [round(top + theme.height("row") + 8) for top, _ in self._rows()]
        return max((bottom for bottom in bottoms if bottom <= most), default=self.sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(200, theme.height("row") + 16)

    def _offset(self) -> float:
        """How far the list is moved up so that the chosen entry can be seen."""
        if not self.entries:
            return 0.0
        top, _ = self._rows()[self.current]
        return max(0.0, top + theme.height("row") + 8 - self.height())

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(0, -self._offset())
        if not self.entries:
            painter.setFont(theme.font("note"))
            painter.setPen(theme.tone("soft"))
            painter.drawText(QRectF(self.rect()), int(Qt.AlignmentFlag.AlignCenter), tr("Nothing found"))
        for number, (top, heading) in enumerate(self._rows()):
            entry = self.entries[number]
            if heading:
                painter.setFont(theme.font("small"))
                painter.setPen(theme.tone("soft"))
                area = QRectF(14, top - theme.line_height("small") - 2, self.width() - 28, theme.line_height("small"))
                painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter), entry.group)
            self._paint_entry(
                painter, QRectF(6, top, self.width() - 12, theme.height("row")), entry, number == self.current
            )
        painter.end()

    def _paint_entry(self, painter: QPainter, area: QRectF, entry: Entry, chosen: bool) -> None:
        if chosen:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.tone("blue_soft"))
            painter.drawRoundedRect(area, theme.radius("small"), theme.radius("small"))
        tone = "blue" if chosen else "soft"
        side = icons.beside(painter, area.left() + 8, area.top(), area.height(), entry.icon, tone)
        key = QFontMetricsF(theme.font("hint")).horizontalAdvance(entry.key)
        painter.setFont(theme.font("hint"))
        painter.setPen(theme.tone("faint"))
        right = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)
        painter.drawText(area.adjusted(0, 0, -10, 0), right, entry.key)
        room = area.adjusted(side + 18, 0, -key - 22, 0)
        metrics = QFontMetricsF(theme.font("body"))
        words = metrics.elidedText(entry.words, Qt.TextElideMode.ElideRight, room.width())
        left = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
        painter.setFont(theme.font("body"))
        painter.setPen(theme.tone("blue" if chosen else "ink"))
        painter.drawText(room, left, words)
        rest = room.adjusted(metrics.horizontalAdvance(words) + 10, 0, 0, 0)
        if entry.second and rest.width() > 50:
            small = QFontMetricsF(theme.font("note"))
            painter.setFont(theme.font("note"))
            painter.setPen(theme.tone("soft"))
            painter.drawText(rest, left, small.elidedText(entry.second, Qt.TextElideMode.ElideRight, rest.width()))

    def _at(self, event: QMouseEvent) -> int:
        for number, (top, _) in enumerate(self._rows()):
            if top <= event.position().y() + self._offset() <= top + theme.height("row"):
                return number
        return -1

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if (at := self._at(event)) >= 0 and at != self.current:
            self.current = at
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if (at := self._at(event)) >= 0:
            self.picked.emit(at)


class Palette(Card):
    """Floats over the page. ``find(typed)`` gives what is known at once; ``add`` brings what was found later
    (records).
    """

    closed = Signal()
    typed = Signal(str)  # after a short pause: look in the store and call ``add``

    def __init__(self, parent: QWidget, find: Callable[[str], Sequence[Entry]]) -> None:
        super().__init__(fill="raised", line="edge", parent=parent)
        self._find = find
        self._came_from: QWidget | None = None
        self.line = Line(icon="search", hint="Esc")
        self.line.setFrame(False)
        self.list = _Entries()
        self.setLayout(column(self.line, Rule(), self.list, spacing=0, margins=(4, 4, 4, 4)))
        self._pause = single_shot(self, 60, lambda: self.typed.emit(self.line.plain()))
        self.line.textChanged.connect(self._look)
        self.line.installEventFilter(self)
        self.list.picked.connect(self._act)
        self.setVisible(False)

    def open(self, text: str = "") -> None:
        """Show it with the focus in its line."""
        self._came_from = self.window().focusWidget()
        self.line.setAccessibleName(tr("Search or command"))
        self.line.setPlaceholderText(tr("Search or command"))
        self.line.setText(text)
        self._look(text)
        self.setVisible(True)
        self.raise_()
        self.line.setFocus(Qt.FocusReason.PopupFocusReason)

    def close_palette(self) -> None:
        if self.isVisible():
            self._pause.stop()
            self.setVisible(False)
            if self._came_from is not None and self._came_from.isVisible():
                self._came_from.setFocus(Qt.FocusReason.PopupFocusReason)
            self.closed.emit()

    def add(self, typed: str, entries: Sequence[Entry]) -> None:
        """More entries for ``typed``; ignored when something else stands in the line by now."""
        if self.isVisible() and typed == self.line.plain():
            current = self.list.current
            self.list.show_entries([*self.list.entries, *entries])
            self.list.current = min(current, max(0, len(self.list.entries) - 1))
            self._place()

    def _look(self, _text: str) -> None:
        self.list.show_entries(self._find(self.line.plain()))
        self._place()
        self._pause.start()

    def _place(self) -> None:
        window = self.parentWidget()
        if window is None:
            return
        wide = min(theme.scaled(560), window.width() - 40)
        around = self.line.height() + 10
        tall = around + self.list.whole_rows(window.height() - 80 - around)
        self.setGeometry((window.width() - wide) // 2, 60, wide, tall)

    def _act(self, number: int) -> None:
        if 0 <= number < len(self.list.entries):
            entry = self.list.entries[number]
            self.close_palette()
            entry.act()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            key = event.key()
            if key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
                self.list.move_by(1 if key == Qt.Key.Key_Down else -1)
                self.line.setAccessibleDescription(self._spoken())
                return True
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._act(self.list.current)
                return True
            if key == Qt.Key.Key_Escape:
                self.close_palette()
                return True
        if (
            event.type() == QEvent.Type.FocusOut
            and self.isVisible()
            and not self.isAncestorOf(self.window().focusWidget() or self)
        ):
            self._pause.stop()
            self.setVisible(False)
            self.closed.emit()
        return super().eventFilter(watched, event)

    def _spoken(self) -> str:
        return say(self.list.entries[self.list.current].words) if self.list.entries else tr("Nothing found")
