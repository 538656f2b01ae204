"""One question on a page: its label in both languages, one editor, and under it a note or what is wrong.

Every field keeps three promises: Enter goes to the next field and Shift+Enter back; what was typed is never lost or
changed under the fingers; a value that cannot be read is said in words under the field, not in a pop-up.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QPainter
from PySide6.QtWidgets import QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from desktop.kit import icons, theme
from desktop.kit.wrap import ZWSP, Label, Words, display, say
from i18n.catalog import language, tr


class FieldLabel(QWidget):
    """Khmer large, English small beside it, or under it when the column is narrow. A required field says so in
    words.
    """

    def __init__(self, label: Words, *, required: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._label, self._required = label, required
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def main(self) -> str:
        """The large words."""
        if isinstance(self._label, Mapping):
            return self._label["km" if theme.look().both_labels else language()]
        return say(self._label)

    def second(self) -> str:
        """The small words: the English side, when both are shown."""
        if isinstance(self._label, Mapping) and theme.look().both_labels and self._label["en"] != self._label["km"]:
            return self._label["en"]
        return ""

    def retheme(self) -> None:
        self.updateGeometry()

    def _fonts(self) -> tuple[QFontMetricsF, QFontMetricsF]:
        return QFontMetricsF(theme.font("label", bold=True)), QFontMetricsF(theme.font("small"))

    def _lay(self, width: float) -> tuple[QRectF, QRectF]:
        """Where the large and the small words go in ``width``."""
        large, small = self._fonts()
        flags = int(Qt.TextFlag.TextWordWrap)
        first = large.boundingRect(QRectF(0, 0, width, 10_000), flags, display(self.main()))
        text = display(self._tail())
        if not text:
            return QRectF(0, 0, width, first.height()), QRectF()
        one_line = first.height() < large.height() * 1.5
        beside = first.width() + 8 + small.horizontalAdvance(text)
        if one_line and beside <= width:
            top = large.ascent() - small.ascent()
            return QRectF(0, 0, first.width() + 2, first.height()), QRectF(
                first.width() + 8, top, width - first.width() - 8, small.height()
            )
        under = small.boundingRect(QRectF(0, 0, width, 10_000), flags, text)
        return QRectF(0, 0, width, first.height()), QRectF(0, first.height(), width, under.height())

    def _tail(self) -> str:
        optional = "" if self._required else tr("optional")
        return " · ".join(part for part in (self.second(), optional) if part)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        first, second = self._lay(width)
        return round(max(first.bottom(), second.bottom()) + 0.5)

    def sizeHint(self) -> QSize:
        width = self.width() if self.width() > 50 else 320
        return QSize(160, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        return QSize(80, self.heightForWidth(max(self.width(), 80)))

    def resizeEvent(self, _event: object) -> None:
        self.updateGeometry()

    def paintEvent(self, _event: object) -> None:
        first, second = self._lay(self.width())
        painter = QPainter(self)
        flags = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignTop
        painter.setFont(theme.font("label", bold=True))
        painter.setPen(theme.tone("ink"))
        painter.drawText(first, int(flags), display(self.main()))
        if second.isValid():
            painter.setFont(theme.font("small"))
            painter.setPen(theme.tone("soft"))
            painter.drawText(second, int(flags), display(self._tail()))
        painter.end()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.updateGeometry()
            self.update()
        super().changeEvent(event)


_EDITING = frozenset(
    (
        Qt.Key.Key_A, Qt.Key.Key_C, Qt.Key.Key_V, Qt.Key.Key_X, Qt.Key.Key_Y, Qt.Key.Key_Z, Qt.Key.Key_Insert, Qt.Key.Key_Delete,
        Qt.Key.Key_Backspace, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End,
    )
)  # fmt: skip


def leaves_to_window(event: QEvent) -> bool:
    """Whether a key with Ctrl belongs to the window: Qt's editors would take Ctrl+K or Ctrl+U to delete what was typed."""
    if event.type() != QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
        return False
    return bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier) and event.key() not in _EDITING


class Line(QLineEdit):
    """A line editor of 44 px. ``hint`` is a key shown at its right end while it has the focus; ``icon`` stands at
    the left.
    """

    def __init__(self, *, hint: str = "", icon: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._hint, self._icon = hint, icon
        self.setMinimumWidth(80)
        self.retheme()

    def retheme(self) -> None:
        self.setFont(theme.font("body"))
        self.setFixedHeight(theme.height("control"))
        left = 12 + (theme.scaled(20) + 6 if self._icon else 0)
        right = 12 + (round(QFontMetricsF(theme.font("hint")).horizontalAdvance(self._hint)) + 8 if self._hint else 0)
        self.setTextMargins(left - 4, 0, right - 4, 0)

    def event(self, event: QEvent) -> bool:
        if leaves_to_window(event):
            event.ignore()
            return True
        return super().event(event)

    def plain(self) -> str:
        """What was typed, without zero-width spaces and outer blanks."""
        return self.text().replace(ZWSP, "").strip()

    def mark(self, wrong: bool) -> None:
        self.setProperty("wrong", wrong)
        self.update()

    def paintEvent(self, event: object) -> None:
        super().paintEvent(event)  # type: ignore[arg-type]
        painter = QPainter(self)
        if self._icon:
            icons.beside(painter, 12, 0, self.height(), self._icon, "faint")
        if self._hint and self.hasFocus():
            painter.setFont(theme.font("hint"))
            painter.setPen(theme.tone("faint"))
            area = QRectF(self.rect()).adjusted(0, 0, -12, 0)
            painter.drawText(area, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), self._hint)
        painter.end()


class Field(QWidget):
    """The frame of every field: label, editor, and a line under it. Subclasses read and show one kind of value.

    ``edited()``: something was typed · ``changed(value)``: a readable value stands there now (None: empty) ·
    ``left()``: the focus went on. ``value()`` gives the JSON-able value or None; ``valid()`` says whether what is
    typed can be read.
    """

    edited = Signal()
    changed = Signal(object)
    left = Signal()

    def __init__(
        self, label: Words, editor: QWidget, *, note: Words = "", required: bool = True, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._label, self._note, self._problem = label, note, ""
        self.editor = editor
        self.on_enter: Callable[[], None] | None = None  # the last field of a short form: Enter does it at once
        self.required = required
        self.label = FieldLabel(label, required=required)
        self.under = Label(note, size="small", tone="soft", wrap=True)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(2)
        box.addWidget(self.label)
        box.addWidget(editor)
        box.addWidget(self.under)
        self.setFocusProxy(editor)
        editor.installEventFilter(self)
        self._name()
        self._show_under()

    # What subclasses give; the type checker holds them to it (Qt's metaclass leaves no room for ABCMeta)

    @abstractmethod
    def value(self) -> Any:
        """The JSON-able value, None when empty or not readable."""

    @abstractmethod
    def set_value(self, value: Any) -> None:
        """Show ``value`` without emitting anything."""

    def read(self) -> str:
        """Why what is typed cannot be read, in the current language; "" when it can, or is empty."""
        return ""

    # What pages use

    def valid(self) -> bool:
        return not self.read()

    def check(self) -> bool:
        """Say under the field what is wrong with what is typed; True when nothing is."""
        self.set_error(self.read())
        return not self._problem

    def set_error(self, words: str) -> None:
        """Show ``words`` in red under the field; "" takes them away."""
        if words != self._problem:
            self._problem = words
            self._mark(bool(words))
            self._show_under()

    def error(self) -> str:
        return self._problem

    def set_note(self, note: Words) -> None:
        self._note = note
        self._show_under()

    def set_locked(self, locked: bool) -> None:
        """A locked field shows its value and takes none."""
        self.editor.setEnabled(not locked)

    def stops(self) -> list[QWidget]:
        """The widgets of this field that take the focus, in order."""
        return [self.editor]

    def go_next(self) -> None:
        """The focus to what follows this field."""
        self.stops()[-1].setFocus(Qt.FocusReason.TabFocusReason)
        self.focusNextPrevChild(True)

    def go_back(self) -> None:
        """The focus to what stands before this field."""
        self.stops()[0].setFocus(Qt.FocusReason.BacktabFocusReason)
        self.focusNextPrevChild(False)

    # How it behaves

    def _mark(self, wrong: bool) -> None:
        self.editor.setProperty("wrong", wrong)
        self.editor.update()

    def _show_under(self) -> None:
        words = self._problem or self._note
        self.under.set_tone("red" if self._problem else "soft")
        self.under.say(words)
        self.under.setVisible(bool(self._problem or say(self._note)))
        self.editor.setAccessibleDescription(self._problem or say(self._note))

    def _name(self) -> None:
        self.editor.setAccessibleName(say(self._label))

    def _typed(self) -> None:
        """Connect the editor's change here: an error goes away as soon as it is mended, and never appears while
        typing.
        """
        if self._problem:
            self.set_error(self.read())
        self.edited.emit()
        if self.valid():
            self.changed.emit(self.value())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if leaves_to_window(event):
            event.ignore()
            return True
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and self._key(event):
            return True
        if event.type() == QEvent.Type.FocusOut:
            self.check()
            self.left.emit()
        return super().eventFilter(watched, event)

    def _key(self, event: QKeyEvent) -> bool:
        """Enter and Shift+Enter walk the fields; Ctrl+Enter belongs to the page."""
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            return False
        keys = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if keys == Qt.KeyboardModifier.NoModifier:
            if self.on_enter is not None:
                self.on_enter()
            else:
                self.go_next()
            return True
        if keys == Qt.KeyboardModifier.ShiftModifier:
            self.go_back()
            return True
        return False

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._name()
            if self._problem:
                self._problem = self.read() or self._problem
            self._show_under()
        super().changeEvent(event)
