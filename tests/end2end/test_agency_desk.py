"""An agency reads what offices sealed to it, over the line and from a stick; the hub cannot; what it decides reaches the office."""

from __future__ import annotations

import csv
import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from modules import agency_feed, replicate
from modules.session import Session
from sync import enrol, keys, ops, sealedfeed, volume
from sync.clock import SystemClock
from sync.errors import Refused
from tests.modules.forms.conftest import PICTURE_FIELD, SHEETS
from tests.sync.hub_process import Hub

PASSPHRASE = "ពាក្យសម្ងាត់ តុ ១២៣"
CANARY = "លឹម ស្រីមុំ"  # whoever applies in the sheet below
FORM = "barber-licence"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    made = Hub(tmp_path / "hub").start()
    yield made
    made.stop()


@pytest.fixture
def laptop(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Session]]:
    """``laptop(office, role)``: a laptop of that office that was set up from its pack."""
    monkeypatch.setenv("SALA_ROOTS", str(hub.folder / "roots"))
    opened: list[Session] = []

    def make(office: str, role: str = "receiving") -> Session:
        pack = hub.pack(tmp_path / f"{office}-{len(opened)}.pack", office)
        unlocked = enrol.setup(
            tmp_path / f"home-{len(opened)}", pack, officer_name="ចាន់ សុខា", officer_latin="Chan Sokha", role=role,
            passphrase=PASSPHRASE, clock=SystemClock(), cost=keys.CHEAP,
        )  # fmt: skip
        opened.append(Session.open(unlocked))
        return opened[-1]

    yield make
    for session in opened:
        session.close()


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    path = tmp_path / "អត្តសញ្ញាណប័ណ្ណ.png"
    Image.new("RGB", (400, 300), (30, 90, 200)).save(path)
    return path


def finish(session: Session, scan: Path, **other: Any) -> dict[str, Any]:
    """One submission with a scan."""
    answers = {**SHEETS[FORM], PICTURE_FIELD[FORM]: [str(scan)], **other}
    return dict(session.commands.run("forms.fill", form=FORM, answers=answers, finish=True))


def make_desk(hub: Hub, session: Session) -> None:
    """Give a laptop the agency's key and the centre's leave."""
    key = (hub.folder / "offline" / "agency.key").read_text("ascii")
    session.commands.run("agency.add_key", text=key)
    hub.cli("agency", "allow", session.unlocked.device.device_id.hex())


def rows(session: Session, **asked: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = session.commands.run("agency.list", **asked)["rows"]
    return found


def told(session: Session) -> list[tuple[str, str]]:
    """What the centre has told a laptop about its records."""
    rows = session.store.read(lambda conn: conn.execute("SELECT body FROM inbox ORDER BY seq").fetchall())
    bodies = [json.loads(row["body"]) for row in rows]
    return [(body["decision"], body["reason"]) for body in bodies]


def test_laptops_that_their_province_has_certified_are_read_too_and_stay_so_when_it_takes_another_key(
    hub: Hub, laptop: Callable[..., Session], scan: Path
) -> None:
    hub.cli("role", "add", "province", "03")
    office, desk = laptop("0306"), laptop("1201", "reader")
    finish(office, scan)
    assert replicate.once(office)["batches_received"] >= 1
    replicate.once(desk)
    make_desk(hub, desk)
    assert agency_feed.fetch(desk) == {"new": 1, "batches": 1, "sealed": 0, "problems": 0}
    hub.cli("role", "rotate", "province-03")
    finish(office, scan)
    for session in (office, desk):
        assert replicate.once(session)["problems"] == []
    assert len(rows(desk)) == 2
    hub.cli("role", "rotate", "province-03", "--stolen")
    late = laptop("1202", "reader")  # it hears of the first and the third key
    replicate.once(late)
    make_desk(hub, late)
    assert agency_feed.fetch(late) == {"new": 2, "batches": 2, "sealed": 0, "problems": 0}
    newest = laptop("0307")
    finish(newest, scan)
    replicate.once(newest)
    for session in (late, desk):
        assert agency_feed.fetch(session)["problems"] == 0, "who certifies by now is asked first"
    assert len(rows(late)) == len(rows(desk)) == 3


def test_what_a_hostile_laptop_seals_to_the_agency_holds_up_nobody(
    hub: Hub, laptop: Callable[..., Session], scan: Path
) -> None:
    office, desk = laptop("0306"), laptop("1201", "reader")
    hostile: list[dict[str, Any]] = [
        {"answers": [1]},
        {"answers": {}, "@keys": 7},
        {"@keys": {"x": [1]}, "answers": {"a": 1}},
    ]
    for place, body in enumerate(hostile):
        office.store.write(
            lambda conn, body=body, place=place: ops.append(  # type: ignore[misc]
                conn, office.unlocked, office.clock, kind="forms.submission", record=f"hostile-{place}", form=FORM,
                def_hash=bytes(32), body=body, sealed=True,
            )
        )  # fmt: skip
    finish(office, scan)
    assert replicate.once(office)["batches_received"] >= 1
    replicate.once(desk)
    make_desk(hub, desk)
    assert agency_feed.fetch(desk) == {"new": 3, "batches": 1, "sealed": 0, "problems": 1}
    assert CANARY in {row["person"] for row in rows(desk)}


def test_answers_are_read_at_the_agency_and_nowhere_between(
    hub: Hub, laptop: Callable[..., Session], scan: Path
) -> None:
    office, desk = laptop("0306"), laptop("1201", "reader")
    done = finish(office, scan)
    assert replicate.once(office)["batches_received"] >= 1
    replicate.once(desk)

    with pytest.raises(Refused) as refused:
        agency_feed.fetch(desk)
    assert refused.value.code == "AG-002"
    make_desk_key = (hub.folder / "offline" / "agency.key").read_text("ascii")
    desk.commands.run("agency.add_key", text=make_desk_key)
    with pytest.raises(Refused) as refused:
        agency_feed.fetch(desk)  # the centre has not allowed it
    assert refused.value.code == "AG-003"
    hub.cli("agency", "allow", desk.unlocked.device.device_id.hex())
    assert agency_feed.fetch(desk) == {"new": 1, "batches": 1, "sealed": 0, "problems": 0}
    assert agency_feed.fetch(desk)["new"] == 0

    [row] = rows(desk, text="ស្រីមុំ")
    assert (row["office"], row["receipt"], row["person"], row["state"]) == ("0306", done["receipt"], CANARY, "new")
    shown = desk.commands.run("agency.show", op=row["op"])
    said = {line["label"]["km"]: line["value"]["km"] for line in shown["rows"]}
    assert "ហាងកាត់សក់ស្រីមុំ" in said.values()
    [file] = [file for line in shown["rows"] for file in line["files"]]
    assert agency_feed.attachment(desk, row["op"], file["blob"]) == scan.read_bytes()

    for place in hub.folder.rglob("*"):  # the hub holds it all and can read none of it
        if place.is_file():
            assert CANARY.encode() not in place.read_bytes(), place.name


def test_what_the_agency_decides_reaches_the_office_once(hub: Hub, laptop: Callable[..., Session], scan: Path) -> None:
    office, desk = laptop("0306"), laptop("1201", "reader")
    finish(office, scan)
    replicate.once(office)
    replicate.once(desk)
    make_desk(hub, desk)
    agency_feed.fetch(desk)
    [row] = rows(desk)
    with pytest.raises(Refused) as refused:
        desk.commands.run("agency.decide", op=row["op"], decision="sent_back", reason="  ")
    assert refused.value.code == "AG-005"
    desk.commands.run("agency.decide", op=row["op"], decision="sent_back", reason="សូមស្កេនអត្តសញ្ញាណប័ណ្ណម្ដងទៀត")
    assert rows(desk, state="sent_back")[0]["reason"] == "សូមស្កេនអត្តសញ្ញាណប័ណ្ណម្ដងទៀត"
    replicate.once(desk)
    hub.cli("rebuild")  # tells nobody twice
    hub.stop()
    hub.start()
    replicate.once(office)
    assert told(office) == [("sent_back", "សូមស្កេនអត្តសញ្ញាណប័ណ្ណម្ដងទៀត")]


def test_a_laptop_that_is_no_desk_decides_nothing(hub: Hub, laptop: Callable[..., Session], scan: Path) -> None:
    office, stranger = laptop("0306"), laptop("1201", "reader")
    finish(office, scan)
    replicate.once(office)
    replicate.once(stranger)
    make_desk(hub, stranger)
    agency_feed.fetch(stranger)
    [row] = rows(stranger)
    hub.cli("agency", "end", stranger.unlocked.device.device_id.hex())
    stranger.commands.run("agency.decide", op=row["op"], decision="accepted")
    replicate.once(stranger)
    hub.cli("rebuild")
    replicate.once(office)
    assert told(office) == []
    with pytest.raises(Refused) as refused:
        agency_feed.fetch(stranger)
    assert refused.value.code == "AG-003"


def test_corrections_and_withdrawals_reach_the_desk(hub: Hub, laptop: Callable[..., Session], scan: Path) -> None:
    office, desk = laptop("0306"), laptop("1201", "reader")
    first, second = finish(office, scan), finish(office, scan)
    run = office.commands.run
    run("forms.correct", id=first["id"], changes={"shop_name": "ហាងថ្មី"}, reason="សរសេរខុស")
    run("forms.withdraw", id=second["id"], reason="លែងត្រូវការ")
    replicate.once(office)
    replicate.once(desk)
    make_desk(hub, desk)
    agency_feed.fetch(desk)
    assert {row["receipt"]: row["state"] for row in rows(desk)} == {
        first["receipt"]: "new",
        second["receipt"]: "withdrawn",
    }
    [row] = rows(desk, state="new")
    shown = desk.commands.run("agency.show", op=row["op"])
    values = [line["value"]["km"] for line in shown["rows"]]
    assert "ហាងថ្មី" in values
    assert "ហាងកាត់សក់ស្រីមុំ" in values  # the words on the sign were not corrected


def test_the_same_comes_by_stick_and_nothing_twice(
    hub: Hub, laptop: Callable[..., Session], scan: Path, tmp_path: Path
) -> None:
    office, desk = laptop("0306"), laptop("1201", "reader")
    finish(office, scan)
    replicate.once(office)
    replicate.once(desk)
    make_desk(hub, desk)
    stick = tmp_path / "stick"
    written = hub.cli("agency", "export", str(stick))
    assert agency_feed.take(desk, stick)["new"] == 1
    assert agency_feed.take(desk, stick)["new"] == 0
    assert agency_feed.fetch(desk)["new"] == 0
    assert (
        hub.cli("agency", "export", str(tmp_path / "empty"), "--after", str(written["after"]))["after"]
        == written["after"]
    )
    with pytest.raises(Refused) as refused:
        agency_feed.take(desk, tmp_path / "empty")
    assert refused.value.code == "AG-007"

    file = next(stick.glob("*.salabatch"))
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(Refused):
        agency_feed.take(desk, stick)


def test_a_batch_that_was_tampered_with_is_passed_over(
    hub: Hub, laptop: Callable[..., Session], scan: Path, tmp_path: Path
) -> None:
    office, other, desk = laptop("0306"), laptop("0307"), laptop("1201", "reader")
    for session in (office, other):
        finish(session, scan)
        replicate.once(session)
    replicate.once(desk)
    make_desk(hub, desk)
    hub.cli("agency", "export", str(tmp_path / "stick"))
    with volume.Volume(next((tmp_path / "stick").glob("*.salabatch")), []) as found:
        [(_, data)] = found.of("sealed")
    page = sealedfeed.read_page(data)
    first, second = page.items
    broken = [
        replace(first, batch=first.batch[:-1] + bytes([first.batch[-1] ^ 1])),
        replace(first, certificate=second.certificate),
        replace(first, receipt=second.receipt),
        second,
    ]
    made = sealedfeed.Page(broken, page.next, more=False).encode()
    taken = desk.commands.run("agency.take", page=b64encode(made).decode())
    assert (taken["new"], taken["batches"], taken["problems"]) == (1, 1, 3)
    assert rows(desk)[0]["office"] == "0307"


def test_the_desk_exports_for_excel_and_for_programs(
    hub: Hub, laptop: Callable[..., Session], scan: Path, tmp_path: Path
) -> None:
    office, desk = laptop("0306"), laptop("1201", "reader")
    finish(office, scan, shop_name="=1+1")
    replicate.once(office)
    replicate.once(desk)
    make_desk(hub, desk)
    agency_feed.fetch(desk)
    run = desk.commands.run
    assert run("agency.export", out=str(tmp_path / "out.csv"))["rows"] == 1
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        head, line = csv.reader(file)
    said = dict(zip(head, line, strict=True))
    assert said["ការិយាល័យ"] == "0306"
    assert "'=1+1" in line
    run("agency.export", form=FORM, out=str(tmp_path / "out.jsonl"), format="jsonl")
    assert json.loads((tmp_path / "out.jsonl").read_text("utf-8"))["answers"]["shop_name"] == "=1+1"


def test_only_a_key_is_taken_for_a_key(session: Session) -> None:
    for text in ("", "zz", "00" * 31, "ក" * 64):
        with pytest.raises(Refused) as refused:
            session.commands.run("agency.add_key", text=text)
        assert refused.value.code in ("AG-001", "MD-010")
