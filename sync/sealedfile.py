"""A file sealed to the next hop: whoever carries a stick sees neither what it holds nor, beyond 12 %, how much.

``SALASEALED1\\n``, then the CBOR list of ``[key id of an X25519 key (8), sealed box of the file's key]``, one for each that
may open it, then blocks of 64 KiB, each XChaCha20-Poly1305 under the file's key with its number as nonce and all before the
blocks as context. A damaged block costs what stands in it and nothing else. What is inside is padded with zero bytes to
its Padmé size.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import BinaryIO, Final, Protocol

from nacl import utils
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
from sync.errors import Known
from sync.ids import key_id
from sync.limits import KIB, MAX_RECIPIENTS
from sync.sealing import padded

MAGIC: Final = b"SALASEALED1\n"
BLOCK: Final = 64 * KIB  # bytes of one block before it is sealed
_TAG: Final = 16
_SEALED: Final = BLOCK + _TAG
_BOX: Final = 32 + 48  # the file's key in a sealed box
_HEAD: Final = 1_024  # bytes; no head is longer


class Sink(Protocol):
    """Where sealed bytes go."""

    def write(self, data: bytes, /) -> object: ...


class Writer:
    """Seals what is written to it into ``file``, for the keys ``publics``. ``finish`` pads and writes the last block."""

    def __init__(self, file: Sink, publics: Sequence[bytes]) -> None:
        if not 0 < len(publics) <= MAX_RECIPIENTS:
            raise ValueError("nobody, or too many, to seal to")
        self._file, self._key = file, utils.random(32)
        boxes = [[key_id(public), SealedBox(PublicKey(public)).encrypt(self._key)] for public in publics]
        self._head = MAGIC + cbor.encode(boxes)
        self._rest, self._blocks, self._size = bytearray(), 0, 0
        file.write(self._head)

    def write(self, data: bytes) -> int:
        self._rest += data
        self._size += len(data)
        while len(self._rest) >= BLOCK:
            self._put(bytes(self._rest[:BLOCK]))
            del self._rest[:BLOCK]
        return len(data)

    def finish(self) -> None:
        """No more comes."""
        padding = padded(self._size) - self._size
        while padding > 0:
            piece = min(padding, BLOCK)
            self.write(bytes(piece))
            padding -= piece
        if self._rest:
            self._put(bytes(self._rest))
            self._rest.clear()

    def _put(self, block: bytes) -> None:
        self._file.write(aead_seal(block, self._head, self._blocks.to_bytes(24, "big"), self._key))
        self._blocks += 1


class Reader(io.RawIOBase):
    """The inside of a sealed file: may be read from any place, one block in memory. A damaged block reads as zeros."""

    def __init__(self, file: BinaryIO, size: int, keys: Sequence[PrivateKey]) -> None:
        """``size``: bytes of ``file``. Known: SY-440 sealed to a key that is not here; SY-372 no sealed file."""
        super().__init__()
        self._file, self.damaged = file, 0
        file.seek(0)
        self._head, boxes = _read_head(file.read(_HEAD))
        self._key = _open(boxes, keys)
        inside = max(0, size - len(self._head))
        self._blocks = -(-inside // _SEALED)
        self.size = max(0, inside - self._blocks * _TAG)
        self._place, self._at, self._block = 0, -1, b""

    def close(self) -> None:
        self._file.close()
        super().close()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, place: int, whence: int = 0) -> int:
        if whence != 0 or place < 0:
            raise ValueError("only from the start")
        self._place = place
        return place

    def tell(self) -> int:
        return self._place

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes from the present place; all that is left when it is negative."""
        end = self.size if size < 0 else min(self.size, self._place + size)
        out = bytearray()
        while self._place < end:
            number, offset = divmod(self._place, BLOCK)
            block = self._load(number)
            piece = block[offset : offset + end - self._place]
            if not piece:
                break
            out += piece
            self._place += len(piece)
        return bytes(out)

    def _load(self, number: int) -> bytes:
        if number != self._at:
            self._file.seek(len(self._head) + number * _SEALED)
            sealed = self._file.read(_SEALED)
            try:
                self._block = aead_open(sealed, self._head, number.to_bytes(24, "big"), self._key)
            except CryptoError:
                self.damaged += 1
                self._block = bytes(max(0, len(sealed) - _TAG))
            self._at = number
        return self._block


def _read_head(data: bytes) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    try:
        value, end = cbor.decode_prefix(data, len(MAGIC))
    except Malformed:
        raise Known("SY-372") from None
    if not data.startswith(MAGIC) or not isinstance(value, list) or len(value) > MAX_RECIPIENTS:
        raise Known("SY-372")
    return data[:end], [_read_box(item) for item in value]


def _read_box(value: object) -> tuple[bytes, bytes]:
    match value:
        case [bytes(name), bytes(box)] if (len(name), len(box)) == (8, _BOX):
            return name, box
    raise Known("SY-372")


def _open(boxes: Sequence[tuple[bytes, bytes]], keys: Sequence[PrivateKey]) -> bytes:
    """The file's key, from the first box that one of ``keys`` opens."""
    mine = {key_id(bytes(key.public_key)): key for key in keys}
    for name, box in boxes:
        if name in mine:
            try:
                return SealedBox(mine[name]).decrypt(box)
            except CryptoError:
                raise Known("SY-372") from None
    raise Known("SY-440")
