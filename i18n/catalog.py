"""The message catalogue: gettext at run time, English sentence as key, Khmer required.

Sources are ``i18n/locale/km/<area>.po``; ``tools/prepare.py`` merges and compiles them into one ``sala.mo``.
The current language is one process-wide setting; the window switches it live, the hub passes a language a request.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Final, Literal

Language = Literal["km", "en"]
Text = Mapping[str, str]  # {"km": "…", "en": "…"}: words that are data (a form's label); both are required

LANGUAGES: Final[tuple[Language, ...]] = ("km", "en")
LOCALE = Path(__file__).with_name("locale")

_language: Language = "km"


@cache
def _translations(language: Language) -> NullTranslations:
    if language == "en":
        return NullTranslations()
    with (LOCALE / language / "LC_MESSAGES" / "sala.mo").open("rb") as compiled:
        return GNUTranslations(compiled)


def use(language: Language) -> None:
    """Make ``language`` the current one for the whole process."""
    global _language
    if language not in LANGUAGES:
        raise ValueError(f"no catalogue for {language!r}")
    _language = language


def language() -> Language:
    """The current language."""
    return _language


def tr_in(language: Language, message: str, /, **values: object) -> str:
    """``message`` (an English sentence of the catalogue) in ``language``, with ``{name}`` fields filled."""
    translated = _translations(language).gettext(message)
    return translated.format(**values) if values else translated


def tr(message: str, /, **values: object) -> str:
    """``message`` in the current language. Call it when the words are shown, never at import."""
    return tr_in(_language, message, **values)


def text(words: Text, language: Language | None = None) -> str:
    """The side of a two-language text for ``language`` (default: the current one)."""
    return words[language or _language]
