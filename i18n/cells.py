"""Texts in the cells of a table that somebody opens with a spreadsheet."""

from __future__ import annotations

import re
from typing import Final

_FORMULA: Final = re.compile(r"[=+\-@\t\r]")  # a spreadsheet runs a text that begins so
_NUMBER: Final = re.compile(r"[+-]?[0-9 .,]+")


def harmless(text: str) -> str:
    """``text`` as no spreadsheet takes it for a formula: an apostrophe before it; a number with a sign, or a telephone number, stays."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text
