"""Names of people: *surname given-name*, one space between the parts.

The space key of the NiDA keyboard types a zero-width space, so a name often arrives without a visible one.
"""

from __future__ import annotations

from i18n.normalise import ZWSP, store


def tidy(name: str) -> str:
    """``name`` as it is stored: right order of characters, every kind of space one space, none around it."""
    return " ".join(store(name.replace(ZWSP, " ")).split())


def parts(name: str) -> tuple[str, str]:
    """Surname and given name of a tidy name; the given name is "" when only one part was written."""
    surname, _, given = name.partition(" ")
    return surname, given
