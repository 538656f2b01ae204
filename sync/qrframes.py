"""Several QR codes that carry one small file: any order, any number of times, one after the other or all in one picture.

The file is a courier file (:mod:`sync.volume`), packed by zstd and cut into frames. Each frame is a text in the QR code's
alphanumeric alphabet, so that a camera, a picture and a handheld scanner all read the same:

    ``SALA:Q1:<set>:<number>:<total>:<base45 of the piece>``

``set`` is the first 8 bytes of the packed file's SHA-256 in hexadecimal capitals; numbers count from 1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from sync import base45, cbor
from sync.base45 import NotBase45
from sync.cbor import Malformed
from sync.errors import Known
from sync.limits import MAX_FRAMES, MAX_QR

PREFIX: Final = "SALA:Q1:"
PIECE: Final = 780  # bytes of one frame: a QR code of version 20-L
SMALL: Final = 320  # bytes of one frame that a modest camera reads from a screen at arm's length
PER_SECOND: Final = 8  # frames shown a second
_FRAME: Final = re.compile(r"SALA:Q1:([0-9A-F]{16}):([1-9][0-9]{0,3}):([1-9][0-9]{0,3}):([0-9A-Z $%*+\-./:]+)")
_LONGEST: Final = 4_400  # characters: more than any QR code holds
_LEVEL: Final = 19


def encode(data: bytes, piece: int = PIECE) -> list[str]:
    """The frames of ``data``, ``piece`` bytes each but the last. Known SY-451 when it is too large for one set."""
    packed = cbor.zip_bytes(data, _LEVEL)
    total = -(-len(packed) // piece)
    if len(packed) > MAX_QR or total > MAX_FRAMES:
        raise Known("SY-451")
    name = sha256(packed).digest()[:8].hex().upper()
    return [
        f"{PREFIX}{name}:{number + 1}:{total}:{base45.encode(packed[number * piece : (number + 1) * piece])}"
        for number in range(total)
    ]


def encode_small(data: bytes) -> list[str]:
    """The frames of a request or an answer: one code when it fits, else few that are easy to read."""
    whole = encode(data, PIECE)
    return whole if len(whole) == 1 else encode(data, SMALL)


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as it was read."""

    set: str
    number: int
    total: int
    piece: bytes


def read(text: str) -> Frame | None:
    """The frame that ``text`` is, None when it is something else."""
    match = _FRAME.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    if match is None or not int(match[2]) <= int(match[3]) <= MAX_FRAMES:
        return None
    try:
        return Frame(match[1], int(match[2]), int(match[3]), base45.decode(match[4]))
    except NotBase45:
        return None


@dataclass(slots=True)
class Collector:
    """Gathers the frames of one set. A frame of another set begins anew: people show one set after the other."""

    set: str = ""
    total: int = 0
    pieces: dict[int, bytes] = field(default_factory=dict)
    size: int = 0

    def add(self, text: str) -> bool:
        """Take what a code says; True when it was a frame that was not here yet."""
        frame = read(text)
        if frame is None:
            return False
        if (frame.set, frame.total) != (self.set, self.total):
            self.set, self.total, self.pieces, self.size = frame.set, frame.total, {}, 0
        if frame.number in self.pieces or self.size + len(frame.piece) > MAX_QR:
            return False
        self.pieces[frame.number] = frame.piece
        self.size += len(frame.piece)
        return True

    @property
    def missing(self) -> int:
        """How many frames of the set are still to come."""
        return self.total - len(self.pieces)

    def data(self) -> bytes:
        """The file. Known: SY-452 nothing was read, SY-454 frames are missing; Malformed when they do not fit together."""
        if not self.total:
            raise Known("SY-452")
        if self.missing:
            raise Known("SY-454", missing=self.missing, total=self.total)
        packed = b"".join(self.pieces[number] for number in sorted(self.pieces))
        if sha256(packed).digest()[:8].hex().upper() != self.set:
            raise Malformed("qr: set")
        data, rest = cbor.unzip(packed, 4 * MAX_QR)
        if rest:
            raise Malformed("qr: trailing bytes")
        return data


def collect(texts: list[str]) -> bytes:
    """The file of all ``texts`` together; see :meth:`Collector.data`."""
    collector = Collector()
    for text in texts:
        collector.add(text)
    return collector.data()
