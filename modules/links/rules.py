"""What may stand behind a short link. One call finds everything that is wrong with an address, offline and all at once.

A printed link carries the office's name, so an address must be https, lead to one readable host of the public internet and
not pretend to be somebody else's. Every refusal has its own code (``LN-1nn``), so that words and tests can name it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, quote

from modules.contract import Refused
from modules.links import hosts

LONGEST: Final = 2_000  # characters of an address
_PARTS: Final = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*)://)?([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)
_PLACE: Final = re.compile(r"(\[[^\]]*\]|[^:\[\]]*):(.*)")
_OPAQUE: Final = re.compile(r"([A-Za-z][A-Za-z0-9+-]*):(?!//)(?![0-9]+(?:[/?#]|$))")
_EDGES: Final = "\u200b\u200c\u200d\u2060\ufeff"  # the space key of the Khmer keyboard types the first of these
_UNWELCOME: Final = re.compile(r"[\x00-\x20\x7f-\xa0\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\\<>\"`{|}^]")
_KEPT_IN_PATH: Final = "%/:@!$&'()*+,;=~-._"  # characters of a path that stay as they are
VERIFY: Final = "verify.gov.kh"


@dataclass(frozen=True, slots=True)
class Policy:
    """What an office allows: ``own`` are the hosts that serve short links; ``other_ports`` admits ports besides 443."""

    own: frozenset[str] = frozenset({"go.gov.kh"})
    other_ports: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why an address is refused; ``values`` fill the words of ``code``."""

    code: str
    values: dict[str, Any] = field(default_factory=dict)

    def refusal(self) -> Refused:
        return Refused(self.code, **self.values)


@dataclass(frozen=True, slots=True)
class Checked:
    """``url`` is the address as it would be kept, ``host`` as it reads, ``domain`` the part that somebody registered."""

    url: str
    host: str
    domain: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Address:
    scheme: str
    user: bool
    host: str
    port: str | None
    rest: str
    query: str


def check(text: str, policy: Policy = Policy()) -> Checked:
    """Everything that is wrong with the address ``text``; no problems means it may be shortened."""
    typed = text.strip().strip(_EDGES).strip()
    if len(typed) > LONGEST:
        return Checked("", "", "", (Problem("LN-118", {"length": len(typed), "limit": LONGEST}),))
    problems = []
    if found := _UNWELCOME.search(typed):
        problems.append(Problem("LN-117", {"place": found.start() + 1}))
        typed = _UNWELCOME.sub(lambda sign: "/" if sign[0] == "\\" else "", typed)  # as a browser would read it
    if opaque := _OPAQUE.match(typed):  # mailto:, javascript:
        scheme = opaque[1].lower()
        wrong = Problem("LN-101") if scheme in ("http", "https") else Problem("LN-102", {"scheme": scheme})
        return Checked("", "", "", (*problems, wrong))
    address = _split(typed)
    if address is None:
        return Checked("", "", "", (*problems, Problem("LN-101")))
    problems.extend(_of_the_form(address, policy))
    host = hosts.read(address.host)
    problems.extend(Problem(code, values) for code, values in hosts.problems(host, policy.own))
    if host.ascii == VERIFY and any(
        name.lower() == "key" for name, _ in parse_qsl(address.query, keep_blank_values=True)
    ):
        problems.append(Problem("LN-116"))
    return Checked(_canonical(address, host.ascii), host.shown, hosts.registered(host.ascii), tuple(problems))


def _split(typed: str) -> _Address | None:
    found = _PARTS.fullmatch(typed)
    if found is None or not found[2]:
        return None
    scheme, authority, path, query, fragment = found.groups("")
    user, _, place = authority.rpartition("@")
    located = _PLACE.fullmatch(place)
    host, port = (located[1], located[2]) if located else (place, None)
    return _Address(
        scheme.lower(), user != "" or "@" in authority, host, port, (path or "/") + query + fragment, query[1:]
    )


def _of_the_form(address: _Address, policy: Policy) -> Iterator[Problem]:
    if address.scheme != "https":
        yield Problem("LN-102", {"scheme": address.scheme or "–"})
    if address.user:
        yield Problem("LN-108")
    if address.port is None or address.port == "443":
        return
    if not re.fullmatch(r"[0-9]{1,5}", address.port) or not 0 < int(address.port) < 65536:
        yield Problem("LN-103", {"host": f"{address.host}:{address.port}"})
    elif not policy.other_ports:
        yield Problem("LN-111", {"port": address.port})


def _canonical(address: _Address, host: str) -> str:
    """One spelling: two addresses that lead to the same place compare equal more often."""
    port = "" if address.port in (None, "443") else f":{address.port}"
    return f"https://{host}{port}{quote(address.rest, safe=_KEPT_IN_PATH + '?#[]')}"
