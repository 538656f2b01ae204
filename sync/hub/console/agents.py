"""Where somebody is logged in, in two names that people know: the browser and the system, from what the browser says of itself."""

from __future__ import annotations

from typing import Final

_BROWSERS: Final = (
    ("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip  # the first that fits: most call themselves by the names of others too
_SYSTEMS: Final = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS X", "macOS"), ("Linux", "Linux"),
)  # fmt: skip
_MOST: Final = 40  # letters of a program that names itself in its own way


def short(said: str) -> str:
    """``Chrome · Linux`` for a browser's long line; the beginning of what any other program says."""
    names = [
        next((name for mark, name in known if mark in said), "") for known in (_BROWSERS, _SYSTEMS)
    ]  # fmt: skip
    return " · ".join(filter(None, names)) or said[:_MOST]
