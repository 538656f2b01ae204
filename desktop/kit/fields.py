"""The fields: text, number, riel, date, phone, choice, several choices, yes or no, note, locked fee, passphrase.

Latin and Khmer digits are the same everywhere; zero-width spaces never reach a value. Long lists: ``desktop.kit.pick``,
places: ``desktop.kit.gazetteer_field``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QRadioButton,
    QWidget,
)

from desktop.kit import theme, typed
from desktop.kit.field import Field, FieldLabel, Line
from desktop.kit.layout import Wrapped
from desktop.kit.wrap import ZWSP, Words, say
from i18n.catalog import tr

__all__ = [
    "ChoiceField",
    "DateField",
    "Field",
    "FieldLabel",
    "Line",
    "LineField",
    "LockedField",
    "ManyField",
    "MoneyField",
    "NoteField",
    "NumberField",
    "Option",
    "PassphraseField",
    "PhoneField",
    "YesNoField",
]


class Option(NamedTuple):
    """One answer of a choice: the value that is stored and the words that are shown."""

    value: str
    words: Words


class LineField(Field):
    """One line of text. ``hint`` is a key shown at the right end while it has the focus, ``longest`` a limit in characters."""

    line: Line

    def __init__(
        self,
        label: Words,
        *,
        note: Words = "",
        required: bool = True,
        hint: str = "",
        icon: str = "",
        longest: int = 500,
    ) -> None:
        self.line = Line(hint=hint, icon=icon)
        self.line.setMaxLength(longest)
        super().__init__(label, self.line, note=note, required=required)
        self.line.textEdited.connect(self._typed)

    def text(self) -> str:
        """What stands in the editor, as typed."""
        return self.line.plain()

    def value(self) -> Any:
        return self.line.plain() or None

    def set_value(self, value: Any) -> None:
        self.line.setText("" if value is None else str(value))
        self.set_error("")


class NumberField(LineField):
    """A number: int, or a decimal as str ("12.5") when ``places`` is not 0. ``unit`` is shown in the note's place."""

    def __init__(
        self,
        label: Words,
        *,
        note: Words = "",
        required: bool = True,
        least: int | None = None,
        most: int | None = None,
        places: int = 0,
    ) -> None:
        self.least, self.most, self.places = least, most, places
        super().__init__(label, note=note, required=required, longest=40)

    def value(self) -> Any:
        try:
            return typed.number(self.text(), self.places) if self.text() else None
        except ValueError:
            return None

    def set_value(self, value: Any) -> None:
        super().set_value(None if value is None else typed.show_number(value))

    def read(self) -> str:
        if not self.text():
            return ""
        try:
            number = typed.number(self.text(), self.places)
        except ValueError:
            return tr("This is not a number. Type digits, Khmer or Latin.")
        if self.least is not None and float(number) < self.least:
            return tr("The least is {least}.", least=typed.show_number(self.least))
        if self.most is not None and float(number) > self.most:
            return tr("The most is {most}.", most=typed.show_number(self.most))
        return ""


class MoneyField(NumberField):
    """Whole riel, shown in groups of three once the focus has left."""

    def __init__(self, label: Words, *, note: Words = "", required: bool = True, most: int = 10**12) -> None:
        super().__init__(label, note=note, required=required, least=0, most=most)
        self.left.connect(self._group)

    def set_value(self, value: Any) -> None:
        LineField.set_value(self, None if value is None else typed.show_riel(int(value)))

    def _group(self) -> None:
        value = self.value()
        if value is not None:
            self.line.setText(typed.show_riel(int(value)))


class DateField(LineField):
    """A date: value ``"2026-11-22"``. Typed day first (22/11/2026, 22112026, ២២/១១/២០២៦); the page shows what was understood."""

    def __init__(self, label: Words, *, note: Words = "", required: bool = True) -> None:
        super().__init__(
            label, note=note or (lambda: tr("Day/month/year, for example 22/11/2026")), required=required, longest=40
        )
        self._hint_note = note
        self.left.connect(self._write_out)

    def value(self) -> Any:
        try:
            return typed.date(self.text()).isoformat() if self.text() else None
        except ValueError:
            return None

    def set_value(self, value: Any) -> None:
        super().set_value(None if not value else typed.show_date(value))

    def read(self) -> str:
        if not self.text() or self.value():
            return ""
        return tr("This is not a date. Type day, month and year: 22/11/2026.")

    def _write_out(self) -> None:
        value = self.value()
        if value:
            self.line.setText(typed.show_date(value))


class PhoneField(LineField):
    """A Cambodian phone number: value in the form ``"+85512345678"``, typed with or without blanks and country code."""

    def __init__(self, label: Words, *, note: Words = "", required: bool = True) -> None:
        super().__init__(label, note=note, required=required, icon="phone", longest=40)
        self.left.connect(self._write_out)

    def value(self) -> Any:
        try:
            return typed.phone(self.text()) if self.text() else None
        except ValueError:
            return None

    def set_value(self, value: Any) -> None:
        super().set_value(None if not value else typed.show_phone(value))

    def read(self) -> str:
        if not self.text() or self.value():
            return ""
        return tr("This is not a phone number of Cambodia, for example 012 345 678.")

    def _write_out(self) -> None:
        value = self.value()
        if value:
            self.line.setText(typed.show_phone(value))


class PassphraseField(LineField):
    """A secret line: shown as dots, never undone, never put on the clipboard."""

    def __init__(self, label: Words, *, note: Words = "") -> None:
        super().__init__(label, note=note, icon="key", longest=200)
        self.line.setEchoMode(QLineEdit.EchoMode.Password)
        self.line.setInputMethodHints(Qt.InputMethodHint.ImhSensitiveData | Qt.InputMethodHint.ImhNoPredictiveText)

    def value(self) -> Any:
        return self.line.text() or None

    def show_letters(self, shown: bool) -> None:
        self.line.setEchoMode(QLineEdit.EchoMode.Normal if shown else QLineEdit.EchoMode.Password)


class NoteField(Field):
    """Several lines of text. Enter goes on, Shift+Enter back, Alt+Enter begins a new line."""

    def __init__(
        self, label: Words, *, note: Words = "", required: bool = True, lines: int = 4, longest: int = 20_000
    ) -> None:
        self._lines, self._longest = lines, longest
        self.area = QPlainTextEdit()
        self.area.setTabChangesFocus(True)
        self.area.document().setDocumentMargin(6)
        super().__init__(label, self.area, note=note, required=required)
        self.retheme()
        self.area.textChanged.connect(self._typed)

    def retheme(self) -> None:
        self.area.setFont(theme.font("body"))
        self.area.setFixedHeight(round(theme.line_height("body") * self._lines + 18))

    def value(self) -> Any:
        return self.area.toPlainText().replace(ZWSP, "").strip()[: self._longest] or None

    def set_value(self, value: Any) -> None:
        self.area.blockSignals(True)
        self.area.setPlainText("" if value is None else str(value))
        self.area.blockSignals(False)
        self.set_error("")

    def read(self) -> str:
        if len(self.area.toPlainText()) > self._longest:
            return tr("This is too long: the most is {most} characters.", most=self._longest)
        return ""

    def _key(self, event: QKeyEvent) -> bool:
        if (
            event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
            and event.modifiers() == Qt.KeyboardModifier.AltModifier
        ):
            self.area.textCursor().insertText("\n")
            return True
        return super()._key(event)


class ChoiceField(Field):
    """One of a few answers. Up to ``buttons`` answers stand as round buttons (keys 1–9 choose), more in a drop-down list."""

    def __init__(
        self, label: Words, options: Sequence[Option], *, note: Words = "", required: bool = True, buttons: int = 4
    ) -> None:
        self.options = list(options)
        self._group: QButtonGroup | None = None
        self._list: QComboBox | None = None
        editor: QWidget
        if len(self.options) <= buttons:
            editor = self._make_buttons()
        else:
            editor = self._make_list()
        super().__init__(label, editor, note=note, required=required)
        for button in self._buttons():
            button.installEventFilter(self)
        if self._group is not None:
            self._group.idToggled.connect(self._toggled)
            self._aim()
        self.retheme()
        self._words()

    def _make_buttons(self) -> QWidget:
        editor = QWidget()
        layout = Wrapped(spacing=20)
        self._group = QButtonGroup(editor)
        for number, _ in enumerate(self.options):
            button = QRadioButton()
            self._group.addButton(button, number)
            layout.addWidget(button)
        editor.setLayout(layout)
        return editor

    def _make_list(self) -> QWidget:
        self._list = QComboBox()
        self._list.addItem("", None)
        for option in self.options:
            self._list.addItem("", option.value)
        self._list.activated.connect(self._typed)
        return self._list

    def _buttons(self) -> list[QAbstractButton]:
        return self._group.buttons() if self._group is not None else []

    def stops(self) -> list[QWidget]:
        return [*self._buttons()] or [self.editor]

    def _aim(self) -> None:
        """The focus of the field is the chosen answer, else the first."""
        if self._group is not None and self.options:
            self.setFocusProxy(self._group.checkedButton() or self._group.button(0))

    def _toggled(self, _number: int, on: bool) -> None:
        if on:
            self._aim()
            self._typed()

    def retheme(self) -> None:
        for button in self._buttons():
            button.setFont(theme.font("body"))
            button.setMinimumHeight(theme.height("row"))
        if self._list is not None:
            self._list.setFont(theme.font("body"))
            self._list.setFixedHeight(theme.height("control"))

    def _words(self) -> None:
        for number, option in enumerate(self.options):
            words = say(option.words)
            if self._group is not None:
                self._group.button(number).setText(words.replace("&", "&&"))
                self._group.button(number).setAccessibleName(f"{say(self._label)}: {words}")
            elif self._list is not None:
                self._list.setItemText(number + 1, words)
        if self._list is not None:
            self._list.setItemText(0, tr("Choose…"))

    def value(self) -> Any:
        if self._list is not None:
            return self._list.currentData()
        number = self._group.checkedId() if self._group is not None else -1
        return self.options[number].value if number >= 0 else None

    def set_value(self, value: Any) -> None:
        chosen = next((n for n, option in enumerate(self.options) if option.value == value), -1)
        if self._list is not None:
            self._list.setCurrentIndex(chosen + 1)
        elif self._group is not None:
            self._group.blockSignals(True)
            self._group.setExclusive(False)
            for number, button in enumerate(self._group.buttons()):
                button.setChecked(number == chosen)
            self._group.setExclusive(True)
            self._group.blockSignals(False)
            self._aim()
        self.set_error("")

    def _key(self, event: QKeyEvent) -> bool:
        digit = typed.digits(event.text())
        if self._group is not None and digit.isdecimal() and 1 <= int(digit) <= len(self.options):
            button = self._group.button(int(digit) - 1)
            button.setChecked(True)
            button.setFocus(Qt.FocusReason.TabFocusReason)
            return True
        return super()._key(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._words()
        super().changeEvent(event)


class YesNoField(ChoiceField):
    """Yes or no; value True, False or None."""

    def __init__(self, label: Words, *, note: Words = "", required: bool = True) -> None:
        answers = (Option("yes", lambda: tr("Yes")), Option("no", lambda: tr("No")))
        super().__init__(label, answers, note=note, required=required)

    def value(self) -> Any:
        return {"yes": True, "no": False}.get(super().value())

    def set_value(self, value: Any) -> None:
        super().set_value({True: "yes", False: "no"}.get(value))


class ManyField(Field):
    """Any number of answers, each with a box to tick; value a list of the chosen values in the order of the options."""

    def __init__(self, label: Words, options: Sequence[Option], *, note: Words = "", required: bool = True) -> None:
        self.options = list(options)
        editor = QWidget()
        layout = Wrapped(spacing=20)
        self._boxes: list[QCheckBox] = []
        for _ in self.options:
            box = QCheckBox()
            self._boxes.append(box)
            layout.addWidget(box)
        editor.setLayout(layout)
        super().__init__(label, editor, note=note, required=required)
        if self._boxes:
            self.setFocusProxy(self._boxes[0])
        for box in self._boxes:
            box.installEventFilter(self)
            box.clicked.connect(self._typed)
        self.retheme()
        self._words()

    def retheme(self) -> None:
        for box in self._boxes:
            box.setFont(theme.font("body"))
            box.setMinimumHeight(theme.height("row"))

    def _words(self) -> None:
        for box, option in zip(self._boxes, self.options, strict=True):
            box.setText(say(option.words).replace("&", "&&"))
            box.setAccessibleName(f"{say(self._label)}: {say(option.words)}")

    def value(self) -> Any:
        chosen = [option.value for box, option in zip(self._boxes, self.options, strict=True) if box.isChecked()]
        return chosen or None

    def set_value(self, value: Any) -> None:
        for box, option in zip(self._boxes, self.options, strict=True):
            box.setChecked(option.value in (value or ()))
        self.set_error("")

    def stops(self) -> list[QWidget]:
        return [*self._boxes]

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._words()
        super().changeEvent(event)


class LockedField(LineField):
    """A value that the person may read and copy but not change, such as a fee; ``note`` says who decided it."""

    def __init__(self, label: Words, *, note: Words = "") -> None:
        super().__init__(label, note=note, icon="lock")
        self.line.setReadOnly(True)

    def set_riel(self, riel: int) -> None:
        self.set_value(f"{typed.show_riel(riel)} ៛")
