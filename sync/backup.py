"""One file that brings the whole profile back: the encrypted database, its slots and attachments. Others go on working.

The file is an uncompressed tar. Nothing in it is readable without an officer's passphrase or the province's recovery key.
The slots stand last: a file that was cut short is never taken for a whole one.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from sync import attempts, audit, ballast, care, cipher, durable, keys, slots
from sync.errors import Known, Refused
from sync.limits import MAX_CHUNK
from sync.store import DATABASE

if TYPE_CHECKING:
    from sync.clock import Clock
    from sync.keys import Unlocked
    from sync.store import Connection

Progress = Callable[[int, int], None]  # bytes done, bytes in all

RESTORED: Final = keys.RESTORED
_HEADER: Final = "sala-backup.json"
_FORMAT: Final = "sala/backup/v1"
_PIECE: Final = 1 << 20
_CHUNK: Final = re.compile(r"blobs/([0-9a-f]{2})/\1[0-9a-f]{62}")
_MOST: Final = {_HEADER: 4_096, DATABASE: 1 << 40, slots.FILES[0]: slots.MAX_FILE}


def write(unlocked: Unlocked, out: Path, progress: Progress | None = None) -> dict[str, Any]:
    """Write a backup to ``out`` and read it back; ``out`` appears only when it is whole. Returns what it holds.

    Known: SY-150 ``out`` cannot be written (disk full, removed, file too large for it), SY-151 what was written reads
    back differently, SY-102 the database is damaged.
    """
    part = out.with_name(out.name + ".part")
    try:
        with tempfile.TemporaryDirectory(prefix="backup-", dir=unlocked.home) as folder:
            database, opener = _consistent(unlocked, Path(folder) / DATABASE)
            wanted = [unlocked.blobs.path(name) for name in _chunks(database, unlocked.database_key)]
            pieces = [path for path in wanted if path.exists()]  # a lost attachment must not cost all the rest
            written = _pack(part, unlocked, database, pieces, opener, progress)
        if _digest(part) != written:
            raise Known("SY-151")
        part.replace(out)
        durable.sync_folder(out.parent)
    except OSError as error:
        raise Known("SY-150", reason=error.strerror or "") from error
    finally:
        part.unlink(missing_ok=True)
    return {
        "file": str(out),
        "bytes": out.stat().st_size,
        "attachment_pieces": len(pieces),
        "attachment_pieces_missing": len(wanted) - len(pieces),
        "sha256": written.hex(),
    }


def restore(file: Path, home: Path, progress: Progress | None = None) -> dict[str, Any]:
    """Put the profile of a backup into ``home``; unlock it then with any passphrase that was valid when it was made.

    Numbers leased to the lost laptop are not used again: it may have used them after the backup. Known: SY-101 there is a
    profile, SY-150 ``home`` cannot be written, SY-153 too little room. Refused SY-152: no backup, or not whole.
    """
    if slots.exist(home) or (home / DATABASE).exists():
        raise Known("SY-101")
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        if ballast.free(home) < file.stat().st_size + ballast.MIB:
            raise Known("SY-153", needed_mib=file.stat().st_size // ballast.MIB + 1)
        with tempfile.TemporaryDirectory(prefix="restore-", dir=home) as staging:
            header, count = _unpack(file, Path(staging), progress)
            _move_in(Path(staging), home)
    except OSError as error:
        raise Known("SY-150", reason=error.strerror or "") from error
    return {"home": str(home), "made_ms": header["made_ms"], "attachment_pieces": count}


def drill(file: Path, name_or_id: str, passphrase: str, clock: Clock, scratch: Path | None = None) -> dict[str, Any]:
    """Restore ``file`` into a temporary folder, open it, check every page, row and attachment, and delete it again.

    Returns ``{"ok", "problems", "ops", "records", "drafts", "audit_rows", "fingerprint"}``. Refused as :func:`restore`
    and :func:`sync.keys.unlock`.
    """
    with tempfile.TemporaryDirectory(prefix="drill-", dir=scratch) as folder:
        home = Path(folder) / "home"
        restore(file, home)
        unlocked = keys.unlock(home, name_or_id, passphrase, clock)
        try:
            problems = care.problems(unlocked)
            counts = unlocked.store.read(_counts)
            fingerprint = unlocked.store.read(audit.fingerprint)
        finally:
            unlocked.lock()
    return {"ok": not problems, "problems": problems, **counts, "fingerprint": fingerprint}


# --- writing


def _consistent(unlocked: Unlocked, target: Path) -> tuple[Path, bytes]:
    """A copy of the database with the slots that open it, even if an officer is removed meanwhile."""
    while True:
        before = slots.read(unlocked.home)
        unlocked.store.backup(target)
        if slots.read(unlocked.home).generation == before.generation:
            return target, slots.encode(before)


def _chunks(database: Path, key: bytes) -> list[bytes]:
    """Check the copied database; hashes of the attachments' pieces that belong to it."""
    conn = cipher.connect(database, key, "ro")
    try:
        if cipher.problems(conn):
            raise Known("SY-102")
        return [row[0] for row in conn.execute("SELECT hash FROM chunk ORDER BY hash")]
    finally:
        conn.close()


def _pack(
    part: Path, unlocked: Unlocked, database: Path, pieces: list[Path], opener: bytes, progress: Progress | None
) -> bytes:
    total = database.stat().st_size + sum(piece.stat().st_size for piece in pieces)
    header = {"format": _FORMAT, "made_ms": unlocked.store.clock.wall_ms(), "attachment_pieces": len(pieces)}
    with part.open("wb") as raw:
        out = _Hashing(raw, progress, total)
        with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as tar:  # type: ignore[call-overload]
            _put(tar, _HEADER, json.dumps(header).encode())
            tar.add(database, DATABASE, filter=_plain)
            for piece in pieces:
                tar.add(piece, f"blobs/{piece.parent.name}/{piece.name}", filter=_plain)
            _put(tar, slots.FILES[0], opener)
        raw.flush()
        os.fsync(raw.fileno())
    return out.digest.digest()


def _put(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def _plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
    """No user names, times or modes of this machine."""
    bare = tarfile.TarInfo(info.name)
    bare.size = info.size
    return bare


class _Hashing:
    """Passes bytes on to the file, hashing and counting them."""

    def __init__(self, file: IO[bytes], progress: Progress | None, total: int) -> None:
        self.digest = sha256()
        self._file, self._progress, self._total, self._done = file, progress, total, 0

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        self._done += len(data)
        if self._progress:
            self._progress(min(self._done, self._total), self._total)
        return self._file.write(data)


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        digest = sha256()
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.digest()


# --- restoring


def _unpack(file: Path, staging: Path, progress: Progress | None) -> tuple[dict[str, Any], int]:
    names: list[str] = []
    total = file.stat().st_size
    with _as_backup(file) as tar:
        for member in tar:
            most = MAX_CHUNK if _CHUNK.fullmatch(member.name) else _MOST.get(member.name, -1)
            if not member.isreg() or member.size > most or member.name in names:
                raise Refused("SY-152")
            _extract(tar, member, staging / member.name)
            names.append(member.name)
            if progress:
                progress(min(member.offset_data + member.size, total), total)
        if len(names) < 3 or names[0] != _HEADER or names[1] != DATABASE or names[-1] != slots.FILES[0]:
            raise Refused("SY-152")
        header = json.loads((staging / _HEADER).read_bytes())
        if header["format"] != _FORMAT or header["attachment_pieces"] != len(names) - 3:
            raise Refused("SY-152")
    return header, len(names) - 3


@contextmanager
def _as_backup(file: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(file, "r:") as tar:
            yield tar
    except (tarfile.TarError, ValueError, KeyError, TypeError, EOFError, RecursionError) as error:
        raise Refused("SY-152") from error


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    source = tar.extractfile(member)
    assert source is not None, "a regular file has content"
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as out:
        shutil.copyfileobj(source, out, _PIECE)  # a tar that ends too early raises
        out.flush()
        os.fsync(out.fileno())


def _move_in(staging: Path, home: Path) -> None:
    """Attachments and database first, the slots last: with them there is a profile."""
    if (staging / "blobs").exists():
        shutil.copytree(staging / "blobs", home / "blobs", dirs_exist_ok=True, copy_function=os.replace)
    durable.replace(home / RESTORED, b"")
    attempts.clear(home, b"")
    (staging / DATABASE).replace(home / DATABASE)
    durable.sync_folder(home)
    (staging / slots.FILES[0]).replace(home / slots.FILES[0])
    durable.sync_folder(home)


# --- the drill


def _counts(conn: Connection) -> dict[str, int]:
    row = conn.execute(
        """SELECT (SELECT count(*) FROM op) AS ops, (SELECT count(*) FROM search) AS records,
                  (SELECT count(*) FROM draft WHERE discarded_ms IS NULL) AS drafts,
                  (SELECT count(*) FROM audit) AS audit_rows"""
    ).fetchone()
    return dict(row)
