"""What a hall downloads or carries on a stick: the folder as one compressed archive, and a Debian package.

Both are the same bytes for the same folder: entries are sorted, belong to root and carry the time of the source.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import tarfile
import tomllib
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path
from typing import IO

import zstandard

from sync.version import VERSION
from tools import shipped
from tools.slim import libraries, needed

WINDOW_LOG = (
    27  # 128 MB, the most that zstd takes without being told: the three programs carry the same archive of code
)
SUMMARY = "Offline office suite for provincial and district halls"
DESKTOP = f"""[Desktop Entry]
Type=Application
Name=Sala
Name[km]=សាលា
Comment={SUMMARY}
Comment[km]=កម្មវិធីការិយាល័យក្រៅបណ្ដាញ សម្រាប់សាលាខេត្ត និងសាលាស្រុក
Exec=/usr/bin/sala
Icon=sala
Terminal=false
Categories=Office;
StartupWMClass=sala
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an archive: a file or folder from ``source``, a text, or a link."""

    name: str
    source: Path | None = None
    text: str = ""
    link: str = ""


def archive(folder: Path, out: Path, epoch: int, level: int) -> Path:
    """``out``: ``folder`` as .tar.zst, which ``tar -xf`` of every supported system unpacks."""
    with out.open("wb") as file:
        _tar(file, _tree(folder, folder.name), epoch, level)
    return out


def debian_package(folder: Path, place: Path, epoch: int, level: int) -> Path:
    """A .deb in ``place``: the folder in /usr/lib/sala, the three commands, the menu entry and the icon.

    A .deb is an ``ar`` archive of two archives; written here it may use the long window that dpkg-deb does not offer.
    """
    architecture = subprocess.run(
        ["dpkg", "--print-architecture"], capture_output=True, text=True, check=True
    ).stdout.strip()
    files = [
        *(Entry(f"./{name}") for name in ("usr", "usr/bin", "usr/lib", "usr/share", "usr/share/applications")),
        *(Entry(f"./usr/bin/{name}", link=f"../lib/sala/{name}") for name in sorted(shipped.EVERY)),
        *_tree(folder, "./usr/lib/sala"),
        Entry("./usr/share/applications/sala.desktop", text=DESKTOP),
        Entry("./usr/share/doc"),
        Entry("./usr/share/doc/sala"),
        Entry("./usr/share/doc/sala/copyright", text=(shipped.ROOT / "LICENSE").read_text("utf-8")),
        *(
            Entry(f"./usr/share/icons{name}")
            for name in ("", "/hicolor", "/hicolor/scalable", "/hicolor/scalable/apps")
        ),
        Entry("./usr/share/icons/hicolor/scalable/apps/sala.svg", text=icon()),
    ]
    control = [Entry("./control", text=control_file(folder, architecture)), Entry("./md5sums", text=md5sums(files))]
    out = place / f"sala_{VERSION}_{architecture}.deb"
    with out.open("wb") as file:
        file.write(b"!<arch>\n")
        _member(file, "debian-binary", b"2.0\n", epoch)
        for name, entries in (("control.tar.zst", control), ("data.tar.zst", files)):
            packed = io.BytesIO()
            _tar(packed, entries, epoch, level)
            _member(file, name, packed.getvalue(), epoch)
    return out


def control_file(folder: Path, architecture: str) -> str:
    kilobytes = sum(path.lstat().st_size for path in folder.rglob("*")) // 1024
    return (
        f"Package: sala\nVersion: {VERSION}\nArchitecture: {architecture}\nMaintainer: The Sala developers <sala@localhost>\n"
        f"Section: misc\nPriority: optional\nInstalled-Size: {kilobytes}\nDepends: {', '.join(dependencies(folder))}\n"
        f"Description: {SUMMARY}\n"
    )


def md5sums(files: list[Entry]) -> str:
    """What ``dpkg --verify sala`` compares, to find a copy that a bad stick damaged."""
    return "".join(
        f"{md5(_content(entry), usedforsecurity=False).hexdigest()}  {entry.name.removeprefix('./')}\n"
        for entry in files
        if entry.text or (entry.source is not None and entry.source.is_file() and not entry.source.is_symlink())
    )


def icon() -> str:
    """The program's picture for the menu: the building of the start page, in the seal's blue."""
    blue = tomllib.loads((shipped.ROOT / "assets" / "tokens.toml").read_text("utf-8"))["light"]["blue"]
    return (shipped.ROOT / "assets" / "icons" / "building.svg").read_text("utf-8").replace("currentColor", blue)


def dependencies(folder: Path) -> list[str]:
    """The Debian packages of the system libraries that a file of the folder names and the folder does not hold."""
    programs = [folder / name for name in shipped.EVERY]
    inside = {path.name for path in libraries(folder)}
    named = needed(programs) | needed([path for path in libraries(folder) if path not in programs]) - inside
    owners = subprocess.run(
        ["dpkg-query", "-S", *(f"*/{name}" for name in sorted(named))], capture_output=True, text=True, check=False
    )
    packages = {line.partition(":")[0] for line in owners.stdout.splitlines()} - {"libc6", "libc6-i386"}
    return [f"libc6 (>= {glibc(folder)})", *sorted(packages)]


def glibc(folder: Path) -> str:
    """The newest version of the C library that any file of the folder asks for."""
    asked = {int(found) for path in libraries(folder) for found in re.findall(rb"GLIBC_2\.(\d+)\0", path.read_bytes())}
    return f"2.{max(asked)}"


def linked_outside(folder: Path) -> set[Path]:
    """Every library outside ``folder`` that a program or library of it loads, as the system's own loader finds it.

    Raises ``FileNotFoundError`` with the names that are nowhere: such a folder starts and then misses a part.
    """
    own_first = {
        "LD_LIBRARY_PATH": str(folder / "_internal")
    }  # set by the program's start, so not yet for the programs
    programs = [folder / name for name in shipped.EVERY]
    listed = _ldd(programs, {}) + _ldd([path for path in libraries(folder) if path not in programs], own_first)
    needed = {Path(found) for found in re.findall(r"(?:=> |\t)(/\S+) \(0x", listed)}
    if missing := set(re.findall(r"(\S+) => not found", listed)):
        raise FileNotFoundError(f"libraries that nothing provides: {', '.join(sorted(missing))}")
    return {path for path in needed if not path.resolve().is_relative_to(folder.resolve())}


def _ldd(files: list[Path], more: dict[str, str]) -> str:
    return subprocess.run(
        ["ldd", *map(str, files)], capture_output=True, text=True, check=False, env={**os.environ, **more}
    ).stdout


def _tree(top: Path, name: str) -> list[Entry]:
    return [Entry(name, top), *(Entry(f"{name}/{path.relative_to(top)}", path) for path in sorted(top.rglob("*")))]


def _tar(out: IO[bytes], entries: list[Entry], epoch: int, level: int) -> None:
    settings = zstandard.ZstdCompressionParameters.from_level(level, window_log=WINDOW_LOG, enable_ldm=True, threads=-1)
    packer = zstandard.ZstdCompressor(compression_params=settings).stream_writer(out, closefd=False)
    with packer, tarfile.open(fileobj=packer, mode="w|", format=tarfile.GNU_FORMAT) as tar:
        for entry in entries:
            info = tarfile.TarInfo(entry.name)
            info.mtime, info.uname, info.gname = epoch, "root", "root"
            link = entry.link or (
                os.readlink(entry.source) if entry.source is not None and entry.source.is_symlink() else ""
            )
            content = b""
            if link:
                info.type, info.linkname, info.mode = tarfile.SYMTYPE, link, 0o777
            elif entry.text or (entry.source is not None and entry.source.is_file()):
                content = _content(entry)
                info.mode = 0o755 if entry.source is not None and entry.source.stat().st_mode & 0o100 else 0o644
            else:
                info.type, info.mode = tarfile.DIRTYPE, 0o755
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def _content(entry: Entry) -> bytes:
    return entry.text.encode() if entry.source is None else entry.source.read_bytes()


def _member(file: IO[bytes], name: str, data: bytes, epoch: int) -> None:
    """One member of an ``ar`` archive: a 60-byte head, the data, an even end."""
    file.write(f"{name:<16}{epoch:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode("ascii"))
    file.write(data + b"\n" * (len(data) % 2))
