"""S18: a wrong clock (three years back, eight hours ahead). Nothing is blocked, records carry the doubt, the centre adds its time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from modules import housekeeping, replicate
from modules.session import Session
from sync import batch, cbor, clockwatch, enrol, keys, leases, marks, outbox, runs
from sync.clock import SetClock, SystemClock
from sync.store import Connection
from tests.conftest import PASSPHRASE
from tests.sync.hub_process import Hub

HOUR = 3_600_000
YEARS_3 = 3 * 365 * 24 * HOUR


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    made = Hub(tmp_path / "hub").start()
    yield made
    made.stop()


@pytest.fixture
def clock() -> SetClock:
    return SetClock(SystemClock().wall_ms(), 1_000, b"bootbo01")


@pytest.fixture
def office(hub: Hub, clock: SetClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """A laptop of office 0306 whose clock the test sets; everything else is real."""
    monkeypatch.setenv("SALA_ROOTS", str(hub.folder / "roots"))
    session = Session.open(
        enrol.setup(
            tmp_path / "home", hub.pack(tmp_path / "0306.pack"), officer_name="ចាន់ សុខា", officer_latin="Chan Sokha",
            passphrase=PASSPHRASE, clock=clock, cost=keys.CHEAP,
        )
    )  # fmt: skip
    yield session
    session.close()


def link(session: Session, title: str) -> str:
    """A finished piece of work with a leased code; its record."""
    session.commands.run("links.create", url="https://www.kampongcham.gov.kh/", title=title)

    def newest(conn: Connection) -> str:
        row = conn.execute("SELECT record FROM op WHERE kind = 'links.created' ORDER BY seq DESC").fetchone()
        return str(row["record"])

    return session.store.read(newest)


def doubts(session: Session, record: str) -> list[str]:
    return [line["clock"] for line in session.store.read(lambda conn: outbox.history(conn, record))]


def seen_by_the_centre(hub: Hub) -> list[dict[str, Any]]:
    """Every op of the office as the centre stored it: sequence number, wall time, floor, when it was received."""
    with closing(sqlite3.connect(next(hub.folder.glob("*.db")))) as conn:
        rows = conn.execute("SELECT raw, received_ms FROM batch").fetchall()
    ops = [
        {"seq": op.seq, "wall_ms": op.fields.wall_ms, "floor": op.fields.hub_floor_ms, "received_ms": received}
        for raw, received in rows
        for op in batch.parse(raw).ops
        if op.fields.form == "links"
    ]
    return sorted(ops, key=lambda op: int(op["seq"]))


def test_s18_a_wrong_clock_blocks_nothing(hub: Hub, clock: SetClock, office: Session) -> None:
    true = clock.wall
    first = link(office, "ត្រឹមត្រូវ")
    assert replicate.once(office)["problems"] == []
    clock.wall = max(true, SystemClock().wall_ms())  # the hub's clock is the true one
    assert housekeeping.notices(office)["clock"]["doubt"] == ""

    # --- three years back: the battery of the laptop's clock is empty, the machine was started anew
    clock.wall, clock.mono, clock.boot_id = clock.wall - YEARS_3, 10, b"bootbo02"
    state = housekeeping.notices(office)["clock"]
    assert state["doubt"] == "behind"
    assert abs(state["ahead_ms"] + YEARS_3) < 2 * 60_000, "the banner's estimate comes from signed times"
    back = [link(office, f"ថយក្រោយ {n}") for n in range(3)]
    assert all(doubts(office, record) == ["behind"] for record in back)
    assert office.store.read(lambda conn: leases.active(conn, "link-codes", clock.wall_ms())), (
        "no lease lapses or revives"
    )
    report = replicate.once(office)
    assert (report["problems"], report["waiting"]) == ([], 0)
    assert office.store.read(lambda conn: runs.due(conn, clock.wall_ms())) is False

    # --- a signed time arrived: from here the monotonic clock tells what time it is
    clock.advance(HOUR)
    state = housekeeping.notices(office)["clock"]
    assert abs(state["now_ms"] - (SystemClock().wall_ms() + HOUR)) < 2 * 60_000

    # --- somebody sets it, eight hours too far
    clock.wall = state["now_ms"] + 8 * HOUR
    state = housekeeping.notices(office)["clock"]
    assert state["doubt"] == "off"
    assert abs(state["ahead_ms"] - 8 * HOUR) < 2 * 60_000
    ahead = [link(office, f"ទៅមុខ {n}") for n in range(3)]
    assert all(doubts(office, record) == ["off"] for record in ahead)
    report = replicate.once(office)
    assert (report["problems"], report["waiting"]) == ([], 0)

    # --- and right again, as the centre has just signed: no doubt stays
    clock.wall = SystemClock().wall_ms()
    assert housekeeping.notices(office)["clock"]["doubt"] == ""
    assert doubts(office, link(office, "ត្រឹមត្រូវវិញ")) == [""]
    assert replicate.once(office)["waiting"] == 0
    assert doubts(office, first) == [""]

    # --- what the centre holds: every record, in the order in which it was made, each with the centre's own time
    ops = seen_by_the_centre(hub)
    assert [op["seq"] for op in ops] == sorted({op["seq"] for op in ops})
    assert len(ops) == 1 + 3 + 3 + 1
    now = SystemClock().wall_ms()
    assert all(abs(op["received_ms"] - now) < 10 * 60_000 for op in ops)
    words = [clockwatch.suspicious(op["wall_ms"], op["floor"], op["received_ms"]) for op in ops]
    assert words[1:4] == ["behind"] * 3
    assert words[4:7] == ["off"] * 3
    assert words[0] == ""


def test_s18_the_floor_never_falls_and_comes_with_the_pack(office: Session, clock: SetClock) -> None:
    """Also a laptop that never had a line knows that it is not earlier than the day its pack was signed."""
    signed = office.store.read(lambda conn: marks.floor(conn, marks.HUB_TIME))
    assert abs(signed - SystemClock().wall_ms()) < 10 * 60_000
    clock.wall -= YEARS_3
    record = link(office, "គ្មានអ៊ីនធឺណិត")
    assert doubts(office, record) == ["behind"]
    row = office.store.read(lambda conn: conn.execute("SELECT bytes FROM op WHERE record = ?", (record,)).fetchone())
    assert cbor.decode(row["bytes"])[8] == signed, "the op itself carries the floor, for everybody who reads it later"
