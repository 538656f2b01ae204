"""The next hops that a stick can be sealed to: the hub's courier key and those of relays, as the centre publishes them.

``ref/couriers.cbor`` is ``{"v": 1, "hops": [[name, X25519 public key], …]}``, the hub first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from sync import cbor, publications
from sync.cbor import Malformed
from sync.errors import Refused
from sync.limits import MAX_NAME
from sync.sealing import can_seal

if TYPE_CHECKING:
    from sync.store import Connection

TARGET: Final = "ref/couriers.cbor"
_MOST: Final = 64  # hops

Hop = tuple[str, bytes]


def encode(hops: Sequence[Hop]) -> bytes:
    """The publication."""
    return cbor.encode({"v": 1, "hops": [[name, public] for name, public in hops]})


def read(data: bytes) -> list[Hop]:
    """The hops of the publication."""
    match cbor.decode(data):
        case {"v": 1, "hops": list(hops), **others} if not others and len(hops) <= _MOST:
            return [_hop(value) for value in hops]
    raise Malformed("couriers: fields")


def _hop(value: object) -> Hop:
    match value:
        case [str(name), bytes(public)] if 0 < len(name) <= MAX_NAME and can_seal(public):
            return name, public
    raise Malformed("couriers: hop")


def hops(conn: Connection) -> list[Hop]:
    """The hops that this laptop knows, the hub first; none before the centre has published them."""
    data = publications.get(conn, TARGET)
    return read(data) if data is not None else []


def hop(conn: Connection, name: str) -> bytes:
    """The key of the hop called ``name``. Refused SY-450 when the centre names no such one."""
    for known, public in hops(conn):
        if known == name:
            return public
    raise Refused("SY-450", name=name[:60])
