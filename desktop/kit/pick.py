"""Typing picks: a line whose words find answers in a long list, shown under it as on the capture page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QWidget

from desktop.kit import theme
from desktop.kit.card import Card
from desktop.kit.field import Field, Line
from desktop.kit.timers import single_shot
from desktop.kit.wrap import Words
from i18n.catalog import tr


class Pick(NamedTuple):
    """One answer that may be picked: value, large words, small words beside them, and a code at the right end."""

    value: str
    words: str
    second: str = ""
    code: str = ""


Find = Callable[[str, int], Sequence[Pick]]
"""``find(typed, limit)``: the best answers for what was typed ("" gives the first ones). Must take under 16 ms."""

SHOWN = 8


class PickList(Card):
    """The list under the line. Floats over the page, never takes the focus."""

    picked = Signal(int)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(fill="raised", line="edge", parent=parent)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMouseTracking(True)
        self.picks: list[Pick] = []
        self.current = 0
        self.setVisible(False)

    def row_height(self) -> int:
        return theme.height("row")

    def show_picks(self, picks: Sequence[Pick], current: int = 0) -> None:
        self.picks, self.current = list(picks), current
        self.setAccessibleName(", ".join(pick.words for pick in self.picks))
        self.setFixedHeight(max(1, len(self.picks)) * self.row_height() + 8)
        self.update()

    def move_by(self, step: int) -> None:
        if self.picks:
            self.current = (self.current + step) % len(self.picks)
            self.update()

    def place_under(self, line: QWidget) -> None:
        """Under ``line``, or above it when the window ends there."""
        window = self.parentWidget()
        if window is None:
            return
        corner = line.mapTo(window, QPoint(0, line.height() + 4))
        if corner.y() + self.height() > window.height() - 4:
            corner = line.mapTo(window, QPoint(0, -self.height() - 4))
        self.setGeometry(QRect(corner, QSize(line.width(), self.height())))
        self.raise_()

    def paintEvent(self, event: object) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self.picks:
            painter.setFont(theme.font("note"))
            painter.setPen(theme.tone("soft"))
            painter.drawText(
                QRectF(self.rect()).adjusted(14, 0, -14, 0), int(Qt.AlignmentFlag.AlignVCenter), tr("Nothing found")
            )
        for number, pick in enumerate(self.picks):
            area = QRectF(4, 4 + number * self.row_height(), self.width() - 8, self.row_height())
            self._paint_pick(painter, area, pick, number == self.current)
        painter.end()

    def _paint_pick(self, painter: QPainter, area: QRectF, pick: Pick, chosen: bool) -> None:
        if chosen:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.tone("blue_soft"))
            painter.drawRoundedRect(area, theme.radius("small"), theme.radius("small"))
        middle = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
        inner = area.adjusted(10, 0, -10, 0)
        code = QFontMetricsF(theme.font("small")).horizontalAdvance(pick.code)
        painter.setFont(theme.font("small"))
        painter.setPen(theme.tone("faint"))
        painter.drawText(inner, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight), pick.code)
        room = inner.adjusted(0, 0, -code - 12, 0)
        metrics = QFontMetricsF(theme.font("body"))
        words = metrics.elidedText(pick.words, Qt.TextElideMode.ElideRight, room.width())
        painter.setFont(theme.font("body"))
        painter.setPen(theme.tone("blue" if chosen else "ink"))
        painter.drawText(room, middle, words)
        rest = room.adjusted(metrics.horizontalAdvance(words) + 10, 0, 0, 0)
        if pick.second and rest.width() > 40:
            painter.setFont(theme.font("note"))
            painter.setPen(theme.tone("soft"))
            small = QFontMetricsF(theme.font("note"))
            painter.drawText(rest, middle, small.elidedText(pick.second, Qt.TextElideMode.ElideRight, rest.width()))

    def _at(self, event: QMouseEvent) -> int:
        return int((event.position().y() - 4) // self.row_height())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if 0 <= (at := self._at(event)) < len(self.picks) and at != self.current:
            self.current = at
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if 0 <= (at := self._at(event)) < len(self.picks):
            self.picked.emit(at)


class PickField(Field):
    """A field over a long list. Type to find, Down and Up choose, Enter takes and goes on, F4 opens, Esc closes the
    list.

    ``value()`` is the picked value. ``find`` gives the answers; ``free=True`` also takes words that are in no list.
    """

    def __init__(
        self, label: Words, find: Find, *, note: Words = "", required: bool = True, free: bool = False, hint: str = "F4"
    ) -> None:
        self.line = Line(hint=hint)
        self._find, self._free = find, free
        self._picked: Pick | None = None
        self._list: PickList | None = None
        super().__init__(label, self.line, note=note, required=required)
        self._soon = single_shot(self, 30, self._look_up)  # one look-up for a burst of keys
        self.line.textEdited.connect(self._on_typed)

    def value(self) -> Any:
        if self._picked is not None:
            return self._picked.value
        return (self.line.plain() or None) if self._free else None

    def picked(self) -> Pick | None:
        return self._picked

    def set_value(self, value: Any) -> None:
        """Show the answer whose value is ``value``: a :class:`Pick`, or a value that ``find`` knows how to find by
        itself.
        """
        pick = value if isinstance(value, Pick) else self._known(value)
        self._picked = pick
        self.line.setText(pick.words if pick else (str(value) if value and self._free else ""))
        self.set_error("")

    def _known(self, value: Any) -> Pick | None:
        if not value:
            return None
        return next((pick for pick in self._find(str(value), SHOWN) if pick.value == value), None)

    def read(self) -> str:
        if self._picked is None and self.line.plain() and not self._free:
            return tr("Choose one from the list.")
        return ""

    def _on_typed(self) -> None:
        self._picked = None
        self._soon.start()
        self._typed()

    def _look_up(self) -> None:
        if self.line.hasFocus():
            self.open_list()

    def open_list(self) -> None:
        """Show what fits to what is typed."""
        if self._list is None or self._list.parentWidget() is not self.window():
            self._list = PickList(self.window())
            self._list.picked.connect(self._take)
        self._list.show_picks(self._find("" if self._picked else self.line.plain(), SHOWN))
        self._list.place_under(self.line)
        self._list.setVisible(True)

    def close_list(self) -> None:
        self._soon.stop()
        if self._list is not None:
            self._list.setVisible(False)

    def list_open(self) -> bool:
        return self._list is not None and self._list.isVisible()

    def _take(self, number: int) -> None:
        if self._list is None or not 0 <= number < len(self._list.picks):
            return
        self._picked = self._list.picks[number]
        self.line.setText(self._picked.words)
        self.close_list()
        self._typed()

    def _key(self, event: QKeyEvent) -> bool:
        key = event.key()
        if key in (Qt.Key.Key_F4, Qt.Key.Key_Down) and not self.list_open():
            self.open_list()
            return True
        if self.list_open() and self._list is not None:
            if key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
                self._list.move_by(1 if key == Qt.Key.Key_Down else -1)
                return True
            if key == Qt.Key.Key_Escape:
                self.close_list()
                return True
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
                self._take(self._list.current)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._soon.isActive():
            self._take_first()  # typed and entered faster than the list could open
        return super()._key(event)

    def _take_first(self) -> None:
        self._soon.stop()
        picks = self._find(self.line.plain(), 1)
        if picks and self.line.plain():
            self._picked = picks[0]
            self.line.setText(self._picked.words)
            self._typed()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusOut:
            self.close_list()
        return super().eventFilter(watched, event)

    def hideEvent(self, event: object) -> None:
        self.close_list()
        super().hideEvent(event)  # type: ignore[arg-type]
