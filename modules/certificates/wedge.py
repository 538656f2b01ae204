"""Repairs what a handheld scanner types while the Khmer keyboard (NiDA) is active.

The scanner presses the keys of a US keyboard; the layout turns them into Khmer letters. For the upper-case alphabet of a
KH1 text the way back is unambiguous, so the scan is saved instead of lost.
"""

from __future__ import annotations

import re
from typing import Final

from modules.certificates.kh1 import PREFIX

_LETTERS: Final = {
    "Q": "ឈ", "W": "ឺ", "E": "ែ", "R": "ឬ", "T": "ទ", "Y": "ួ", "U": "ូ", "I": "ី", "O": "ៅ", "P": "ភ",
    "A": "ាំ", "S": "ៃ", "D": "ឌ", "F": "ធ", "G": "អ", "H": "ះ", "J": "ញ", "K": "គ", "L": "ឡ",
    "Z": "ឍ", "X": "ឃ", "C": "ជ", "V": "េះ", "B": "ព", "N": "ណ", "M": "ំ",
}  # fmt: skip
_SIGNS: Final = {"$": "៛", "*": "៏", "+": "=", "-": "ឥ", ".": "។", "/": "៊", ":": "ោះ", " ": "\u200b", "%": "%"}
_DIGITS: Final = {str(digit): chr(0x17E0 + digit) for digit in range(10)}
_KEYS: Final = {typed: key for key, typed in (_LETTERS | _SIGNS | _DIGITS).items()} | {"ោៈ": ":"}
_TYPED = re.compile("|".join(sorted(map(re.escape, _KEYS), key=len, reverse=True)))
_START = re.compile("គះ១ោ[ះៈ]")  # KH1:


def repair(text: str) -> tuple[str, bool]:
    """``text`` as the scanner meant it, and whether it had to be repaired."""
    found = _START.search(text)
    if not found or PREFIX in text:
        return text, False
    return _TYPED.sub(lambda typed: _KEYS[typed[0]], text[found.start() :]), True


def as_typed(text: str) -> str:
    """What the Khmer keyboard makes of ``text`` (base45 and prefix): for tests and for recognising scanners."""
    keys = {key: typed for typed, key in _KEYS.items() if typed != "ោៈ"}
    return "".join(keys[key] for key in text)
