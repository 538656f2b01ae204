"""Fields with a few answers: round buttons or a drop-down list, yes or no, boxes to tick."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QCheckBox, QComboBox, QRadioButton, QWidget

from desktop.kit import theme
from desktop.kit.field import Field
from desktop.kit.layout import Wrapped
from desktop.kit.wrap import Words, say
from i18n.catalog import tr
from i18n.numbers import ascii_digits


class Option(NamedTuple):
    """One answer of a choice: the value that is stored and the words that are shown."""

    value: str
    words: Words


class ChoiceField(Field):
    """One of a few answers. Up to ``buttons`` answers stand as round buttons (keys 1–9 choose), more in a drop-down
    list.
    """

    def __init__(
        self, label: Words, options: Sequence[Option], *, note: Words = "", required: bool = True, buttons: int = 4
    ) -> None:
        self.options = list(options)
        self._group: QButtonGroup | None = None
        self._list: QComboBox | None = None
        editor = self._make_buttons() if len(self.options) <= buttons else self._make_list()
        super().__init__(label, editor, note=note, required=required)
        self._connect()
        self.retheme()
        self._words()

    def _connect(self) -> None:
        for button in self._buttons():
            button.installEventFilter(self)
        if self._group is not None:
            self._group.idToggled.connect(self._toggled)
            self._aim()

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
        digit = ascii_digits(event.text())
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
