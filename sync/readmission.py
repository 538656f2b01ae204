"""A hub that was put back from a copy older than a laptop's enrolment does not know the laptop: it is shown its own certificates.

A certificate is signed by the centre or by the province, says nothing secret, and proves all that the enrolment did. A province's
key may have changed since, or be newer than the hub's copy: so the publications' top metadata that named it goes along.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from sync import cbor
from sync.cbor import Malformed
from sync.limits import KIB, MAX_MESSAGE

if TYPE_CHECKING:
    from sync.store import Connection
    from sync.transport import Transport
    from sync.unlocked import Unlocked

MOST: Final = 64  # identities of one laptop, the retired ones among them
MOST_PROOFS: Final = 8
_LARGEST: Final = 512 * KIB  # bytes of all proofs; certificates go without those that have no room


def again(unlocked: Unlocked, line: Transport) -> bool:
    """Show every certificate of this laptop, the oldest first; whether the hub has taken them. It may be done at any time."""
    request = unlocked.store.read(shown)
    return request is not None and line.call("POST", "/v1/readmit", request).status == 200


def shown(conn: Connection) -> bytes | None:
    """The request, for the line or for a stick; None before the first certificate."""
    rows = conn.execute(
        "SELECT certificate, delegated FROM identity WHERE certificate IS NOT NULL ORDER BY created_ms, rowid"
    ).fetchall()[-MOST:]
    slot = conn.execute("SELECT slot FROM office").fetchone()
    if not rows or not slot:
        return None
    proofs: list[bytes] = []
    for row in reversed(rows):  # the newest certificate matters most
        proof, room = row["delegated"], _LARGEST - sum(map(len, proofs))
        if proof and proof not in proofs and len(proof) <= room and len(proofs) < MOST_PROOFS:
            proofs.append(proof)
    return encode([row["certificate"] for row in rows], slot["slot"], proofs)


def encode(certificates: list[bytes], slot: bytes, proofs: Sequence[bytes] = ()) -> bytes:
    """The request: ``slot`` is the place in the office that the newest of ``certificates`` was given for.

    ``proofs``: signed top metadata of the publications that named a province's key when it certified.
    """
    return cbor.encode([slot, certificates, *([list(proofs)] if proofs else [])])


def read(data: bytes) -> tuple[bytes, list[bytes], list[bytes]]:
    """The slot, the certificates and the proofs of :func:`encode`, not yet verified."""
    if len(data) > MAX_MESSAGE:
        raise Malformed("readmit: too big")
    match cbor.decode(data):
        case [bytes(slot), list(certificates)]:
            proofs: list[object] = []
        case [bytes(slot), list(certificates), list(proofs)]:
            pass
        case _:
            raise Malformed("readmit: layout")
    if len(slot) != 16 or len(certificates) > MOST or len(proofs) > MOST_PROOFS:
        raise Malformed("readmit: sizes")
    return slot, _bytes(certificates), _bytes(proofs)


def _bytes(values: list[object]) -> list[bytes]:
    found = [value for value in values if isinstance(value, bytes)]
    if len(found) < len(values):
        raise Malformed("readmit: layout")
    return found
