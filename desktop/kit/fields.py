"""The fields: text, number, riel, date, phone, choice, several choices, yes or no, note, locked fee, passphrase.

Latin and Khmer digits are the same everywhere; zero-width spaces never reach a value. Long lists: ``desktop.kit.pick``,
places: ``desktop.kit.gazetteer_field``.
"""

from __future__ import annotations

from abc import abstractmethod
from decimal import Decimal
from typing import Any

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit

from desktop.kit import shown, theme
from desktop.kit.choices import ChoiceField, ManyField, Option, YesNoField
from desktop.kit.field import Field, FieldLabel, Line
from desktop.kit.wrap import ZWSP, Words
from i18n.catalog import tr
from i18n.dates import parse_date
from i18n.errors import Refused, explain
from i18n.numbers import ascii_digits, parse_decimal, parse_int, parse_riel
from i18n.phones import national, parse_phone

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
    "ReadField",
    "YesNoField",
]


class LineField(Field):
    """One line of text. ``hint`` is a key shown at the right end while it has the focus, ``longest`` a limit in
    characters.
    """

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


class ReadField(LineField):
    """A line whose words are read by the parsers of ``i18n``; their refusal is what stands under the field."""

    @abstractmethod
    def parse(self, text: str) -> Any:
        """The JSON-able value of ``text``; ``Refused`` when it says none."""

    @abstractmethod
    def write(self, value: Any) -> str:
        """``value`` as it is shown."""

    def value(self) -> Any:
        try:
            return self.parse(self.text()) if self.text() else None
        except Refused:
            return None

    def set_value(self, value: Any) -> None:
        super().set_value(None if value is None or value == "" else self.write(value))

    def read(self) -> str:
        try:
            return self.limits(self.parse(self.text())) if self.text() else ""
        except Refused as refusal:
            words = explain(refusal)
            return f"{words.what} {words.next}"

    def limits(self, value: Any) -> str:  # noqa: ARG002
        """Why a readable ``value`` may not stand here, in the current language; "" when it may."""
        return ""

    def write_out(self) -> None:
        """Show what was understood; called when the focus has left."""
        value = self.value()
        if value is not None:
            self.line.setText(self.write(value))


def _without_blanks(text: str) -> str:
    """Groups of three are often written with a blank: ២០ ០០០."""
    return "".join(text.split())


class NumberField(ReadField):
    """A number: int, or a decimal as str ("12.5") when ``decimals``."""

    def __init__(
        self,
        label: Words,
        *,
        note: Words = "",
        required: bool = True,
        least: int | None = None,
        most: int | None = None,
        decimals: bool = False,
    ) -> None:
        self.least, self.most, self.decimals = least, most, decimals
        super().__init__(label, note=note, required=required, longest=40)

    def parse(self, text: str) -> Any:
        together = _without_blanks(text)
        return str(parse_decimal(together)) if self.decimals else parse_int(together)

    def write(self, value: Any) -> str:
        return shown.plain(value)

    def limits(self, value: Any) -> str:
        number = Decimal(value)
        if self.least is not None and number < self.least:
            return tr("The least is {least}.", least=shown.number(self.least))
        if self.most is not None and number > self.most:
            return tr("The most is {most}.", most=shown.number(self.most))
        return ""


class MoneyField(NumberField):
    """Whole riel, shown with the sign and in groups of three once the focus has left."""

    def __init__(self, label: Words, *, note: Words = "", required: bool = True, most: int = 10**12) -> None:
        super().__init__(label, note=note, required=required, least=0, most=most)
        self.left.connect(self.write_out)

    def parse(self, text: str) -> Any:
        return parse_riel(_without_blanks(text))

    def write(self, value: Any) -> str:
        return shown.riel(int(value))


class DateField(ReadField):
    """A date: value ``"2026-11-22"``. Typed day first, with or without strokes; what was understood is shown
    afterwards.
    """

    def __init__(self, label: Words, *, note: Words = "", required: bool = True) -> None:
        super().__init__(label, note=note, required=required, icon="calendar", longest=60)
        self.line.setPlaceholderText(tr("day/month/year"))
        self.left.connect(self.write_out)

    def parse(self, text: str) -> Any:
        typed = ascii_digits(text)
        if len(typed) == 8 and typed.isdecimal():  # 22112026: nobody looks for the stroke in a queue
            typed = f"{typed[:2]}/{typed[2:4]}/{typed[4:]}"
        return parse_date(typed).isoformat()

    def write(self, value: Any) -> str:
        return shown.date(value)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.line.setPlaceholderText(tr("day/month/year"))
        super().changeEvent(event)


class PhoneField(ReadField):
    """A phone number: value in the form ``"+85512345678"``, typed in any way people write it."""

    def __init__(self, label: Words, *, note: Words = "", required: bool = True) -> None:
        super().__init__(label, note=note, required=required, icon="phone", longest=40)
        self.left.connect(self.write_out)

    def parse(self, text: str) -> Any:
        return parse_phone(text)

    def write(self, value: Any) -> str:
        return shown.plain(national(value))


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
        self.area.viewport().setAutoFillBackground(False)  # the frame's round corners stay free
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


class LockedField(LineField):
    """A value that the person may read and copy but not change, such as a fee; ``note`` says who decided it."""

    def __init__(self, label: Words, *, note: Words = "") -> None:
        super().__init__(label, note=note, icon="lock")
        self.line.setReadOnly(True)

    def set_riel(self, riel: int) -> None:
        self.set_value(shown.riel(riel))
