"""One section of the capture page: its questions under each other, walked by Enter and Shift+Enter."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent

from desktop.kit.layout import Scroll, column, holder
from i18n.catalog import text
from modules.forms.definition import Section
from modules.forms.view.questions import FeeQuestion, Question, question
from modules.forms.view.sheet import Sheet


class SectionColumn(Scroll):
    """``edited(question)`` while one types, ``left(question)``; ``enter_at_end`` and ``back_at_start`` leave the section."""

    edited = Signal(object)
    left = Signal(object)
    enter_at_end = Signal()
    back_at_start = Signal()

    def __init__(self, section: Section, sheet: Sheet, office: str) -> None:
        self._questions = [question(field, office) for field in section.fields]
        content = holder(column(*self._questions, None, spacing=14, margins=(2, 4, 10, 8)))
        super().__init__(content)
        self._section = section
        for one in self._questions:
            one.show_answer(sheet.seen(one.field))
            one.edited.connect(lambda one=one: self.edited.emit(one))
            one.left.connect(lambda one=one: self.left.emit(one))
            for stop in one.stops():
                stop.installEventFilter(self)
        self._asked: list[Question] = list(self._questions)
        self.setAccessibleName(text(section.title))

    def questions(self) -> list[Question]:
        return self._questions

    def question(self, id: str) -> Question | None:
        return next((one for one in self._questions if one.field.id == id), None)

    def show_asked(self, asked: Set[str]) -> None:
        """Show the questions whose ids are in ``asked``; Enter in the last of them leaves the section."""
        self._asked = [one for one in self._questions if one.field.id in asked]
        for one in self._questions:
            one.setVisible(one.field.id in asked)
            one.on_enter(self.enter_at_end.emit if self._asked and one is self._asked[-1] else None)

    def show_fee(self, riel: int, service: Mapping[str, Any]) -> None:
        for one in self._questions:
            if isinstance(one, FeeQuestion):
                one.show_fee(riel, service["legal"]["title"])

    def take_focus(self, *, at_end: bool = False) -> None:
        """The first question, or the last one when somebody comes from behind."""
        if self._asked:
            self._asked[-1 if at_end else 0].take_focus(at_end=at_end)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Shift+Enter in the first line goes to the section before; runs before the field's own keys."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and self._asked:
            back = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
            back = back and event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier == Qt.KeyboardModifier.ShiftModifier
            if back and watched in self._asked[0].starts():
                self.back_at_start.emit()
                return True
        return super().eventFilter(watched, event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.setAccessibleName(text(self._section.title))
        super().changeEvent(event)
