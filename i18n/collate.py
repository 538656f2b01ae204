"""Khmer order of words, after the Khmer rules of CLDR: ``sorted(names, key=collate.key)``, the same on every system.

Independent vowels sort as អ with the vowel, robat as រ with a subscript, signs only break ties; digits come before
Khmer, Khmer before Latin.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

Key = tuple[tuple[int, ...], tuple[int, ...], str]

_CONSONANTS: Final = "កខគឃងចឆជឈញដឋឌឍណតថទធនបផពភមយរឫឬលឭឮវឝឞសហឡអ"
_VOWELS: Final = (
    "ា", "ិ", "ី", "ឹ", "ឺ", "ុ", "ូ", "ួ", "ើ", "ឿ", "ៀ", "េ", "ែ", "ៃ", "ោ", "ៅ",
    "ុំ", "ំ", "ាំ", "ះ", "ិះ", "ុះ", "េះ", "ោះ",
)  # fmt: skip
_INDEPENDENT: Final = {
    "ឥ": "អិ", "ឦ": "អី", "ឧ": "អុ", "ឨ": "អុក", "ឩ": "អូ", "ឪ": "អូវ", "ឯ": "អែ", "ឰ": "អៃ", "ឱ": "អោ", "ឲ": "អោ",
    "ឳ": "អៅ", "ឣ": "អ", "ឤ": "អា",
}  # fmt: skip
_COENG: Final = "\u17d2"
_ROBAT: Final = "\u17cc"
_PRIMARY: Final = (
    {letter: 200 + place for place, letter in enumerate(_CONSONANTS)}
    | {vowel: 300 + place for place, vowel in enumerate(_VOWELS)}
    | {_COENG + letter: 400 + place for place, letter in enumerate(_CONSONANTS)}
)
_UNKNOWN_SUBSCRIPT: Final = 399  # robat over an independent vowel
_IGNORED: Final = frozenset("\u17b4\u17b5\u200b\u200c\u200d\ufeff")
_SIGNS: Final = {sign: place for place, sign in enumerate("៎៏៑័ៈ៝់៉៊៍៌៓", 1)}
_INDEPENDENT_ORDER: Final = {letter: place for place, letter in enumerate(_INDEPENDENT, 2)}
_TOKEN = re.compile(
    "\u17d2?[\u1780-\u17b3]\u17cc|\u17d2[\u1780-\u17b3]|[\u1780-\u17b3]|\u17bb\u17c6|\u17b6\u17c6"
    "|[\u17b7\u17bb\u17c1\u17c4]\u17c7|[\u17b6-\u17c7]|.",
    re.DOTALL,
)


@lru_cache(maxsize=32768)
def key(text: str) -> Key:
    """A sort key of stored (normalised) text; keys compare by letters, then by signs, then by code points."""
    primary: list[int] = []
    secondary: list[int] = []
    for token in _TOKEN.findall(text):
        if token in _SIGNS:
            if secondary:
                secondary[-1] += _SIGNS[token] * 100
        elif token not in _IGNORED:
            for weight, second in _weights(token):
                primary.append(weight)
                secondary.append(second)
    return tuple(primary), tuple(secondary), text


def _weights(token: str) -> list[tuple[int, int]]:
    """First and second weight of each letter that the token stands for."""
    if len(token) > 1 and token[-1] == _ROBAT:
        return [(_PRIMARY["រ"], 0), (_PRIMARY.get(_COENG + token[-2], _UNKNOWN_SUBSCRIPT), 1)]
    if token in _PRIMARY:
        return [(_PRIMARY[token], 0)]
    if token[-1] in _INDEPENDENT:
        first, *rest = _TOKEN.findall(_INDEPENDENT[token[-1]])
        second = _INDEPENDENT_ORDER[token[-1]]
        return [(_PRIMARY[token[:-1] + first], second), *((_PRIMARY[part], second) for part in rest)]
    return [_other(token)]


def _other(letter: str) -> tuple[int, int]:
    """Spaces, then punctuation, then digits of any script, then (after Khmer) everything else."""
    if letter.isspace():
        return 10, 0
    if letter.isdecimal():
        return 180 + int(letter), int(not letter.isascii())
    if letter.isalnum():
        return 1000 + ord(letter.lower()[0]), 0
    return 20 + min(ord(letter), 150), 0


def install(connection: Any) -> None:
    """Make ``ORDER BY name COLLATE KM`` work on an SQLite connection; store :func:`key` where speed matters."""
    connection.create_collation("KM", lambda left, right: (key(left) > key(right)) - (key(left) < key(right)))
