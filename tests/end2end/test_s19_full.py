"""S19: the disk is full, the stick is full or read-only, a scanner holds a file: refused early, in numbers, and nothing half."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from i18n.errors import explain
from modules import replicate
from modules.contract import Known
from modules.session import Session
from sync import ballast, durable, enrol, keys, volume
from sync.clock import SystemClock
from sync.volume import Volume
from tests.bench.people import varied
from tests.faults.conftest import MIB, Disk, new_disk
from tests.sync.hub_process import ROOT

__all__ = ["new_disk"]
pytestmark = [pytest.mark.slow]
PASSPHRASE = "ផ្កាចំប៉ា ក្រោមម្លប់ ១៧"
NewDisk = Callable[[int], Disk]


def refused(work: Callable[[], Any]) -> Known:
    with pytest.raises(Known) as known:
        work()
    for language in ("km", "en"):
        words = explain(known.value, language)
        assert words.what and words.kept and words.next
    return known.value


def finish(session: Session, number: int) -> dict[str, Any]:
    made: dict[str, Any] = session.commands.run(
        "forms.fill", form="birth-extract-copy", answers=varied(number), finish=True
    )
    return made


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


# --- the laptop's disk


def test_a_new_case_is_refused_early_with_the_room_that_is_left(
    new_disk: NewDisk,
    office_pack: Path,
    centre_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SALA_ROOTS", str(centre_folder / "roots"))
    disk = new_disk(300)
    session = Session.open(
        enrol.setup(
            disk.folder / "home", office_pack, officer_name="ចាន់ សុខា", officer_latin="Chan Sokha", passphrase=PASSPHRASE,
            clock=SystemClock(), cost=keys.CHEAP,
        )
    )  # fmt: skip
    try:
        begun = session.commands.run("forms.fill", form="birth-extract-copy", answers=varied(1))["draft"]
        disk.fill(leave=123 * MIB)
        before = names(disk.folder / "home")
        told = refused(lambda: session.commands.run("forms.start", form="birth-extract-copy"))
        assert told.code == "SY-105"
        assert told.values == {"free_mib": 123, "needed_mib": 200}
        assert "123" in explain(told, "km").what and "200" in explain(told, "en").what
        assert names(disk.folder / "home") == before, "nothing half"
        assert session.commands.run("forms.finish", draft=begun)["receipt"], "what was begun is finished"
    finally:
        session.close()


# --- the stick


def test_a_full_stick_keeps_nothing_half_and_takes_all_once_there_is_room(
    new_disk: NewDisk,
    session: Session,
) -> None:
    stick = new_disk(4)
    made = [finish(session, number) for number in range(3)]
    stick.fill(leave=2_000)
    told = refused(lambda: replicate.export(session, stick.folder))
    assert told.code == "SY-441", "before anything is written, with the room that is there and the room that is needed"
    assert all(str(value) in explain(told, "km").what + explain(told, "km").next for value in told.values.values())
    assert names(stick.folder) == ["filler"]
    rows = session.commands.run("forms.list")["rows"]
    assert {row["shown_state"] for row in rows} == {"waiting"} and len(rows) == len(made)
    stick.empty()
    report = replicate.export(session, stick.folder)
    with Volume(Path(report["files"][0])) as found:
        assert found.whole and found.damaged == 0
        assert sum(entry.type == "batch" for entry in found.entries) == report["batches"] == 1


def test_a_read_only_stick_is_said(new_disk: NewDisk, session: Session) -> None:
    stick = new_disk(4)
    finish(session, 1)
    subprocess.run(["mount", "-o", "remount,ro", str(stick.folder)], check=True)
    assert refused(lambda: replicate.export(session, stick.folder)).code == "SY-371"
    assert names(stick.folder) == []
    assert {row["shown_state"] for row in session.commands.run("forms.list")["rows"]} == {"waiting"}
    subprocess.run(["mount", "-o", "remount,rw", str(stick.folder)], check=True)
    assert replicate.export(session, stick.folder)["batches"] == 1


FULL = """
import resource, sys
from pathlib import Path
from modules import replicate
from modules.session import Session
from sync import keys
from sync.clock import SystemClock
from sync.errors import Known
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
session = Session.open(keys.unlock(Path(sys.argv[1]), "Chan Sokha", sys.argv[2], SystemClock()))
from sync import cutting
while cutting.cut(session.unlocked, "test"):
    pass
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_500, hard))
try:
    replicate.export(session, Path(sys.argv[3]))
except Known as error:
    print(error.code)
"""


def test_a_stick_that_takes_no_large_file_keeps_nothing_half(session: Session, tmp_path: Path) -> None:
    """Needs no right to mount: the system lets this process write 1,500 bytes a file."""
    for number in range(3):
        finish(session, number)
    home = session.unlocked.home
    session.close()
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(home), "ពាក្យសម្ងាត់ សាកល្បង ១២៣", str(tmp_path / "stick")],
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "SY-370", done.stderr[-2_000:]
    assert names(tmp_path / "stick") == []


def test_a_stick_that_does_not_keep_what_it_took_is_found_out(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(session, 1)
    rename = Path.replace

    def forgets(self: Path, target: Path) -> Path:
        if target.suffix == volume.SUFFIX:  # a cheap stick: the write succeeded, the cells did not hold
            data = bytearray(self.read_bytes())
            data[len(data) // 2] ^= 1
            self.write_bytes(data)
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", forgets)
    assert refused(lambda: replicate.export(session, tmp_path / "stick")).code == "SY-373"
    assert names(tmp_path / "stick") == []
    assert {row["shown_state"] for row in session.commands.run("forms.list")["rows"]} == {"waiting"}


# --- a scanner that holds a file


@pytest.fixture
def scanner(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """``scanner(n)``: the next ``n`` renames meet a file that a virus scanner holds open, as Windows tells it."""
    held = 0
    rename = Path.replace

    def replace(self: Path, target: Path) -> Path:
        nonlocal held
        if held:
            held -= 1
            raise PermissionError(13, "The process cannot access the file because it is being used by another process")
        return rename(self, target)

    def hold(count: int) -> None:
        nonlocal held
        held = count

    monkeypatch.setattr(Path, "replace", replace)
    return hold


def test_a_file_that_a_scanner_holds_for_a_moment_is_written_all_the_same(
    scanner: Callable[[int], None], session: Session, tmp_path: Path
) -> None:
    place = tmp_path / "slots"
    durable.replace(place, b"old")
    scanner(3)
    durable.replace(place, b"new")
    assert place.read_bytes() == b"new"
    finish(session, 1)
    scanner(3)
    report = replicate.export(session, tmp_path / "stick")
    assert report["batches"] == 1 and names(tmp_path / "stick") == [Path(report["files"][0]).name]


def test_a_file_that_stays_locked_is_said_and_the_old_one_stays(scanner: Callable[[int], None], tmp_path: Path) -> None:
    place = tmp_path / "slots"
    durable.replace(place, b"old")
    scanner(1_000)
    assert refused(lambda: ballast.keep(place, b"new")).code == "SY-107"
    assert place.read_bytes() == b"old" and names(tmp_path) == ["slots"]


def test_the_attachment_of_a_full_disk_leaves_no_piece(new_disk: NewDisk, tmp_path: Path) -> None:
    disk = new_disk(2)
    disk.fill(leave=1_000)
    with pytest.raises(OSError):
        durable.replace(disk.folder / "piece", os.urandom(100_000))
    assert names(disk.folder) == ["filler"]
