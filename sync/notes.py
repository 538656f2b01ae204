"""C2SP text formats of the hub's log: signed note, checkpoint, cosignature, tlog-proof.

Signed lines are compared as bytes and never re-formatted. Names of keys are words without blanks or plus signs.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from nacl.signing import SigningKey

from sync.cbor import Malformed
from sync.cose import signature_holds
from sync.limits import MAX_NOTE, MAX_PROOF, MAX_RECEIPT, MAX_SEQ

_ED25519, _COSIGNATURE = b"\x01", b"\x04"
_DASH = "\u2014 "
_LATEST_S = MAX_SEQ // 1000  # a later time would be no count of milliseconds
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")  # but for the line break
_NAME = re.compile(r"[^\s+]{1,128}")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,15}")
_PROOF_HEAD = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A key that may sign notes: ``name`` and Ed25519 public key."""

    name: str
    public: bytes

    def id(self, algorithm: bytes = _ED25519) -> bytes:
        """The 4 bytes before each signature."""
        return sha256(self.name.encode() + b"\n" + algorithm + self.public).digest()[:4]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Size and root of the log ``name`` in its ``epoch``-th life; a restored hub begins the next epoch."""

    name: str
    epoch: int
    size: int
    root: bytes

    @property
    def origin(self) -> str:
        return f"{self.name}/{self.epoch}"

    def text(self) -> str:
        """The note text to be signed."""
        return f"{self.origin}\n{self.size}\n{_b64(self.root)}\n"


@dataclass(frozen=True, slots=True)
class Proof:
    """A tlog-proof: ``extra`` is opaque and unsigned, ``note`` the signed checkpoint as received."""

    index: int
    hashes: list[bytes]
    note: str
    extra: bytes

    def text(self) -> str:
        lines = [_PROOF_HEAD, *([f"extra {_b64(self.extra)}"] if self.extra else []), f"index {self.index}"]
        return "\n".join([*lines, *map(_b64, self.hashes), "", ""]) + self.note


def is_name(text: str) -> bool:
    """Whether ``text`` can name a key: a word without blanks or plus signs."""
    return _NAME.fullmatch(text) is not None


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unb64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("note: base64") from None
    if _b64(data) != text:
        raise Malformed("note: base64 is not canonical")
    return data


def hash_of(text: str) -> bytes:
    """The hash of one base64 line."""
    data = _unb64(text)
    if len(data) != 32:
        raise Malformed("note: not a hash")
    return data


def number(text: str) -> int:
    """A plain decimal number as these formats write it."""
    if not _NUMBER.fullmatch(text) or int(text) > MAX_SEQ:
        raise Malformed("note: not a number")
    return int(text)


def sign(text: str, name: str, key: SigningKey) -> str:
    """The signed note of ``text`` (whole lines) with one signature."""
    return f"{text}\n{signature_line(text, name, key)}"


def signature_line(text: str, name: str, key: SigningKey) -> str:
    """The line that adds the signature of ``key`` to a note of ``text``."""
    key_id = NoteKey(name, bytes(key.verify_key)).id()
    return f"{_DASH}{name} {_b64(key_id + key.sign(text.encode()).signature)}\n"


def cosignature_line(text: str, name: str, key: SigningKey, seconds: int) -> str:
    """The line by which a witness cosigns a checkpoint at the POSIX time ``seconds``."""
    key_id = NoteKey(name, bytes(key.verify_key)).id(_COSIGNATURE)
    signature = key.sign(_cosigned(text, seconds)).signature
    return f"{_DASH}{name} {_b64(key_id + seconds.to_bytes(8, 'big') + signature)}\n"


def _cosigned(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def split(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The text of a signed note and its signatures: (name, key id and signature)."""
    if len(note.encode()) > MAX_NOTE or _CONTROL.search(note):
        raise Malformed("note: size or characters")
    text, gap, lines = note.rpartition("\n\n")
    if not gap or not lines.endswith("\n"):
        raise Malformed("note: no signatures")
    signatures = []
    for line in lines[:-1].split("\n"):
        name, blank, value = line.removeprefix(_DASH).partition(" ")
        if not line.startswith(_DASH) or not blank or not _NAME.fullmatch(name):
            raise Malformed("note: signature line")
        signatures.append((name, _unb64(value)))
    return text + "\n", signatures


def signed_by(note: str, key: NoteKey) -> bool:
    """Whether ``note`` carries a valid signature of ``key``."""
    text, signatures = split(note)
    return any(
        name == key.name and value[:4] == key.id() and signature_holds(key.public, text.encode(), value[4:])
        for name, value in signatures
    )


def cosigned_by(note: str, key: NoteKey) -> int | None:
    """The POSIX time of the latest valid cosignature of the witness ``key``, or None."""
    text, signatures = split(note)
    times = []
    for name, value in signatures:
        seconds = int.from_bytes(value[4:12], "big")
        if (
            (name, value[:4], len(value)) == (key.name, key.id(_COSIGNATURE), 76)
            and seconds <= _LATEST_S and signature_holds(key.public, _cosigned(text, seconds), value[12:])
        ):  # fmt: skip
            times.append(seconds)
    return max(times, default=None)


def line_of(note: str, key: NoteKey, seconds: int) -> str:
    """The line of ``note`` that is the cosignature of ``key`` at ``seconds``."""
    for name, value in split(note)[1]:
        stated = key.id(_COSIGNATURE) + seconds.to_bytes(8, "big")
        message = _cosigned(split(note)[0], seconds)
        if name == key.name and value[:12] == stated and signature_holds(key.public, message, value[12:]):
            return f"{_DASH}{name} {_b64(value)}\n"
    raise Malformed("note: no such cosignature")


def read_checkpoint(note: str, key: NoteKey) -> Checkpoint:
    """The checkpoint that ``note`` carries; refused unless ``key`` (the log) signed it."""
    if not signed_by(note, key):
        raise Malformed("checkpoint: signature")
    lines = split(note)[0].split("\n")
    if len(lines) != 4:  # three lines and the end of the last: extensions are not used
        raise Malformed("checkpoint: layout")
    name, slash, epoch = lines[0].rpartition("/")
    if not slash or name != key.name:
        raise Malformed("checkpoint: origin")
    return Checkpoint(name, number(epoch), number(lines[1]), hash_of(lines[2]))


def read_proof(text: str) -> Proof:
    """The tlog-proof ``text``; nothing is verified yet."""
    if len(text.encode()) > MAX_RECEIPT:
        raise Malformed("proof: too big")
    head, gap, note = text.partition("\n\n")
    lines = head.split("\n")
    if not gap or lines.pop(0) != _PROOF_HEAD:
        raise Malformed("proof: layout")
    extra = b""
    if lines and lines[0].startswith("extra "):
        extra = _unb64(lines.pop(0).removeprefix("extra "))
    if not lines or not lines[0].startswith("index ") or len(lines) > MAX_PROOF + 1:
        raise Malformed("proof: layout")
    index = number(lines.pop(0).removeprefix("index "))
    return Proof(index, [hash_of(line) for line in lines], note, extra)


def hash_lines(hashes: Sequence[bytes]) -> str:
    """A consistency proof as text: one base64 hash a line."""
    return "".join(f"{_b64(value)}\n" for value in hashes)


def read_hash_lines(text: str) -> list[bytes]:
    """The hashes of :func:`hash_lines`."""
    lines = text.split("\n")
    if lines.pop() or len(lines) > MAX_PROOF:
        raise Malformed("proof: layout")
    return [hash_of(line) for line in lines]
