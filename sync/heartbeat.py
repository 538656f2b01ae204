"""The status of a laptop in one text message: signed, so that the centre knows what is outstanding where there is no data.

96 bytes: version (1), first half of the device id (8), last op's number (4), first half of its hash (16), ops without a
receipt (3), Ed25519 signature of the device over ``sala/heartbeat/v1\\0`` and the 32 bytes before it. Numbers are big-endian.
As text: ``SALA1 `` and base64, 134 characters that all stand in the GSM alphabet, so one message carries them.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sync import ops, outbox
from sync.cbor import Malformed
from sync.cose import signature_holds
from sync.errors import Refused
from sync.limits import MAX_SMS
from sync.marks import mark

if TYPE_CHECKING:
    from sync.keys import Unlocked
    from sync.store import Connection

PREFIX: Final = "SALA1"
LENGTH: Final = 134  # characters
_DOMAIN: Final = b"sala/heartbeat/v1\0"
_VERSION: Final = 1
_SIGNED: Final = 32
_SIZE: Final = 96
_MOST_PENDING: Final = (1 << 24) - 1
_MOST_SEQ: Final = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What a message says. ``device``: the first half of the device id; ``pending``: ops that no receipt covers yet."""

    device: bytes
    seq: int
    head: bytes
    pending: int
    signed: bytes
    signature: bytes

    def holds(self, device_public: bytes) -> bool:
        """Whether the laptop with the Ed25519 key ``device_public`` has said this."""
        return signature_holds(device_public, _DOMAIN + self.signed, self.signature)


def make(unlocked: Unlocked) -> str:
    """The message of this laptop now."""
    device = unlocked.device

    def read(conn: Connection) -> bytes:
        base = mark(conn, ops.chain_base(device.device_id))
        row = conn.execute(
            "SELECT seq, hash FROM op_line WHERE device = ? ORDER BY seq DESC LIMIT 1", (device.device_id,)
        )
        head = row.fetchone()
        summary = outbox.summary(conn)
        seq = head["seq"] - base if head else 0
        return b"".join((
            bytes([_VERSION]), device.device_id[:8], min(seq, _MOST_SEQ).to_bytes(4, "big"),
            (head["hash"] if head else bytes(32))[:16],
            min(summary.waiting + summary.sending, _MOST_PENDING).to_bytes(3, "big"),
        ))  # fmt: skip

    signed = unlocked.store.read(read)
    return encode(signed, device.sign.sign(_DOMAIN + signed).signature)


def encode(signed: bytes, signature: bytes) -> str:
    """The text of 32 signed bytes and their signature."""
    return f"{PREFIX} {base64.b64encode(signed + signature).decode('ascii')}"


def plain(text: str) -> str:
    """``text`` without blanks and line ends: what two copies of one message have in common."""
    return "".join(text.split())


def read(text: str) -> Heartbeat:
    """As :func:`parse`, for what a person has pasted: Refused SY-455."""
    try:
        return parse(text)
    except Malformed as error:
        raise Refused("SY-455") from error


def parse(text: str) -> Heartbeat:
    """What ``text`` says; blanks and line ends that telephones put in do not matter. Malformed when it is no message."""
    if len(text) > MAX_SMS:
        raise Malformed("heartbeat: too long")
    joined = plain(text)
    if not joined.startswith(PREFIX):
        raise Malformed("heartbeat: prefix")
    try:
        data = base64.b64decode(joined[len(PREFIX) :], validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("heartbeat: base64") from None
    if len(data) != _SIZE or data[0] != _VERSION:
        raise Malformed("heartbeat: layout")
    signed = data[:_SIGNED]
    return Heartbeat(
        device=signed[1:9], seq=int.from_bytes(signed[9:13], "big"), head=signed[13:29],
        pending=int.from_bytes(signed[29:], "big"), signed=signed, signature=data[_SIGNED:],
    )  # fmt: skip
