"""How strong a passphrase is, in words: an estimate from length and variety, honest about being only that."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from math import log2

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.kit import theme
from i18n.catalog import tr
from sync.passphrase import LEAST

GOOD_BITS = 45
STRONG_BITS = 65
_COMMON = ("password", "123456", "12345678", "qwerty", "cambodia", "admin", "kampuchea")


def bits(words: str) -> float:
    """An upper estimate of what it takes to guess: repeated letters, runs and very common words count little."""
    if not words:
        return 0.0
    folded = words.casefold()
    for common in _COMMON:
        folded = folded.replace(common, "x")
    kinds = [
        (any(letter.islower() or letter.isupper() for letter in words), 26),
        (any(letter.isdecimal() for letter in words), 10),
        (any("\u1780" <= letter <= "\u17d3" for letter in words), 60),
        (any(not letter.isalnum() for letter in words), 12),
    ]
    alphabet = max(2, sum(size for used, size in kinds if used))
    runs = sum(1 for one, two in pairwise(folded) if ord(two) - ord(one) in (0, 1, -1))
    counts = Counter(folded)
    variety = len(counts) / max(1, len(folded))
    return max(0.0, len(folded) - runs * 0.8) * log2(alphabet) * (0.35 + 0.65 * variety)


class StrengthMeter(QWidget):
    """A thin bar and the word beside it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.judge("")

    def judge(self, words: str) -> None:
        self._words = words
        self.setAccessibleName(self.verdict())
        self.update()

    def enough(self) -> bool:
        """Long enough to be taken; weak ones are taken too, but said to be weak."""
        return len(self._words.strip()) >= LEAST

    def level(self) -> int:
        """0 too short, 1 weak, 2 good, 3 strong."""
        if not self.enough():
            return 0
        found = bits(self._words)
        return 3 if found >= STRONG_BITS else 2 if found >= GOOD_BITS else 1

    def verdict(self) -> str:
        return (
            tr("At least {least} letters", least=LEAST),
            tr("Weak: easy to guess. Add one or two words."),
            tr("Good"),
            tr("Strong"),
        )[self.level()]

    def sizeHint(self) -> QSize:
        return QSize(200, round(theme.line_height("small") + 2))

    minimumSizeHint = sizeHint

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        level = self.level()
        tone = ("faint", "amber", "green", "green")[level]
        painter.setPen(Qt.PenStyle.NoPen)
        middle = self.height() / 2 - 3
        for part in range(3):
            painter.setBrush(theme.tone(tone if part < level else "skeleton"))
            painter.drawRoundedRect(QRectF(part * 46, middle, 42, 6), 3, 3)
        painter.setFont(theme.font("small"))
        painter.setPen(theme.tone("soft" if level == 0 else tone))
        painter.drawText(
            QRectF(148, 0, self.width() - 148, self.height()), int(Qt.AlignmentFlag.AlignVCenter), self.verdict()
        )
        painter.end()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.judge(self._words)
        super().changeEvent(event)
