"""A hub that was put back from a copy older than a laptop's enrolment does not know the laptop: it is shown its own certificates.

A certificate is signed by the centre or by the province, says nothing secret, and proves all that the enrolment did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sync import cbor
from sync.cbor import Malformed
from sync.limits import MAX_MESSAGE

if TYPE_CHECKING:
    from sync.store import Connection
    from sync.transport import Transport
    from sync.unlocked import Unlocked

MOST: Final = 64  # identities of one laptop, the retired ones among them


def again(unlocked: Unlocked, line: Transport) -> bool:
    """Show every certificate of this laptop, the oldest first; whether the hub has taken them. It may be done at any time."""
    request = unlocked.store.read(shown)
    return request is not None and line.call("POST", "/v1/readmit", request).status == 200


def shown(conn: Connection) -> bytes | None:
    """The request, for the line or for a stick; None before the first certificate."""
    rows = conn.execute("SELECT certificate FROM identity WHERE certificate IS NOT NULL ORDER BY created_ms, rowid")
    slot = conn.execute("SELECT slot FROM office").fetchone()
    certificates = [row["certificate"] for row in rows.fetchall()][-MOST:]
    return encode(certificates, slot["slot"]) if certificates and slot else None


def encode(certificates: list[bytes], slot: bytes) -> bytes:
    """The request: ``slot`` is the place in the office that the newest of ``certificates`` was given for."""
    return cbor.encode([slot, certificates])


def read(data: bytes) -> tuple[bytes, list[bytes]]:
    """The slot and the certificates of :func:`encode`, not yet verified."""
    if len(data) > MAX_MESSAGE:
        raise Malformed("readmit: too big")
    match cbor.decode(data):
        case [bytes(slot), list(certificates)] if len(slot) == 16 and len(certificates) <= MOST:
            if all(isinstance(one, bytes) for one in certificates):
                return slot, certificates
    raise Malformed("readmit: layout")
