"""One item in trouble never holds up another: batches, ops, pieces of attachments; records go before scans; the speed is bounded."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sync import batch, cutting, delivery, enrol, exchange, keys, line, marks, ops, outbox, pieces, runs, wire
from sync.clock import SetClock, SystemClock
from sync.errors import Known, Refused
from sync.keys import Unlocked
from sync.limits import CHUNK_SLOW, KIB
from sync.store import Connection
from sync.throttle import Throttle
from sync.version import VERSION
from tests.sync.bad_line import Line, Reply, Request
from tests.sync.conftest import PASSPHRASE
from tests.sync.hub_process import Hub

NONCE = {wire.NONCE: "00" * 16}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    made = Hub(tmp_path_factory.mktemp("items") / "data").start()
    yield made
    made.stop()


@pytest.fixture
def between(hub: Hub) -> Iterator[Line]:
    made = Line(hub.url)
    yield made
    made.close()


@pytest.fixture
def laptop(hub: Hub, between: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Unlocked]:
    """Enrolled, with nothing that waits, behind the line ``between``."""
    monkeypatch.setenv("SALA_ROOTS", str(hub.folder / "roots"))
    made = enrol.setup(
        tmp_path / "home", hub.pack_for(tmp_path / "office.salapack", between.url), officer_name="សុខ ដារ៉ា",
        officer_latin="Sok Dara", passphrase=PASSPHRASE, clock=SystemClock(), cost=keys.CHEAP,
    )  # fmt: skip
    assert exchange.run(made).enrolled
    yield made
    made.lock()


def write(laptop: Unlocked, n: int = 1, *, size: int = 40, attach: list[str] | None = None) -> list[bytes]:
    """``n`` ops; their hashes."""

    def work(conn: Connection) -> list[bytes]:
        return [
            bytes.fromhex(
                ops.append(
                    conn, laptop, laptop.store.clock, kind="sync.review", record=os.urandom(4).hex(), form="forms",
                    def_hash=None, body={"text": os.urandom(size // 2).hex()}, sealed=True, attach=attach or [],
                )
            )
            for _ in range(n)
        ]  # fmt: skip

    return laptop.store.write(work)


def scan(laptop: Unlocked, size: int = 150_000) -> str:
    return laptop.blobs.add(os.urandom(size), "image/png")


def state_of(laptop: Unlocked) -> tuple[int, int]:
    """Ops that wait, and ops that were received."""
    found = laptop.store.read(outbox.summary)
    return found.waiting + found.sending, found.received + found.stable


def holds(request: Request, op: bytes) -> bool:
    """Whether the batch of this request holds the op."""
    if "/v1/batches/" not in request.path:
        return False
    return any(one.hash == op for one in batch.parse(request.body).ops)


# --- ops and batches


def test_one_op_that_the_hub_cannot_read_stays_behind_alone(between: Line, laptop: Unlocked) -> None:
    before = state_of(laptop)[1]
    made = write(laptop, 40)
    poison = made[17]
    between.before = lambda request: Reply(422, NONCE, b"batch: op") if holds(request, poison) else None
    report = exchange.run(laptop)
    assert state_of(laptop) == (1, before + 39)
    assert "SY-357" in [problem["code"] for problem in report.problems]
    stuck = laptop.store.read(outbox.summary).stuck
    assert [item["code"] for item in stuck] == ["SY-357"]
    alone = laptop.store.read(delivery.pending)[0]
    assert alone.first_seq == alone.last_seq
    seen = len(between.seen)
    exchange.run(laptop, asked=False)
    assert not any("PUT" in one for one in between.seen[seen:]), "by itself it is tried again slowly"
    write(laptop, 3)
    exchange.run(laptop, asked=False)
    assert state_of(laptop) == (1, before + 42), "what is new goes by"
    between.before = lambda request: None
    exchange.run(laptop)
    assert state_of(laptop) == (0, before + 43)
    assert laptop.store.read(outbox.summary).stuck == []


def test_two_ops_that_the_hub_cannot_read(between: Line, laptop: Unlocked) -> None:
    before = state_of(laptop)[1]
    made = write(laptop, 30)
    bad = {made[2], made[28]}
    between.before = lambda request: (
        Reply(422, NONCE, b"batch: op") if any(holds(request, one) for one in bad) else None
    )
    for _ in range(3):
        exchange.run(laptop)
    assert state_of(laptop) == (2, before + 28)


def test_a_hub_that_can_read_nothing_does_not_grind_the_outbox_to_dust(between: Line, laptop: Unlocked) -> None:
    write(laptop, 200)
    between.before = lambda request: Reply(422, NONCE, b"batch: version") if request.method == "PUT" else None
    exchange.run(laptop)
    parts = laptop.store.read(delivery.pending)
    assert len(parts) <= 30, "two hundred would be dust"
    assert sum(part.last_seq - part.first_seq + 1 for part in parts) >= 200
    between.before = lambda request: None
    assert exchange.run(laptop).problems == []
    assert state_of(laptop)[0] == 0


@pytest.mark.parametrize("status", [500, 418, 409])
def test_a_batch_with_an_odd_answer_waits_alone(status: int, between: Line, laptop: Unlocked) -> None:
    before = state_of(laptop)[1]
    made = []
    for _ in range(3):
        write(laptop, 2)
        made.append(cutting.cut(laptop, VERSION))
    first = made[0] or b""
    between.before = lambda request: Reply(status, NONCE, b"?") if request.path.endswith(first.hex()) else None
    exchange.run(laptop)
    assert state_of(laptop) == (2, before + 4)
    stuck = laptop.store.read(outbox.summary).stuck
    assert [(item["batch"], item["code"]) for item in stuck] == [(first.hex(), "SY-351")]


# --- attachments


@pytest.mark.parametrize(("status", "body"), [(413, b"at most"), (422, b"chunk: hash"), (500, b""), (404, b"no hash")])
def test_a_piece_that_is_not_taken_waits_alone(status: int, body: bytes, between: Line, laptop: Unlocked) -> None:
    blob = scan(laptop)
    names = laptop.blobs.chunks(blob)
    write(laptop, 1, attach=[blob])
    write(laptop, 1, attach=[scan(laptop, 30_000)])
    between.before = lambda request: Reply(status, NONCE, body) if request.path.endswith(names[1].hex()) else None
    report = exchange.run(laptop)
    assert state_of(laptop)[0] == 0, "the records are there"
    assert report.chunks_sent == 1 + len(names) - 1 + 2
    assert [problem["code"] for problem in report.problems] == ["SY-428"]
    found = laptop.store.read(outbox.summary)
    assert (found.chunks, [item["code"] for item in found.pieces]) == (1, ["SY-428"])
    assert found.pieces[0]["piece"] == names[1].hex() and found.pieces[0]["record"]
    assert found.pieces[0]["next_try_ms"] >= laptop.store.clock.wall_ms() + 50_000
    seen = len(between.seen)
    assert not laptop.store.read(lambda conn: runs.due(conn, laptop.store.clock.wall_ms()))
    exchange.run(laptop, asked=False)
    assert not any("PUT" in one for one in between.seen[seen:])
    between.before = lambda request: None
    assert exchange.run(laptop).chunks_sent == 1
    assert laptop.store.read(outbox.summary).pieces == []


def test_a_piece_that_is_damaged_here_holds_up_no_other(between: Line, laptop: Unlocked) -> None:
    blob = scan(laptop)
    write(laptop, 1, attach=[blob])
    bad, gone = laptop.blobs.chunks(blob)[:2]
    laptop.blobs.path(bad).write_bytes(b"rot")
    laptop.blobs.path(gone).unlink()
    report = exchange.run(laptop)
    assert [problem["code"] for problem in report.problems] == ["SY-141", "SY-141"]
    assert laptop.store.read(pieces.count) == 2
    assert report.chunks_sent == 1 + len(laptop.blobs.chunks(blob)) - 2


def test_pieces_go_oldest_first_and_never_again(between: Line, laptop: Unlocked) -> None:
    blobs = [scan(laptop) for _ in range(3)]
    for blob in blobs:
        write(laptop, 1, attach=[blob])
    cut_after = iter([False] * 4 + [True] * 100)
    between.before = lambda request: "cut" if "/v1/chunks/" in request.path and next(cut_after) else None
    with pytest.raises(Known, match="SY-350"):
        exchange.run(laptop)
    sent = [one.rpartition("/")[2] for one in between.seen if "/v1/chunks/" in one][:4]
    between.before = lambda request: None
    outlook = laptop.store.read(lambda conn: runs.outlook(conn, laptop.store.clock.wall_ms()))
    assert outlook.tries == 1, "a run that moved something begins to count anew"
    between.seen.clear()
    exchange.run(laptop)
    again = [one.rpartition("/")[2] for one in between.seen if "/v1/chunks/" in one]
    wanted = [name for blob in blobs for name in (blob, *(piece.hex() for piece in laptop.blobs.chunks(blob)))]
    assert sent + again == wanted


def test_a_record_finished_meanwhile_goes_before_the_next_piece(between: Line, laptop: Unlocked) -> None:
    for _ in range(3):
        write(laptop, 1, attach=[scan(laptop)])
    written: list[bytes] = []

    def interfere(request: Request) -> None:
        if "/v1/chunks/" in request.path and not written and len(between.seen) > 8:
            written.extend(write(laptop, 1))

    between.before = interfere
    exchange.run(laptop)
    kinds = [one.split("/")[2] for one in between.seen if one.startswith("PUT")]
    place = len(kinds) - 1 - kinds[::-1].index("batches")
    assert written and kinds[place + 1 :].count("chunks") > 4, "the scans waited for it"
    assert state_of(laptop)[0] == 0


def test_scans_keep_to_their_hours_and_records_do_not(between: Line, laptop: Unlocked) -> None:
    closed = line.Settings(hours=((0, 1),))
    now = laptop.store.clock.wall_ms()
    if line.attachments_may_go(closed, now):
        closed = line.Settings(hours=((600, 601),))
    laptop.store.write(lambda conn: line.keep(conn, closed))
    write(laptop, 1, attach=[scan(laptop)])
    report = exchange.run(laptop)
    assert (state_of(laptop)[0], report.chunks_sent) == (0, 0)
    now = laptop.store.clock.wall_ms()
    assert not laptop.store.read(lambda conn: runs.due(conn, now))
    outlook = laptop.store.read(lambda conn: runs.outlook(conn, now))
    assert now < outlook.scans_from_ms <= now + 86_400_000
    assert laptop.store.read(lambda conn: runs.due(conn, outlook.scans_from_ms))
    laptop.store.write(lambda conn: line.keep(conn, line.Settings()))
    assert exchange.run(laptop).chunks_sent > 0


def test_what_waited_for_the_line_goes_when_the_network_changes(between: Line, laptop: Unlocked) -> None:
    write(laptop)
    between.before = lambda request: "cut"
    for _ in range(6):
        with pytest.raises(Known):
            exchange.run(laptop)
    now = laptop.store.clock.wall_ms()
    laptop.store.write(lambda conn: marks.set_mark(conn, marks.RUN_NEXT, now + 3_000_000))
    assert not laptop.store.read(lambda conn: runs.due(conn, now + 200_000))
    laptop.store.write(runs.wake)
    assert laptop.store.read(lambda conn: runs.due(conn, now + 200_000))
    between.before = lambda request: None
    exchange.run(laptop, asked=False)
    assert state_of(laptop)[0] == 0


# --- the speed


def test_the_speed_is_bounded_in_both_directions(between: Line, laptop: Unlocked) -> None:
    write(laptop, 1, attach=[scan(laptop, 120_000)])
    laptop.store.write(lambda conn: line.keep(conn, line.Settings(cap_kb=60)))
    began = time.monotonic()
    assert exchange.run(laptop).chunks_sent > 0
    assert time.monotonic() - began >= 120_000 / 60_000 * 0.8


def test_a_run_at_a_crawl_can_be_stopped(between: Line, laptop: Unlocked) -> None:
    write(laptop, 1, attach=[scan(laptop, 200_000)])
    laptop.store.write(lambda conn: line.keep(conn, line.Settings(cap_kb=1)))
    stopped = threading.Event()
    threading.Timer(1.5, stopped.set).start()
    began = time.monotonic()
    assert exchange.run(laptop, cancel=stopped.is_set).cancelled
    assert time.monotonic() - began < 8


def test_a_metered_line_packs_smaller_and_cuts_small_pieces(laptop: Unlocked) -> None:
    laptop.store.write(lambda conn: marks.set_mark(conn, marks.GOODPUT, 10_000_000))
    fast = laptop.store.read(line.chunk_size)
    laptop.store.write(lambda conn: line.keep(conn, line.Settings(metered=True)))
    assert (fast, laptop.store.read(line.chunk_size)) == (256 * KIB, CHUNK_SLOW)
    assert laptop.store.read(line.read).level() == 19


class _Time:
    def __init__(self) -> None:
        self.now, self.slept = 0.0, 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds


@pytest.mark.parametrize("rate", [1_000, 5_000, 1_000_000])
def test_a_token_bucket_never_lets_more_through(rate: int) -> None:
    clock = _Time()
    throttle = Throttle(rate, now=lambda: clock.now, sleep=clock.sleep)
    passed = 0
    while clock.now < 20:
        throttle.take(throttle.slice)
        passed += throttle.slice
        assert passed <= rate * (clock.now + 0.5) + throttle.slice
    assert passed >= rate * 19
    clock.now += 100  # a rest is no credit
    at = clock.now
    for _ in range(40):
        throttle.take(throttle.slice)
    assert (clock.now - at) >= 40 * throttle.slice / rate - 0.3


def test_without_a_bound_nothing_waits() -> None:
    clock = _Time()
    throttle = Throttle(0, now=lambda: clock.now, sleep=clock.sleep)
    throttle.take(1 << 30)
    assert (clock.slept, throttle.slice) == (0.0, 16 * KIB)


# --- settings

AT = 1_795_000_000_000


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("12:00-13:30", ((720, 810),)), ("១២:០០-១៣:៣០, 17:00–07:00", ((720, 810), (1020, 420))), ("", ()),
        ("8:00 - 24:00", ((480, 1440),)),
    ],
)  # fmt: skip
def test_hours_are_read_as_people_write_them(text: str, hours: Any) -> None:
    assert line.parse_hours(text) == hours
    assert line.parse_hours(line.say_hours(hours)) == hours


@pytest.mark.parametrize("text", ["noon", "12-13", "25:00-26:00", "12:60-13:00", "12:00-12:00", "12:00-13:00 14:00-15:00",
                                  ",".join(["1:00-2:00"] * 9)])  # fmt: skip
def test_other_hours_are_refused(text: str) -> None:
    with pytest.raises(Refused, match="SY-427"):
        line.parse_hours(text)


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("10.0.0.1:3128", "http://10.0.0.1:3128"),
        (" http://p ", "http://p:8080"),
        ("https://[::1]:1", "https://[::1]:1"),
    ],
)
def test_a_proxys_address_is_read(typed: str, address: str) -> None:
    assert line.proxy_address(typed) == address


@pytest.mark.parametrize(
    "typed", ["", "ftp://p", "http://u:p@h:1", "http://h/x", "h:0", "h:99999", "http://h?x", "h" * 300]
)
def test_other_addresses_are_refused(typed: str) -> None:
    with pytest.raises(Refused, match="SY-426"):
        line.proxy_address(typed)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        (line.Settings(proxy="tor"), "SY-426"), (line.Settings(proxy="manual"), "SY-426"), (line.Settings(cap_kb=-1), "SY-429"),
        (line.Settings(cap_kb=10**9), "SY-429"), (line.Settings(hours=((0, 0),)), "SY-427"),
        (line.Settings(proxy_user="x" * 201), "SY-426"),
    ],
)  # fmt: skip
def test_settings_that_do_not_hold_together_are_not_kept(settings: line.Settings, code: str, laptop: Unlocked) -> None:
    with pytest.raises(Refused, match=code):
        laptop.store.write(lambda conn: line.keep(conn, settings))
    assert laptop.store.read(line.read) == line.Settings()


def test_settings_are_kept_whole_and_the_password_is_never_shown(laptop: Unlocked) -> None:
    kept = line.Settings(
        proxy="manual", proxy_url="http://p:1", proxy_user="u", proxy_password="សម្ងាត់", cap_kb=50, metered=True,
        hours=((720, 810), (1020, 420)),
    )  # fmt: skip
    laptop.store.write(lambda conn: line.keep(conn, kept))
    assert laptop.store.read(line.read) == kept
    shown = line.shown(kept)
    assert shown["has_password"] and "សម្ងាត់" not in str(shown)
    assert b"\xe1\x9e\x9f\xe1\x9e\x98\xe1\x9f\x92\xe1\x9e\x84" not in (laptop.home / "office.db").read_bytes()


def test_hours_over_midnight() -> None:
    clock = SetClock(AT)  # 18 November 2026, 18:06 in Phnom Penh
    night = line.Settings(hours=((1020, 420),))
    assert line.attachments_may_go(night, clock.wall_ms())
    assert line.opens_ms(night, clock.wall_ms()) == clock.wall_ms()
    noon = line.Settings(hours=((720, 810),))
    assert not line.attachments_may_go(noon, clock.wall_ms())
    opens = line.opens_ms(noon, clock.wall_ms())
    assert line.attachments_may_go(noon, opens) and not line.attachments_may_go(noon, opens - 1)
    assert 0 < opens - clock.wall_ms() < 86_400_000
