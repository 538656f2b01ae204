"""The short form of ``python -m tests.faults.kill``; and that the law it checks would notice."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from modules.session import Session
from sync import keys
from sync.clock import SystemClock
from tests.faults import kill, law
from tests.faults.children import OFFICER, PASSPHRASE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kill.Run]:
    """A laptop and a hub that were killed 25 times and healed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SALA_ROOTS", "")  # the run sets its own; afterwards it is as it was
        made = kill.Run(tmp_path_factory.mktemp("kill"), seed=11)
        try:
            made.go(25)
            yield made
        finally:
            made.close()


def test_twenty_five_kills_lose_and_double_nothing(run: kill.Run) -> None:
    figures = run.figures
    assert figures.ok, figures.document()
    assert sum(figures.kills.values()) >= 25
    assert {place.partition(" ")[0] for place in figures.kills} == {"laptop", "hub"}
    assert len(run.said.submissions) >= 10 and figures.receipts >= 3
    assert set(figures.refused) <= {
        "sync SY-350",
        "sync SY-353",
        "sync SY-354",
        "finish_draft FM-010",
        "draft MD-000",
    }, figures.refused


@pytest.mark.parametrize(
    ("damage", "noticed"),
    [
        ("DELETE FROM op WHERE id = (SELECT max(op) FROM accepted)", "ops here"),
        ("DELETE FROM batch WHERE idx = (SELECT max(idx) FROM batch WHERE via <> 'hub')", "batches receipted here"),
        ("UPDATE batch SET via = 'hub' WHERE via <> 'hub'", "neither the laptop nor the hub"),
        ("DELETE FROM op WHERE id = 2", "own chain"),
        ("DELETE FROM p_links_link WHERE code = (SELECT max(code) FROM p_links_link)", "links here"),
        ("UPDATE p_forms_submission SET office = '0101'", "not what a rebuild gives"),
        ("DELETE FROM chunk", "pieces of attachments"),
        ("UPDATE leaf SET receipt = '' WHERE idx = 0", "log of the hub"),
        ("UPDATE op SET label = 'pending' WHERE id = 1", "not accepted"),
    ],
)
def test_the_law_notices(run: kill.Run, tmp_path: Path, damage: str, noticed: str) -> None:
    import shutil

    shutil.copytree(run.hub_folder, tmp_path / "hub")
    with closing(sqlite3.connect(tmp_path / "hub" / "hub.db")) as centre:
        centre.execute(damage)
        centre.commit()
    assert any(noticed in problem for problem in check(run, tmp_path / "hub", run.said)), damage


def test_the_law_notices_what_the_laptop_lost(run: kill.Run) -> None:
    said = law.Acknowledged(
        {**run.said.submissions, "1f": {"op": "2f", "receipt": "0306-01-999999"}},
        {*run.said.drafts, "3f"},
        {*run.said.links, "zzz"},
    )
    found = "; ".join(check(run, run.hub_folder, said))
    assert all(lost in found for lost in ("0306-01-999999", "op 2f is lost", "draft 3f is lost", "link zzz is lost"))


def check(run: kill.Run, hub: Path, said: law.Acknowledged) -> list[str]:
    session = Session.open(keys.unlock(run.home, OFFICER[1], PASSPHRASE, SystemClock()))
    try:
        return law.broken(session, hub, said)
    finally:
        session.close()
