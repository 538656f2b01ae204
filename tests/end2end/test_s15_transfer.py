"""S15, an officer moves to another district: pending is zero first, the role goes with them, history stays, and the old key
signs nothing for the old office after the day. Two laptops of two offices and a hub in a process of its own."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from modules import replicate
from modules.session import Session
from sync import drafts, enrol, keys, marks, outbox, transfers
from sync.clock import SetClock
from sync.errors import Refused
from sync.officer import Officer
from tests.conftest import PASSPHRASE
from tests.sync.hub_process import Hub

HOUR = 3_600_000
DARA = PASSPHRASE + " ដារ៉ា"


@pytest.fixture
def clock() -> SetClock:
    return SetClock(time.time_ns() // 1_000_000)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    made = Hub(tmp_path / "hub").start()
    monkeypatch.setenv("SALA_ROOTS", str(tmp_path / "hub" / "roots"))
    yield made
    made.stop()


@pytest.fixture
def office(hub: Hub, tmp_path: Path, clock: SetClock) -> Iterator[Callable[..., Session]]:
    """``office("0306")``: the chief of a laptop of that office, enrolled."""
    opened: list[Session] = []

    def make(code: str) -> Session:
        pack = hub.pack(tmp_path / f"{code}.pack", code)
        unlocked = enrol.setup(
            tmp_path / code, pack, officer_name="លឹម ប្រធាន", officer_latin=f"Lim Chief {code}", role="chief",
            passphrase=PASSPHRASE, clock=clock, cost=keys.CHEAP,
        )  # fmt: skip
        opened.append(Session.open(unlocked))
        replicate.once(opened[-1])
        return opened[-1]

    yield make
    for session in opened:
        session.close()


@contextmanager
def working_as(session: Session, officer: str, passphrase: str) -> Iterator[Session]:
    """Another officer of the same laptop, in a session of their own."""
    made = Session.open(keys.unlock(session.unlocked.home, officer, passphrase, session.clock))
    try:
        yield made
    finally:
        made.close()


def link(session: Session, path: str) -> str:
    made: dict[str, Any] = session.commands.run("links.create", url=f"https://www.moi.gov.kh/{path}", title=path)
    return str(made["code"])


def labels(hub: Hub) -> dict[str, int]:
    """How many records the hub holds under each label."""
    from sync.hub.centre import open_

    centre = open_(hub.folder, SetClock(0))
    try:
        rows = centre.storage.read(
            lambda tx: tx.query(
                "SELECT label, count(*) AS n FROM op WHERE kind LIKE 'links.%' GROUP BY label ORDER BY label"
            )
        )
    finally:
        centre.close()
    return {row["label"]: row["n"] for row in rows}


def refused(work: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as caught:
        work()
    return caught.value


def test_s15_an_officer_moves_district(
    hub: Hub, office: Callable[..., Session], clock: SetClock, tmp_path: Path
) -> None:
    old, new = office("0306"), office("0307")
    dara = keys.add_officer(old.unlocked, Officer("", "ហេង ដារ៉ា", "Heng Dara", "receiving"), DARA, cost=keys.CHEAP)
    with working_as(old, "Heng Dara", DARA) as work:
        made = [link(work, f"page-{n}") for n in range(3)]
        drafts_of = work.unlocked
        drafts_of.store.write(
            lambda conn: drafts.save(conn, dara.id, drafts_of.draft_key, "d" * 32, "forms/x", "t", {}, clock.wall_ms())
        )

    # pending is not zero: the move is refused with the numbers
    def move(at_ms: int) -> bytes:
        return transfers.make(old.unlocked, dara.id, "0307", "competent", at_ms)

    told = refused(lambda: move(clock.wall_ms()))
    assert (told.code, told.values["waiting"], told.values["drafts"]) == ("SY-474", 3, 1)
    replicate.once(old)
    told = refused(lambda: move(clock.wall_ms()))
    assert (told.values["waiting"], told.values["drafts"]) == (0, 1)
    old.store.write(lambda conn: drafts.discard(conn, dara.id, "d" * 32, clock.wall_ms()))
    assert old.store.read(lambda conn: transfers.outstanding(conn, dara.id)).nothing

    # the day is in an hour: until then they work here
    at = clock.wall_ms() + HOUR
    statement = move(at)
    replicate.once(old)
    with working_as(old, "Heng Dara", DARA) as work:
        link(work, "last-day")
        replicate.once(work)
        assert labels(hub) == {"accepted": 4}

        # somebody who stays unlocked over the day signs for the old office: stored, receipted, put aside
        clock.advance(2 * HOUR)
        link(work, "too-late")
        report = replicate.once(work)
        assert report["waiting"] == 0 and report["quarantined"] == 1
        assert labels(hub) == {"accepted": 4, "q:officer": 1}

        # setting the clock back helps nobody who has heard the hub's time since
        clock.wall -= 2 * HOUR + 60_000
        work.store.write(lambda conn: marks.raise_floor(conn, marks.HUB_TIME, at + 1))
        link(work, "clock-set-back")
        replicate.once(work)
        assert labels(hub) == {"accepted": 4, "q:officer": 2}
        clock.wall += 2 * HOUR + 60_000

    # the old laptop does not unlock for them, and goes on for the others
    assert refused(lambda: keys.unlock(old.unlocked.home, "Heng Dara", DARA, clock)).code == "SY-478"
    link(old, "the-chief-goes-on")
    replicate.once(old)
    assert labels(hub) == {"accepted": 5, "q:officer": 2}
    assert transfers.settle(old.unlocked) == 1
    assert refused(lambda: keys.unlock(old.unlocked.home, "Heng Dara", DARA, clock)).code == "SY-112"

    # history stays under the old office
    assert {row["code"] for row in old.commands.run("links.list")["rows"]} >= set(made)
    assert {one["officer"] for one in old.store.read(lambda conn: outbox.history(conn, made[0]))} == {dara.id}

    # the role goes with them: the same person, new keys, the new office
    arrived = transfers.arrive(new.unlocked, statement, DARA + "២", cost=keys.CHEAP)
    assert (arrived.id, arrived.role, arrived.name) == (dara.id, "competent", "ហេង ដារ៉ា")
    assert refused(lambda: transfers.arrive(old.unlocked, statement, DARA)).code == "SY-477"
    with working_as(new, "Heng Dara", DARA + "២") as work:
        link(work, "in-the-new-office")
        replicate.once(work)
    assert labels(hub) == {"accepted": 6, "q:officer": 2}

    moves = hub.cli("officer", "moves")
    assert [(row["name"], row["from_office"], row["to_office"], row["aside"], row["made_by"]) for row in moves] == [
        ("ហេង ដារ៉ា", "0306", "0307", 2, "លឹម ប្រធាន")
    ]
    assert {(one["office"], one["role"]) for one in hub.cli("officer", "list") if one["id"] == dara.id} == {
        ("0306", "receiving"), ("0307", "competent"),
    }  # fmt: skip


def test_the_centre_moves_an_officer_whose_office_cannot(
    hub: Hub, office: Callable[..., Session], clock: SetClock, tmp_path: Path
) -> None:
    old = office("0306")
    dara = keys.add_officer(old.unlocked, Officer("", "ហេង ដារ៉ា", "Heng Dara", "receiving"), DARA, cost=keys.CHEAP)
    link(old, "so-that-something-goes")  # with it the hub is told of the new officer
    replicate.once(old)
    file = tmp_path / "dara.sala-transfer"
    said = hub.cli("officer", "move", dara.id, "--to", "0401", "--role", "competent", "--out", str(file))
    assert (said["from"], said["to"]) == ("0306", "0401")
    clock.advance(HOUR)
    with working_as(old, "Heng Dara", DARA) as work:
        link(work, "after-the-day")
        replicate.once(work)
    link(old, "the-chief-goes-on")
    replicate.once(old)
    assert labels(hub) == {"accepted": 2, "q:officer": 1}
    assert transfers.read(file.read_bytes())[0].by_name == "sala-hub"
    log = json.loads((hub.folder / "hub.json").read_text("utf-8"))
    assert log["log_name"] == "hub"


def test_who_may_not_move_anybody_moves_nobody(hub: Hub, office: Callable[..., Session], clock: SetClock) -> None:
    """A statement that a receiving officer's program signed is kept as an op, and changes nothing."""
    old = office("0306")
    dara = keys.add_officer(old.unlocked, Officer("", "ហេង ដារ៉ា", "Heng Dara", "receiving"), DARA, cost=keys.CHEAP)
    chief = old.officer.id
    with working_as(old, "Heng Dara", DARA) as work:
        replicate.once(work)
        transfers.make(work.unlocked, chief, "0307", "chief", clock.wall_ms() + HOUR)
        replicate.once(work)
    old.store.write(
        lambda conn: conn.execute("UPDATE officer SET moved_to = NULL, moved_ms = NULL WHERE id = ?", (chief,))
    )
    clock.advance(2 * HOUR)
    link(old, "still-here")
    replicate.once(old)
    assert labels(hub) == {"accepted": 1}
    assert hub.cli("officer", "moves") == []
    for to, role in (("0306", "chief"), ("ក", "chief"), ("0307", "king")):
        assert refused(lambda to=to, role=role: transfers.make(old.unlocked, dara.id, to, role, 0)).code == "SY-476"
    assert refused(lambda: transfers.make(old.unlocked, chief, "0307", "chief", 0)).code == "SY-476"
    assert refused(lambda: transfers.make(old.unlocked, "f" * 32, "0307", "chief", 0)).code == "SY-112"
