"""A centre that was put back from a copy, heard of by stick: what it lost goes again, also what a second site had confirmed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from modules import replicate
from modules.session import Session
from sync import exchange, outbox, pruning
from sync.errors import Known
from sync.hub import centre as centres
from sync.hub import courier, exports
from sync.marks import OFFERED, STABLE, mark, set_mark
from sync.store import Connection
from sync.transport import Transport
from tests.end2end.hall import Hall, serving, take_case


@pytest.fixture
def hall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hall]:
    made = Hall(tmp_path)
    monkeypatch.setenv("SALA_ROOTS", str(made.roots))
    yield made
    made.close()


def put_aside(hall: Hall, to: Path) -> None:
    """A copy of the hub's folder as it is now."""
    folder = hall.hub.folder
    hall.hub.close()
    shutil.copytree(folder, to)
    hall.hub = centres.open_(folder, hall.clock)


def put_back(hall: Hall, copy: Path) -> None:
    hall.hub.close()
    hall.clock.advance(120_000)
    hall.hub = centres.new_epoch(copy, hall.clock)


def confirmed(hall: Hall, laptop: Session, tmp_path: Path) -> int:
    """The laptop's work is at the centre and at its second site, and the laptop has heard it: up to which op."""
    hall.to_centre(laptop)
    exports.backup(hall.hub, tmp_path / "site", confirm=True)
    hall.to_centre(laptop)
    reached = laptop.store.read(lambda conn: mark(conn, STABLE))
    assert reached > 0 and laptop.store.read(outbox.summary).waiting == 0
    return reached


def held(hall: Hall, laptop: Session) -> set[bytes]:
    own = laptop.unlocked.device.device_id
    rows = hall.hub.storage.read(lambda tx: tx.query("SELECT hash FROM op WHERE device = :d", {"d": own}))
    return {bytes(row["hash"]) for row in rows}


def made(laptop: Session) -> set[bytes]:
    rows = laptop.store.read(lambda conn: conn.execute("SELECT hash FROM op_line").fetchall())
    return {bytes(row["hash"]) for row in rows}


@pytest.fixture
def restored(hall: Hall, tmp_path: Path) -> Session:
    """A laptop whose work was confirmed, and a centre that was put back from before all of it."""
    (laptop,) = hall.enrolled(1)
    put_aside(hall, tmp_path / "older")
    for _ in range(3):
        take_case(laptop)
        confirmed(hall, laptop, tmp_path)
    put_back(hall, tmp_path / "older")
    assert not made(laptop) <= held(hall, laptop)
    return laptop


def test_one_stick_asks_and_the_next_one_brings_what_was_stable(hall: Hall, restored: Session) -> None:
    hall.to_centre(restored)
    assert restored.store.read(outbox.summary).stable == 0, "the second site's word was about another life"
    assert hall.to_centre(restored).batches >= 3
    assert made(restored) <= held(hall, restored)
    assert restored.store.read(outbox.summary).waiting == 0


def test_a_line_that_comes_after_the_stick_offers_everything_too(hall: Hall, restored: Session) -> None:
    """The stick's answer was about what was here then: the life is not taken for one in which everything was offered."""
    epoch = hall.hub.log.epoch
    hall.to_centre(restored)

    def believe(conn: Connection) -> None:
        conn.execute("UPDATE batch SET state = 'receipted'")
        set_mark(conn, STABLE, 1 << 30)

    restored.store.write(believe)
    with serving(hall.hub) as url:
        report = exchange.run(restored.unlocked, line(restored, url))
        assert report.batches_lost >= 3 and made(restored) <= held(hall, restored)
        assert restored.store.read(lambda conn: mark(conn, OFFERED)) == epoch


def test_a_line_that_breaks_while_everything_is_offered_begins_anew(
    hall: Hall, restored: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sync import havewant

    def broken(*_: object) -> tuple[bool, int]:
        raise Known("SY-350")

    with serving(hall.hub) as url:
        with monkeypatch.context() as patch:
            patch.setattr(havewant, "_offer", broken)
            with pytest.raises(Known):
                exchange.run(restored.unlocked, line(restored, url))
        assert exchange.run(restored.unlocked, line(restored, url)).batches_lost >= 3
        assert made(restored) <= held(hall, restored)


def line(laptop: Session, url: str) -> Transport:
    return Transport([url], laptop.unlocked.device)


def test_what_was_let_go_of_is_said_and_nothing_else_is_lost(hall: Hall, tmp_path: Path) -> None:
    (laptop,) = hall.enrolled(1)
    put_aside(hall, tmp_path / "older")
    for _ in range(3):
        take_case(laptop)
        confirmed(hall, laptop, tmp_path)
    kinds = laptop.store.read(lambda conn: conn.execute("SELECT DISTINCT kind FROM op").fetchall())
    gone = pruning.run(laptop.unlocked, {row["kind"]: 0 for row in kinds})
    assert gone.batches >= 2
    put_back(hall, tmp_path / "older")
    before = len(held(hall, laptop))
    stick = tmp_path / "asks"
    replicate.export(laptop, stick)
    courier.take(hall.hub, stick)
    found = replicate.import_(laptop, stick)
    assert [(one["code"], one["values"]) for one in found["problems"]] == [
        ("SY-483", {"lacking": str(gone.ops - before)})
    ]
    hall.to_centre(laptop)
    whole = laptop.store.read(lambda conn: conn.execute("SELECT hash FROM op").fetchall())
    assert {bytes(row["hash"]) for row in whole} <= held(hall, laptop), "everything that is whole here is there again"
