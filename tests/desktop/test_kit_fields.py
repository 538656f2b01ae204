"""Fields read what officers type: either digits, invisible spaces, Enter for the next, errors in words under them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from desktop.kit import shown, theme
from desktop.kit.fields import (
    ChoiceField,
    DateField,
    Field,
    LineField,
    LockedField,
    ManyField,
    MoneyField,
    NoteField,
    NumberField,
    Option,
    PhoneField,
    YesNoField,
)
from desktop.kit.gazetteer_field import GazetteerField
from desktop.kit.layout import column
from desktop.kit.pick import Pick, PickField
from i18n import catalog

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

Typing = Callable[[QWidget, str], None]
NAME = {"km": "ឈ្មោះ", "en": "Name"}
COLOURS = [
    Option("r", {"km": "ក្រហម", "en": "red"}),
    Option("b", {"km": "ខៀវ", "en": "blue"}),
    Option("g", {"km": "បៃតង", "en": "green"}),
]


_held: list[QWidget] = []  # the page of the running test: Python owns it


@pytest.fixture(autouse=True)
def one_page() -> Iterator[None]:
    yield
    _held.clear()


def form(qtbot: QtBot, *fields: Field) -> QWidget:
    page = QWidget()
    _held.append(page)
    page.setLayout(column(*fields, None))
    page.resize(600, 600)
    qtbot.addWidget(page)
    with qtbot.waitExposed(page):
        page.show()
    fields[0].setFocus()
    qtbot.waitUntil(lambda: page.isActiveWindow())
    return page


@pytest.mark.parametrize(
    ("make", "typed", "value"),
    [
        (NumberField, "១២៥០", 1250),
        (NumberField, "1250", 1250),
        (NumberField, " ១២\u200b៥០ ", 1250),
        (MoneyField, "២០ ០០០", 20_000),
        (MoneyField, "20,000៛", 20_000),
        (DateField, "22/11/2026", "2026-11-22"),
        (DateField, "២២/១១/២០២៦", "2026-11-22"),
        (DateField, "22112026", "2026-11-22"),
        (DateField, "២២១១២០២៦", "2026-11-22"),
        (PhoneField, "012 345 678", "+85512345678"),
        (PhoneField, "០១២៣៤៥៦៧៨", "+85512345678"),
        (LineField, "សុខ\u200b ពិសី", "សុខ ពិសី"),
        (NoteField, "សុខ\u200bសប្បាយ\n", "សុខសប្បាយ"),
    ],
)
def test_values_are_read(qtbot: QtBot, typing: Typing, make: type[Field], typed: str, value: Any) -> None:
    field = make(NAME)  # type: ignore[call-arg]
    form(qtbot, field)
    said: list[Any] = []
    field.changed.connect(said.append)
    typing(field.editor, typed.replace("\n", ""))
    assert field.value() == value
    assert said[-1] == value
    assert field.check()


@pytest.mark.parametrize("make", [NumberField, MoneyField, DateField, PhoneField])
def test_what_cannot_be_read_is_kept_and_said_when_the_focus_leaves(
    qtbot: QtBot, typing: Typing, make: type[LineField]
) -> None:
    field, after = make(NAME), LineField(NAME)
    form(qtbot, field, after)
    typing(field.line, "ក្រៅ")
    assert field.error() == "", "never while typing"
    qtbot.keyClick(field.line, Qt.Key.Key_Return)
    assert field.error()
    assert field.under.isVisible()
    assert field.line.text() == "ក្រៅ"
    assert field.value() is None
    assert field.editor.accessibleDescription() == field.error()
    english_before = field.error()
    catalog.use("en")
    theme.retranslate(theme.QApplication.instance())  # type: ignore[arg-type]
    assert field.error() != english_before


def test_an_error_goes_away_as_soon_as_it_is_mended(qtbot: QtBot, typing: Typing) -> None:
    field = NumberField(NAME, least=1, most=10)
    form(qtbot, field)
    typing(field.line, "99")
    assert not field.check()
    assert "10" in field.error()
    qtbot.keyClick(field.line, Qt.Key.Key_Backspace)
    assert field.error() == ""
    assert field.value() == 9


def test_enter_walks_and_shift_enter_goes_back(qtbot: QtBot) -> None:
    fields = [
        LineField(NAME),
        ChoiceField(NAME, COLOURS),
        YesNoField(NAME),
        ManyField(NAME, COLOURS),
        NoteField(NAME),
        LineField(NAME),
    ]
    page = form(qtbot, *fields)

    def here() -> int:
        return next(n for n, field in enumerate(fields) if page.focusWidget() in field.stops())

    for number in range(5):
        assert here() == number
        qtbot.keyClick(page.focusWidget(), Qt.Key.Key_Return)
    assert here() == 5
    for number in range(5, 0, -1):
        assert here() == number
        qtbot.keyClick(page.focusWidget(), Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert here() == 0


def test_digits_choose_answers(qtbot: QtBot, typing: Typing) -> None:
    field = ChoiceField(NAME, COLOURS)
    form(qtbot, field)
    said: list[Any] = []
    field.changed.connect(said.append)
    typing(field.stops()[0], "២")
    assert field.value() == "b"
    qtbot.keyClick(field.stops()[0], "3")
    assert said == ["b", "g"]


def test_long_choices_are_a_list_that_can_be_empty(qtbot: QtBot) -> None:
    field = ChoiceField(NAME, [Option(str(n), f"answer {n}") for n in range(9)])
    form(qtbot, field)
    assert field.value() is None
    field.set_value("4")
    assert field.value() == "4"
    field.set_value(None)
    assert field.value() is None


def test_setting_a_value_says_nothing(qtbot: QtBot) -> None:
    fields: list[tuple[Field, Any]] = [
        (LineField(NAME), "ក"), (MoneyField(NAME), 20_000), (DateField(NAME), "2026-11-22"), (PhoneField(NAME), "+85512345678"),
        (YesNoField(NAME), True), (ManyField(NAME, COLOURS), ["r", "g"]), (NoteField(NAME), "ក\nខ"), (ChoiceField(NAME, COLOURS), "g"),
    ]  # fmt: skip
    for field, value in fields:
        said: list[Any] = []
        field.changed.connect(said.append)
        field.set_value(value)
        assert field.value() == value
        assert said == []


def test_values_are_shown_in_the_chosen_digits(qtbot: QtBot) -> None:
    shown.use_digits("khmer")
    money, date = MoneyField(NAME), DateField(NAME)
    money.set_value(480_000)
    date.set_value("2026-11-22")
    assert money.line.text() == "៤៨០.០០០ ៛"
    assert date.line.text() == "២២/១១/២០២៦"
    assert money.value() == 480_000
    assert date.value() == "2026-11-22"


def test_a_locked_fee_can_be_read_not_typed(qtbot: QtBot, typing: Typing) -> None:
    field = LockedField(NAME, note="ប្រកាស")
    form(qtbot, field)
    field.set_riel(20_000)
    typing(field.line, "1")
    assert field.text() == "20,000៛"


def test_labels_show_khmer_large_and_english_small(qtbot: QtBot) -> None:
    field = LineField(NAME, required=False)
    assert field.label.main() == "ឈ្មោះ"
    assert field.label.second() == "Name"
    assert field.editor.accessibleName() == "ឈ្មោះ"
    theme.apply(theme.QApplication.instance(), both_labels=False)  # type: ignore[arg-type]
    catalog.use("en")
    assert field.label.main() == "Name"
    assert field.label.second() == ""


def test_picking_from_a_long_list(qtbot: QtBot, typing: Typing) -> None:
    def find(typed: str, limit: int) -> list[Pick]:
        return [Pick(str(n), f"answer {n}", code=str(n)) for n in range(100_000) if typed in str(n)][:limit]

    field, after = PickField(NAME, find), LineField(NAME)
    page = form(qtbot, field, after)
    typing(field.line, "777")
    qtbot.waitUntil(field.list_open)
    qtbot.keyClick(field.line, Qt.Key.Key_Down)
    qtbot.keyClick(field.line, Qt.Key.Key_Return)
    assert field.value() == "1777"
    assert not field.list_open()
    assert page.focusWidget() is after.line
    field.setFocus()
    qtbot.keyClick(field.line, Qt.Key.Key_F4)
    assert field.list_open()
    qtbot.keyClick(field.line, Qt.Key.Key_Escape)
    assert not field.list_open()
    assert field.value() == "1777", "Esc loses nothing"


def test_words_that_are_in_no_list_are_said(qtbot: QtBot, typing: Typing) -> None:
    field = PickField(NAME, lambda _typed, _limit: [])
    form(qtbot, field, LineField(NAME))
    typing(field.line, "zz")
    qtbot.keyClick(field.line, Qt.Key.Key_Tab)
    assert field.error()
    assert field.line.text() == "zz"


def test_a_village_by_typing_and_a_commune_first(qtbot: QtBot, typing: Typing) -> None:
    field = GazetteerField({"km": "ភូមិ", "en": "Village"})
    form(qtbot, field)
    typing(field.line, "ត្រពាំងថ្ម")
    qtbot.waitUntil(field.list_open)
    qtbot.keyClick(field.line, Qt.Key.Key_Return)
    assert field.value()
    assert "ត្រពាំងថ្ម" in field.line.text()
    assert "ស្រុក" in field.under.words() or "ក្រុង" in field.under.words()


def test_f4_goes_down_the_tree(qtbot: QtBot) -> None:
    field = GazetteerField({"km": "ឃុំ", "en": "Commune"}, level="commune")
    form(qtbot, field)
    for _ in range(3):  # province, district, commune: the first of each
        if not field.list_open():
            qtbot.keyClick(field.line, Qt.Key.Key_F4)
        qtbot.keyClick(field.line, Qt.Key.Key_Return)
    assert field.value() == "010201"
    field.set_value("030601")
    assert field.value() == "030601"
    field.set_within("01")
    assert field.value() is None
