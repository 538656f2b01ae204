"""A copy of the centre is put back and nobody says so: each run asks for every piece once, brings what is lacking, and ends."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from modules.session import Session
from sync import exchange, office, pieces, uploads
from sync.hub import centre as centres
from sync.transport import Transport
from tests.end2end.hall import Hall, scan, serving


@pytest.fixture
def hall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hall]:
    made = Hall(tmp_path)
    monkeypatch.setenv("SALA_ROOTS", str(made.roots))
    yield made
    made.close()


def run(laptop: Session, url: str) -> tuple[exchange.Report, int]:
    """One run, stopped when it has looked three hundred times whether it may go on; and how often it looked."""
    looked = 0

    def enough() -> bool:
        nonlocal looked
        looked += 1
        return looked > 300

    centre = laptop.store.read(office.centre)
    assert centre is not None
    transport = Transport([url], laptop.unlocked.device, log=centre.log)
    return exchange.run(laptop.unlocked, transport, cancel=enough), looked


def test_a_hub_that_went_back_is_asked_for_every_piece_once(
    hall: Hall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MAX_HAVE", 2)  # so that a question has several pages
    laptop = hall.laptop(1)
    with serving(hall.hub) as url:
        kept = scan(laptop, 5)
        run(laptop, url)
    hall.hub.close()
    shutil.copytree(tmp_path / "hub", tmp_path / "copy")
    hall.hub = centres.open_(tmp_path / "hub", hall.clock)
    with serving(hall.hub) as url:
        gone = scan(laptop, 5)
        assert run(laptop, url)[0].problems == []
    hall.hub.close()
    shutil.rmtree(tmp_path / "hub")
    (tmp_path / "copy").rename(tmp_path / "hub")
    hall.hub = centres.open_(tmp_path / "hub", hall.clock)
    with serving(hall.hub) as url:
        for lost in (len(gone), 0):
            report, looked = run(laptop, url)
            assert not report.cancelled and looked < 100
            assert [problem["code"] for problem in report.problems].count("SY-320") == 1, "said once a run"
            assert (report.chunks_lost, report.chunks_sent) == (lost, lost)
            assert not laptop.store.read(pieces.doubted)
    there = hall.hub.storage.read(lambda tx: {row["hash"] for row in tx.query("SELECT hash FROM chunk")})
    assert there >= {*kept, *gone}
