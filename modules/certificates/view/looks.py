"""How verdicts and states look: icon, tone and word together, never colour alone. Digits follow the person's setting."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from desktop.kit import shown
from desktop.kit.states import STATES, State
from i18n.catalog import text
from i18n.dates import moment
from modules.certificates.register import STATE_WORDS

_TO_ASCII = str.maketrans("០១២៣៤៥៦៧៨៩", "0123456789")
_NUMBERS = re.compile(r"(?<![A-Za-z0-9])[0-9]+(?![A-Za-z0-9])")  # "KH1" keeps its 1


class Look(NamedTuple):
    """An icon and its tone; ``<tone>_soft`` is the ground."""

    icon: str
    tone: str


_VERDICTS: Final[Mapping[str, str]] = {
    "valid": "check",
    "altered": "error",
    "unknown_issuer": "warning",
    "expired": "clock",
    "revoked": "ban",
    "suspended": "pause",
    "not_yet_valid": "calendar",
    "not_checked": "question",
    "unreadable": "image",
}
_FRAGMENTS: Final[Mapping[str, Look]] = {
    "VALID": Look("check", "green"),
    "INVALID": Look("error", "red"),
    "UNKNOWN": Look("question", "amber"),
    "STALE": Look("clock", "amber"),
    "SKIPPED": Look("minus", "faint"),
}
_COMPARE: Final = Look("question", "soft")

# What a certificate is, as a state of the kit's tables.
_STATES: Final[Mapping[str, tuple[str, str]]] = {
    "valid": ("check-circle", "green"),
    "suspended": ("pause", "amber"),
    "revoked": ("ban", "red"),
    "expired": ("clock", "grey"),
}


def state_key(state: str) -> str:
    """The name of a certificate's state among the kit's states."""
    return f"certificate.{state}"


for _name, (_icon, _tone) in _STATES.items():
    STATES.setdefault(state_key(_name), State(_icon, _tone, f"{_tone}_soft", STATE_WORDS[_name]))


def verdict(overall: str, level: str) -> Look:
    """The look of a headline."""
    return Look(_VERDICTS[overall], level)


def fragment(type: str, state: str, *, asked: bool) -> Look:
    """The look of one answer; ``asked``: the comparison that only a person can make."""
    return _COMPARE if type == "HOLDER" and asked else _FRAGMENTS[state]


def digits(words: str) -> str:
    """``words`` with its numbers in the digits of the setting."""
    return _NUMBERS.sub(lambda found: shown.plain(found[0]), words.translate(_TO_ASCII))


def live(words: Mapping[str, str]) -> Callable[[], str]:
    """Two-language words that follow language and digits."""
    return lambda: digits(text(words))


def day(seconds: int | None) -> str:
    """``22/11/2026`` in the digits of the setting; a dash for no end."""
    return "—" if seconds is None else shown.date(moment(seconds * 1000).date().isoformat())
