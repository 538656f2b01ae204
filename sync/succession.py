"""Two laptops with one key: the evidence that shows it, and the request by which a copy becomes a laptop of its own.

Evidence is signed by the hub's log key and holds, whole, the batches that prove it: signed by the device's key, they name two
different ops after the same parent (a fork), or an op that this copy never made (one batch: this copy is an old one). Whoever
has the evidence can check it without believing the hub. Formats only, for both sides (``docs/formats/fork.md``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from nacl.signing import SigningKey

from sync import batch, cbor, cose, devices
from sync.cbor import Malformed
from sync.devices import Request
from sync.limits import KIB, MAX_BATCH, MAX_MESSAGE

MAX_EVIDENCE: Final = 2 * MAX_BATCH + 256 * KIB  # bytes of one evidence
MAX_REQUEST: Final = MAX_EVIDENCE + MAX_MESSAGE  # bytes of one request to go on as another laptop
_EVIDENCE_TYPE: Final = "application/sala-fork+cbor"
_EVIDENCE_AAD: Final = b"sala/fork/v1"
_SUCCESSOR: Final = b"sala/successor/v1\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the hub shows of a device key that two laptops hold.

    ``batches``: the one with the op that the hub took as the chain's next, then the one with the op that it put aside; only
    the first when the device is merely behind. It brings no numbers: a copy of the copy would take the same ones.
    """

    device_id: bytes
    seq: int  # of the ops in question
    parent: bytes
    batches: tuple[bytes, ...]
    hub_ms: int

    @property
    def children(self) -> list[bytes]:
        """The hashes of the ops after ``parent``, as the batches stand."""
        return [_child(batch.parse(data), self) for data in self.batches]


def issue_evidence(evidence: Evidence, key: SigningKey, key_id: bytes) -> bytes:
    """``evidence`` signed by the hub's log key (``key_id``: its note key id)."""
    e = evidence
    values: list[Any] = [1, e.device_id, e.seq, e.parent, list(e.batches), e.hub_ms]
    payload = cbor.encode(dict(enumerate(values, start=1)))
    return cose.sign(key, payload, content_type=_EVIDENCE_TYPE, key_id=key_id, aad=_EVIDENCE_AAD)


def read_evidence(data: bytes, log_public: bytes) -> Evidence:
    """The evidence of ``data``: the hub's signature holds, and the batches prove what it says."""
    signed = cose.parse(data, _EVIDENCE_TYPE, MAX_EVIDENCE)
    cose.verify(signed, log_public, _EVIDENCE_AAD)
    match cbor.decode(signed.payload):
        case {
            1: 1,
            2: bytes(device),
            3: int(seq),
            4: bytes(parent),
            5: [bytes(), *_] as batches,
            6: int(ms),
            **others,
        } if not others and (len(device), len(parent)) == (16, 32):
            pass
        case _:
            raise Malformed("evidence: fields")
    if not (cbor.is_count(seq) and seq > 0 and cbor.is_count(ms)) or len(batches) > 2:
        raise Malformed("evidence: numbers")
    if any(not isinstance(one, bytes) for one in batches):
        raise Malformed("evidence: lists")
    found = Evidence(device_id=device, seq=seq, parent=parent, batches=tuple(batches), hub_ms=ms)
    children = found.children
    if len(set(children)) != len(children):
        raise Malformed("evidence: one and the same op")
    return found


def _child(found: batch.Batch, evidence: Evidence) -> bytes:
    """The hash of the op after the parent in ``found``, whose form and signature hold."""
    place = evidence.seq - found.first_seq
    if found.device_id != evidence.device_id or not 0 <= place < len(found.ops):
        raise Malformed("evidence: batch of something else")
    op = found.ops[place]
    if op.parent != evidence.parent:
        raise Malformed("evidence: another parent")
    return op.hash


# --- becoming a laptop of its own


def make_request(request: Request, new: SigningKey, old: SigningKey, evidence: bytes) -> bytes:
    """The bytes to send: ``request`` signed by the ``new`` key, the ``old`` key's word for it, and the evidence."""
    signed = devices.sign_request(request, new)
    return cbor.encode([signed, old.sign(_SUCCESSOR + signed).signature, evidence])


def read_request(data: bytes) -> tuple[Request, bytes, bytes, bytes]:
    """The request of ``data`` (its own signature holds), its signed bytes, the predecessor's signature, the evidence."""
    if len(data) > MAX_REQUEST:
        raise Malformed("successor: too big")
    match cbor.decode(data):
        case [bytes(signed), bytes(signature), bytes(evidence)] if len(signature) == 64:
            request = devices.read_signed_request(signed)
            if len(request.predecessor) != 16:
                raise Malformed("successor: no predecessor")
            return request, signed, signature, evidence
    raise Malformed("successor: layout")


def predecessor_holds(old_public: bytes, signed: bytes, signature: bytes) -> bool:
    """Whether the predecessor's key stands for the request."""
    return cose.signature_holds(old_public, _SUCCESSOR + signed, signature)
