"""Messages between two laptops of one office on the local network: who may speak, and how nobody else hears anything.

A laptop that waits shows an invitation: its certificate, its addresses, and a secret that lives for some minutes. Every
message is a sealed box for the other laptop; inside stands who speaks (its certificate), a challenge that was given out once,
a proof, and the signature of the speaking laptop over all of it. A laptop that is not paired yet must prove the secret, so
that it was there to see the screen; one that is paired needs only its key. Answers are signed and sealed likewise.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from nacl.exceptions import CryptoError
from nacl.public import PublicKey, SealedBox

from sync import cbor
from sync.cbor import Malformed
from sync.cose import signature_holds
from sync.errors import Refused
from sync.limits import MAX_LAN, MAX_MESSAGE

if TYPE_CHECKING:
    from sync.devices import Certificate
    from sync.identity import Identity

PREFIX: Final = "SALA:P1:"
LIVES_MS: Final = 10 * 60_000  # how long an invitation holds
CHALLENGE: Final = "/v1/lan/challenge"
MEET: Final = "/v1/lan/meet"
_REQUEST: Final = b"sala/lan/request/v1\0"
_ANSWER: Final = b"sala/lan/answer/v1\0"
_ADDRESSES: Final = 4
_LONGEST: Final = 4_000  # characters of an invitation


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a waiting laptop shows. ``addresses``: ``host:port``."""

    certificate: bytes
    secret: bytes  # 16 bytes
    addresses: tuple[str, ...]
    not_after_ms: int

    def text(self) -> str:
        """As it stands in a QR code, and as it can be copied."""
        data = cbor.encode([1, self.certificate, self.secret, list(self.addresses), self.not_after_ms])
        return PREFIX + base64.b32encode(data).decode("ascii").rstrip("=")


def read_invitation(text: str) -> Invitation:
    """The invitation of ``text``. Refused SY-457: not one."""
    plain = "".join(text.split()).upper()
    if not plain.startswith(PREFIX) or len(plain) > _LONGEST:
        raise Refused("SY-457")
    body = plain[len(PREFIX) :]
    try:
        value = cbor.decode(base64.b32decode(body + "=" * (-len(body) % 8)))
    except (binascii.Error, ValueError, Malformed):
        raise Refused("SY-457") from None
    match value:
        case [1, bytes(certificate), bytes(secret), list(addresses), int(until)] if (
            len(secret) == 16
            and 0 < len(addresses) <= _ADDRESSES
            and all(isinstance(one, str) and _is_address(one) for one in addresses)
            and cbor.is_count(until)
        ):
            return Invitation(certificate, secret, tuple(addresses), until)
    raise Refused("SY-457")


def _is_address(text: str) -> bool:
    """Whether ``text`` is ``host:port``; which host may be visited is :func:`sync.meeting.local`'s to say."""
    host, _, port = text.rpartition(":")
    return bool(host) and len(text) <= 60 and port.isascii() and port.isdecimal() and 0 < int(port) < 1 << 16


def proof(secret: bytes, challenge: bytes, certificate: bytes) -> bytes:
    """That the speaker has seen the screen with ``secret``."""
    return hmac.digest(secret, challenge + certificate, "sha256")


@dataclass(frozen=True, slots=True)
class Request:
    """What one laptop says. ``certificate`` is still to be judged; the signature is checked with the key that it names."""

    certificate: bytes
    challenge: bytes
    proof: bytes  # 32 bytes, or empty
    body: bytes  # a courier file
    signature: bytes

    def holds(self, speaker: Certificate, listener: bytes) -> bool:
        """Whether ``speaker`` has said this to the laptop with the device id ``listener``."""
        message = _request_message(listener, self.certificate, self.challenge, self.proof, self.body)
        return signature_holds(speaker.sign_public, message, self.signature)


def seal_request(
    own: Identity, certificate: bytes, other: Certificate, challenge: bytes, proof_: bytes, body: bytes
) -> bytes:
    """The bytes to send to the laptop ``other``."""
    message = _request_message(other.device_id, certificate, challenge, proof_, body)
    plain = cbor.encode([certificate, challenge, proof_, body, own.sign.sign(message).signature])
    return SealedBox(PublicKey(other.seal_public)).encrypt(plain)


def open_request(data: bytes, own: Identity) -> Request:
    """What somebody says to this laptop; nothing is believed yet."""
    match cbor.decode(_unseal(data, own)):
        case [bytes(certificate), bytes(challenge), bytes(proof_), bytes(body), bytes(signature)] if (
            len(certificate) <= MAX_MESSAGE and len(challenge) == 32 and len(proof_) in (0, 32) and len(signature) == 64
        ):
            return Request(certificate, challenge, proof_, body, signature)
    raise Malformed("lan: request")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the listener gives: a courier file, and whether it has more for the speaker."""

    body: bytes
    more: bool


def seal_answer(own: Identity, other: Certificate, challenge: bytes, answer: Answer) -> bytes:
    """The bytes to answer ``other`` with, who spent ``challenge``."""
    signature = own.sign.sign(_answer_message(other.device_id, challenge, answer)).signature
    plain = cbor.encode([answer.body, answer.more, signature])
    return SealedBox(PublicKey(other.seal_public)).encrypt(plain)


def open_answer(data: bytes, own: Identity, other: Certificate, challenge: bytes) -> Answer:
    """The verified answer of ``other``."""
    match cbor.decode(_unseal(data, own)):
        case [bytes(body), bool(more), bytes(signature)]:
            answer = Answer(body, more)
            if signature_holds(other.sign_public, _answer_message(own.device_id, challenge, answer), signature):
                return answer
    raise Malformed("lan: answer")


def _unseal(data: bytes, own: Identity) -> bytes:
    if len(data) > MAX_LAN:
        raise Malformed("lan: too big")
    try:
        return SealedBox(own.seal).decrypt(data)
    except CryptoError:
        raise Malformed("lan: cannot be opened") from None


def _request_message(listener: bytes, certificate: bytes, challenge: bytes, proof_: bytes, body: bytes) -> bytes:
    return (
        _REQUEST + listener + sha256(certificate).digest() + challenge + sha256(proof_).digest() + sha256(body).digest()
    )


def _answer_message(speaker: bytes, challenge: bytes, answer: Answer) -> bytes:
    return _ANSWER + speaker + challenge + bytes([answer.more]) + sha256(answer.body).digest()
