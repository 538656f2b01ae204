"""S6: the same batch by USB and by network, in both orders: identical state at the centre, one receipt for each batch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modules import replicate
from modules.session import Session
from sync import exchange, office, receipts
from sync.hub import courier
from sync.hub.centre import Centre
from sync.store import Connection
from sync.transport import Transport
from tests.end2end.hall import Hall, serving, take_case


@pytest.fixture
def hall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hall]:
    made = Hall(tmp_path)
    monkeypatch.setenv("SALA_ROOTS", str(made.roots))
    yield made
    made.close()


def state(hub: Centre) -> dict[str, Any]:
    """What the centre holds of laptops: ops with their labels, and one leaf for each batch."""

    def read(tx: Any) -> dict[str, Any]:
        return {
            "ops": tx.query("SELECT hash, parent, device, seq, kind, label FROM op ORDER BY device, seq, hash"),
            "batches": tx.query("SELECT hash, device, first_seq, n, new_ops FROM batch ORDER BY hash"),
            "leaves": tx.query("SELECT batch, count(*) AS n FROM leaf GROUP BY batch HAVING count(*) > 1"),
            "accepted": tx.query("SELECT op, count(*) AS n FROM accepted GROUP BY op HAVING count(*) > 1"),
            "cases": tx.query("SELECT op, office FROM p_forms_submission ORDER BY op"),
        }

    hub.settle()
    return hub.storage.read(read)


def sound(laptop: Session, batches: int) -> None:
    """Every batch of the laptop has exactly one receipt, and each one proves it offline."""

    def read(conn: Connection) -> list[Any]:
        return conn.execute(
            "SELECT b.hash, b.state, r.proof FROM batch b LEFT JOIN receipt r ON r.batch = b.hash WHERE b.state <> 'recut'"
        ).fetchall()

    rows = laptop.store.read(read)
    centre = laptop.store.read(office.centre)
    assert centre is not None
    assert len(rows) == len({row["hash"] for row in rows}) >= batches
    assert {row["state"] for row in rows} == {"receipted"}
    for row in rows:
        assert receipts.verify(row["proof"], centre.log).leaf.batch_hash == row["hash"]


def by_line(hall: Hall, laptop: Session) -> exchange.Report:
    with serving(hall.hub) as url:
        return exchange.run(laptop.unlocked, Transport([url], laptop.unlocked.device))


@pytest.mark.parametrize("first", ["usb", "line"])
def test_the_same_batches_by_usb_and_by_network_in_both_orders(hall: Hall, tmp_path: Path, first: str) -> None:
    (laptop,) = hall.enrolled(1)
    receipt = [take_case(laptop)["receipt"] for _ in range(3)]
    stick = tmp_path / "stick"
    replicate.export(laptop, stick)  # frozen now: the very same bytes go both ways
    if first == "line":
        by_line(hall, laptop)
        before = state(hall.hub)
        taken = courier.take(hall.hub, stick)
        assert (taken.batches, taken.new_ops, taken.problems) == (0, 0, []) and taken.again > 0
    else:
        taken = courier.take(hall.hub, stick)
        assert taken.new_ops > 0 and taken.problems == []
        before = state(hall.hub)
        report = by_line(hall, laptop)
        assert report.problems == []
    assert state(hall.hub) == before  # the second way changed nothing
    assert len(before["cases"]) == 3 and before["leaves"] == before["accepted"] == []
    sound(laptop, 1)
    back = replicate.import_(laptop, stick)  # and the receipts on the stick say nothing new
    assert (back["receipts"], back["problems"]) == (0, [])
    sound(laptop, 1)
    shown = {row["receipt"]: row["sync"] for row in laptop.commands.run("forms.list")["rows"]}
    assert shown == dict.fromkeys(receipt, "received")


def test_usb_sealed_and_in_small_volumes_is_the_same_too(hall: Hall, tmp_path: Path) -> None:
    from sync import courier as carrier

    (laptop,) = hall.enrolled(1)
    for _ in range(4):
        take_case(laptop)
        replicate.export(laptop, tmp_path / "cut")  # freezes: several batches
    by_line(hall, laptop)
    expected = state(hall.hub)
    stick = tmp_path / "stick"
    handed = carrier.export(laptop.unlocked, stick, seal="centre", limit=6_000)
    assert handed.sealed_to == "centre" and len(handed.files) >= 1
    assert all(Path(file).read_bytes().startswith(b"SALASEALED1\n") for file in handed.files)
    taken = courier.take(hall.hub, stick)
    assert taken.problems == [] and state(hall.hub) == expected
    assert all(Path(file).read_bytes().startswith(b"SALASEALED1\n") for file in taken.back)
    back = replicate.import_(laptop, stick)
    assert not [
        problem for problem in back["problems"] if problem["code"] != "SY-440"
    ]  # our own files are for the centre only
