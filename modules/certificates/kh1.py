"""KH1: a certificate as one line of text that a QR code carries. Format: ``docs/formats/kh1.md``.

``KH1:`` + base45(zlib(COSE_Sign1 of the claims)). The reader is strict: one layout, canonical CBOR, bounds before
parsing. A compressed stream has bits that change nothing; the reader refuses set padding bits, and the writer keeps
only texts in which every other change of one bit or one character shows.
"""

from __future__ import annotations

import hashlib
import logging
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

from modules.certificates.claims import CTI_BYTES, Claims, NotUnderstood, issuer_of
from sync import base45, cbor, cose

log = logging.getLogger(__name__)

PREFIX: Final = "KH1:"
MAX_TEXT: Final = 4_296  # characters: the largest QR code (40-L)
MAX_INFLATED: Final = 64 * 1024
MAX_ISSUED_TEXT: Final = 1_134  # characters of version 22-M: what a 40 mm picture and a cheap camera still read

_ALG, _KID, _EDDSA = 1, 4, -8
_HEAD = b"\x78\xda"  # zlib, 32 KiB window, best compression: the one accepted header
_KID_BYTES, _SIGNATURE_BYTES, _CHECKSUM_BYTES = 8, 64, 4
_ROLLS = 40  # tries for a text in which every change shows; each has better odds than one in three

Sign = Callable[[bytes], bytes]


class Damaged(ValueError):
    """The text begins like KH1 and is not one; ``str()`` is a short reason, ``bomb``: it unpacks too far."""

    def __init__(self, reason: str, *, bomb: bool = False) -> None:
        super().__init__(reason)
        self.bomb = bomb


@dataclass(frozen=True, slots=True)
class Envelope:
    """A credential whose form is right and whose signature nobody has checked yet."""

    protected: bytes
    payload: bytes
    signature: bytes
    key_id: bytes
    issuer: str  # as named in the payload: good for finding keys, for nothing else
    cose: bytes

    def signed_by(self, public: bytes, protected: bytes | None = None) -> bool:
        """Whether the Ed25519 key ``public`` signed this payload under this (or that) protected header."""
        message = cose.to_be_signed(self.protected if protected is None else protected, b"", self.payload)
        return cose.signature_holds(public, message, self.signature)


def key_id(public: bytes) -> bytes:
    """The first 8 bytes of SHA-256 of an issuing key."""
    return hashlib.sha256(public).digest()[:_KID_BYTES]


def header(public: bytes) -> bytes:
    """The protected header of everything that the key ``public`` signs here."""
    return cbor.encode({_ALG: _EDDSA, _KID: key_id(public)})


def credential_hash(cose_bytes: bytes) -> bytes:
    """The hash under which an issued credential is announced."""
    return hashlib.sha256(cose_bytes).digest()


def read(text: str) -> Envelope:
    """The envelope in ``text``; Damaged when it is not exactly one KH1 credential."""
    if not text.startswith(PREFIX) or len(text) > MAX_TEXT:
        raise Damaged("length or prefix")
    try:
        packed = base45.decode(text[len(PREFIX) :])
    except base45.NotBase45:
        raise Damaged("base45") from None
    return _open(inflate(packed))


def _open(cose_bytes: bytes) -> Envelope:
    try:
        parts = cbor.decode(cose_bytes)
        match parts:
            case [bytes(protected), dict(unprotected), bytes(payload), bytes(signature)] if not unprotected:
                head = cbor.decode(protected)
            case _:
                raise Damaged("layout")
        match head:
            case {1: -8, 4: bytes(kid), **others} if not others and len(kid) == _KID_BYTES:
                pass
            case _:
                raise Damaged("header")
        if len(signature) != _SIGNATURE_BYTES:
            raise Damaged("signature length")
        return Envelope(protected, payload, signature, kid, issuer_of(payload), cose_bytes)
    except cbor.Malformed as error:
        raise Damaged(error.reason) from None
    except NotUnderstood as error:
        raise Damaged(str(error)) from None


def write(claims: Claims, *, public: bytes, sign: Sign, random: Callable[[int], bytes]) -> tuple[str, Claims, bytes]:
    """The text, the claims with their new ``cti``, and the COSE bytes of a new credential.

    A text that ends in a space or holds two in a row would not survive every clipboard, and one that holds ``KH1:``
    twice would be cut in a list: another random ``cti`` gives another text. Should no try give a text in which every
    change shows, the last good one is taken: such a change leads to the very same signed content, so it forges nothing,
    and an officer must not be left without the paper.
    """
    last: tuple[str, Claims, bytes] | None = None
    for _ in range(_ROLLS):
        fresh = replace(claims, cti=random(CTI_BYTES))
        payload, protected = fresh.payload(), header(public)
        signature = sign(cose.to_be_signed(protected, b"", payload))
        cose_bytes = cbor.encode([protected, {}, payload, signature])
        for packed in _packings(cose_bytes):
            body = base45.encode(packed)
            if body.endswith(" ") or "  " in body or PREFIX in body or body.startswith(" "):
                continue
            last = PREFIX + body, fresh, cose_bytes
            if every_change_shows(packed, body, cose_bytes):
                return last
    if last is None:
        raise RuntimeError("no text of this credential is fit for print")
    log.warning("a credential's text holds a change that does not show")
    return last


def inflate(packed: bytes) -> bytes:
    """What ``packed`` holds, at most MAX_INFLATED bytes; Damaged for a loose header, tail, checksum or padding."""
    if packed[:2] != _HEAD or len(packed) < len(_HEAD) + 1 + _CHECKSUM_BYTES:
        raise Damaged("zlib header")
    content = _inflate(packed)
    if not _padding_is_zero(packed, content):
        raise Damaged("zlib padding")
    return content


def _inflate(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(packed, MAX_INFLATED + 1)
    except zlib.error:
        raise Damaged("zlib") from None
    if len(content) > MAX_INFLATED:
        raise Damaged("unpacks too far", bomb=True)
    if not unpacker.eof or unpacker.unused_data or unpacker.unconsumed_tail:
        raise Damaged("zlib end")
    return content


def _padding_is_zero(packed: bytes, content: bytes) -> bool:
    """The bits after the last deflate block are free (RFC 1951) and lie above its end: is the highest set bit data?"""
    place = len(packed) - _CHECKSUM_BYTES - 1
    last = packed[place]
    if last == 0:
        return True
    cleared = bytearray(packed)
    cleared[place] = last & ~(1 << (last.bit_length() - 1))
    try:
        return _inflate(bytes(cleared)) != content
    except Damaged:
        return True


def _packings(content: bytes) -> Iterator[bytes]:
    """The content compressed in several ways, shortest first."""
    found = set()
    for strategy in (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FIXED, zlib.Z_FILTERED, zlib.Z_HUFFMAN_ONLY):
        packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9, strategy)
        found.add(packer.compress(content) + packer.flush())
    checksum = zlib.adler32(content).to_bytes(_CHECKSUM_BYTES, "big")
    yield from (_HEAD + packed + checksum for packed in sorted(found, key=lambda packed: (len(packed), packed)))


def every_change_shows(packed: bytes, body: str, content: bytes) -> bool:
    """Whether no flipped bit and no changed character of a text leads to the same content."""
    changes = chain(_bit_flips(packed), _character_changes(packed, body))
    return not any(_same(changed, content) for changed in changes)


def _bit_flips(packed: bytes) -> Iterator[bytes]:
    for at, byte in enumerate(packed):
        for bit in range(8):
            yield packed[:at] + bytes((byte ^ 1 << bit,)) + packed[at + 1 :]


def _character_changes(packed: bytes, body: str) -> Iterator[bytes]:
    """``packed`` as it would be read after each possible change of one character of ``body``."""
    for start in range(0, len(body), 3):
        group = body[start : start + 3]
        at = start // 3 * 2
        size = len(group) - 1
        for place in range(len(group)):
            weight = 45**place
            here = base45.ALPHABET.index(group[place]) * weight
            rest = int.from_bytes(packed[at : at + size], "big") - here
            for digit in range(45):
                value = rest + digit * weight
                if digit * weight != here and value < 1 << 8 * size:
                    yield packed[:at] + value.to_bytes(size, "big") + packed[at + size :]


def _same(changed: bytes, content: bytes) -> bool:
    try:
        if zlib.decompress(changed) != content:  # quick: most changes end here
            return False
        return inflate(changed) == content
    except (zlib.error, Damaged):
        return False
