"""Khmer in Qt with the patched font: nothing clipped, text wraps, eliding keeps clusters whole (acceptance check 12)."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontDatabase, QFontMetricsF, QTextLayout, QTextOption
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from i18n.segment import clusters, display
from tools.fonts import UI_FONTS, variable_font

DEEP = "ព្រឹត្តិការណ៍ សង្គ្រាម ត្បូងឃ្មុំ"


def family(path: str) -> str:
    return QFontDatabase.applicationFontFamilies(QFontDatabase.addApplicationFont(path))[0]


@pytest.fixture
def sala(qtbot: QtBot) -> str:
    names = {family(str(path)) for path in UI_FONTS}
    assert names == {"Sala Khmer"}
    return names.pop()


def box(name: str, *, bold: bool = False) -> tuple[float, float, float, float]:
    """Ascent, descent, ink above, ink below the baseline at 11 pt."""
    font = QFont(name, 11)
    font.setBold(bold)
    metrics = QFontMetricsF(font)
    seen = metrics.tightBoundingRect(DEEP)
    return metrics.ascent(), metrics.descent(), -seen.top(), seen.bottom()


@pytest.mark.parametrize("bold", [False, True])
def test_the_line_box_holds_all_ink(sala: str, bold: bool) -> None:
    ascent, descent, above, below = box(sala, bold=bold)
    assert above <= ascent
    assert below <= descent


def test_the_unpatched_font_would_be_clipped(qtbot: QtBot) -> None:
    _, descent, _, below = box(family(str(variable_font())))
    assert below > descent


def lines(text: str, font: QFont, width: float) -> int:
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WordWrap)
    layout = QTextLayout(text, font)
    layout.setTextOption(option)
    layout.beginLayout()
    count = 0
    while (line := layout.createLine()).isValid():
        line.setLineWidth(width)
        assert line.naturalTextWidth() <= width
        count += 1
    layout.endLayout()
    return count


def test_displayed_text_wraps_in_a_label(sala: str, qtbot: QtBot, khmer_samples: dict[str, str]) -> None:
    font = QFont(sala, 12)
    label = QLabel(display(khmer_samples["nospace"]))
    qtbot.addWidget(label)
    label.setFont(font)
    label.setWordWrap(True)
    assert lines(label.text(), font, 360) == 3
    assert round(label.heightForWidth(360) / QFontMetricsF(font).lineSpacing()) == 3
    label.setText(khmer_samples["nospace"])
    assert round(label.heightForWidth(360) / QFontMetricsF(font).lineSpacing()) == 1  # without display() Qt cuts it off


@pytest.mark.parametrize("width", range(40, 400, 9))
def test_eliding_never_ends_inside_a_cluster(sala: str, khmer_samples: dict[str, str], width: int) -> None:
    text = khmer_samples["nospace"]
    elided = QFontMetricsF(QFont(sala, 11)).elidedText(text, Qt.TextElideMode.ElideRight, width)
    kept = elided.removesuffix("…")
    assert text.startswith(kept)
    ends = {sum(map(len, clusters(text)[:count])) for count in range(len(clusters(text)) + 1)}
    assert len(kept) in ends
