"""The host of an address: who it really is, and whether it pretends to be somebody else."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from i18n.normalise import store as normal
from i18n.normalise import validate

ASSETS: Final = Path(__file__).resolve().parents[2] / "assets" / "links"

_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER: Final = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")
_INSIDE: Final = ("localhost", "local", "internal", "lan", "intranet", "home", "corp", "home.arpa")
# Letters of other scripts that print like Latin ones.
_LOOKS: Final = str.maketrans(
    "аеорсухіјѕԁһӏԛԝгкмнтпвь" + "αβγεικνορτυχωσ" + "օհոսցյ",  # Cyrillic, Greek, Armenian
    "aeopcyxijsdhlqwrkmhtnbb" + "abyeikvoptuxwo" + "ohnugj",
)
_DIGITS: Final = str.maketrans("01357", "olest")
_GOV_INSIDE: Final = re.compile(r"(^|-)gov-?kh(-|$)")

Found = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Host:
    """``ascii`` as the network writes it, ``shown`` as a person reads it; ``fault`` when it is no name at all."""

    ascii: str
    shown: str
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address | None = None
    fault: str = ""

    @property
    def labels(self) -> list[str]:
        return self.shown.split(".")


def read(text: str) -> Host:
    """The host that ``text`` names, in any script or as numbers."""
    name = unicodedata.normalize("NFKC", text).lower()
    if name.startswith("[") != name.endswith("]"):
        return Host(quoted(name), name, fault="LN-103")
    if ip := _ip(name):
        return Host(f"[{ip}]" if ip.version == 6 else str(ip), str(ip), ip)
    if name.isascii() and "xn--" not in name:
        right = len(name) <= 253 and all(_LABEL.fullmatch(label) for label in name.split("."))
        return Host(name, name, fault="" if right else "LN-103")
    import idna

    try:
        ascii_name = idna.encode(name, uts46=True).decode("ascii")
        shown = idna.decode(ascii_name)
    except (idna.IDNAError, UnicodeError):
        return Host(quoted(name), name, fault="LN-120")
    misspelt = validate(shown) or normal(shown) != shown  # one Khmer name in another order of signs is another host
    return Host(ascii_name, shown, fault="LN-120" if misspelt else "")


def quoted(name: str) -> str:
    """A host that is no name, in ASCII all the same."""
    return name.encode("ascii", "backslashreplace").decode("ascii")


def problems(host: Host, own: frozenset[str]) -> Iterator[Found]:
    """Every reason against ``host``; ``own`` are the hosts that serve short links."""
    if host.fault:
        yield host.fault, {"host": host.shown}
    if host.ip:
        yield ("LN-110" if host.ip.is_global else "LN-109"), {"host": host.shown}
        return
    if any(host.ascii == name or host.ascii.endswith("." + name) for name in _INSIDE):
        yield "LN-109", {"host": host.shown}
        return
    if not host.fault:
        yield from _of_the_name(host.ascii, own)
    yield from _of_the_look(host)


def registered(name: str) -> str:
    """The registered domain of a host (``gdt.gov.kh``), or the host itself."""
    return _suffixes().privatesuffix(name) or name


@cache
def shorteners() -> frozenset[str]:
    lines = (ASSETS / "shorteners.txt").read_text("utf-8").splitlines()
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))


@cache
def _suffixes() -> Any:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList(accept_unknown=False, only_icann=True)


def _ip(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Every spelling of an address in numbers that a browser accepts: 127.1, 0x7f000001, 2130706433, [::1]."""
    if name.startswith("["):
        try:
            return ipaddress.IPv6Address(name.strip("[]"))
        except ValueError:
            return None
    parts = name.rstrip(".").split(".")
    if len(parts) > 4 or not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    try:
        values = [
            int(part, 16 if part[:2] in ("0x", "0X") else 8 if part[0] == "0" and len(part) > 1 else 10)
            for part in parts
        ]
    except ValueError:
        return None
    *heads, tail = values
    if any(head > 255 for head in heads) or tail >= 256 ** (5 - len(values)):
        return None
    return ipaddress.IPv4Address(sum(head << 8 * (3 - place) for place, head in enumerate(heads)) + tail)


def _of_the_name(name: str, own: frozenset[str]) -> Iterator[Found]:
    plain = name.removeprefix("www.")
    if plain in own:
        yield "LN-106", {"host": name}
    elif plain in shorteners():
        yield "LN-107", {"host": name}
    suffix = _suffixes().publicsuffix(name)
    if suffix is None:
        yield "LN-104", {"host": name, "ending": name.rpartition(".")[2]}
    elif suffix == name:
        yield "LN-105", {"host": name}


def _of_the_look(host: Host) -> Iterator[Found]:
    for label in host.labels:
        scripts = sorted(_scripts(label))
        if len(scripts) > 1:
            yield "LN-112", {"label": label, "scripts": ", ".join(script.capitalize() for script in scripts)}
    shown = host.shown.rstrip(".")
    looks = shown.translate(_LOOKS)
    if not shown.isascii() and looks.isascii():
        yield "LN-113", {"host": host.ascii, "looks": looks}
    pretended = _pretends_government(looks.split("."), host.ascii.rstrip(".").split("."))
    if pretended:
        yield pretended, {"host": host.shown, "domain": registered(host.ascii)}


def _scripts(label: str) -> set[str]:
    """The scripts of the letters of ``label``: the first word of a letter's Unicode name."""
    letters = (sign for sign in label if unicodedata.category(sign)[0] in "LM")
    return {unicodedata.name(sign, "UNKNOWN").split()[0] for sign in letters} - {"COMBINING"}


def _pretends_government(looks: list[str], real: list[str]) -> str:
    """LN-114: "gov.kh" stands in a name that is not the government's. LN-115: nearly "gov.kh"."""
    if real[-2:] == ["gov", "kh"]:
        return ""
    inside = any(_plain(one) == "gov" and two == "kh" for one, two in pairwise(looks[:-1]))
    if inside or any(_GOV_INSIDE.search(_plain(label)) for label in looks):
        return "LN-114"
    if looks[-1] != "kh" or len(looks) < 2:
        return ""
    second = looks[-2]
    official = _suffixes().publicsuffix(f"{real[-2]}.kh") == f"{real[-2]}.kh"
    near = _plain(second) == "gov" or _one_slip(second, "gov") or second.startswith("gov") or second.endswith("gov")
    return "LN-115" if near and not official else ""


def _plain(label: str) -> str:
    return label.translate(_DIGITS).replace("vv", "w").replace("rn", "m")


def _one_slip(one: str, two: str) -> bool:
    """Whether one wrong, missing, added or swapped letter makes ``one`` from ``two``."""
    if one == two:
        return False
    letters = "abcdefghijklmnopqrstuvwxyz0123456789-"
    cuts = [(two[:place], two[place:]) for place in range(len(two) + 1)]
    near = {head + tail[1:] for head, tail in cuts if tail}
    near |= {head + tail[1] + tail[0] + tail[2:] for head, tail in cuts if len(tail) > 1}
    near |= {head + letter + tail[1:] for head, tail in cuts if tail for letter in letters}
    near |= {head + letter + tail for head, tail in cuts for letter in letters}
    return one in near
