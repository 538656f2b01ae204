"""The stick's script: installs by dpkg into a root folder, tests itself, hands out each office pack once, writes what it did."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import artefacts, shipped

ROOT = Path(__file__).parents[2]
EPOCH = 1_763_769_600

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not shutil.which("dpkg") or os.geteuid() != 0, reason="dpkg installs for root only"
)


@pytest.fixture
def laptop(tmp_path: Path) -> Path:
    """The root folder of a Debian with one login, on which dpkg knows the system libraries."""
    root = tmp_path / "laptop"
    (root / "var/lib/dpkg/info").mkdir(parents=True)
    (root / "var/lib/dpkg/updates").mkdir()
    arch = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()
    known = ("libc6", "zlib1g")
    (root / "var/lib/dpkg/status").write_text(
        "\n".join(
            f"Package: {name}\nStatus: install ok installed\nArchitecture: {arch}\nVersion: 99\nMaintainer: x\nDescription: x\n"
            for name in known
        )
    )
    (root / "home/sokha").mkdir(parents=True)
    (root / "etc").mkdir()
    (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nsokha:x:1000:1000::/home/sokha:/bin/sh\n")
    (root / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    return root


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """A stick with the package (of the system's ``true`` in place of our programs), two packs and the centre's key."""
    folder = tmp_path / "sala"
    (folder / "_internal").mkdir(parents=True)
    for name in shipped.EVERY:
        shutil.copy("/bin/true", folder / name)
    made = tmp_path / "stick of the hall"
    (made / "packs").mkdir(parents=True)
    (made / "roots").mkdir()
    artefacts.debian_package(folder, made, EPOCH, 3)
    shutil.copy(ROOT / "tools/stick/install.sh", made)
    for number in (1, 2, 10):
        (made / "packs" / f"0306-{number}.pack").write_text(str(number))
    (made / "roots" / "centre.pub").write_text("00" * 32)
    return made


def install(stick: Path, laptop: Path, *login: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", stick / "install.sh", *login], env={**os.environ, "SALA_ROOT": str(laptop)}, capture_output=True, text=True, check=False
    )  # fmt: skip


def test_program_key_and_the_next_pack_are_handed_over(stick: Path, laptop: Path) -> None:
    done = install(stick, laptop, "sokha")
    assert done.returncode == 0, done.stderr + "".join(path.read_text() for path in stick.glob("results/*.log"))
    assert (laptop / "usr/bin/sala").resolve() == laptop / "usr/lib/sala/sala"
    assert (laptop / "usr/lib/sala/_internal/assets/trust/roots/centre.pub").exists()
    given = laptop / "home/sokha/Sala.pack"
    assert given.read_text() == "1"
    assert (given.stat().st_mode & 0o777, given.stat().st_uid) == (0o600, 1000)
    assert sorted(path.name for path in stick.glob("packs/*.pack")) == ["0306-10.pack", "0306-2.pack"]
    assert (stick / "packs/used/0306-1.pack").exists()
    line = (stick / "results/list.csv").read_text().strip()
    assert line.endswith(",ok,0306-1.pack") and "-01234567," in line
    assert [*stick.glob("results/*-01234567.json")]


def test_an_update_gives_no_second_pack_and_keeps_the_key(stick: Path, laptop: Path) -> None:
    assert install(stick, laptop, "sokha").returncode == 0
    assert install(stick, laptop, "sokha").returncode == 0
    assert install(stick, laptop).returncode == 0
    assert len([*stick.glob("packs/*.pack")]) == 2
    assert len((stick / "results/list.csv").read_text().splitlines()) == 3
    assert (laptop / "usr/lib/sala/_internal/assets/trust/roots/centre.pub").exists()


def test_a_failed_self_test_hands_out_nothing(stick: Path, laptop: Path, tmp_path: Path) -> None:
    shutil.copy("/bin/false", tmp_path / "sala" / "sala-cli")
    artefacts.debian_package(tmp_path / "sala", stick, EPOCH, 3)
    done = install(stick, laptop, "sokha")
    assert done.returncode == 1 and "self-test failed" in done.stderr
    assert not (laptop / "home/sokha/Sala.pack").exists()
    assert len([*stick.glob("packs/*.pack")]) == 3
    assert ",failed," in (stick / "results/list.csv").read_text()


def test_a_file_that_is_not_the_packages_stops_it(
    stick: Path, laptop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = artefacts.md5sums
    monkeypatch.setattr(
        artefacts, "md5sums", lambda files: "".join(f"{'0' * 32}{line[32:]}\n" for line in right(files).splitlines())
    )
    artefacts.debian_package(tmp_path / "sala", stick, EPOCH, 3)
    done = install(stick, laptop, "sokha")
    assert done.returncode == 1 and "files differ" in done.stderr and "usr/lib/sala/sala" in done.stderr
    assert not (laptop / "home/sokha/Sala.pack").exists()


def test_an_unknown_login_changes_nothing(stick: Path, laptop: Path) -> None:
    assert install(stick, laptop, "nobody-here").returncode == 1
    assert not (laptop / "usr").exists()


def test_packs_run_out(stick: Path, laptop: Path) -> None:
    for pack in stick.glob("packs/*.pack"):
        pack.unlink()
    done = install(stick, laptop, "sokha")
    assert done.returncode == 1 and "no unused office pack" in done.stderr
    assert (laptop / "usr/bin/sala").exists()
