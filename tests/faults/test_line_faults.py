"""What the line and the clock do wrong, between a real laptop and a real hub process: refused, told, and nothing is lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from modules import replicate
from modules.contract import Known, Refused
from modules.session import Session
from sync import cutting, delivery, keys, marks, outbox
from sync.clock import SetClock, SystemClock
from sync.transport import Transport
from tests.faults.children import OFFICER, PASSPHRASE
from tests.faults.conftest import said
from tests.faults.kill import Run
from tests.faults.worker import answers

pytestmark = [pytest.mark.slow]
THREE_YEARS_MS = 3 * 366 * 86_400_000


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    monkeypatch.setenv("SALA_ROOTS", "")  # the run sets its own; afterwards it is as it was
    made = Run(tmp_path, seed=0)
    assert made.hub.ready()
    yield made
    made.close()


def unlocked(run: Run, clock: Any = None) -> Session:
    return Session.open(keys.unlock(run.home, OFFICER[1], PASSPHRASE, clock or SystemClock()))


def finish(session: Session, form: str = "birth-extract-copy") -> dict[str, Any]:
    made: dict[str, Any] = session.commands.run(
        "forms.fill", form=form, answers=answers(form, session.unlocked.home.parent), finish=True
    )
    return made


def flow_of(session: Session, made: dict[str, Any]) -> dict[str, Any]:
    """The run that finishing ``made`` began."""
    return next(row for row in session.commands.run("flows.runs")["rows"] if row["label"] == made["receipt"])


def stored(run: Run) -> dict[str, int]:
    with closing(sqlite3.connect(run.hub_folder / "hub.db")) as centre:
        return {
            table: centre.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("batch", "op", "leaf", "refused")
        }


def test_a_cut_off_or_altered_batch_is_refused_and_the_whole_one_is_taken(run: Run) -> None:
    session = unlocked(run)
    try:
        replicate.once(session)
        before = stored(run)
        finish(session)
        name = cutting.cut(session.unlocked, "test")
        assert name is not None
        data = session.store.read(lambda conn: delivery.data(conn, name))
        middle = len(data) // 2
        bent = [
            data[:-1],
            data[:middle],
            b"",
            *(data[:at] + bytes([data[at] ^ 8]) + data[at + 1 :] for at in (0, 9, middle, len(data) - 1)),
        ]
        with Transport((f"http://127.0.0.1:{run.port}",), session.unlocked.device) as line:
            for one in bent:
                answer = line.put(f"/v1/batches/{name.hex()}", one)
                assert answer.status == 422, answer.body
        assert stored(run) == {**before, "refused": len(bent)}
        assert said(Refused("HB-110", reason="x")) == "HB-110" and said(Known("SY-357", reason="x")) == "SY-357"
        assert session.store.read(outbox.summary).waiting >= 1, "the laptop keeps it"
        report = replicate.once(session)
        assert (report["batches_received"], report["waiting"], report["problems"]) == (1, 0, [])
        for _ in range(3):  # replayed by whoever listened
            with Transport((f"http://127.0.0.1:{run.port}",), session.unlocked.device) as line:
                assert line.put(f"/v1/batches/{name.hex()}", data).status == 200
        assert stored(run)["batch"] == before["batch"] + 1
    finally:
        session.close()


def test_without_a_hub_everything_waits_and_goes_later(run: Run) -> None:
    run.hub.kill()
    session = unlocked(run)
    try:
        made = [finish(session, form) for form in ("barber-licence", "birth-extract-copy")]
        with pytest.raises(Known) as refused:
            replicate.once(session)
        assert said(refused.value) == "SY-350"
        states = session.store.read(lambda conn: outbox.states(conn, [one["id"] for one in made]))
        assert set(states.values()) == {"waiting"}
        assert flow_of(session, made[0])["state"] == "done", "what needs no line is done"
    finally:
        session.close()
    run.said.submissions = {one["id"]: one for one in made}
    run.heal()
    assert run.figures.ok, run.figures.document()


def test_a_clock_three_years_behind_loses_and_revives_nothing(run: Run) -> None:
    now = SystemClock().wall_ms()
    session = unlocked(run)
    try:
        run.said.submissions["right"] = {**finish(session, "barber-licence")}
        assert replicate.once(session)["problems"] == []
    finally:
        session.close()

    clock = SetClock(now - THREE_YEARS_MS)
    session = unlocked(run, clock)
    try:
        behind = finish(session, "barber-licence")  # capture is never refused for a wrong clock
        flow = flow_of(session, behind)
        assert flow["state"] == "stopped"
        steps = session.commands.run("flows.show_run", run=flow["id"])["steps"]
        assert (steps[0]["state"], steps[0]["error"]["code"]) == ("stopped", "CT-120")
        assert said(Refused("CT-120", today="x")) == "CT-120"
        report = replicate.once(session)
        assert report["problems"] == [] and report["waiting"] == 0 and report["batches_received"] >= 1
        assert session.store.read(lambda conn: marks.floor(conn, marks.HUB_TIME)) >= now
        assert session.store.read(lambda conn: marks.mark(conn, marks.SKEW)) < -THREE_YEARS_MS + 600_000
        states = session.store.read(lambda conn: outbox.states(conn, [behind["id"]]))
        assert states == {behind["id"]: "received"}
        clock.wall = SystemClock().wall_ms()  # somebody sets it right
        assert session.commands.run("flows.resume", run=flow["id"])["state"] == "done"
    finally:
        session.close()
    made = run.said.submissions.pop("right")
    run.said.submissions = {one["id"]: one for one in (made, behind)}
    run.heal()
    assert run.figures.ok, run.figures.document()


def test_a_laptop_that_never_knew_the_right_time_works_and_is_received(run: Run) -> None:
    """Set up, finished and sent by a laptop whose battery is flat: it believes that it is three years ago."""
    session = unlocked(run, SetClock(SystemClock().wall_ms() - THREE_YEARS_MS))
    try:
        made = finish(session)
        link = session.commands.run("links.create", url="https://www.mef.gov.kh/")
        report = replicate.once(session)
        assert report["enrolled"] and report["waiting"] == 0 and report["problems"] == []
    finally:
        session.close()
    run.said.submissions, run.said.links = {made["id"]: made}, {link["code"]}
    run.heal()
    assert run.figures.ok, run.figures.document()
