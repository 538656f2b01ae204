"""Khmer on the screen: no subscript is cut, no line is lost, and words wrap where Khmer may break."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtGui import QColor, QFontMetricsF, QImage
from PySide6.QtWidgets import QApplication, QWidget

from desktop.kit import theme
from desktop.kit.banner import Banner
from desktop.kit.button import Button
from desktop.kit.fields import ChoiceField, LineField, LockedField, NoteField, Option
from desktop.kit.states import Chip
from desktop.kit.table import Column, Table
from desktop.kit.tabs import Tabs
from desktop.kit.wrap import ZWSP, Label, display

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

INK = "ព្រឹត្តិការណ៍ សង្គ្រាម ស្ត្រី ត្បូងឃ្មុំ ញ៉ាំ ឆ្នាំង ខ្ញុំ ប្រព្រឹត្តិ កន្ត្រៃ ជ្រៀង ល្ខោន"
LONG = "សូមពិនិត្យមើលឯកសារភ្ជាប់មុនពេលផ្ញើទៅកាន់ថ្នាក់ខេត្តដើម្បីជៀសវាងកំហុស"
SIZES = ("display", "title", "heading", "body", "label", "note", "small", "hint")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("bold", [False, True])
def test_the_line_box_holds_the_ink(prepared: QApplication, size: str, bold: bool) -> None:
    metrics = QFontMetricsF(theme.font(size, bold=bold))
    ink = metrics.tightBoundingRect(INK)
    assert -ink.top() <= metrics.ascent() + 0.6
    assert ink.bottom() <= metrics.descent() + 0.6
    assert metrics.height() >= 1.7 * theme.font(size).pointSizeF() * 96 / 72 * 0.98


def ink_rows(widget: QWidget, color: str) -> list[int]:
    """Rows of pixels of ``widget`` where there is something of ``color``."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    ratio = image.devicePixelRatio()
    wanted = theme.tone(color)
    return [
        int(y / ratio)
        for y in range(image.height())
        if any(_near(image.pixelColor(x, y), wanted) for x in range(image.width()))
    ]


def _near(one: QColor, two: QColor) -> bool:
    return abs(one.red() - two.red()) + abs(one.green() - two.green()) + abs(one.blue() - two.blue()) < 90


@pytest.mark.parametrize("percent", [100, 150, 200])
def test_a_label_cuts_nothing(prepared: QApplication, qtbot: QtBot, percent: int) -> None:
    theme.apply(prepared, percent=percent)
    for words in ("ខ្ញុំ", "ស្ត្រី", "ឆ្នាំង", "ប្រព្រឹត្តិ"):
        label = Label(words)
        qtbot.addWidget(label)
        label.adjustSize()
        rows = ink_rows(label, "ink")
        label.setMinimumHeight(label.height() * 3)
        label.adjustSize()
        free = ink_rows(label, "ink")
        assert len(rows) == len(free), f"{words} at {percent} %: {len(rows)} of {len(free)} rows of ink"


@pytest.mark.parametrize("percent", [100, 200])
def test_controls_are_tall_enough_for_their_words(prepared: QApplication, qtbot: QtBot, percent: int) -> None:
    theme.apply(prepared, percent=percent)
    line = LineField({"km": "ឈ្មោះ", "en": "Name"})
    line.line.setText(INK)
    locked = LockedField("ថ្លៃ")
    locked.set_value(INK)
    choice = ChoiceField("ជម្រើស", [Option("a", "ស្ត្រី"), Option("b", "ខ្ញុំ")])
    chip = Chip("sent_back")
    tabs = Tabs([("a", "ត្បូងឃ្មុំ"), ("b", "ខ្ញុំ")], name="x")
    button = Button("បញ្ចប់ និងដាក់ឱ្យផ្ញើ", kind="primary", key="Ctrl Enter")
    tall = theme.line_height("body")
    for widget, least in ((line.line, tall), (locked.line, tall), (button, tall), (chip, theme.line_height("small"))):
        qtbot.addWidget(widget)
        assert widget.sizeHint().height() >= least or widget.height() >= least
    for radio in choice.stops():
        assert radio.minimumHeight() >= tall
    assert tabs.sizeHint().height() >= tall
    table = Table([Column("a", "ស")], name="x")
    qtbot.addWidget(table)
    assert table.verticalHeader().defaultSectionSize() >= tall


def test_long_khmer_wraps_between_words(prepared: QApplication, qtbot: QtBot) -> None:
    assert ZWSP in display(LONG)
    assert display(LONG).replace(ZWSP, "") == LONG
    label = Label(LONG, wrap=True)
    qtbot.addWidget(label)
    narrow = label.heightForWidth(160)
    assert narrow >= 3 * theme.line_height("body") - 2
    assert label.words() == LONG, "what is read out and copied holds no breaks"
    assert ZWSP not in label.accessibleName()


def test_the_field_label_goes_under_when_the_column_is_narrow(prepared: QApplication, qtbot: QtBot) -> None:
    field = LineField({"km": "អាសយដ្ឋានអចិន្ត្រៃយ៍របស់អ្នកស្នើសុំ", "en": "Permanent address of the applicant"})
    qtbot.addWidget(field)
    wide, narrow = field.label.heightForWidth(700), field.label.heightForWidth(200)
    assert wide < 1.4 * theme.line_height("label", bold=True)
    assert narrow > 2 * theme.line_height("label", bold=True) - 4


def test_a_banner_grows_with_its_words(prepared: QApplication, qtbot: QtBot) -> None:
    banner = Banner()
    qtbot.addWidget(banner)
    banner.show_words("warning", LONG, f"{LONG} {LONG} {LONG}")
    wide, narrow = banner.heightForWidth(1200), banner.heightForWidth(420)
    assert narrow > wide


def test_notes_hold_their_lines(prepared: QApplication, qtbot: QtBot) -> None:
    note = NoteField("ចំណាំ", lines=4)
    qtbot.addWidget(note)
    assert note.area.height() >= 4 * theme.line_height("body")
