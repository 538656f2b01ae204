"""The capture page: sections at the left, one column of questions, fee and reasons at the right. Typing saves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QSizePolicy, QWidget

from desktop.kit import shown, theme
from desktop.kit.button import Button
from desktop.kit.card import Card
from desktop.kit.desk import Desk
from desktop.kit.fields import LineField
from desktop.kit.layout import Scroll, column, holder, row
from desktop.kit.stack import Stack
from desktop.kit.wrap import Label
from i18n.catalog import language, text, tr
from i18n.errors import SalaError
from modules.forms.definition import Section
from modules.forms.view import attaching
from modules.forms.view.column import SectionColumn
from modules.forms.view.questions import FeeQuestion, FilesQuestion, Question
from modules.forms.view.saver import Saver
from modules.forms.view.sections import SectionList
from modules.forms.view.sheet import MISSING, Sheet
from modules.forms.view.side import FeeCard, PapersCard, WhyCard

WIDE = 800  # logical pixels at 100 % text: below, the cards at the right give their room to the questions
COLUMN = 640  # the widest a column of questions grows


class CaptureView(QWidget):
    """One draft on the page. ``done(result)`` when it was finished, ``closed`` when the person goes back to the list."""

    done = Signal(dict)
    closed = Signal()
    discarded = Signal(str)
    retitled = Signal()

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self.sheet: Sheet | None = None
        self._saver: Saver | None = None
        self._columns: dict[str, SectionColumn] = {}
        self._section = ""
        self._demanded = False
        self._finishing = False
        self._saved_ms = 0
        self.sections = SectionList()
        self._saved = Label(self._saved_words, size="small", tone="soft")
        self._discard = Button(lambda: tr("Discard draft"), kind="quiet", icon="trash", small=True)
        self._stack = Stack()
        self.fee, self.why, self.papers = FeeCard(), WhyCard(), PapersCard()
        self.reason = LineField(lambda: tr("Reason of the correction"), longest=300)
        self.back = Button(lambda: tr("Back"), key="Shift+Enter")
        self.next = Button(self._next_words, key="Enter")
        self.finish = Button(self._finish_words, kind="primary", key="Ctrl+Enter")
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        left = column(self.sections, None, self._discard, self._saved, spacing=6, margins=(8, 8, 8, 10))
        self._left = Card(left)
        self._right = Scroll(holder(column(self.fee, self.why, self.papers, None, spacing=12)))
        for side in (self._left, self._right):
            side.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._right.setMinimumWidth(1)  # it goes when there is no room for it
        middle = column(self.reason, spacing=8)
        middle.addWidget(self._stack, 1)
        self._middle = holder(middle)
        body = row(spacing=20)
        body.addWidget(self._left, 20)
        body.addWidget(self._middle, 60)
        body.addStretch(1)
        body.addWidget(self._right, 22)
        foot = row(self.back, None, self.next, self.finish, spacing=12)
        page = column(spacing=12, margins=(24, 14, 24, 12))
        page.addLayout(body, 1)
        page.addLayout(foot)
        self.setLayout(page)
        self._fit()

    def _connect(self) -> None:
        self.sections.wanted.connect(self.show_section)
        self.back.clicked.connect(self.go_back)
        self.next.clicked.connect(self.go_next)
        self.finish.clicked.connect(self.finish_now)
        self._discard.clicked.connect(self._throw_away)
        self.reason.left.connect(self._keep_reason)
        QApplication.instance().focusChanged.connect(self._focus_moved)  # type: ignore[union-attr]

    # Opening and leaving

    def open(self, opened: dict[str, Any]) -> None:
        """Show a draft as ``forms.draft`` gave it, at the question where the work stopped."""
        self.sheet = Sheet(opened)
        self._office = str(opened["office"])
        self._saver = Saver(self._desk, self.sheet.draft, opened["order"], self._was_saved, self)
        self._demanded = self._finishing = False
        self._saved_ms = opened["saved_ms"]
        for old in self._columns.values():
            self._stack.removeWidget(old)
            old.deleteLater()
        self._columns = {}
        self._section = ""
        form = self.sheet.form
        self.sections.build([(section.id, section.title) for section in form.sections])
        self.fee.show_service(self.sheet.service, self.sheet.fee(), self.sheet.due)
        self.papers.show_papers(self.sheet.service["documents"])
        self.reason.setVisible(self.sheet.corrects is not None)
        self.reason.set_value(self.sheet.reason)
        self._discard.setVisible(True)
        self.retranslate()
        at = next((field for field in form.fields() if field.id == opened["at"]), None)
        self.show_section(at.section if at else form.sections[0].id)
        self._speak_saved()
        if at is not None and (question := self._columns[at.section].question(at.id)):
            question.take_focus()

    def leave(self) -> None:
        """Everything typed is durable when this returns; a refusal is shown and the text stays in the fields."""
        if self._saver is None or self.sheet is None:
            return
        try:
            self._saver.flush()
            self._keep_reason()
        except SalaError as error:
            self._desk.show_error(error)

    def close_draft(self) -> None:
        """Leave and forget the draft; one without a single answer is put into the bin."""
        self.leave()
        sheet, self.sheet, self._saver = self.sheet, None, None
        if sheet is not None and not sheet.answers and not sheet.typed:
            self._desk.run("forms.discard", draft=sheet.draft, failed=lambda _error: None)

    def title(self) -> str:
        """Service and person, for the top bar."""
        if self.sheet is None:
            return ""
        own = self.sheet.form.service is not None  # the form's title is shorter than the service's
        what = (
            self.sheet.receipt
            if self.sheet.corrects
            else text(self.sheet.form.title if own else self.sheet.service["title"])
        )
        return " · ".join(part for part in (what, self.sheet.person(language())) if part)

    # Sections

    def show_section(self, id: str) -> None:
        """Bring a section to the front, its first question with the focus."""
        if self.sheet is None:
            return
        if id not in self._columns:
            self._columns[id] = self._make(id)
            self._stack.addWidget(self._columns[id])
        self._section = id
        self._stack.setCurrentWidget(self._columns[id])
        self._update()
        self.why.show_why(self._current().why)
        self._columns[id].take_focus()

    def _current(self) -> Section:
        assert self.sheet is not None
        return next(section for section in self.sheet.form.sections if section.id == self._section)

    def _make(self, id: str) -> SectionColumn:
        assert self.sheet is not None
        section = next(section for section in self.sheet.form.sections if section.id == id)
        made = SectionColumn(section, self.sheet, self._office)
        made.edited.connect(self._edited)
        made.left.connect(self._was_left)
        made.enter_at_end.connect(self.go_next)
        made.back_at_start.connect(self.go_back)
        for question in made.questions():
            if isinstance(question, FilesQuestion):
                attaching.connect(self._desk, self.sheet.draft, question, self._files_changed)
        return made

    def _neighbour(self, step: int) -> str | None:
        ids = self.sections.ids()
        at = ids.index(self._section) + step if self._section in ids else 0
        return ids[at] if 0 <= at < len(ids) else None

    def go_next(self) -> None:
        """The next section; after the last one the focus goes to the button that finishes."""
        if (id := self._neighbour(1)) is not None:
            self.show_section(id)
        else:
            self.finish.setFocus(Qt.FocusReason.TabFocusReason)

    def go_back(self) -> None:
        """The section before, at its last question; before the first one: back to the list."""
        if (id := self._neighbour(-1)) is not None:
            self.show_section(id)
            self._columns[id].take_focus(at_end=True)
        else:
            self.closed.emit()

    # Answers

    def _edited(self, question: Question) -> None:
        assert self.sheet is not None and self._saver is not None
        raw = question.raw()
        self.sheet.put(question.field, raw)
        self._saver.put(question.field.id, raw)
        self._desk.idle_touch()
        self._update()

    def _was_left(self, question: Question) -> None:
        if self.sheet is None or self._saver is None or isinstance(question, FeeQuestion):
            return
        self._saver.go()
        value = self.sheet.answers.get(question.field.id)
        if value is not None:
            question.tidy(value)
        hint = self.sheet.hint(question.field)
        question.say_hint(hint.words(language()) if hint else question.field.hint or "")
        self._say_problems()
        if question.field.id == self.sheet.form.roles["person"]:
            self.retitled.emit()

    def _files_changed(self, question: FilesQuestion, kept: Mapping[str, Any]) -> None:
        if self.sheet is None or kept["draft"] != self.sheet.draft:
            return
        self.sheet.answers.pop(question.field.id, None)
        if kept["value"]:
            self.sheet.answers[question.field.id] = kept["value"]
        question.show_answer(kept["value"])
        self._was_saved(kept["saved_ms"])
        self._update()

    def _keep_reason(self) -> None:
        if self.sheet is not None and self.sheet.corrects and self.sheet.reason != self.reason.text():
            self.sheet.reason = self.reason.text()
            self._desk.run_now("forms.note_reason", draft=self.sheet.draft, reason=self.sheet.reason)

    # What is shown of it

    def _update(self) -> None:
        """Questions come and go, counts and fee follow."""
        if self.sheet is None:
            return
        asked = {field.id for field in self.sheet.shown()}
        for made in self._columns.values():
            made.show_asked(asked)
        problems = self.sheet.problems()
        self.sections.show_state(self.sheet.sections(problems), self._section, demanded=self._demanded)
        self.fee.show_fee(self.sheet.fee())
        for made in self._columns.values():
            made.show_fee(self.sheet.fee(), self.sheet.service)
        self.next.say(self._next_words)
        self.next.setVisible(self._neighbour(1) is not None)
        self._say_problems()

    def _say_problems(self) -> None:
        """Under each field that was left, or under all once the person wanted to finish, what is wrong with it."""
        if self.sheet is None:
            return
        first = {problem.field: problem for problem in reversed(self.sheet.problems())}
        focus = QApplication.focusWidget()
        for made in self._columns.values():
            for question in made.questions():
                problem = first.get(question.field.id)
                typing = focus is not None and question.isAncestorOf(focus)
                quiet = problem is None or (not self._demanded and (problem.code in MISSING or typing))
                question.say_problem("" if quiet or problem is None else problem.words(language()))

    def _was_saved(self, wall_ms: int) -> None:
        self._saved_ms = wall_ms
        self._speak_saved()

    def _speak_saved(self) -> None:
        self._saved.say(self._saved_words)

    def _saved_words(self) -> str:
        return tr("Saved {time}", time=shown.time(self._saved_ms)) if self._saved_ms else ""

    def _next_words(self) -> str:
        id = self._neighbour(1) if self.sheet is not None else None
        if id is None or self.sheet is None:
            return tr("Next")
        section = next(section for section in self.sheet.form.sections if section.id == id)
        return tr("Next: {section}", section=text(section.title))

    def _finish_words(self) -> str:
        if self.sheet is not None and self.sheet.corrects:
            return tr("Record the correction")
        return tr("Finish and queue")

    def _focus_moved(self, _old: QWidget | None, new: QWidget | None) -> None:
        """The card at the right follows the question with the focus."""
        if self.sheet is None or new is None or self._section not in self._columns:
            return
        made = self._columns[self._section]
        question = next((question for question in made.questions() if question.isAncestorOf(new)), None)
        if question is not None:
            self.why.show_why(question.field.why or self._current().why)

    # Finishing

    def finish_now(self) -> None:
        """Check everything; when nothing is wrong, finish. Else go to the first question that is."""
        if self.sheet is None or self._finishing:
            return
        self.leave()
        self._demanded = True
        problems = self.sheet.problems()
        self._update()
        if problems:
            self._go_to(problems[0].section, problems[0].field)
            self._desk.show_note(tr("{count} points are missing or wrong.", count=shown.number(len(problems))))
            return
        self._finishing = True
        self.finish.setEnabled(False)
        self._desk.run("forms.finish", draft=self.sheet.draft, then=self._finished, failed=self._refused)

    def _finished(self, result: dict[str, Any]) -> None:
        self._finishing = False
        self.finish.setEnabled(True)
        self.sheet, self._saver = None, None
        self.done.emit(result)

    def _refused(self, error: SalaError) -> None:
        self._finishing = False
        self.finish.setEnabled(True)
        found: Any = error.values.get("problems") or ()
        if found:
            self._go_to(found[0]["section"], found[0]["field"])
        if error.code == "FM-032":
            self.reason.set_error(tr("Write why."))
            self.reason.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self._desk.show_error(error)

    def _go_to(self, section: str, field: str) -> None:
        self.show_section(section)
        if question := self._columns[section].question(field):
            question.take_focus()

    def _throw_away(self) -> None:
        if self.sheet is None:
            return
        draft = self.sheet.draft
        self.leave()
        self.sheet, self._saver = None, None
        self._desk.run("forms.discard", draft=draft, then=lambda _kept: self.discarded.emit(draft))

    # Keys, language, room

    def keyPressEvent(self, event: QKeyEvent) -> None:
        control = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        elif control and event.key() == Qt.Key.Key_PageDown:
            self.go_next()
        elif control and event.key() == Qt.Key.Key_PageUp and (id := self._neighbour(-1)) is not None:
            self.show_section(id)
        else:
            super().keyPressEvent(event)

    def retranslate(self) -> None:
        """Words that are made of data: the others follow by themselves."""
        self.fee.speak()
        self.finish.say(self._finish_words)
        self._speak_saved()
        self._update()

    def retheme(self) -> None:
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self._left.setMinimumWidth(theme.scaled(180))
        self._left.setMaximumWidth(theme.scaled(230))
        self._middle.setMaximumWidth(theme.scaled(COLUMN))
        self._right.setMaximumWidth(theme.scaled(250))
        self._right.setVisible(self.width() >= theme.scaled(WIDE))
