"""Attachments of colleagues: asked for piece by piece, given as the ciphertext that they are, opened with the key in the op's body.

A laptop says what it lacks (``want``); a colleague that has it gives it with its next file. Pieces wait in the database until an
attachment is whole; then it stands with this laptop's own, sealed as before, and is carried on to the hub after its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from sync import cbor, ops
from sync.cbor import Malformed
from sync.errors import Known
from sync.failpoint import failpoint
from sync.limits import CHUNK_SLOW, MAX_BLOB, MAX_CHUNK
from sync.volume import Object

if TYPE_CHECKING:
    from sync.keys import Unlocked
    from sync.store import Connection

MOST: Final = 500  # pieces of one asking
_PIECES: Final = MAX_BLOB // CHUNK_SLOW + 1


def expect(conn: Connection, device: bytes, body: Mapping[str, Any]) -> None:
    """Remember the attachments that a body of ``device`` names, with the keys that open them."""
    for blob, key in ops.attachment_keys(body).items():
        conn.execute(
            """INSERT INTO foreign_blob (id, device, key) SELECT :id, :device, :key
               WHERE NOT EXISTS (SELECT 1 FROM blob WHERE id = :id) ON CONFLICT DO NOTHING""",
            {"id": blob, "device": device, "key": key},
        )


def lacking(conn: Connection) -> list[bytes]:
    """The next pieces to ask for: manifests first, then what they name."""
    rows = conn.execute(
        """SELECT hash FROM (
               SELECT id AS hash, 0 AS rank, 0 AS n FROM foreign_blob WHERE manifest IS NULL
               UNION ALL SELECT hash, 1, n FROM foreign_piece WHERE data IS NULL) ORDER BY rank, n, hash LIMIT ?""",
        (MOST,),
    )
    return [row["hash"] for row in rows.fetchall()]


def encode(wanted: Sequence[bytes]) -> bytes:
    return cbor.encode(list(wanted))


def read(data: bytes) -> list[bytes]:
    value = cbor.decode(data)
    if not isinstance(value, list) or len(value) > MOST or any(not isinstance(v, bytes) or len(v) != 32 for v in value):
        raise Malformed("want: list")
    return value


def asked(conn: Connection, colleague: bytes, wanted: Sequence[bytes]) -> None:
    """``colleague`` lacks these, and what it asked for before it has by now, or asks for again."""
    conn.execute("DELETE FROM asked_for WHERE colleague = ?", (colleague,))
    conn.executemany(
        "INSERT INTO asked_for (colleague, hash) VALUES (?, ?)", [(colleague, name) for name in set(wanted)]
    )


def to(unlocked: Unlocked, colleague: bytes, packed: Set[bytes] = frozenset()) -> Iterator[Object]:
    """What ``colleague`` asked for, as far as it is here, belongs to something that an op names, and is not ``packed`` already."""
    for name, manifest in unlocked.store.read(partial(_given, colleague=colleague)):
        if name in packed:
            continue
        try:
            data = unlocked.blobs.manifest(name.hex()) if manifest else unlocked.blobs.chunk(name)
        except Known:
            continue  # damaged or let go of here: another laptop, or the centre, has it
        yield Object("chunk", name.hex(), data)


def _given(conn: Connection, colleague: bytes) -> list[tuple[bytes, bool]]:
    rows = conn.execute(
        """SELECT a.hash, 1 AS manifest FROM asked_for AS a JOIN blob AS b ON b.id = a.hash
           WHERE a.colleague = :c AND (EXISTS (SELECT 1 FROM attached WHERE blob = b.id)
               OR EXISTS (SELECT 1 FROM foreign_blob WHERE id = b.id))
           UNION ALL SELECT a.hash, 0 FROM asked_for AS a JOIN chunk AS k ON k.hash = a.hash
           WHERE a.colleague = :c AND (EXISTS (SELECT 1 FROM attached WHERE blob = k.blob)
               OR EXISTS (SELECT 1 FROM foreign_blob WHERE id = k.blob)) ORDER BY 2 DESC, 1""",
        {"c": colleague},
    )
    return [(row["hash"], bool(row["manifest"])) for row in rows.fetchall()]


def wants(conn: Connection, name: bytes) -> bool:
    """Whether the piece ``name`` is one that this laptop lacks."""
    found = conn.execute(
        """SELECT 1 FROM foreign_blob WHERE id = :n AND manifest IS NULL
           UNION ALL SELECT 1 FROM foreign_piece WHERE hash = :n AND data IS NULL""",
        {"n": name},
    )
    return found.fetchone() is not None


def take(unlocked: Unlocked, name: bytes, data: bytes) -> bool:
    """Keep a piece that was lacking; True when an attachment became whole by it. Malformed when it is not what it is called."""
    if sha256(data).digest() != name or len(data) > MAX_CHUNK:
        raise Malformed("piece: hash")
    store = unlocked.store
    blob = store.write(partial(_keep, name=name, data=data))
    failpoint("foreign:piece")
    if blob is None:
        return False
    _make_whole(unlocked, blob)
    return True


def complete(unlocked: Unlocked) -> int:
    """Attachments whose last piece came just before the power went or the disk was full: how many are whole now."""
    blobs = unlocked.store.read(_complete)
    for blob in blobs:
        _make_whole(unlocked, blob)
    return len(blobs)


def _complete(conn: Connection) -> list[bytes]:
    rows = conn.execute(
        """SELECT DISTINCT blob FROM foreign_piece AS p WHERE NOT EXISTS (
               SELECT 1 FROM foreign_piece WHERE blob = p.blob AND data IS NULL)"""
    )
    return [row["blob"] for row in rows.fetchall()]


def _make_whole(unlocked: Unlocked, blob: bytes) -> None:
    store = unlocked.store
    for piece, content in store.read(partial(_pieces, blob=blob)):
        unlocked.blobs.put(piece, content)
        failpoint("foreign:file")
    now_ms = store.clock.wall_ms()
    store.write(partial(_settle, blob=blob, now_ms=now_ms))


def _keep(conn: Connection, name: bytes, data: bytes) -> bytes | None:
    """Keep a manifest or a piece; the attachment that is complete now, if one is."""
    row = conn.execute("SELECT id FROM foreign_blob WHERE id = ? AND manifest IS NULL", (name,)).fetchone()
    if row is not None:
        _, _, hashes = _manifest(data)
        conn.execute("UPDATE foreign_blob SET manifest = ? WHERE id = ?", (data, name))
        conn.executemany(
            "INSERT INTO foreign_piece (hash, blob, n) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            [(piece, name, place) for place, piece in enumerate(hashes)],
        )
        return None
    conn.execute("UPDATE foreign_piece SET data = ? WHERE hash = ? AND data IS NULL", (data, name))
    row = conn.execute(
        """SELECT blob FROM foreign_piece AS p WHERE p.hash = ? AND NOT EXISTS (
               SELECT 1 FROM foreign_piece WHERE blob = p.blob AND data IS NULL)""",
        (name,),
    ).fetchone()
    return bytes(row["blob"]) if row else None


def _manifest(data: bytes) -> tuple[int, str, list[bytes]]:
    match cbor.decode(data):
        case {1: int(size), 2: str(kind), 3: list(hashes), **others} if (
            not others and 0 <= size <= MAX_BLOB and len(kind) <= 127 and 0 < len(hashes) <= _PIECES
            and all(isinstance(one, bytes) and len(one) == 32 for one in hashes)
        ):  # fmt: skip
            return size, kind, hashes
    raise Malformed("manifest: fields")


def _pieces(conn: Connection, blob: bytes) -> list[tuple[bytes, bytes]]:
    rows = conn.execute("SELECT hash, data FROM foreign_piece WHERE blob = ? ORDER BY n", (blob,))
    return [(row["hash"], row["data"]) for row in rows.fetchall()]


def _settle(conn: Connection, blob: bytes, now_ms: int) -> None:
    """All pieces lie in their files: the attachment stands with this laptop's own from now on, and goes on to the hub."""
    row = conn.execute("SELECT manifest, key FROM foreign_blob WHERE id = ?", (blob,)).fetchone()
    size, kind, _ = _manifest(row["manifest"])
    conn.execute(
        """INSERT INTO blob (id, manifest, key, size, media_type, added_ms) VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT DO NOTHING""",
        (blob, row["manifest"], row["key"], size, kind, now_ms),
    )
    conn.execute(
        """INSERT INTO chunk (hash, blob, n, size) SELECT hash, blob, n, length(data) FROM foreign_piece
           WHERE blob = ? ON CONFLICT DO NOTHING""",
        (blob,),
    )
    conn.execute("UPDATE foreign_blob SET whole_ms = ? WHERE id = ?", (now_ms, blob))
    conn.execute("DELETE FROM foreign_piece WHERE blob = ?", (blob,))
