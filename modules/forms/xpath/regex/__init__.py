"""Regular expressions of Java, matched whole in time that grows with the text and never explodes.

A pattern is read into a tree (``grammar``), that into an automaton (``automaton``), and the automaton is walked with every state it may
be in at once, remembering the sets it has met. There is no backtracking, so no pattern can hang; docs/decisions/035 says why.
"""

from __future__ import annotations

from functools import lru_cache

from modules.contract import Refused
from modules.forms.xpath.regex.automaton import Automaton
from modules.forms.xpath.regex.grammar import read

LONGEST_TEXT = 20_000  # characters that may be held against a pattern


@lru_cache(maxsize=128)
def pattern(source: str) -> Automaton:
    """``Refused``: FM-312 for what a pattern may not hold, FM-313 when it is too large."""
    return Automaton(read(source), source)


def fits(source: str, text: str) -> bool:
    """Whether the whole of ``text`` fits. ``Refused("FM-313")`` when the text is too long."""
    if len(text) > LONGEST_TEXT:
        raise Refused("FM-313", pattern=source[:60])
    return pattern(source).fits(text)
