"""Laptop and hub over a line that breaks, lies or is slow, and power cuts at every point of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from sync import cutting, exchange, keys, marks, outbox, runs, wire
from sync.clock import SystemClock
from sync.errors import Known
from sync.keys import Unlocked
from sync.transport import Transport
from sync.version import VERSION
from tests.faults import children
from tests.sync.bad_line import Line, Reply, Request
from tests.sync.conftest import PASSPHRASE
from tests.sync.hub_process import Hub
from tests.sync.on_line import counts, own_ops, run, stored_ops, write_ops

# --- bad lines


def test_no_hub_loses_nothing_and_says_when_to_try_again(own_hub: Hub, join: Callable[..., Unlocked]) -> None:
    laptop = join(own_hub)
    own_hub.stop()
    write_ops(laptop)
    now = laptop.store.clock.wall_ms()
    for tries in (1, 2, 3):
        with pytest.raises(Known, match="SY-350"):
            run(laptop)
        assert laptop.store.read(lambda conn: marks.mark(conn, marks.RUN_TRIES)) == tries
        following = laptop.store.read(lambda conn: marks.mark(conn, marks.RUN_NEXT))
        assert now <= following <= laptop.store.clock.wall_ms() + 5_000 * 2**tries
    assert counts(laptop) == (5, 0, 0)
    laptop.store.write(lambda conn: marks.set_mark(conn, marks.RUN_NEXT, now + 99_000))
    assert not laptop.store.read(lambda conn: runs.due(conn, now + 98_000))
    own_hub.start()
    run(laptop)
    assert counts(laptop) == (0, 0, 5)
    assert laptop.store.read(lambda conn: marks.mark(conn, marks.RUN_NEXT)) == 0


def test_a_line_that_is_cut_in_the_middle_doubles_nothing(
    shared_hub: Hub, join: Callable[..., Unlocked], new_line: Callable[[Hub], Line]
) -> None:
    line = new_line(shared_hub)
    laptop = join(shared_hub, line.url)
    run(laptop)
    write_ops(laptop, 30)
    line.before = lambda request: "cut" if request.method == "PUT" else None
    with pytest.raises(Known, match="SY-350"):
        run(laptop)
    assert counts(laptop) == (0, 30, 0)
    line.before = lambda request: None
    line.after = lambda request, reply: "lost" if request.method == "PUT" else reply
    with pytest.raises(Known, match="SY-350"):
        run(laptop)
    assert counts(laptop) == (0, 30, 0)
    line.after = lambda request, reply: reply
    line.seen.clear()
    report = run(laptop)
    assert (report.batches_sent, report.batches_received) == (0, 1)  # the receipt was there to be asked for
    assert not any(seen.startswith("PUT") for seen in line.seen)
    assert counts(laptop) == (0, 0, 30)
    assert stored_ops(shared_hub, laptop) == own_ops(laptop)


def test_a_batch_that_the_line_fails_three_times_goes_in_smaller_ones(
    shared_hub: Hub, join: Callable[..., Unlocked], new_line: Callable[[Hub], Line]
) -> None:
    line = new_line(shared_hub)
    laptop = join(shared_hub, line.url)
    run(laptop)
    write_ops(laptop, 100, size=3_000)
    laptop.store.write(lambda conn: marks.set_mark(conn, marks.GOODPUT, 1 << 20))
    line.before = lambda request: "cut" if len(request.body) > 100_000 else None
    for _ in range(6):
        try:
            run(laptop)
        except Known:
            continue
        break
    assert counts(laptop) == (0, 0, 100)
    assert stored_ops(shared_hub, laptop) == own_ops(laptop)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Reply(200, {wire.NONCE: "00" * 16}, b"<html>thank you</html>"), "SY-360"),
        (Reply(500, {wire.NONCE: "00" * 16}, b"oops"), "SY-351"),
        ("cut", "SY-350"),
    ],
)
def test_one_stuck_batch_holds_up_nothing(
    answer: Reply | str, code: str, shared_hub: Hub, join: Callable[..., Unlocked], new_line: Callable[[Hub], Line]
) -> None:
    line = new_line(shared_hub)
    laptop = join(shared_hub, line.url)
    run(laptop)
    made = []
    for _ in range(3):
        write_ops(laptop)
        made.append(cutting.cut(laptop, VERSION))
    line.before = lambda request: answer if request.path.endswith(made[0].hex()) else None
    report = run(laptop)
    assert code in [problem["code"] for problem in report.problems]
    assert counts(laptop) == (0, 5, 10)
    stuck = laptop.store.read(outbox.summary).stuck
    assert [(item["batch"], item["code"]) for item in stuck] == [(made[0].hex(), code)]
    line.before = lambda request: None
    run(laptop)
    assert counts(laptop) == (0, 0, 15)
    assert laptop.store.read(outbox.summary).stuck == []


def test_a_batch_too_large_for_the_hub_is_cut_again_at_once(
    shared_hub: Hub, join: Callable[..., Unlocked], new_line: Callable[[Hub], Line]
) -> None:
    line = new_line(shared_hub)
    laptop = join(shared_hub, line.url)
    write_ops(laptop, 40, size=1_000)
    line.before = lambda request: (
        Reply(413, {wire.NONCE: "00" * 16}, b"at most 20000 bytes") if len(request.body) > 20_000 else None
    )
    report = run(laptop)
    assert counts(laptop) == (0, 0, 40)
    assert report.batches_sent > 1
    assert stored_ops(shared_hub, laptop) == own_ops(laptop)


def test_a_busy_hub_says_when_to_come_back(
    shared_hub: Hub, join: Callable[..., Unlocked], new_line: Callable[[Hub], Line]
) -> None:
    line = new_line(shared_hub)
    laptop = join(shared_hub, line.url)
    write_ops(laptop)
    busy = Reply(503, {"Retry-After": "120", wire.NONCE: "00" * 16}, b"")
    line.before = lambda request: busy if request.method == "PUT" else None
    report = run(laptop)
    assert [problem["code"] for problem in report.problems] == ["SY-354"]
    wait = laptop.store.read(lambda conn: marks.mark(conn, marks.RUN_NEXT)) - laptop.store.clock.wall_ms()
    assert 110_000 < wait <= 120_000
    assert counts(laptop) == (0, 5, 0)


def test_a_forged_receipt_turns_nothing_green(
    shared_hub: Hub, join: Callable[..., Unlocked], new_line: Callable[[Hub], Line]
) -> None:
    line = new_line(shared_hub)
    laptop = join(shared_hub, line.url)
    write_ops(laptop)

    def forge(request: Request, reply: Reply) -> Reply:
        if request.method != "PUT":
            return reply
        lines = reply.body.split(b"\n")
        lines[-2] = lines[-2][:-9] + b"AAAAAAA="
        return replace(reply, body=b"\n".join(lines))

    line.after = forge
    report = run(laptop)
    assert [problem["code"] for problem in report.problems] == ["SY-360"]
    assert counts(laptop) == (0, 5, 0)
    line.after = lambda request, reply: reply
    run(laptop)
    assert counts(laptop) == (0, 0, 5)


def test_a_nonce_that_was_lost_is_no_fault(
    shared_hub: Hub, join: Callable[..., Unlocked], new_line: Callable[[Hub], Line]
) -> None:
    line = new_line(shared_hub)
    laptop = join(shared_hub, line.url)
    run(laptop)
    spent = iter(["11" * 16])

    def stale(request: Request, reply: Reply) -> Reply:
        headers = {name: value for name, value in reply.headers.items() if name.lower() != wire.NONCE.lower()}
        found = next(spent, None)
        return replace(reply, headers={**headers, wire.NONCE: found}) if found else reply

    line.after = stale
    assert run(laptop).problems == []


def test_a_person_may_stop_a_run(shared_hub: Hub, join: Callable[..., Unlocked]) -> None:
    laptop = join(shared_hub)
    write_ops(laptop, 50, size=1_000)
    asked = iter([False] * 9 + [True] * 1_000)
    report = exchange.run(laptop, cancel=lambda: next(asked))
    assert report.cancelled
    assert run(laptop).problems == []
    assert counts(laptop) == (0, 0, 50)


def test_addresses_are_tried_in_turn(shared_hub: Hub, join: Callable[..., Unlocked]) -> None:
    laptop = join(shared_hub)
    with Transport(("http://127.0.0.1:9", shared_hub.url), laptop.device, timeout_s=5) as line:
        assert line.url == shared_hub.url
    for urls, code in (
        ((), "SY-355"),
        (("http://127.0.0.1:9",), "SY-350"),
        (("https://127.0.0.1:9",), "SY-350"),
        (("nonsense",), "SY-350"),
    ):
        with pytest.raises(Known) as refused, Transport(urls, laptop.device, timeout_s=2):
            pass
        assert refused.value.code == code


# --- power cuts

RUN = """
import sys
from pathlib import Path
from sync import exchange, keys
from sync.clock import SystemClock
unlocked = keys.unlock(Path(sys.argv[1]), "Sok Dara", sys.argv[2], SystemClock())
exchange.run(unlocked)
unlocked.lock()
"""
POINTS = [
    "cut:before-insert", "cut:before-commit", "send:before-put", "send:after-put", "receive:receipt", "have:before-commit",
]  # fmt: skip


@pytest.mark.parametrize("point", POINTS)
def test_a_power_cut_at_any_point_of_a_run_loses_and_doubles_nothing(
    point: str, shared_hub: Hub, join: Callable[..., Unlocked]
) -> None:
    laptop = join(shared_hub)
    home = laptop.home
    run(laptop)
    write_ops(laptop, 6)
    expected = own_ops(laptop)
    laptop.lock()
    deaths = 0
    for nth in range(1, 12):
        done = children.script(RUN, home, PASSPHRASE, SALA_FAILPOINT=f"{point}:{nth}")
        if done.returncode == 0:
            break
        deaths += 1
    assert deaths > 0
    assert done.returncode == 0
    again = keys.unlock(home, "Sok Dara", PASSPHRASE, SystemClock())
    try:
        assert again.store.read(outbox.summary).received == 6
        assert own_ops(again)[: len(expected)] == expected
        assert stored_ops(shared_hub, again) == own_ops(again)
    finally:
        again.lock()
