"""Sealed groups: the bodies of one batch, form definition and recipient set under one key, sealed to each recipient.

One random key a group: sealing record by record destroys compression. The first recipient is the agency that the
ops name; the others (recovery) read the same. Padding hides all but the rough size.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt as aead_open,
)
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_encrypt as aead_seal,
)
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from sync import cbor
from sync.cbor import Malformed
from sync.ids import key_id
from sync.limits import MAX_OPS, MAX_RECIPIENTS
from sync.ops import SealedRef, commitment

if TYPE_CHECKING:
    from sync.batch import Batch

_SEALED_KEY = 32 + 48  # a key in a sealed box


@dataclass(frozen=True, slots=True)
class Group:
    """One sealed group as it stands in a batch; ``boxes`` are (recipient's key id, sealed key), the agency first."""

    def_hash: bytes
    boxes: tuple[tuple[bytes, bytes], ...]
    nonce: bytes
    ciphertext: bytes

    @property
    def key_id(self) -> bytes:
        """The key id by which ops name this group's recipient."""
        return self.boxes[0][0]


def can_seal(public: bytes) -> bool:
    """Whether anything can be sealed to ``public`` at all: points of small order would let everybody open it."""
    try:
        SealedBox(PublicKey(public)).encrypt(b"")
    except (CryptoError, ValueError, TypeError):
        return False
    return True


def padded(size: int) -> int:
    """The Padmé size of ``size`` bytes: at most 12 % more, and only log log n bits of the size leak."""
    if size < 2:
        return size
    exponent = size.bit_length() - 1
    mask = (1 << max(0, exponent - exponent.bit_length())) - 1
    return (size + mask) & ~mask


def padme(data: bytes) -> bytes:
    """``data`` with zero bytes up to its Padmé size."""
    return data.ljust(padded(len(data)), b"\0")


def _context(device_id: bytes, first_seq: int, def_hash: bytes) -> bytes:
    return device_id + first_seq.to_bytes(8, "big") + def_hash


def seal_group(
    *, device_id: bytes, first_seq: int, def_hash: bytes, seed: bytes, bodies: Sequence[bytes],
    recipients: Sequence[bytes], level: int,
) -> bytes:  # fmt: skip
    """The encoded group of ``bodies`` (canonical bytes, in the ops' order) for the X25519 keys ``recipients``."""
    key, nonce = os.urandom(32), os.urandom(24)
    text = padme(cbor.zip_bytes(cbor.encode([seed, [cbor.decode(body) for body in bodies]]), level))
    boxes = [[key_id(public), SealedBox(PublicKey(public)).encrypt(key)] for public in recipients]
    ciphertext = aead_seal(text, _context(device_id, first_seq, def_hash), nonce, key)
    return cbor.encode({1: def_hash, 2: boxes, 3: nonce, 4: ciphertext})


def read_group(value: Any) -> Group:
    """The group that the decoded CBOR item ``value`` is."""
    match value:
        case {1: bytes(def_hash), 2: list(boxes), 3: bytes(nonce), 4: bytes(ciphertext), **others} if not others:
            pass
        case _:
            raise Malformed("group: fields")
    if len(def_hash) not in (0, 32) or len(nonce) != 24 or not 0 < len(boxes) <= MAX_RECIPIENTS:
        raise Malformed("group: sizes")
    return Group(def_hash, tuple(_read_box(box) for box in boxes), nonce, ciphertext)


def _read_box(value: Any) -> tuple[bytes, bytes]:
    match value:
        case [bytes(name), bytes(box)] if (len(name), len(box)) == (8, _SEALED_KEY):
            return name, box
    raise Malformed("group: box")


def open_group(group: Group, device_id: bytes, first_seq: int, private: PrivateKey) -> tuple[bytes, list[Any]]:
    """Seed and bodies of ``group``, opened with a recipient's key; refused when not for that key or altered."""
    mine = key_id(bytes(private.public_key))
    try:
        box = next(box for name, box in group.boxes if name == mine)
        key = SealedBox(private).decrypt(box)
        text = aead_open(group.ciphertext, _context(device_id, first_seq, group.def_hash), group.nonce, key)
    except StopIteration:
        raise Malformed("group: not sealed to this key") from None
    except CryptoError:
        raise Malformed("group: cannot be opened") from None
    content, padding = cbor.unzip(text)
    if padding.strip(b"\0"):
        raise Malformed("group: padding")
    match cbor.decode(content):
        case [bytes(seed), list(bodies)] if len(seed) == 32 and len(bodies) <= MAX_OPS:
            return seed, bodies
    raise Malformed("group: content")


def open_bodies(batch: Batch, private: PrivateKey) -> dict[bytes, Any]:
    """Op hash → body of each sealed op of ``batch`` that ``private`` can open, held against its commitment."""
    mine = key_id(bytes(private.public_key))
    opened: dict[bytes, Any] = {}
    for group in batch.groups:
        if all(name != mine for name, _ in group.boxes):
            continue
        seed, bodies = open_group(group, batch.device_id, batch.first_seq, private)
        ops = [(op, op.fields.body) for op in batch.ops if op.fields.def_hash == group.def_hash]
        named = [(op, ref) for op, ref in ops if isinstance(ref, SealedRef) and ref.key_id == group.key_id]
        if len(named) != len(bodies):
            raise Malformed("group: count")
        for (op, ref), body in zip(named, bodies, strict=True):
            if commitment(seed, op.fields.op_id, cbor.encode(body)) != ref.commitment:
                raise Malformed("group: commitment")
            opened[op.hash] = body
    return opened
