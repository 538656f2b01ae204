"""Qt's own words (OK, file dialog, context menus) from our catalogue: Qt ships no Khmer."""

from __future__ import annotations

from PySide6.QtCore import QTranslator
from PySide6.QtWidgets import QApplication

from i18n.catalog import language, tr_in


class QtWords(QTranslator):
    """Answers Qt's look-ups: the English source without its mnemonic is the key. English stays Qt's own."""

    def isEmpty(self) -> bool:
        return False

    def translate(self, _context: str, source: str, _hint: str | None = None, _count: int = -1) -> str | None:
        if language() == "en" or not source:
            return None
        plain = source.replace("&", "")
        try:
            words = tr_in("km", plain)
        except FileNotFoundError:
            return None
        return words if words != plain else None


def install(app: QApplication) -> QtWords:
    """Put our words before Qt's. They follow the language by themselves: Qt asks again on every ``LanguageChange``."""
    words = QtWords(app)
    app.installTranslator(words)
    return words
