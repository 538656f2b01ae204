"""Whose TLS certificates the hub may show: the publication ``trust/hub-tls.cbor``, CBOR ``{1: 1, 2: not after (ms), 3: [DER …]}``.

While the list is current, a chain must lead to one of its certificates; nothing else counts, whatever authorities the machine
trusts. A listed certificate may be an authority (also a self-made one), an intermediate one, or the hub's own. After its last day
the list is not used any more: the machine's own store decides again, and the person is told.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sync import cbor, publications
from sync.cbor import Malformed
from sync.marks import HUB_TIME, floor

if TYPE_CHECKING:
    from sync.store import Connection

NAME: Final = "trust/hub-tls.cbor"
MOST: Final = 32  # certificates of one list
_LONGEST: Final = 8 << 10  # bytes of one certificate


@dataclass(frozen=True, slots=True)
class Pins:
    """The certificates (DER) that the centre has named, good until ``not_after_ms``."""

    not_after_ms: int
    certificates: Sequence[bytes]

    def current(self, now_ms: int) -> bool:
        return now_ms < self.not_after_ms


def encode(not_after_ms: int, certificates: Sequence[bytes]) -> bytes:
    """The publication. Malformed when a laptop could not read it."""
    data = cbor.encode({1: 1, 2: not_after_ms, 3: list(certificates)})
    read(data)
    return data


def read(data: bytes) -> Pins:
    """The list of ``data``; every certificate in it is one that TLS can read. Malformed else."""
    match cbor.decode(data):
        case {1: 1, 2: not_after_ms, 3: list(certificates), **others} if (
            not others and cbor.is_count(not_after_ms) and 0 < len(certificates) <= MOST
        ):
            if any(not isinstance(one, bytes) or len(one) > _LONGEST for one in certificates):
                raise Malformed("pins: certificate")
            pins = Pins(not_after_ms, certificates)
            context(pins)
            return pins
    raise Malformed("pins: layout")


def context(pins: Pins) -> ssl.SSLContext:
    """TLS that believes a chain to one of the listed certificates, with the host's name checked, and nothing else."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.verify_flags |= (
        ssl.VERIFY_X509_PARTIAL_CHAIN
    )  # a listed certificate is an anchor even if it is not self-signed
    for certificate in pins.certificates:
        try:
            made.load_verify_locations(cadata=certificate)
        except (ssl.SSLError, ValueError):
            raise Malformed("pins: not a certificate") from None
    return made


def known(conn: Connection, now_ms: int) -> tuple[Pins | None, bool]:
    """The list to be used at ``now_ms`` (or at the last signed hub time, if later), and whether there is one that has expired."""
    data = publications.get(conn, NAME)
    if data is None:
        return None, False
    try:
        pins = read(data)
    except Malformed:  # a newer centre may write it in another way: then it is as if it had expired
        return None, True
    return (pins, False) if pins.current(max(now_ms, floor(conn, HUB_TIME))) else (None, True)
