"""Tabs of a page: a few words in a row, one chosen, each with a count when there is one. Arrow keys move."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QSizePolicy, QWidget

from desktop.kit import shown, theme
from desktop.kit.button import entered
from desktop.kit.layout import Wrapped
from desktop.kit.wrap import Words, say


class Tab(QAbstractButton):
    """One word of the row."""

    def __init__(self, id: str, words: Words) -> None:
        super().__init__()
        self.id, self._words, self._count = id, words, 0
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.speak()

    def set_count(self, count: int) -> None:
        self._count = count
        self.speak()

    def _full(self) -> str:
        return f"{say(self._words)} {shown.number(self._count)}" if self._count else say(self._words)

    def speak(self) -> None:
        self.setAccessibleName(self._full())
        self.updateGeometry()
        self.update()

    def retheme(self) -> None:
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        wide = QFontMetricsF(theme.font("label", bold=True)).horizontalAdvance(self._full())
        return QSize(round(wide + 28), theme.height("row"))

    minimumSizeHint = sizeHint

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        on = self.isChecked()
        box = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        if on or self.underMouse() or self.hasFocus():
            painter.setPen(QPen(theme.tone("focus"), 2) if self.hasFocus() else Qt.PenStyle.NoPen)
            painter.setBrush(theme.tone("blue_soft" if on else "hover"))
            painter.drawRoundedRect(box, theme.radius(), theme.radius())
        painter.setFont(theme.font("label", bold=on))
        painter.setPen(theme.tone("blue" if on else "soft"))
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), self._full())
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not entered(self, event):
            super().keyPressEvent(event)

    def enterEvent(self, _event: object) -> None:
        self.update()

    def leaveEvent(self, _event: object) -> None:
        self.update()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.speak()
        super().changeEvent(event)


class Tabs(QWidget):
    """``Tabs([("waiting", words), …])``; ``chosen(id)`` when the person changes it."""

    chosen = Signal(str)

    def __init__(self, tabs: Sequence[tuple[str, Words]], *, name: Words, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self.setAccessibleName(say(name))
        self._group = QButtonGroup(self)
        self._tabs = {id: Tab(id, words) for id, words in tabs}
        for tab in self._tabs.values():
            self._group.addButton(tab)
        self.setLayout(Wrapped(*self._tabs.values(), spacing=4))
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        next(iter(self._tabs.values())).setChecked(True)
        self._group.buttonClicked.connect(lambda tab: self.chosen.emit(tab.id))
        self._group.buttonToggled.connect(self._rove)
        self._rove()

    def _rove(self, *_: object) -> None:
        """Tab comes to the chosen one alone; the arrow keys go on from there."""
        for tab in self._tabs.values():
            tab.setFocusPolicy(Qt.FocusPolicy.StrongFocus if tab.isChecked() else Qt.FocusPolicy.ClickFocus)

    def choose(self, id: str) -> None:
        """Show ``id`` as chosen; emits nothing."""
        if tab := self._tabs.get(id):
            held = self.isAncestorOf(self.window().focusWidget())
            tab.setChecked(True)
            if held:
                tab.setFocus(Qt.FocusReason.OtherFocusReason)

    def current(self) -> str:
        return next(id for id, tab in self._tabs.items() if tab.isChecked())

    def set_count(self, id: str, count: int) -> None:
        self._tabs[id].set_count(count)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        ids = list(self._tabs)
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        if step:
            tab = self._tabs[ids[(ids.index(self.current()) + step) % len(ids)]]
            tab.setFocus(Qt.FocusReason.TabFocusReason)
            tab.click()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.setAccessibleName(say(self._name))
        super().changeEvent(event)
