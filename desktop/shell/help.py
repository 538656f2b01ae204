"""F1: all keys, made from the commands themselves, and the few ideas that explain the rest."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QDialog, QGridLayout, QWidget

from desktop.kit import theme
from desktop.kit.button import Button
from desktop.kit.layout import Rule, Scroll, column, row
from desktop.kit.wrap import Label, Words, say
from desktop.shell.keys import HelpLine
from i18n.catalog import tr


class KeyCap(QWidget):
    """A key as it looks on the keyboard."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self._key = key.replace("+", " + ").replace("Return", "Enter")
        self.setAccessibleName(self._key)

    def sizeHint(self) -> QSize:
        wide = QFontMetricsF(theme.font("small")).horizontalAdvance(self._key)
        return QSize(round(wide + 16), round(theme.line_height("small") + 4))

    minimumSizeHint = sizeHint

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        size = self.sizeHint()
        cap = QRectF(0.5, (self.height() - size.height()) / 2 + 0.5, size.width() - 1, size.height() - 1)
        painter.setPen(QPen(theme.tone("edge"), 1))
        painter.setBrush(theme.tone("ground"))
        painter.drawRoundedRect(cap, theme.radius("small"), theme.radius("small"))
        painter.setFont(theme.font("small"))
        painter.setPen(theme.tone("ink"))
        painter.drawText(cap.translated(0, theme.drop("small")), int(Qt.AlignmentFlag.AlignCenter), self._key)
        painter.end()


class Help(QDialog):
    """Groups of keys in two columns, closed by Esc."""

    def __init__(self, parent: QWidget, groups: Sequence[tuple[Words, Sequence[HelpLine]]]) -> None:
        super().__init__(parent)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Help"))
        self.setAccessibleName(tr("Help"))
        board = column(spacing=8, margins=(4, 4, 12, 4))
        ideas = Label(
            lambda: tr(
                "Everything you type is kept at once; there is no save button. What is finished waits here and is sent "
                "by itself when there is a line, or by USB. The strip below always says what the centre has received."
            ),
            wrap=True,
        )
        board.addWidget(ideas)
        for title, lines in groups:
            if lines:
                board.addSpacing(8)
                board.addWidget(Label(title, size="heading", bold=True))
                board.addLayout(_grid(lines))
        board.addStretch(1)
        content = QWidget()
        content.setLayout(board)
        close = Button(lambda: tr("Close"), key="Esc")
        close.clicked.connect(self.accept)
        heading = Label(lambda: tr("Keys and help"), size="title", bold=True)
        scroll = Scroll(content)
        scroll.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        scroll.setAccessibleName(tr("Keys and help"))
        self.setLayout(column(heading, Rule(), scroll, row(None, close), spacing=12, margins=(24, 16, 24, 16)))
        window = parent.window()
        self.resize(min(theme.scaled(760), window.width() - 40), min(theme.scaled(600), window.height() - 40))


def _grid(lines: Sequence[HelpLine]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(16)
    grid.setVerticalSpacing(6)
    grid.setColumnStretch(1, 1)
    grid.setColumnMinimumWidth(0, theme.scaled(150))
    shown = sorted(lines, key=lambda line: say(line.words))
    for number, line in enumerate(shown):
        grid.addWidget(KeyCap(line.key), number, 0)
        grid.addWidget(Label(line.words, wrap=True), number, 1)
    return grid
