"""What an address of the console is called in the audit: the page's own words, and what it was about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qsl

from sync.hub.console import navigation

Say = Callable[..., str]

_PAGES: Final = {tab.path.removeprefix("/console/"): tab.words for group in navigation.GROUPS for tab in group.tabs} | {
    "fresh": "National board", "table": "Tables", "fork": "Quarantine", "me": "Your log-in", "held": "What you had typed",
}  # fmt: skip
_ABOUT: Final = {"office": "Office {what}", "batch": "Batch {what}", "record": "Record {what}", "user": "User {what}"}
_DEEDS: Final = {
    "revoke": "revoke", "enrol": "office pack", "rebuild": "make anew", "verify": "check", "withdraw": "withdraw",
    "courier": "courier file",
    "export": "as a file", "rule": "rule", "raw": "raw bytes", "receipt": "receipt", "proof": "proof", "map": "map", "decide": "decision",
    "again": "asked for again",
}  # fmt: skip
_DOOR: Final = {
    "in": "logged in", "out": "logged out", "wrong passphrase": "wrong passphrase", "wrong code": "wrong code",
    "to be set up": "first log-in",
    "new passphrase": "new passphrase", "new authenticator": "new authenticator", "recovery code": "recovery code spent",
    "new recovery codes": "new recovery codes",
}  # fmt: skip
_ASKED: Final = {
    "text": "Search", "q": "Search", "kind": "Kind", "form": "Area or form", "office": "Office", "officer": "Officer", "label": "State",
    "since": "From", "until": "To", "only": "Only", "as": "Layout", "admin": "Who", "what": "What", "subject": "Address begins with",
    "from": "From no.", "before": "From no.", "after": "From no.",
}  # fmt: skip
_NUMBERED: Final = frozenset({"office", "batch"})  # what is called by figures alone
_FEED: Final = "/odata/"
_SHORT: Final = 12  # letters of a hash


def asked(say: Say, query: str) -> list[tuple[str, str]]:
    """What somebody looked for: the words of each filter and its value; a filter that no page has keeps its name."""
    return [(say(_ASKED[name]) if name in _ASKED else name, value) for name, value in parse_qsl(query)]


def page_name(say: Say, address: str, digits: Callable[[str], str] = str) -> str:
    """The words of the page at ``address``; an address of no page is shown as it stands. ``digits`` writes the figures of a name."""
    head, _, rest = address.removeprefix("/console/").partition("/")
    if address.startswith(_FEED):
        return say("Data for others") + " · " + address.removeprefix(_FEED)
    if not address.startswith("/console/"):
        return address
    first, _, deed = rest.partition("/")
    if head in _ABOUT:
        words = say(_ABOUT[head], what=digits(first[:_SHORT]) if head in _NUMBERED else first[:_SHORT])
    elif head in _PAGES:
        words = say(_PAGES[head])
        deed = deed or first
    else:
        return address
    return f"{words} · {say(_DEEDS[deed])}" if deed in _DEEDS else words


def door(say: Say, subject: str) -> str:
    """What happened at the log-in."""
    return say(_DOOR[subject]) if subject in _DOOR else subject


WORDS: Final = (*_PAGES.values(), *_ABOUT.values(), *_DEEDS.values(), *_DOOR.values(), *_ASKED.values())
