"""What device and hub say to each other besides batches: paths, request signatures, have/want, status, receipts, inbox.

| call | body → answer |
|---|---|
| ``GET /v1/log/checkpoint`` | – → signed note; public; its answer carries the first nonce |
| ``GET /v1/log/consistency?epoch=E&old=A&new=B`` | – → one base64 hash a line |
| ``POST /v1/enrol`` | enrolment request → 201 certificate; 403 wrong code, 404 no such slot, 409 slot taken, 410 late |
| ``POST /v1/readmit`` | slot, device certificates, proofs → 200: a hub that forgot these laptops knows them again; public |
| ``POST /v1/have`` | :class:`Have` → :class:`Missing` (signed request) |
| ``PUT /v1/batches/<sha256>`` | batch → 201 or 200 with the receipt; 413, 422 malformed, 503 and Retry-After |
| ``PUT /v1/chunks/<sha256>`` | chunk → 201 or 200 |
| ``GET /v1/receipts?after=N`` | – → :class:`Receipts` of this device (signed request) |
| ``POST /v1/leases/<resource>`` | – → 202: the next ``leases/<device>.cbor`` holds a refill (signed request) |
| ``GET /v1/tuf/metadata/…``, ``GET /v1/tuf/targets/…`` | – → publications, by the TUF client |

Every answer carries a fresh single-use nonce in ``Sala-Nonce``. A signed request names the device, spends the nonce and
signs method, path with query, body and nonce. 401 means only "that nonce is gone, here is another one".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from nacl.signing import SigningKey

from sync import cbor, cose
from sync.cbor import Malformed
from sync.limits import MAX_HAVE, MAX_NAME, MAX_PROOF

NONCE: Final = "Sala-Nonce"  # hex of 16 bytes, on every answer and every signed request
DEVICE: Final = "Sala-Device"  # hex device id
RELAY: Final = "Sala-Relay"  # on every answer of a province's relay: its name
SIGNATURE: Final = "Sala-Signature"  # hex Ed25519 signature

MAX_APP: Final = 40  # characters of a program's version
_MOST_FIELDS: Final = 16  # of the content of one lease

_REQUEST: Final = b"sala/request/v1\0"
_STATUS_TYPE: Final = "application/sala-status+cbor"
_STATUS_AAD: Final = b"sala/status/v1"


def request_message(method: str, path: str, body: bytes, nonce: bytes) -> bytes:
    """What a device signs to make a request; ``path`` with its query, as on the request line."""
    return _REQUEST + method.encode() + path.encode() + sha256(body).digest() + nonce


def request_holds(public: bytes, method: str, path: str, body: bytes, nonce: bytes, signature: bytes) -> bool:
    """Whether the device with the key ``public`` made this request."""
    return cose.signature_holds(public, request_message(method, path, body, nonce), signature)


def _hashes(value: Any, limit: int) -> list[bytes]:
    if not isinstance(value, list) or len(value) > limit:
        raise Malformed("wire: list")
    if any(not isinstance(item, bytes) or len(item) != 32 for item in value):
        raise Malformed("wire: hash")
    return value


def _count(value: Any) -> int:
    if not cbor.is_count(value):
        raise Malformed("wire: number")
    return value


@dataclass(frozen=True, slots=True)
class Have:
    """What a device offers: hashes of batches and chunks that it has, its head, the checkpoint that it knows."""

    batches: Sequence[bytes]
    chunks: Sequence[bytes]
    head_seq: int
    head_hash: bytes
    epoch: int  # 0: knows no checkpoint
    size: int
    about: About | None = None  # what the device says of itself; older programs say nothing

    def encode(self) -> bytes:
        values = [list(self.batches), list(self.chunks), self.head_seq, self.head_hash, self.epoch, self.size]
        if self.about is not None:
            values.append([self.about.publications, self.about.waiting, self.about.app])
        return cbor.encode(dict(enumerate(values, start=1)))


@dataclass(frozen=True, slots=True)
class About:
    """How a device stands: for the centre's board, never for a decision."""

    publications: int  # version of the newest publications that it has, 0: none
    waiting: int  # ops that no receipt covers yet
    app: str  # version of its program


def read_have(data: bytes) -> Have:
    match cbor.decode(data):
        case {1: batches, 2: chunks, 3: seq, 4: bytes(head), 5: epoch, 6: size, **others} if (
            others.keys() <= {7} and len(head) == 32
        ):
            return Have(
                _hashes(batches, MAX_HAVE), _hashes(chunks, MAX_HAVE), _count(seq), head, _count(epoch), _count(size),
                _about(others[7]) if others else None,
            )  # fmt: skip
    raise Malformed("wire: have")


def _about(value: Any) -> About:
    match value:
        case [publications, waiting, str(app)] if len(app) <= MAX_APP and app.isprintable():
            return About(_count(publications), _count(waiting), app)
    raise Malformed("wire: about")


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What the hub states, signed, about one device: valid by itself, so that a stick can carry it too."""

    device_id: bytes
    hub_ms: int  # the hub's clock
    epoch: int
    head_seq: int  # highest sequence number that the hub holds of the device, any label
    stable_seq: int  # up to here a second site has a copy
    revocations: int  # version of the revocation list
    revoked: bool


def issue_status(status: Status, key: SigningKey, key_id: bytes) -> bytes:
    """``status`` signed by the hub's log key (``key_id``: its note key id)."""
    values = [
        status.device_id, status.hub_ms, status.epoch, status.head_seq, status.stable_seq, status.revocations,
        status.revoked,
    ]  # fmt: skip
    payload = cbor.encode(dict(enumerate(values, start=1)))
    return cose.sign(key, payload, content_type=_STATUS_TYPE, key_id=key_id, aad=_STATUS_AAD)


def read_status(data: bytes, public: bytes) -> Status:
    """The status of ``data``, verified with the hub's log key."""
    signed = cose.parse(data, _STATUS_TYPE)
    cose.verify(signed, public, _STATUS_AAD)
    match cbor.decode(signed.payload):
        case {1: bytes(device), 2: ms, 3: epoch, 4: head, 5: stable, 6: version, 7: bool(revoked), **others} if (
            not others and len(device) == 16
        ):
            return Status(
                device_id=device, hub_ms=_count(ms), epoch=_count(epoch), head_seq=_count(head),
                stable_seq=_count(stable), revocations=_count(version), revoked=revoked,
            )  # fmt: skip
    raise Malformed("wire: status")


@dataclass(frozen=True, slots=True)
class Missing:
    """The hub's answer to :class:`Have`."""

    batches: Sequence[bytes]  # of those offered, the ones that it lacks
    chunks: Sequence[bytes]
    status: bytes  # :func:`issue_status`
    note: str  # the hub's newest checkpoint
    proof: Sequence[bytes] = field(default=())  # consistency from the device's checkpoint, when the epoch is the same

    def encode(self) -> bytes:
        values = [list(self.batches), list(self.chunks), self.status, self.note, list(self.proof)]
        return cbor.encode(dict(enumerate(values, start=1)))


def read_missing(data: bytes) -> Missing:
    match cbor.decode(data):
        case {1: batches, 2: chunks, 3: bytes(status), 4: str(note), 5: proof, **others} if not others:
            return Missing(
                _hashes(batches, MAX_HAVE), _hashes(chunks, MAX_HAVE), status, note, _hashes(proof, MAX_PROOF)
            )
    raise Malformed("wire: missing")


@dataclass(frozen=True, slots=True)
class Receipts:
    """Receipts of one device from a leaf index on; ``next`` is the index to ask from next time."""

    texts: Sequence[str]
    next: int
    more: bool

    def encode(self) -> bytes:
        return cbor.encode({1: list(self.texts), 2: self.next, 3: self.more})


def read_receipts(data: bytes) -> Receipts:
    match cbor.decode(data):
        case {1: list(texts), 2: following, 3: bool(more), **others} if (
            not others and all(isinstance(text, str) for text in texts) and len(texts) <= MAX_HAVE
        ):
            return Receipts(texts, _count(following), more)
    raise Malformed("wire: receipts")


# --- publications about one device


@dataclass(frozen=True, slots=True)
class LeaseGrant:
    """One allotment as the hub grants it; ``content`` belongs to the module that takes the numbers."""

    id: bytes  # 16 bytes
    resource: str
    content: dict[str, Any]
    size: int
    not_after_ms: int

    def values(self) -> list[Any]:
        return [self.id, self.resource, self.content, self.size, self.not_after_ms]


def read_grant(value: Any) -> LeaseGrant:
    match value:
        case [bytes(lease), str(resource), dict(content), int(size), int(not_after)] if (
            len(lease) == 16 and 0 < len(resource) <= MAX_NAME and _count(size) > 0 and len(content) <= _MOST_FIELDS
            and all(_is_field(name, said) for name, said in content.items())
        ):  # fmt: skip
            return LeaseGrant(lease, resource, content, size, _count(not_after))
    raise Malformed("wire: lease")


def _is_field(name: object, said: object) -> bool:
    """What a module is told of its numbers: plain words, keys and counts, nothing inside anything."""
    if not isinstance(name, str) or len(name) > MAX_NAME:
        return False
    return cbor.is_count(said) or (isinstance(said, str | bytes) and len(said) <= MAX_NAME)


def encode_grants(grants: Sequence[LeaseGrant]) -> bytes:
    """The publication ``leases/<device>.cbor``: every lease of the device that has not expired."""
    return cbor.encode([grant.values() for grant in grants])


def read_grants(data: bytes) -> list[LeaseGrant]:
    value = cbor.decode(data)
    if not isinstance(value, list):
        raise Malformed("wire: leases")
    return [read_grant(item) for item in value]


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that the centre decided about a device's op; ``kind`` names who understands ``body``."""

    seq: int  # hub sequence number: the cursor
    op: bytes  # the op it is about, or 32 zero bytes
    kind: str  # "sync.review", …
    body: dict[str, Any]


def encode_notices(notices: Sequence[Notice]) -> bytes:
    """The content of ``inbox/<device>.cbor`` before it is sealed to the device's X25519 key (a sealed box)."""
    return cbor.encode([[notice.seq, notice.op, notice.kind, notice.body] for notice in notices])


def read_notices(data: bytes) -> list[Notice]:
    """The notices of ``data`` that this program understands: one that a newer centre writes in another way holds up none."""
    value = cbor.decode(data)
    if not isinstance(value, list):
        raise Malformed("wire: inbox")
    return [notice for item in value if (notice := _read_notice(item)) is not None]


def _read_notice(value: Any) -> Notice | None:
    match value:
        case [int(seq), bytes(op), str(kind), dict(body)] if (
            len(op) == 32 and cbor.is_count(seq) and len(kind) <= MAX_NAME and all(isinstance(key, str) for key in body)
        ):
            return Notice(seq, op, kind, body)
    return None
