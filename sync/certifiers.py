"""Whose signature makes a device certificate: the centre's pack key, and the keys that provinces have now or had before.

``ref/certifiers.cbor`` is ``[[province, Ed25519 key], …]``: a laptop's certificate stays good when its province takes another
key, unless the old one was stolen; then the centre names it no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from sync import cbor, publications
from sync.cbor import Malformed

if TYPE_CHECKING:
    from sync.store import Connection

TARGET: Final = "ref/certifiers.cbor"
_MOST: Final = 2_000

Certifier = tuple[str, bytes]  # province (two digits), key


def encode(named: Sequence[Certifier]) -> bytes:
    """The publication."""
    return cbor.encode([[province, public] for province, public in named])


def read(data: bytes) -> list[Certifier]:
    """The provinces' keys of the publication."""
    value = cbor.decode(data)
    if not isinstance(value, list) or len(value) > _MOST:
        raise Malformed("certifiers: list")
    return [_read(item) for item in value]


def _read(value: object) -> Certifier:
    match value:
        case [str(province), bytes(public)] if len(province) == 2 and len(public) == 32:
            return province, public
    raise Malformed("certifiers: entry")


def of_province(data: bytes | None, office: str) -> list[bytes]:
    """The keys that certify laptops of the office with the code ``office``, as the publication ``data`` names them."""
    return [public for province, public in read(data) if province == office[:2]] if data else []


def former(conn: Connection, office: str) -> list[bytes]:
    """As :func:`of_province`, of the publication that is here."""
    return of_province(publications.get(conn, TARGET), office)
