"""Recognises addresses of verify.gov.kh, and everything that imitates them. Nothing is ever opened.

The address is a locator with the holder's secret key: it proves nothing by itself, so a recognised one is *not checked
here*. The key leaves this file only as its SHA-256.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final, Literal

HOST: Final = "verify.gov.kh"
MAX_LENGTH: Final = 2_048

Reason = Literal["characters", "scheme", "user", "host", "imitation", "port", "path", "query", "fragment", "length"]

_URL = re.compile(r"\s*([a-zA-Z][a-zA-Z0-9+.-]*):(?://|\\\\)")
_BARE = re.compile(r"\s*(?:[\w-]+\.)*verify\.gov\.kh", re.IGNORECASE)
_OFFICIAL = re.compile(
    r"https://verify\.gov\.kh(?::443)?/verify/(?P<ref>[A-Za-z0-9_-]{1,128})(?:\?key=(?P<key>[A-Za-z0-9_-]{11,64}))?"
)


@dataclass(frozen=True, slots=True)
class Official:
    """An address in the official form: recognised, not checked. ``key_hash`` is None when there is no key."""

    ref: str
    key_hash: str | None


@dataclass(frozen=True, slots=True)
class NotOfficial:
    """An address that is not the official one. ``host`` is what it names, for the officer to see."""

    reason: Reason
    host: str


def recognise(text: str) -> Official | NotOfficial | None:
    """What address ``text`` is; None when it is no address at all."""
    text = text.strip()
    address = _URL.match(text)
    if not address:
        return NotOfficial("scheme", HOST) if _BARE.match(text) else None
    found = _OFFICIAL.fullmatch(text) if len(text) <= MAX_LENGTH else None
    if found:
        key = found["key"]
        return Official(found["ref"], hashlib.sha256(key.encode("ascii")).hexdigest() if key else None)
    return NotOfficial(*_why(text, address[1], text[address.end() :]))


def _why(text: str, scheme: str, rest: str) -> tuple[Reason, str]:
    """The first thing that is wrong, and the host as it would be contacted."""
    authority = re.split(r"[/\\?#]", rest, maxsplit=1)[0]
    tail = rest[len(authority) :]
    user, at, place = authority.rpartition("@")
    host, _, port = place.partition(":")
    shown = host[:80]
    if len(text) > MAX_LENGTH:
        return "length", shown
    if not all("!" <= character <= "~" for character in text) or "\\" in text:
        return "characters", shown
    if at or user:
        return "user", shown
    if host.lower() != HOST:
        return ("imitation" if _imitates(host) else "host"), shown
    if scheme != "https" or host != HOST:
        return "scheme", shown
    if port not in ("", "443") or place.endswith(":"):
        return "port", f"{shown}:{port}"[:80]
    if "#" in tail:
        return "fragment", shown
    path, _, _query = tail.partition("?")
    return ("path" if not re.fullmatch(r"/verify/[A-Za-z0-9_-]{1,128}", path) else "query"), shown


def _imitates(host: str) -> bool:
    """Whether a host plays on the official name: holds its words, is punycode, or misses it by a few letters."""
    plain = host.lower()
    if plain.startswith("xn--") or ".xn--" in plain:
        return True
    if "verify" in plain or re.search(r"gov[.-]?kh", plain):
        return True
    return _distance(plain, HOST) <= 3


def _distance(one: str, other: str) -> int:
    """Edits between two short texts (Levenshtein)."""
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        last, row[0] = row[0], i
        for j, right in enumerate(other, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (left != right))
    return row[-1]
