"""The names of languages in XForms and XLSForms («Khmer (km)») and their tags here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from modules.forms.model.form import NEUTRAL

USUAL: Final[Mapping[str, str]] = {
    "km": "Khmer (km)", "en": "English (en)", "fr": "French (fr)", "vi": "Vietnamese (vi)", "th": "Thai (th)", "lo": "Lao (lo)",
    "zh": "Chinese (zh)", "ms": "Malay (ms)", "ta": "Tamil (ta)", "es": "Spanish (es)", "ar": "Arabic (ar)", "pt": "Portuguese (pt)",
    "hi": "Hindi (hi)", "ja": "Japanese (ja)", "ko": "Korean (ko)", "my": "Burmese (my)", "id": "Indonesian (id)", NEUTRAL: "default",
}  # fmt: skip
_CODE: Final = re.compile(r"\(([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)\)\s*$")
_WORDS: Final = {name.partition(" (")[0].lower(): tag for tag, name in USUAL.items()} | {
    "ខ្មែរ": "km",
    "ភាសាខ្មែរ": "km",
    "français": "fr",
}


def tags(names: Sequence[str]) -> dict[str, str]:
    """name → tag, each tag once; a name that says no code and is not known gets ``x-1``, ``x-2``, …"""
    made: dict[str, str] = {}
    for name in names:
        code = _CODE.search(name)
        tag = code[1].lower() if code else _WORDS.get(name.strip().lower(), "")
        if not tag and re.fullmatch("[a-z]{2,3}", name):
            tag = name
        if not tag or tag in made.values():
            tag = next(f"x-{number}" for number in range(1, len(names) + 2) if f"x-{number}" not in made.values())
        made[name] = tag
    return made


def unusual(made: Mapping[str, str]) -> dict[str, str]:
    """tag → name, for the names that :func:`name` would not give."""
    return {tag: name for name, tag in made.items() if USUAL.get(tag, tag) != name}


def name(tag: str, named: Mapping[str, str]) -> str:
    """The name of a language in an XForm."""
    return named.get(tag) or USUAL.get(tag, tag)
