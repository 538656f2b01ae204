"""Archive and Debian package: the same bytes for the same folder, and what the system's own tools read from them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import artefacts, shipped

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not shutil.which("dpkg-deb"), reason="Debian's tools read them"
)
EPOCH = 1_763_769_600


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A packaged folder in small: real programs of the system in place of ours."""
    made = tmp_path / "sala"
    (made / "_internal" / "empty").mkdir(parents=True)
    for name in shipped.EVERY:
        shutil.copy("/bin/true", made / name)
    (made / "_internal" / "words.txt").write_text("សាលា\n", "utf-8")
    (made / "_internal" / "nothing").touch()
    (made / "_internal" / "link.txt").symlink_to("words.txt")
    return made


def test_the_archive_unpacks_to_the_same_folder(folder: Path, tmp_path: Path) -> None:
    packed = artefacts.archive(folder, tmp_path / "a.tar.zst", EPOCH, 3)
    (folder / "_internal" / "words.txt").touch()  # another time of the file must not show
    assert artefacts.archive(folder, tmp_path / "b.tar.zst", EPOCH, 3).read_bytes() == packed.read_bytes()
    out = tmp_path / "out"
    out.mkdir()
    plain = tmp_path / "a.tar"
    with packed.open("rb") as source, plain.open("wb") as target:
        artefacts.zstandard.ZstdDecompressor().copy_stream(source, target)
    subprocess.run(["tar", "-xf", plain, "-C", out], check=True)
    assert sorted(path.relative_to(out) for path in out.rglob("*")) == sorted(
        path.relative_to(tmp_path) for path in (folder, *folder.rglob("*"))
    )
    assert (out / "sala" / "_internal" / "link.txt").read_text("utf-8") == "សាលា\n"
    assert (out / "sala" / "sala-cli").stat().st_mode & 0o777 == 0o755
    assert int((out / "sala" / "sala").stat().st_mtime) == EPOCH


def test_dpkg_reads_the_package(folder: Path, tmp_path: Path) -> None:
    made = artefacts.debian_package(folder, tmp_path, EPOCH, 3)
    fields = subprocess.run(["dpkg-deb", "-f", made], capture_output=True, text=True, check=True).stdout
    assert "Package: sala\n" in fields and "libc6 (>= 2." in fields
    out = tmp_path / "installed"
    subprocess.run(["dpkg-deb", "-x", made, out], check=True)
    assert (out / "usr/bin/sala-cli").resolve() == (out / "usr/lib/sala/sala-cli").resolve()
    subprocess.run([out / "usr/lib/sala/sala"], check=True)
    assert "Icon=sala" in (out / "usr/share/applications/sala.desktop").read_text("utf-8")
    assert "currentColor" not in (out / "usr/share/icons/hicolor/scalable/apps/sala.svg").read_text("utf-8")
    sums = subprocess.run(["dpkg-deb", "--ctrl-tarfile", made], capture_output=True, check=True).stdout
    control = tmp_path / "control.tar"
    control.write_bytes(sums)
    listed = subprocess.run(["tar", "-xOf", control, "./md5sums"], capture_output=True, text=True, check=True).stdout
    subprocess.run(["md5sum", "--check", "--quiet"], input=listed, text=True, cwd=out, check=True)
    assert artefacts.debian_package(folder, tmp_path, EPOCH, 3).read_bytes() == made.read_bytes()


def test_a_library_that_is_nowhere_is_named(folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "empty.s"
    source.write_text('.section .note.GNU-stack,"",%progbits\n')
    subprocess.run(["as", "-o", tmp_path / "empty.o", source], check=True)
    subprocess.run(
        ["ld", "-shared", "-soname", "libgone.so.9", "-o", tmp_path / "libgone.so.9", tmp_path / "empty.o"], check=True
    )
    subprocess.run(
        [
            "ld",
            "-shared",
            "--no-as-needed",
            "-o",
            folder / "_internal" / "part.so",
            tmp_path / "empty.o",
            tmp_path / "libgone.so.9",
        ],
        check=True,
    )
    with pytest.raises(FileNotFoundError, match=r"libgone\.so\.9"):
        artefacts.linked_outside(folder)
