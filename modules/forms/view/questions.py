"""Questions of a definition as fields of the kit: one widget a field type, all with the same few words for the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.kit import shown
from desktop.kit.field import Field as KitField
from desktop.kit.fields import (
    ChoiceField,
    DateField,
    LineField,
    LockedField,
    ManyField,
    NoteField,
    Option,
    PhoneField,
    YesNoField,
)
from desktop.kit.layout import column
from desktop.kit.wrap import Words
from modules.forms.definition import Field
from modules.forms.view.files import FilesField
from modules.forms.view.places import NameField, NearField


class Question(QWidget):
    """One question. ``raw()`` is what was typed, for the cleaner; ``edited`` while typing, ``left`` when the focus went on."""

    edited = Signal()
    left = Signal()

    def __init__(self, field: Field, *editors: KitField) -> None:
        super().__init__()
        self.field = field
        self.editors = editors
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setLayout(column(*editors, spacing=8))
        for editor in editors:
            editor.edited.connect(self.edited)
            editor.left.connect(self.left)

    def raw(self) -> Any:
        return self.editors[0].value()

    def show_answer(self, value: Any) -> None:
        """``value`` clean, or as it was typed; emits nothing."""
        self.editors[0].set_value(value)

    def tidy(self, value: Any) -> None:
        """The focus has left: show what was understood."""

    def say_problem(self, words: str) -> None:
        self.editors[0].set_error(words)

    def say_hint(self, words: Words) -> None:
        self.editors[0].set_note(words)

    def stops(self) -> list[QWidget]:
        return [stop for editor in self.editors for stop in editor.stops()]

    def starts(self) -> list[QWidget]:
        """The widgets from which Shift+Enter leaves this question backwards."""
        stops = self.editors[0].stops()
        return stops[:1] if isinstance(self.editors[0], NameField) else stops

    def take_focus(self, *, at_end: bool = False) -> None:
        if at_end:
            self.stops()[-1].setFocus(Qt.FocusReason.BacktabFocusReason)
        else:
            self.editors[0].setFocus(Qt.FocusReason.TabFocusReason)

    def on_enter(self, act: Callable[[], None] | None) -> None:
        """What Enter does in the last line of this question, instead of going to the next field."""
        self.editors[-1].on_enter = act


class LineQuestion(Question):
    """Text, number or identity card: the line as typed, invisible characters and all, goes to the cleaner."""

    line: LineField

    def raw(self) -> Any:
        return self.line.line.text() or None

    def show_answer(self, value: Any) -> None:
        typed = value if isinstance(value, str) else "" if value is None else shown.plain(value)
        self.line.set_value(typed)

    def tidy(self, value: Any) -> None:
        self.show_answer(value)


class ReadQuestion(Question):
    """Date or phone: a readable value, else what is typed."""

    def raw(self) -> Any:
        line = self.editors[0]
        assert isinstance(line, LineField)
        return line.line.text() or None

    def show_answer(self, value: Any) -> None:
        line = self.editors[0]
        assert isinstance(line, DateField | PhoneField)
        line.set_value(None)
        if value:
            line.line.setText(str(value))
            line.write_out()


class AddressQuestion(Question):
    """A place of the gazetteer, and house and street when the form asks for them."""

    def __init__(self, field: Field, place: NearField, house: LineField | None) -> None:
        super().__init__(field, *([place, house] if house else [place]))
        self.place, self.house = place, house

    def raw(self) -> Any:
        code = self.place.value() or self.place.line.plain()
        house = self.house.line.text() if self.house else ""
        return {"code": code, "house": house} if code or house.strip() else None

    def show_answer(self, value: Any) -> None:
        value = value or {}
        code = str(value.get("code") or "")
        if code.replace("-", "").isdecimal():
            self.place.set_value(code)
        else:
            self.place.show_typed(code)
        if self.house:
            self.house.set_value(value.get("house") or "")

    def say_hint(self, words: Words) -> None:
        if words:
            self.place.set_note(words)


class FilesQuestion(Question):
    """Photos and scans; the page attaches and takes away."""

    def __init__(self, field: Field, files: FilesField) -> None:
        super().__init__(field, files)
        self.files = files


class FeeQuestion(Question):
    """What the price list says. Shown, never asked."""

    def __init__(self, field: Field, locked: LockedField) -> None:
        super().__init__(field, locked)
        self.locked = locked

    def raw(self) -> Any:
        return None

    def show_fee(self, riel: int, why: Words) -> None:
        self.locked.set_riel(riel)
        self.locked.set_note(why)


def question(field: Field, office: str) -> Question:
    """The widget for ``field``. ``office`` is the code of the hall, whose places come first."""
    asks: dict[str, Any] = {"note": field.hint or "", "required": field.required}
    options = [Option(option.id, option.label) for option in field.options]
    match field.type:
        case "name":
            return Question(field, NameField(field.label, **asks))
        case "text" | "number" | "id_card":
            made = LineQuestion(field, line := LineField(field.label, **asks, longest=500))
            made.line = line
            return made
        case "date":
            return ReadQuestion(field, DateField(field.label, **asks))
        case "phone":
            return ReadQuestion(field, PhoneField(field.label, **asks))
        case "note":
            return Question(field, NoteField(field.label, **asks, lines=3))
        case "yes_no":
            return Question(field, YesNoField(field.label, **asks))
        case "choice":
            return Question(field, ChoiceField(field.label, options, **asks, buttons=5))
        case "choices":
            return Question(field, ManyField(field.label, options, **asks))
        case "address":
            place = NearField(field.label, office=office, level=field.rules.get("level", "village"), **asks)
            house = LineField({"km": "ផ្ទះលេខ ផ្លូវ", "en": "House, street"}, required=False, longest=200)
            return AddressQuestion(field, place, house if field.rules.get("house") else None)
        case "fee":
            return FeeQuestion(field, LockedField(field.label))
        case "attachment":
            return FilesQuestion(field, FilesField(field.label, **asks))
