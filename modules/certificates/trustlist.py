"""``trust/issuers-<office>.cbor``: the keys by which one office issues, as the centre knows them.

Canonical CBOR: ``{1: 1, 2: office code, 3: {"km", "en"}, 4: [{1: key, 2: valid from, 3: withdrawn from}…],
5: made at}`` (times in seconds UTC; 3 only for a withdrawn key). It reaches a laptop as a signed publication, which
also keeps an older list from replacing a newer one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from i18n.catalog import Text
from modules.certificates.kh1 import key_id
from sync.cbor import Malformed, decode, encode

FORMAT: Final = 1
MAX_KEYS: Final = 1_000
_KEY_BYTES = 32


class BadList(ValueError):
    """The bytes are not a trust list; the message is a short reason."""


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """One issuing key: good for certificates issued in ``from_s`` ≤ time < ``withdrawn_s``."""

    public: bytes
    from_s: int
    withdrawn_s: int | None = None

    def id(self) -> bytes:
        return key_id(self.public)


@dataclass(frozen=True, slots=True)
class TrustList:
    """All issuing keys of one office, withdrawn ones included."""

    office: str
    name: Text
    keys: tuple[IssuerKey, ...]
    made_s: int


def name_of(office: str) -> str:
    """The publication that carries the list of ``office``."""
    return f"trust/issuers-{office}.cbor"


def write(office: str, name: Text, keys: Sequence[IssuerKey], made_s: int) -> bytes:
    """The bytes of a list; the same keys give the same bytes in any order."""
    rows = []
    for key in sorted(keys, key=lambda key: (key.from_s, key.public)):
        row: dict[int, Any] = {1: key.public, 2: key.from_s}
        if key.withdrawn_s is not None:
            row[3] = key.withdrawn_s
        rows.append(row)
    written = encode({1: FORMAT, 2: office, 3: {"km": name["km"], "en": name["en"]}, 4: rows, 5: made_s})
    read(written, office)
    return written


def read(data: bytes, office: str) -> TrustList:
    """The list of ``office``; BadList for any other content."""
    try:
        value = decode(data)
    except Malformed as error:
        raise BadList(error.reason) from None
    match value:
        case {1: 1, 2: str(code), 3: {"km": str(km), "en": str(en), **more_names}, 4: list(rows), 5: int(made), **more}:
            if code != office or more_names or more or len(rows) > MAX_KEYS or made < 0:
                raise BadList("content")
            return TrustList(code, {"km": km, "en": en}, tuple(_key(row) for row in rows), made)
    raise BadList("layout")


def _key(row: object) -> IssuerKey:
    match row:
        case {1: bytes(public), 2: int(start), **more}:
            end = more.pop(3, None)
            if len(public) == _KEY_BYTES and start >= 0 and not more and (end is None or type(end) is int):
                return IssuerKey(public, start, end)
    raise BadList("key")


def of_offices(offices: Sequence[Mapping[str, Any]], made_s: int) -> dict[str, bytes]:
    """One list an office, by publication name, from what the hub knows of enrolled devices (see ``hub.Projection``)."""
    lists = {}
    for office in offices:
        keys = [
            IssuerKey(key["public"], key["from_ms"] // 1000, _seconds(key.get("withdrawn_ms")))
            for key in office["keys"]
        ]
        lists[name_of(office["code"])] = write(office["code"], office["name"], keys, made_s)
    return lists


def _seconds(ms: int | None) -> int | None:
    return None if ms is None else ms // 1000
