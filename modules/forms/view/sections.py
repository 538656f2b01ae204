"""The list of sections at the left of the capture page: how far each one is, and which one is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from desktop.kit import icons, shown, theme
from desktop.kit.layout import column
from i18n.catalog import Text, text, tr


class SectionButton(QAbstractButton):
    """One section: icon, title, "3/4". Red with the number of faults when something in it is wrong."""

    def __init__(self, id: str, title: Text) -> None:
        super().__init__()
        self.id, self._title = id, title
        self._state: Mapping[str, Any] = {"answered": 0, "of": 0, "missing": 0, "wrong": 0}
        self._demanded = False
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def show_state(self, state: Mapping[str, Any], *, demanded: bool) -> None:
        """``demanded``: the person wants to finish, so what is missing counts as wrong."""
        self._state, self._demanded = state, demanded
        self._speak()

    def faults(self) -> int:
        return int(self._state["wrong"]) + (int(self._state["missing"]) if self._demanded else 0)

    def done(self) -> bool:
        return not self._state["missing"] and not self._state["wrong"]

    def _count(self) -> str:
        return shown.plain(f"{self._state['answered']}/{self._state['of']}")

    def _speak(self) -> None:
        said = [text(self._title), self._count()]
        if self.faults():
            said.append(tr("{count} to mend", count=shown.number(self.faults())))
        elif self.done():
            said.append(tr("complete"))
        self.setAccessibleName(", ".join(said))
        self.setToolTip(", ".join(said))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(120, theme.height("row") + 2)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, theme.height("row") + 2)

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        on, wrong = self.isChecked(), self.faults() > 0
        box = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        if on or self.underMouse() or self.hasFocus():
            painter.setPen(QPen(theme.tone("focus"), 2) if self.hasFocus() else Qt.PenStyle.NoPen)
            painter.setBrush(theme.tone("blue_soft" if on else "hover"))
            painter.drawRoundedRect(box, theme.radius(), theme.radius())
        icon, tone = (
            ("error", "red") if wrong else ("check", "green") if self.done() else ("forms", "blue" if on else "faint")
        )
        side = theme.scaled(18)
        icons.draw(painter, QRectF(box.left() + 10, box.center().y() - side / 2, side, side), icon, tone)
        self._paint_words(painter, box.adjusted(side + 20, 0, -10, 0), on, wrong)
        painter.end()

    def _paint_words(self, painter: QPainter, room: QRectF, on: bool, wrong: bool) -> None:
        middle = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
        painter.setFont(theme.font("small"))
        painter.setPen(theme.tone("red" if wrong else "soft"))
        painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight), self._count())
        room.setRight(room.right() - QFontMetricsF(theme.font("small")).horizontalAdvance(self._count()) - 8)
        font = theme.font("label", bold=on)
        painter.setFont(font)
        painter.setPen(theme.tone("red" if wrong else "blue" if on else "ink"))
        words = QFontMetricsF(font).elidedText(text(self._title), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, middle, words)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._speak()
        super().changeEvent(event)


class SectionList(QWidget):
    """Only the current section takes the focus; the arrow keys move. ``wanted(id)`` when another one is chosen."""

    wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._buttons: dict[str, SectionButton] = {}
        self._column = column(spacing=2)
        self.setLayout(self._column)
        self.setAccessibleName(tr("Sections"))

    def build(self, sections: Sequence[tuple[str, Text]]) -> None:
        """The sections of a form, in order."""
        for button in self._buttons.values():
            button.hide()
            button.deleteLater()
        self._buttons = {id: SectionButton(id, title) for id, title in sections}
        for button in self._buttons.values():
            button.clicked.connect(lambda _on=False, id=button.id: self.wanted.emit(id))
            self._column.addWidget(button)

    def show_state(self, rows: Sequence[Mapping[str, Any]], current: str, *, demanded: bool) -> None:
        """Rows of ``rules.completeness``; a section that is not among them is not asked and not shown."""
        by_id = {row["id"]: row for row in rows}
        for id, button in self._buttons.items():
            button.setVisible(id in by_id)
            button.setChecked(id == current)
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus if id == current else Qt.FocusPolicy.ClickFocus)
            if id in by_id:
                button.show_state(by_id[id], demanded=demanded)

    def button(self, id: str) -> SectionButton:
        return self._buttons[id]

    def ids(self) -> list[str]:
        """The sections that are shown."""
        return [id for id, button in self._buttons.items() if not button.isHidden()]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()), 0)
        current = next((id for id in self.ids() if self._buttons[id].isChecked()), "")
        if not step or not current:
            super().keyPressEvent(event)
            return
        ids = self.ids()
        self.wanted.emit(ids[(ids.index(current) + step) % len(ids)])
        self._buttons[next(id for id in ids if self._buttons[id].isChecked())].setFocus(Qt.FocusReason.TabFocusReason)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.setAccessibleName(tr("Sections"))
        super().changeEvent(event)
