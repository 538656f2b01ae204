"""Making the folder smaller: what is needed stays, what strip breaks is put back, and links to nothing go."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tools import slim

pytestmark = pytest.mark.skipif(sys.platform != "linux" or not shutil.which("ld"), reason="works on ELF files")


@pytest.fixture
def inner(tmp_path: Path) -> Path:
    """A folder with an extension that needs ``libused``, which needs ``libdeeper``; ``liblonely`` needs ``libfriend``."""
    folder = tmp_path / "_internal"
    (folder / "package").mkdir(parents=True)
    (folder / "licences").mkdir()
    source = tmp_path / "empty.s"
    source.write_text('.section .note.GNU-stack,"",%progbits\n.globl word\nword: .long 1\n')
    subprocess.run(["as", "-o", tmp_path / "empty.o", source], check=True)
    for name, needs in (
        ("libdeeper.so.1", []), ("libused.so.1", ["libdeeper.so.1"]), ("libfriend.so.1", []), ("liblonely.so.1", ["libfriend.so.1"]),
        ("package/part.so", ["libused.so.1"]),
    ):  # fmt: skip
        others = [folder / other for other in needs]
        flags = ["-shared", "-soname", Path(name).name, "--no-as-needed"]
        subprocess.run(["ld", *flags, "-o", folder / name, tmp_path / "empty.o", *others], check=True)
    (folder / "liblink.so.1").symlink_to("liblonely.so.1")
    (folder / "libgood.so.1").symlink_to("libused.so.1")
    return folder


def test_only_what_nothing_needs_goes(inner: Path) -> None:
    saved = slim.slim(inner.parent)
    assert sorted(path.name for path in inner.iterdir()) == [
        "libdeeper.so.1", "libgood.so.1", "libused.so.1", "licences", "package"
    ]  # fmt: skip
    assert set(saved) == {"icu", "unneeded", "symbols"}


def test_a_library_whose_segments_do_not_fit_is_not_loadable(inner: Path, tmp_path: Path) -> None:
    good = inner / "libused.so.1"
    assert slim._loadable(good)
    data = bytearray(good.read_bytes())
    table = struct.unpack_from("<Q", data, 32)[0]
    assert struct.unpack_from("<I", data, table)[0] == 1
    struct.pack_into("<Q", data, table + 8, struct.unpack_from("<Q", data, table + 8)[0] + 1)
    (tmp_path / "broken.so").write_bytes(data)
    assert not slim._loadable(tmp_path / "broken.so")
