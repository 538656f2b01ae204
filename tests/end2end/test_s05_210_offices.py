"""S5: 208 offices send five batches of 66 records each; one has a gap, one sends twice, one was tampered with on its way."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from sync import batch as batches
from sync import cbor, cose, devices, receipts
from sync.clock import SystemClock
from sync.failpoint import VARIABLE
from sync.hub import centre as centres
from sync.hub import courier, reports, suspects
from sync.hub.centre import Centre
from sync.hub.enrolment import Ticket, enrol, open_slot
from sync.volume import Object, write
from tests.hub import tables
from tests.hub.conftest import Process, sala_hub
from tests.hub.laptop import Laptop

OFFICES, BATCHES, RECORDS = 208, 5, 66
GAP, TWICE, TAMPERED = 17, 90, 150
MISSING, TOUCHED = 3, 2  # batches (from 0) that are lost and altered
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@dataclass
class Country:
    """Every office's laptop and what it sends."""

    hub: Centre
    laptops: list[Laptop]
    sent: list[list[bytes]]
    seconds: float = 0.0

    def office(self, number: int) -> str:
        return code(number)


def code(number: int) -> str:
    return f"{1 + number // 9:02d}{1 + number % 9:02d}"


def name(number: int) -> dict[str, Any]:
    province = {"km": f"ខេត្ត {1 + number // 9}", "en": f"Province {1 + number // 9}"}
    return {"code": code(number), "name": {"km": f"ស្រុក {number}", "en": f"District {number}"}, "province": province}


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The hub after everything came in, over the one way in that line and stick share."""
    hub = centres.create(tmp_path_factory.mktemp("country") / "hub", SystemClock(), name="hub", log_name="hub")
    laptops = [Laptop() for _ in range(OFFICES)]
    join(hub, dict(enumerate(laptops)))
    sent = [[laptop.batch(RECORDS) for _ in range(BATCHES)] for laptop in laptops]
    made = Country(hub, laptops, sent)
    feed(made, tmp_path_factory.mktemp("sticks"))
    yield made
    hub.close()


def join(hub: Centre, laptops: dict[int, Laptop]) -> None:
    """Each laptop enrolled in the office of its number."""

    def work(tx: Any) -> None:
        for number, laptop in laptops.items():
            ticket = Ticket(os.urandom(16), "", os.urandom(32))
            open_slot(tx, hub.keys, name(number), ticket, hub.clock.wall_ms())
            asked, signed, mac = devices.read_request(laptop.request(ticket, code(number)))
            assert enrol(tx, hub.keys, asked, signed, mac, hub.clock.wall_ms()).status == 201

    hub.storage.write(work)


def feed(country: Country, sticks: Path) -> None:
    """Everybody's batches over the line, but the tampered one, which comes on a stick."""
    began, taken = time.perf_counter(), 0
    for turn in range(BATCHES):
        for number, sent in enumerate(country.sent):
            if (number, turn) in ((GAP, MISSING), (TAMPERED, TOUCHED)):
                continue
            for _ in range(2 if (number, turn) == (TWICE, 1) else 1):
                country.hub.ingest.take(sent[turn], sha256(sent[turn]).digest())
            taken += RECORDS
    country.seconds = (time.perf_counter() - began) / taken
    bring_broken(country.hub, country.sent[TAMPERED][TOUCHED], sticks)
    country.hub.settle()


def bring_broken(hub: Centre, genuine: bytes, sticks: Path) -> None:
    """The stick of the tampered office."""
    bad = broken(genuine)
    write(sticks, "sala-0150", [Object("batch", sha256(bad).hexdigest(), bad)])
    report = courier.take(hub, sticks)
    assert (report.batches, [one["code"] for one in report.problems]) == (0, ["HB-110"])


def broken(data: bytes) -> bytes:
    """The batch with its 41st record broken by somebody who can pack, but not sign."""
    return altered(data, 40, lambda record: record.replace(b"links.created", b"LINKS.created"))


def edited(data: bytes) -> bytes:
    """The batch with its 41st record edited so that it still reads well."""
    return altered(data, 40, lambda record: record.replace("សួស្ដី".encode(), "សួស្តី".encode()))


def altered(data: bytes, place: int, change: Callable[[bytes], bytes]) -> bytes:
    batch = batches.parse(data)
    signed, split = cose.parse_prefix(data, batches.CONTENT_TYPE)
    ops = [op.data for op in batch.ops]
    assert change(ops[place]) != ops[place] and len(change(ops[place])) == len(ops[place])
    ops[place] = change(ops[place])
    assert signed.payload
    return data[:split] + cbor.zip_bytes(b"".join(ops), 1)


def test_two_cores_take_far_more_than_two_hundred_records_a_second(country: Country) -> None:
    assert 1 / country.seconds >= 200, f"{1 / country.seconds:.0f} records a second"


def test_the_board_names_the_office_whose_numbers_have_a_gap(country: Country) -> None:
    gaps = country.hub.storage.read(reports.gaps)
    first = MISSING * RECORDS + 1
    assert [(gap["office"], gap["first_missing"], gap["last_missing"]) for gap in gaps] == [
        (country.office(GAP), first, first + RECORDS - 1),
        (country.office(TAMPERED), TOUCHED * RECORDS + 1, (TOUCHED + 1) * RECORDS),
    ]
    board = country.hub.storage.read(lambda tx: reports.board(tx, country.hub.clock.wall_ms()))
    assert len(board) == OFFICES
    assert [row["code"] for row in board if row["state"] == "gap"] == [country.office(GAP), country.office(TAMPERED)]
    assert {row["gaps"] for row in board} == {0, RECORDS}


def test_a_batch_that_comes_twice_leaves_the_counts_as_they_are(country: Country) -> None:
    board = {row["code"]: row for row in country.hub.storage.read(lambda tx: reports.board(tx, 0))}
    assert (board[country.office(TWICE)]["records"], board[country.office(TWICE)]["batches"]) == (
        BATCHES * RECORDS,
        BATCHES,
    )
    assert sum(row["records"] for row in board.values()) == OFFICES * BATCHES * RECORDS - 2 * RECORDS
    data = country.sent[TWICE][1]
    again = country.hub.ingest.take(data)
    assert again.again and again.new_ops == 0
    assert again.receipt == country.hub.ingest.take(data).receipt


def test_the_tampered_file_is_named_with_its_first_bad_record(country: Country) -> None:
    [found] = country.hub.storage.read(suspects.listing)
    assert found["file"].startswith("sala-0150") and found["office"] == country.office(TAMPERED)
    assert (found["first_seq"], found["n"], found["bad_seq"]) == (
        TOUCHED * RECORDS + 1,
        RECORDS,
        TOUCHED * RECORDS + 41,
    )
    assert found["kept"] and suspects.raw is not None


def test_the_rest_of_that_office_is_not_held_up(country: Country) -> None:
    laptop = country.laptops[TAMPERED]
    rows = country.hub.storage.read(
        lambda tx: tx.query(
            "SELECT label, count(*) AS n FROM op WHERE device = :d GROUP BY label ORDER BY label", {"d": laptop.id}
        )
    )
    stored = {row["label"]: row["n"] for row in rows}
    assert stored == {"accepted": TOUCHED * RECORDS, "pending": (BATCHES - TOUCHED - 1) * RECORDS}


def test_once_the_genuine_batch_is_there_an_edit_is_named_exactly(tmp_path: Path) -> None:
    """On a hub of its own: the country's stays as it is for the other questions."""
    hub, laptop = centres.create(tables.lay(tmp_path / "hub"), SystemClock(), name="hub", log_name="hub"), Laptop()
    join(hub, {TAMPERED: laptop})
    sent = [laptop.batch(RECORDS) for _ in range(BATCHES)]
    genuine = sent.pop(TOUCHED)
    try:
        for data in sent:
            hub.ingest.take(data)
        bring_broken(hub, genuine, tmp_path / "stick")
        with pytest.raises(Exception, match="HB-110"):
            hub.ingest.take(edited(genuine), via="courier", file="second.salabatch")
        newest = hub.storage.read(suspects.listing)[0]
        assert (newest["file"], newest["bad_seq"]) == ("second.salabatch", None)  # every record in it reads well
        assert hub.ingest.take(genuine).label == "accepted"
        newest, first = hub.storage.read(suspects.listing)
        wanted = batches.parse(genuine).ops[40]
        assert (newest["bad_seq"], newest["bad_op"]) == (wanted.seq, wanted.fields.op_id)
        assert (first["bad_seq"], first["bad_op"]) == (wanted.seq, wanted.fields.op_id)
        rows = hub.storage.read(
            lambda tx: tx.query("SELECT DISTINCT label FROM op WHERE device = :d", {"d": laptop.id})
        )
        assert [row["label"] for row in rows] == ["accepted"]
    finally:
        hub.close()


def test_a_receipt_comes_only_after_the_disk_has_it(tmp_path: Path) -> None:
    """The hub dies between receiving and committing: the laptop hears nothing, sends again, and nothing is lost or doubled."""
    folder, laptop = tmp_path / "hub", Laptop()
    hub = centres.create(tables.lay(folder), SystemClock(), name="hub", log_name="hub")
    join(hub, {0: laptop})
    hub.close()
    data = laptop.batch(RECORDS)
    place = f"/v1/batches/{sha256(data).hexdigest()}"
    for point in ("hub:received", "hub:in-transaction"):
        process = Process(folder).start(**{VARIABLE: f"{point}:1"})
        with pytest.raises(httpx.HTTPError):
            httpx.put(process.url + place, content=data, timeout=30)
        assert process.wait_dead() == -9
        process.stop()
    alive = Process(folder).start()
    answer = httpx.put(alive.url + place, content=data, timeout=30)
    alive.stop()
    assert answer.status_code == 201, "what was not acknowledged was not there either"
    hub = centres.open_(folder, SystemClock())
    try:
        receipts.verify(answer.text, hub.log.note_key)
        rows = hub.storage.read(lambda tx: tx.query("SELECT label FROM op WHERE device = :d", {"d": laptop.id}))
        assert [row["label"] for row in rows] == ["accepted"] * RECORDS
    finally:
        hub.close()
    assert sala_hub(folder, "report", "refused") == []
