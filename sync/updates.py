"""A newer Sala, brought like any publication: in pieces, verified, unpacked beside the old one, used from the next start on.

Only the release key signs a program, never the hub: its public half came with the office pack, so a hub that fell into other
hands sends no program. Older versions are refused. The profile is not touched: what waits to be sent stays byte for byte.
"""

from __future__ import annotations

import json
import os
import platform as machine
import re
import shutil
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from nacl.signing import SigningKey

from sync import cbor, cose, durable, publications
from sync.batch import device_id
from sync.cbor import Malformed
from sync.errors import Known, Refused
from sync.failpoint import failpoint
from sync.limits import MIB
from sync.version import VERSION

if TYPE_CHECKING:
    from sync.refreshing import Source
    from sync.store import Connection

CONTENT_TYPE: Final = "application/sala-release+cbor"
AAD: Final = b"sala/release/v1"
FOLDER: Final = "updates"  # in the profile: pieces that were fetched
PIECE: Final = 4 * MIB
MOST: Final = 1024 * MIB  # bytes of a program, packed
_MOST_FILES: Final = 50_000
_MOST_UNPACKED: Final = 4096 * MIB
_VERSION = re.compile(r"[0-9]{1,4}(\.[0-9]{1,4}){1,3}")
_PLATFORM = re.compile(r"[a-z0-9_-]{2,40}")
NEXT: Final = ".next"  # beside the program's folder: which version the next start uses


@dataclass(frozen=True, slots=True)
class Release:
    """One version of the program for one platform. ``pieces``: size and SHA-256 of each."""

    version: str
    platform: str
    made_ms: int
    size: int
    sha256: bytes
    pieces: tuple[tuple[int, bytes], ...]

    def piece_name(self, number: int) -> str:
        """The target's path, with its hash as TUF names it."""
        return f"targets/app/{self.version}/{self.platform}/{self.pieces[number][1].hex()}.part-{number:03}"


def here() -> str:
    """The platform of this machine, such as ``linux-x86_64``."""
    return f"{sys.platform}-{machine.machine().lower() or 'unknown'}"


def newer(version: str, than: str) -> bool:
    """Whether ``version`` comes after ``than``."""
    return _numbers(version) > _numbers(than)


# --- making a release (on the machine of whoever keeps the release key)


def build(program: Path, version: str, platform: str, key: SigningKey, out: Path, made_ms: int) -> Release:
    """Pack the folder ``program`` into ``out``: ``index.cbor`` and ``part-000`` …. Refused SY-465: a wrong version or platform."""
    if not _VERSION.fullmatch(version) or not _PLATFORM.fullmatch(platform):
        raise Refused("SY-465", version=version[:20])
    out.mkdir(parents=True, exist_ok=True)
    archive = out / ".archive"
    _pack(program, archive)
    pieces: list[tuple[int, bytes]] = []
    whole = sha256()
    with archive.open("rb") as source:
        while data := source.read(PIECE):
            durable.replace(out / f"part-{len(pieces):03}", data)
            pieces.append((len(data), sha256(data).digest()))
            whole.update(data)
    size = archive.stat().st_size
    archive.unlink()
    found = Release(version, platform, made_ms, size, whole.digest(), tuple(pieces))
    values = [1, version, platform, made_ms, size, found.sha256, [list(piece) for piece in pieces]]
    payload = cbor.encode(dict(enumerate(values, start=1)))
    signer = device_id(bytes(key.verify_key))
    durable.replace(out / "index.cbor", cose.sign(key, payload, content_type=CONTENT_TYPE, key_id=signer, aad=AAD))
    return found


def _pack(program: Path, archive: Path) -> None:
    """The same folder gives the same bytes."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for path in sorted(program.rglob("*")):
            if path.is_symlink():
                raise Refused("SY-465", version=path.name)
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(program).as_posix(), (1980, 1, 1, 0, 0, 0))
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = (path.stat().st_mode & 0o777) << 16
                packed.writestr(entry, path.read_bytes())


def read(data: bytes, release_key: bytes) -> Release:
    """The release of an index. Refused SY-465: not signed by the release key, or damaged."""
    try:
        signed = cose.parse(data, CONTENT_TYPE)
        cose.verify(signed, release_key, AAD)
        match cbor.decode(signed.payload):
            case {1: 1, 2: str(version), 3: str(platform), 4: int(made), 5: int(size), 6: bytes(digest), 7: list(pieces), **more} if (
                not more and _VERSION.fullmatch(version) and _PLATFORM.fullmatch(platform) and 0 < size <= MOST
                and len(digest) == 32 and cbor.is_count(made)
            ):  # fmt: skip
                found = Release(version, platform, made, size, digest, tuple(map(_piece, pieces)))
                if sum(length for length, _ in found.pieces) == size:
                    return found
    except Malformed:
        pass
    raise Refused("SY-465", version="?")


def _piece(value: object) -> tuple[int, bytes]:
    match value:
        case [int(length), bytes(digest)] if cbor.is_count(length) and 0 < length <= PIECE and len(digest) == 32:
            return length, digest
    raise Malformed("release: piece")


# --- on the laptop


def offered(conn: Connection, *, platform: str | None = None, version: str = VERSION) -> Release | None:
    """The newest release for this machine that is newer than this program; None when there is none.

    An index that the release key did not sign is passed over: it is told by :func:`refused`.
    """
    key = _release_key(conn)
    found = (
        [one for _, one in _indexes(conn, key) if one is not None and one.platform == (platform or here())]
        if key
        else []
    )
    better = [one for one in found if newer(one.version, version)]
    return max(better, key=lambda one: _numbers(one.version)) if better else None


def refused(conn: Connection) -> list[str]:
    """Names of published programs that the release key did not sign."""
    key = _release_key(conn)
    return [name for name, one in _indexes(conn, key) if one is None]


def fetch(
    home: Path, source: Source, release: Release, *, progress: Callable[[str, int, int], None] | None = None,
    cancel: Callable[[], bool] = lambda: False,
) -> bool:  # fmt: skip
    """Bring the pieces that are not here yet; True when all are. Refused SY-467: a piece is not what was signed or not there."""
    place = _pieces(home, release)
    place.mkdir(parents=True, exist_ok=True)
    for number in range(len(release.pieces)):
        if cancel():
            return False
        if progress:
            progress("update", number, len(release.pieces))
        if not _whole(place, release, number):
            durable.replace(place / f"{number:03}", _read_piece(source, release, number))
            failpoint("update:piece")
    return True


def missing(home: Path, release: Release) -> int:
    """How many bytes are still to be fetched."""
    place = _pieces(home, release)
    return sum(size for number, (size, _) in enumerate(release.pieces) if not _whole(place, release, number))


def install(home: Path, release: Release, program: Path, *, version: str = VERSION) -> Path:
    """Unpack a fetched release beside ``program`` and let the next start use it; the new folder.

    Refused: SY-466 it is not newer, SY-467 pieces are missing or damaged. Known SY-371 the place cannot be written.
    """
    if not newer(release.version, version):
        raise Refused("SY-466", version=release.version, here=version)
    target = program.with_name(f"{program.name}-{release.version}")
    part = target.with_name(f".{target.name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        if not target.exists():
            part.mkdir(parents=True)
            _unpack(_joined(home, release, part), part / "program")
            failpoint("update:unpacked")
            (part / "program").replace(target)
            shutil.rmtree(part)
        durable.replace(program.with_name(program.name + NEXT), json.dumps({"version": release.version}).encode())
    except OSError as error:
        raise Known("SY-371", folder=str(program.parent)) from error
    return target


def successor(executable: Path, *, version: str = VERSION) -> Path | None:
    """The newer program that this start should hand over to, or None. Never an older one, never one that is not there."""
    program = executable.parent
    try:
        named = json.loads(program.with_name(program.name + NEXT).read_text("ascii"))["version"]
        found = program.with_name(f"{program.name}-{named}") / executable.name
        good = (
            isinstance(named, str)
            and _VERSION.fullmatch(named) is not None
            and newer(named, version)
            and found.is_file()
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if good else None


def hand_over() -> None:
    """At the very start of a packaged program: go on as its successor, when one was installed."""
    if not getattr(sys, "frozen", False):
        return
    found = successor(Path(sys.executable))
    if found is None:
        return
    if sys.platform == "win32":
        import subprocess

        raise SystemExit(subprocess.run([str(found), *sys.argv[1:]], check=False).returncode)
    os.execv(found, [str(found), *sys.argv[1:]])


# --- inside


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())


def _release_key(conn: Connection) -> bytes | None:
    row = conn.execute("SELECT facts FROM office").fetchone()
    text = json.loads(row["facts"]).get("release") if row else None
    try:
        key = bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        return None
    return key if len(key) == 32 else None


def _indexes(conn: Connection, key: bytes | None) -> list[tuple[str, Release | None]]:
    found: list[tuple[str, Release | None]] = []
    for name in publications.names(conn, "app/"):
        try:
            found.append((name, read(publications.get(conn, name) or b"", key or b"")))
        except Refused:
            found.append((name, None))
    return found


def _pieces(home: Path, release: Release) -> Path:
    return home / FOLDER / f"{release.version}-{release.platform}"


def _whole(place: Path, release: Release, number: int) -> bool:
    size, digest = release.pieces[number]
    try:
        data = (place / f"{number:03}").read_bytes()
    except OSError:
        return False
    return len(data) == size and sha256(data).digest() == digest


def _read_piece(source: Source, release: Release, number: int) -> bytes:
    size, digest = release.pieces[number]
    data = bytearray()
    try:
        for part in source.read(release.piece_name(number)):
            data += part
            if len(data) > size:
                break
    except FileNotFoundError:
        raise Refused("SY-467", version=release.version) from None
    if len(data) != size or sha256(data).digest() != digest:
        raise Refused("SY-467", version=release.version)
    return bytes(data)


def _joined(home: Path, release: Release, part: Path) -> Path:
    """The archive in one file, as it was signed."""
    archive, whole = part / "archive", sha256()
    with archive.open("wb") as out:
        for number in range(len(release.pieces)):
            if not _whole(_pieces(home, release), release, number):
                raise Refused("SY-467", version=release.version)
            data = (_pieces(home, release) / f"{number:03}").read_bytes()
            whole.update(data)
            out.write(data)
    if whole.digest() != release.sha256:
        raise Refused("SY-467", version=release.version)
    return archive


def _unpack(archive: Path, target: Path) -> None:
    """Into ``target`` and nowhere else; sizes are bounded before anything is written."""
    try:
        with zipfile.ZipFile(archive) as packed:
            entries = packed.infolist()
            if len(entries) > _MOST_FILES or sum(entry.file_size for entry in entries) > _MOST_UNPACKED:
                raise Refused("SY-467", version=archive.name)
            for entry in entries:
                path = PurePosixPath(entry.filename)
                if (
                    path.is_absolute()
                    or ".." in path.parts
                    or "\\" in entry.filename
                    or ":" in entry.filename
                    or entry.is_dir()
                ):
                    raise Refused("SY-467", version=archive.name)
                place = target.joinpath(*path.parts)
                place.parent.mkdir(parents=True, exist_ok=True)
                with packed.open(entry) as source, place.open("wb") as out:
                    shutil.copyfileobj(source, out)
                    out.flush()
                    os.fsync(out.fileno())
                place.chmod((entry.external_attr >> 16) & 0o755 | 0o600)
    except zipfile.BadZipFile as error:
        raise Refused("SY-467", version=archive.name) from error
