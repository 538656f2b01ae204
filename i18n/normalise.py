"""Khmer text in one spelling (Unicode Technical Note 61): what is stored, what is compared, what is wrong with it.

The same word can be typed in a dozen orders that look alike. :func:`store` puts the characters into the one right order
and keeps what the writer chose (coeng DA as in កណ្ដាល, zero-width spaces, digits). :func:`fold` makes the form that is
compared, searched and used to find duplicates; it is never stored, shown or signed. Sign exactly the stored bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pheasa

from i18n.catalog import tr

ZWSP: Final = "\u200b"  # the NiDA keyboard's space key types it; the eye sees nothing

_NO_MARKS: Final = {0xFEFF: None, 0x2060: None}  # byte order mark, word joiner: no part of any word


@dataclass(frozen=True, slots=True)
class Flaw:
    """Characters ``start`` to ``end`` (code points, end excluded) that fit no Khmer syllable; ``code`` says how."""

    code: str
    start: int
    end: int

    def words(self) -> str:
        """One sentence for the person who typed it, in the current language."""
        return tr(_WORDS[self.code])


_WORDS: Final = {
    "V1": "A subscript sign stands without its letter.",
    "V2": "An invisible joiner stands where it has no effect.",
    "V3": "An invisible joiner stands where it has no effect.",
    "V4": "A sign does not fit the syllable before it.",
    "V5": "A vowel or sign stands without a letter before it.",
    "V6": "A lunar day is written in an outdated way.",
    "V7": "An outdated sign is used.",
    "V8": "An invisible mark stands inside the text.",
}


def store(text: str) -> str:
    """``text`` in the right order of characters, nothing else changed. ``store(store(x)) == store(x)``."""
    return pheasa.normalize(text, preserve_coeng_da=True)


def fold(text: str) -> str:
    """The form that is equal for all spellings of the same words.

    Coeng DA is coeng TA, digits are ASCII, Latin is lower case, white space is one space, zero-width spaces are gone.
    """
    folded = pheasa.normalize(text.lower().translate(_NO_MARKS), zwsp="strip", digits="ascii", fold_deprecated=True)
    return " ".join(folded.split())


def validate(text: str) -> tuple[Flaw, ...]:
    """What normal order cannot mend, in order of place; empty for sound text. Nothing is changed."""
    return tuple(Flaw(issue.code, issue.start, issue.end) for issue in pheasa.validate(text))
