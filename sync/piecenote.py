"""The centre's signed word on a stick: it holds these pieces of attachments, in this life of its log, at this time.

It is about pieces, not about who brought them: every laptop and relay that the stick passes takes what concerns it. Nobody's word
but the log key's counts, and a word that is older than a doubt says nothing: of an earlier life, or from before the centre said
that it lacks the piece, or was asked by a person to have it sent once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sync import notes, pieces
from sync.cbor import Malformed
from sync.failpoint import failpoint
from sync.marks import EPOCH, HUB_TIME, mark, raise_floor

if TYPE_CHECKING:
    from nacl.signing import SigningKey

    from sync.notes import NoteKey
    from sync.store import Connection

MOST: Final = 60  # pieces of one note
_HEAD: Final = "sala.pieces/v1"


@dataclass(frozen=True, slots=True)
class Held:
    """``epoch``: life of the centre's log; ``hub_ms``: the centre's clock; ``pieces``: hashes of chunks and manifests."""

    epoch: int
    hub_ms: int
    pieces: Sequence[bytes]


def say(held: Held, log: NoteKey, key: SigningKey) -> str:
    """``held``, at most :data:`MOST` pieces, signed by the key of the centre's ``log``."""
    return notes.sign(f"{_HEAD}\n{held.epoch}\n{held.hub_ms}\n{notes.hash_lines(held.pieces)}", log.name, key)


def read(note: str, log: NoteKey) -> Held:
    """What ``note`` says. Malformed: the centre did not sign that."""
    if not notes.signed_by(note, log):
        raise Malformed("pieces: signature")
    lines = notes.split(note)[0].split("\n", 3)
    if lines[0] != _HEAD or len(lines) != 4:
        raise Malformed("pieces: layout")
    names = notes.read_hash_lines(lines[3])
    if len(names) > MOST:
        raise Malformed("pieces: too many")
    return Held(notes.number(lines[1]), notes.number(lines[2]), names)


def take(conn: Connection, note: str, log: NoteKey, now_ms: int) -> int:
    """Note that the waiting pieces that ``note`` names have arrived: how many. Malformed: the centre did not sign that."""
    held = read(note, log)
    if held.epoch < mark(conn, EPOCH):
        return 0
    raise_floor(conn, HUB_TIME, held.hub_ms)
    arrived = [name for name in held.pieces if pieces.waits(conn, name, held.hub_ms)]
    for name in arrived:
        pieces.sent(conn, name, now_ms)
    failpoint("receive:pieces")
    return len(arrived)
