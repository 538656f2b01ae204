"""A disk that is really full: on the laptop, on the stick, at the hub. Clear refusals, nothing half, and on it goes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from modules import replicate
from modules.contract import Known
from modules.session import Session
from sync import care, enrol, keys
from sync.clock import SystemClock
from tests.faults.conftest import MIB, Disk, said
from tests.faults.worker import ANSWERS, answers, scan

PASSPHRASE = "ផ្កាចំប៉ា ក្រោមម្លប់ ១៧"
NewDisk = Callable[[int], Disk]


@pytest.fixture
def hall(new_disk: NewDisk, office_pack: Path, centre_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A laptop whose disk has 300 MiB, with three drafts that are ready to be finished."""
    monkeypatch.setenv("SALA_ROOTS", str(centre_folder / "roots"))
    disk = new_disk(300)
    session = Session.open(
        enrol.setup(
            disk.folder / "home", office_pack, officer_name="ចាន់ សុខា", officer_latin="Chan Sokha", passphrase=PASSPHRASE,
            clock=SystemClock(), cost=keys.CHEAP,
        )
    )  # fmt: skip
    yield disk, session
    session.close()


def draft(session: Session) -> str:
    made = session.commands.run("forms.fill", form="birth-extract-copy", answers=ANSWERS["birth-extract-copy"])
    return str(made["draft"])


def refused(work: Callable[[], Any]) -> str:
    with pytest.raises(Known) as known:
        work()
    return said(known.value)


def sound(session: Session) -> bool:
    return care.problems(session.unlocked) == []


def test_finishing_on_a_full_disk_keeps_the_draft_and_the_number(hall: tuple[Disk, Session]) -> None:
    disk, session = hall
    run = session.commands.run
    ready = [draft(session) for _ in range(40)]
    disk.fill()
    done: list[dict[str, Any]] = []
    with suppress(Known):
        done.extend(run("forms.finish", draft=one) for one in ready)
    assert len(done) < 40, "the disk is full"
    for one in ready[len(done) : len(done) + 3]:
        assert refused(lambda one=one: run("forms.finish", draft=one)) == "SY-104"  # type: ignore[misc]
    assert {row["id"] for row in run("forms.list", limit=100)["rows"]} == set(ready[: len(done)])
    assert {row["draft"] for row in run("forms.drafts")["drafts"]} == set(ready[len(done) :])
    assert sound(session)
    disk.empty()
    done += [run("forms.finish", draft=one) for one in ready[len(done) :]]
    assert [made["receipt"] for made in done] == [f"0306-01-{n:06d}" for n in range(1, 41)]
    assert sound(session)


def test_typing_on_a_full_disk_keeps_every_answer_that_was_kept(hall: tuple[Disk, Session], tmp_path: Path) -> None:
    disk, session = hall
    run = session.commands.run
    one = draft(session)
    disk.fill(leave=150 * MIB)
    assert refused(lambda: draft(session)) == "SY-105"  # nothing new is begun below 200 MiB
    run("forms.set_answer", draft=one, field="phone", value="097 555 1235")  # what is begun goes on
    disk.fill()
    kept = 0
    with suppress(Known):
        while kept < 2_000:
            run("forms.set_answer", draft=one, field="copies", value=kept % 9 + 1)
            kept += 1
    assert kept < 2_000
    assert refused(lambda: run("forms.set_answer", draft=one, field="copies", value=3)) == "SY-104"
    found = run("forms.draft", draft=one)["answers"]
    assert found["phone"] == "+855975551235" and found["copies"] == ((kept - 1) % 9 + 1 if kept else 3)
    assert [row["draft"] for row in run("forms.drafts")["drafts"]] == [one]
    disk.empty()
    run("forms.set_answer", draft=one, field="copies", value=2)
    assert run("forms.finish", draft=one)["receipt"] == "0306-01-000001"
    assert sound(session)


def test_an_attachment_without_room_leaves_no_piece(hall: tuple[Disk, Session], tmp_path: Path) -> None:
    disk, session = hall
    run = session.commands.run
    one = run("forms.start", form="copy-legalisation")["draft"]
    picture = tmp_path / "scan.png"
    picture.write_bytes(scan(400))
    pieces = files(session.unlocked.home / "blobs")
    disk.fill()
    attach = {"draft": one, "field": "original_scan", "path": str(picture)}
    assert refused(lambda: run("forms.attach", **attach)) == "SY-104"
    assert files(session.unlocked.home / "blobs") == pieces
    assert "original_scan" not in run("forms.draft", draft=one)["answers"]
    disk.empty()
    run("forms.attach", **attach)
    assert sound(session)


def test_unlocking_on_a_full_disk_is_refused_in_words_or_works(hall: tuple[Disk, Session]) -> None:
    disk, session = hall
    done = session.commands.run("forms.finish", draft=draft(session))
    home = session.unlocked.home
    session.close()
    disk.fill()
    assert refused(lambda: keys.unlock(home, "Chan Sokha", PASSPHRASE, SystemClock()).lock()) == "SY-104"
    disk.empty()
    again = Session.open(keys.unlock(home, "Chan Sokha", PASSPHRASE, SystemClock()))
    try:
        assert [row["receipt"] for row in again.commands.run("forms.list")["rows"]] == [done["receipt"]]
        assert sound(again)
    finally:
        again.close()


def test_the_ballast_lets_an_officer_in_and_finish_what_is_begun(
    new_disk: NewDisk, office_pack: Path, centre_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sync import ballast

    monkeypatch.setenv("SALA_ROOTS", str(centre_folder / "roots"))
    monkeypatch.setenv(ballast.VARIABLE, "16")
    disk = new_disk(300)
    home = disk.folder / "home"
    clock = SystemClock()
    setup = {"officer_name": "ចាន់ សុខា", "officer_latin": "Chan Sokha", "passphrase": PASSPHRASE, "clock": clock}
    session = Session.open(enrol.setup(home, office_pack, cost=keys.CHEAP, **setup))  # type: ignore[arg-type]
    begun = draft(session)
    session.close()
    disk.fill()
    again = Session.open(keys.unlock(home, "Chan Sokha", PASSPHRASE, clock))  # what is kept aside makes the room
    try:
        assert disk.free() > 8 * MIB
        assert again.commands.run("forms.finish", draft=begun)["receipt"] == "0306-01-000001"
        assert refused(lambda: draft(again)) == "SY-105"
        assert sound(again)
    finally:
        again.close()


def test_a_full_stick_is_said_and_holds_nothing_half(new_disk: NewDisk, session: Session, tmp_path: Path) -> None:
    stick = new_disk(4)
    run = session.commands.run
    for _ in range(3):
        run("forms.fill", form="copy-legalisation", answers=answers("copy-legalisation", tmp_path), finish=True)
    stick.fill(leave=20_000)
    assert refused(lambda: replicate.export(session, stick.folder)) == "SY-441"  # before anything is written
    assert files(stick.folder) == ["filler"]
    assert {row["shown_state"] for row in run("forms.list")["rows"]} == {"waiting"}
    stick.empty()
    assert replicate.export(session, stick.folder)["batches"] == 1
    assert {row["shown_state"] for row in run("forms.list")["rows"]} == {"sending"}
    assert len(files(stick.folder)) == 1


def test_papers_for_a_full_stick_are_not_counted(new_disk: NewDisk, session: Session) -> None:
    stick = new_disk(2)
    run = session.commands.run
    done = run("forms.fill", form="birth-extract-copy", answers=ANSWERS["birth-extract-copy"], finish=True)
    issued = run("certificates.issue", template="attestation", data=attestation())
    link = run("links.create", url="https://www.mef.gov.kh/")
    stick.fill(leave=1_000)
    place = stick.folder
    for command, params in (
        ("forms.receipt", {"id": done["id"], "out": str(place / "r.pdf")}),
        ("forms.export", {"form": "birth-extract-copy", "format": "csv", "out": str(place / "t.csv")}),
        ("certificates.pdf", {"id": issued["id"], "out": str(place / "c.pdf")}),
        ("links.sheet", {"codes": [link["code"]], "out": str(place / "l.pdf")}),
        ("links.qr", {"code": link["code"], "out": str(place / "q.png")}),
    ):
        assert refused(lambda c=command, p=params: run(c, **p)), command  # type: ignore[misc]
        assert files(place) == ["filler"], command
    stick.empty()
    assert run("forms.receipt", id=done["id"], out=str(place / "r.pdf"))["copy"] == 0
    assert run("certificates.pdf", id=issued["id"], out=str(place / "c.pdf"))["copy"] == 1
    assert sound(session)


def test_a_backup_onto_a_full_stick_leaves_nothing(new_disk: NewDisk, session: Session) -> None:
    from sync import backup

    stick = new_disk(2)
    stick.fill(leave=10_000)
    assert refused(lambda: backup.write(session.unlocked, stick.folder / "office.salabackup"))
    assert files(stick.folder) == ["filler"]


def test_a_full_hub_says_busy_and_takes_everything_once_it_has_room(
    new_disk: NewDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.faults.kill import Run
    from tests.faults.worker import Worker

    monkeypatch.setenv("SALA_ROOTS", "")  # the run sets its own; afterwards it is as it was
    disk = new_disk(12)
    run = Run(tmp_path, seed=0, hub=disk.folder / "hub")
    worker = Worker(run.home)
    try:
        assert run.hub.ready()
        assert worker.do(["sync"])["did"]["enrolled"]
        disk.fill()
        for _ in range(3):
            run._note(worker.do(["finish", "copy-legalisation"]))
            report = worker.do(["sync"])["did"]
            assert [problem["code"] for problem in report["problems"]] == ["SY-354"]
            assert (report["batches_received"], report["waiting"] > 0) == (0, True)
        assert said(Known("SY-354", wait_s=5)) == "SY-354"
        assert run.hub.alive
        disk.empty()
        worker.session.close()
        run.heal()
        assert run.figures.ok, run.figures.document()
        assert run.figures.healing_rounds == 1
    finally:
        worker.session.close()
        run.close()


def test_a_small_file_that_cannot_be_written_says_which_fault_it_is(tmp_path: Path) -> None:
    from sync import ballast

    (tmp_path / "file").write_bytes(b"")
    assert refused(lambda: ballast.keep(tmp_path / "file" / "below", b"x")) == "SY-107"
    ballast.keep(tmp_path / "whole", b"x")
    assert files(tmp_path) == ["file", "whole"]


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def attestation() -> dict[str, Any]:
    from desktop.day import samples

    return dict(samples.ATTESTATION)
