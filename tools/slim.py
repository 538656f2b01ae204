"""Makes the frozen folder smaller without losing anything that runs, and puts the licences of what is in it beside it.

Linux only: symbols are stripped, system libraries that nothing needs any more are taken out, ICU's data is cut down. On other
systems the folder stays as the freezer made it.
"""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools import icudata

_ELF = b"\x7fELF"
_LOAD = 1  # program header type


def slim(folder: Path) -> dict[str, float]:
    """Make ``folder`` (with ``_internal`` in it) smaller in place. Returns what each step saved, in MB."""
    inner = folder / "_internal"
    saved = {"icu": sum(before - after for before, after in map(icudata.trim_library, _icu(inner)))}
    saved["unneeded"] = _prune(inner)
    saved["symbols"] = sum(_strip(path) for path in libraries(inner))
    _system_licences(inner)
    return {name: round(count / 1e6, 1) for name, count in saved.items()}


def libraries(folder: Path) -> list[Path]:
    """Every ELF file below ``folder``, without links."""
    return sorted(_elf(folder))


def needed(files: Sequence[Path]) -> set[str]:
    """Names of the libraries that ``files`` ask the loader for."""
    if not files:
        return set()
    listed = subprocess.run(["readelf", "-d", *map(str, files)], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"\(NEEDED\).*\[(.+)]", listed))


def _elf(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(4) == _ELF:
                    yield path


def _icu(inner: Path) -> list[Path]:
    return [path for path in libraries(inner) if path.name.startswith("libicudata")]


def _prune(inner: Path) -> int:
    """Remove system libraries that only dropped plugins needed; repeat, for they needed others. Bytes saved."""
    saved = 0
    while unneeded := _unneeded(inner):
        for path in unneeded:
            saved += path.stat().st_size
            path.unlink()
    for link in inner.iterdir():
        if link.is_symlink() and not link.exists():
            link.unlink()
    return saved


def _unneeded(inner: Path) -> list[Path]:
    """Libraries that the freezer copied from the system (they lie on top) and that no other file names."""
    every = libraries(inner)
    named = needed(every)
    return [
        path for path in every
        if path.parent == inner and path.name.startswith("lib") and path.name not in named and "libpython" not in path.name
    ]  # fmt: skip


def _strip(library: Path) -> int:
    """Strip symbols; keep the file as it was when strip breaks it, as it does to some that patchelf rewrote. Bytes saved."""
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / library.name
        done = subprocess.run(["strip", "--strip-unneeded", "-o", small, library], capture_output=True, check=False)
        if done.returncode or not _loadable(small):
            return 0
        saved = library.stat().st_size - small.stat().st_size
        if saved <= 0:
            return 0
        shutil.copymode(library, small)
        shutil.copyfile(small, library)
        return saved


def _loadable(library: Path) -> bool:
    """Whether every loaded segment lies in the file as its alignment asks: the loader refuses a library otherwise."""
    data = library.read_bytes()
    if data[4] != 2:
        return False
    table, size, count = (*struct.unpack_from("<Q", data, 32), *struct.unpack_from("<HH", data, 54))
    for place in range(table, table + size * count, size):
        kind, _, offset, address, _, _, _, alignment = struct.unpack_from("<IIQQQQQQ", data, place)
        if kind == _LOAD and alignment > 1 and offset % alignment != address % alignment:
            return False
    return True


def _system_licences(inner: Path) -> None:
    """Debian's copyright file of every system library in the folder."""
    names = [path.name for path in inner.iterdir() if path.name.startswith("lib") and not path.is_symlink()]
    if not names or not shutil.which("dpkg-query"):
        return
    owners = subprocess.run(
        ["dpkg-query", "-S", *(f"*/{name}" for name in names)], capture_output=True, text=True, check=False
    )
    for package in sorted({line.partition(":")[0] for line in owners.stdout.splitlines()}):
        paper = Path("/usr/share/doc") / package / "copyright"
        if paper.exists():
            shutil.copyfile(paper, inner / "licences" / f"{package}.txt")
