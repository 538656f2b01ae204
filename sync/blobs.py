"""Attachments: cut into chunks, each encrypted under the attachment's own key and kept in a file named by its hash.

The key is derived from the content and this laptop's secret, so the same file is stored once on one laptop and nobody
can tell whether two laptops hold the same. The manifest's hash is the attachment's id; its key travels in the op.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nacl import exceptions
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)

from sync import cbor, durable, line
from sync.errors import Known, Refused
from sync.failpoint import failpoint
from sync.limits import CHUNK_SLOW, MAX_BLOB, MAX_CHUNK, MIB

if TYPE_CHECKING:
    from sync.store import Connection, Store

_MAX_MEDIA_TYPE: Final = 127


class Blobs:
    """The attachments of one profile, in ``folder``."""

    def __init__(self, store: Store, folder: Path, secret: bytes) -> None:
        self._store, self._folder = store, folder
        self._secret: bytes | None = secret

    def add(self, source: Path | bytes, media_type: str, *, chunk_size: int | None = None) -> str:
        """Store a file, or bytes; returns the blob id (hex).

        Refused: SY-140 over 20 MiB (checked before reading), SY-142 the file cannot be read. Known: SY-104 disk full,
        SY-110 locked. ``chunk_size`` None: as the line is now, see :func:`sync.line.chunk_size`.
        """
        if len(media_type) > _MAX_MEDIA_TYPE:
            raise ValueError("media type too long")
        data = source if isinstance(source, bytes) else _read_file(source)
        _check_size(len(data))
        chunk_size = chunk_size or self._store.read(line.chunk_size)
        key = self._key(data, chunk_size)
        pieces = [data[start : start + chunk_size] for start in range(0, len(data), chunk_size)] or [b""]
        sealed = [_seal(key, piece, place, len(pieces)) for place, piece in enumerate(pieces)]
        hashes = [sha256(piece).digest() for piece in sealed]
        manifest = cbor.encode({1: len(data), 2: media_type, 3: hashes})
        blob = sha256(manifest).digest()
        for name, piece in zip(hashes, sealed, strict=True):
            self._keep(name, piece)
            failpoint("blob")

        def work(conn: Connection) -> None:
            conn.execute(
                "INSERT INTO blob(id, manifest, key, size, media_type, added_ms) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT(id) DO NOTHING",
                (blob, manifest, key, len(data), media_type, self._store.clock.wall_ms()),
            )
            conn.executemany(
                "INSERT INTO chunk(hash, blob, n, size) VALUES (?, ?, ?, ?)"
                " ON CONFLICT(hash) DO UPDATE SET state = 'sent' WHERE state = 'pruned'",
                [(hashes[place], blob, place, len(sealed[place])) for place in range(len(sealed))],
            )

        self._store.write(work)
        return blob.hex()

    def read(self, blob: str) -> bytes:
        """The content. LookupError for an unknown id. Known: SY-141 a piece is missing or damaged, SY-110 locked."""
        if self._secret is None:
            raise Known("SY-110")
        row = self._row(blob)
        manifest = cbor.decode(row["manifest"])
        count = len(manifest[3])
        return b"".join(_open(row["key"], self.chunk(name), place, count) for place, name in enumerate(manifest[3]))

    def manifest(self, blob: str) -> bytes:
        """The canonical bytes whose SHA-256 is the blob id."""
        return bytes(self._row(blob)["manifest"])

    def chunks(self, blob: str) -> list[bytes]:
        """The hashes of its chunks in order."""
        return list(cbor.decode(self.manifest(blob))[3])

    def chunk(self, name: bytes) -> bytes:
        """The ciphertext of one chunk. Known: SY-141 the file is missing, damaged or not to be read, SY-405 it was pruned."""
        try:
            with self.path(name).open("rb") as file:
                data = file.read(MAX_CHUNK + 1)
        except FileNotFoundError:
            raise Known("SY-405" if self._pruned(name) else "SY-141") from None
        except OSError as error:
            raise Known("SY-141") from error
        if sha256(data).digest() != name:
            raise Known("SY-141")
        return data

    def renew(self, secret: bytes) -> None:
        """From now on keys of new attachments are derived from ``secret``: this laptop has other keys. Old ones stay readable."""
        if self._secret is not None:
            self._secret = secret

    def _pruned(self, name: bytes) -> bool:
        row = self._store.read(lambda conn: conn.execute("SELECT state FROM chunk WHERE hash = ?", (name,)).fetchone())
        return row is not None and row["state"] == "pruned"

    def forget(self) -> None:
        """Let go of the secret: the profile is locked."""
        self._secret = None

    def _key(self, data: bytes, chunk_size: int) -> bytes:
        if self._secret is None:
            raise Known("SY-110")
        # The chunk size belongs to it: other pieces of the same content must never meet the same key and nonce.
        return hmac.digest(self._secret, sha256(data).digest() + chunk_size.to_bytes(4, "big"), "sha256")

    def _row(self, blob: str) -> dict[str, bytes]:
        row = self._store.read(
            lambda conn: conn.execute("SELECT manifest, key FROM blob WHERE id = ?", (bytes.fromhex(blob),)).fetchone()
        )
        if row is None:
            raise LookupError(blob)
        return dict(row)

    def path(self, name: bytes) -> Path:
        """Where the ciphertext of a chunk lies."""
        return self._folder / name.hex()[:2] / name.hex()

    def put(self, name: bytes, data: bytes) -> None:
        """Keep a piece of a colleague's attachment, as it came. Known SY-104 when the disk is full."""
        self._keep(name, data)

    def _keep(self, name: bytes, data: bytes) -> None:
        path = self.path(name)
        if path.exists() and path.stat().st_size == len(data) and sha256(path.read_bytes()).digest() == name:
            os.utime(path)  # the sweep of files without a row leaves young ones alone
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            durable.replace(path, data)
        except OSError as error:
            raise Known("SY-104") from error


def assemble(blob: bytes, key: bytes, piece: Callable[[bytes], bytes]) -> bytes:
    """An attachment of another laptop: ``piece`` gives its manifest (under the id ``blob``) and chunks by their hash.

    Known: SY-141 a piece is not what its hash says, or ``key`` does not open it.
    """

    def checked(name: bytes) -> bytes:
        data = piece(name)
        if sha256(data).digest() != name:
            raise Known("SY-141")
        return data

    match cbor.decode(checked(blob)):
        case {1: int(size), 2: str(), 3: list(names), **others} if not others and 0 <= size <= MAX_BLOB:
            pass
        case _:
            raise Known("SY-141")
    if len(names) > MAX_BLOB // CHUNK_SLOW + 1 or any(not isinstance(name, bytes) for name in names):
        raise Known("SY-141")
    data = b"".join(_open(key, checked(name), place, len(names)) for place, name in enumerate(names))
    if len(data) != size:
        raise Known("SY-141")
    return data


def _read_file(path: Path) -> bytes:
    try:
        _check_size(path.stat().st_size)
        with path.open("rb") as file:
            return file.read(MAX_BLOB + 1)
    except OSError as error:
        raise Refused("SY-142", file=path.name) from error


def _check_size(size: int) -> None:
    if size > MAX_BLOB:
        raise Refused("SY-140", size_mib=round(size / MIB, 1), most_mib=MAX_BLOB // MIB)


def _seal(key: bytes, piece: bytes, place: int, count: int) -> bytes:
    return crypto_aead_xchacha20poly1305_ietf_encrypt(
        piece, cbor.encode([place, count]), place.to_bytes(24, "big"), key
    )


def _open(key: bytes, piece: bytes, place: int, count: int) -> bytes:
    try:
        return crypto_aead_xchacha20poly1305_ietf_decrypt(
            piece, cbor.encode([place, count]), place.to_bytes(24, "big"), key
        )
    except exceptions.CryptoError:
        raise Known("SY-141") from None
