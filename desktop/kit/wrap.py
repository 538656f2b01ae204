"""Words on the screen: what is said in two languages, and Khmer that wraps (Qt finds no place to break it by
itself).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QPalette, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from desktop.kit import theme
from i18n.catalog import Text, text

Words = str | Text | Callable[[], str]
"""Words of a widget. A ``str`` is data and stays as it is; ``{"km", "en"}`` and ``lambda: tr("…")`` follow the
language.
"""

ZWSP = "\u200b"


def say(words: Words) -> str:
    """The words in the current language."""
    if isinstance(words, str):
        return words
    if isinstance(words, Mapping):
        return text(words)
    return words()


def _has_khmer(words: str) -> bool:
    return any("\u1780" <= letter <= "\u17ff" for letter in words)


@lru_cache(maxsize=4096)
def display(words: str) -> str:
    """``words`` with zero-width spaces where Khmer may break. For the screen only: never store, copy, search or sign
    it.
    """
    if not _has_khmer(words):
        return words
    from i18n.segment import display as with_breaks

    return with_breaks(words)


class Label(QLabel):
    """Text on a page: a type size and a tone by name, live in language and look, Khmer wrapped between words.

    ``size``: display title heading body label note small hint · ``tone``: ink soft faint blue green amber red …
    ``wrap=True`` breaks lines; without it the words stay on one line and the label is as wide as they are. ``cut=True``: one
    line that takes the room it gets; what does not fit ends in … and is in the tool tip.
    """

    def __init__(
        self,
        words: Words = "",
        *,
        size: str = "body",
        tone: str = "ink",
        bold: bool = False,
        wrap: bool = False,
        cut: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._words, self._size, self._tone, self._bold = words, size, tone, bold
        self.setTextFormat(Qt.TextFormat.PlainText)
        self._cut = cut
        self.setWordWrap(wrap)
        if cut:
            self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        if wrap:
            self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self.retheme()
        self._show()

    def say(self, words: Words) -> None:
        """Show other words."""
        self._words = words
        self._show()

    def set_tone(self, tone: str) -> None:
        self._tone = tone
        self._tint()

    def words(self) -> str:
        """What stands there, without the breaks that only the screen needs."""
        return say(self._words)

    def retheme(self) -> None:
        self.setFont(theme.font(self._size, bold=self._bold))
        self._tint()
        if self._cut:
            self._show()

    def _tint(self) -> None:
        colors = QPalette(self.palette())
        colors.setColor(QPalette.ColorRole.WindowText, QColor(theme.tone(self._tone)))
        self.setPalette(colors)

    def _show(self) -> None:
        plain = say(self._words)
        if self._cut:
            plain_shown = self.fontMetrics().elidedText(plain, Qt.TextElideMode.ElideRight, max(24, self.width()))
            self.setToolTip(plain if plain_shown != plain else "")
            self.setText(plain_shown)
        else:
            self.setText(display(plain) if self.wordWrap() else plain)
        self.setAccessibleName(plain)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._cut:
            self._show()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._show()
        super().changeEvent(event)
