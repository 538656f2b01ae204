"""Laptop and hub over a line, the hub in a process of its own: upload, receipts, restored hubs, sticks between them."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from sync import delivery, enrol, keys, leases, marks, ops, publications, runs, wire
from sync.clock import SystemClock
from sync.keys import Unlocked
from sync.limits import CHUNK
from sync.store import Connection
from sync.transport import Transport, backoff_ms, target_size
from tests.sync.bad_line import Line, Reply, Request
from tests.sync.conftest import PASSPHRASE
from tests.sync.hub_process import Hub
from tests.sync.on_line import counts, own_ops, run, stored_ops, write_ops

# --- a good line


def test_one_run_enrols_sends_and_turns_green(shared_hub: Hub, join: Callable[..., Unlocked]) -> None:
    laptop = join(shared_hub)
    write_ops(laptop, 20)
    steps: list[str] = []
    report = run(laptop, progress=lambda step, done, total: steps.append(step))
    assert report.problems == []
    assert (report.enrolled, report.batches_cut, report.batches_sent, report.batches_received) == (True, 1, 1, 1)
    assert (report.waiting, report.quarantined) == (0, 0)
    assert counts(laptop) == (0, 0, 20)
    assert steps[0] == "connect"
    assert steps[-1] == "done"
    assert stored_ops(shared_hub, laptop) == own_ops(laptop)
    again = run(laptop)
    assert (again.batches_sent, again.batches_received, again.batches_lost, again.problems) == (0, 0, 0, [])
    assert laptop.store.read(lambda conn: marks.floor(conn, marks.HUB_TIME)) > 0
    assert abs(laptop.store.read(lambda conn: marks.mark(conn, marks.SKEW))) < 60_000
    certificate = laptop.store.read(enrol.certificate)
    assert certificate is not None
    assert certificate.office == "0306"


def test_the_same_batch_again_brings_the_identical_receipt(shared_hub: Hub, join: Callable[..., Unlocked]) -> None:
    laptop = join(shared_hub)
    write_ops(laptop)
    run(laptop)
    row = laptop.store.read(
        lambda conn: conn.execute("SELECT batch.hash, bytes, proof FROM batch JOIN receipt ON batch = hash").fetchone()
    )
    with Transport((shared_hub.url,), laptop.device) as line:
        answer = line.put(f"/v1/batches/{row['hash'].hex()}", row["bytes"])
    assert (answer.status, answer.body.decode()) == (200, row["proof"])


def test_work_before_enrolment_is_never_refused(
    shared_hub: Hub, join: Callable[..., Unlocked], new_line: Callable[[Hub], Line]
) -> None:
    line = new_line(shared_hub)
    line.before = lambda request: Reply(404, {wire.NONCE: "00" * 16}, b"") if request.path == "/v1/enrol" else None
    laptop = join(shared_hub, line.url)
    write_ops(laptop)
    report = run(laptop)
    assert not report.enrolled
    assert [problem["code"] for problem in report.problems] == ["SY-346"]
    assert counts(laptop) == (0, 0, 5)
    line.before = lambda request: None
    assert run(laptop).enrolled


def test_leases_are_refilled(shared_hub: Hub, join: Callable[..., Unlocked]) -> None:
    laptop = join(shared_hub)
    run(laptop)
    now = laptop.store.clock.wall_ms()

    def left() -> int:
        found = laptop.store.read(lambda conn: leases.active(conn, "receipt-numbers", now))
        return sum(lease.size - lease.used for lease in found)

    while left() >= 50:
        laptop.store.write(lambda conn: leases.take(conn, "receipt-numbers", now))
    run(laptop)
    assert left() >= 50


def test_a_large_backlog_goes_in_batches_fit_for_the_line(shared_hub: Hub, join: Callable[..., Unlocked]) -> None:
    laptop = join(shared_hub)
    laptop.store.write(lambda conn: marks.set_mark(conn, marks.GOODPUT, 2_000))
    write_ops(laptop, 100, size=1_000)
    report = run(laptop)
    assert report.batches_sent > 3
    sizes = laptop.store.read(lambda conn: [row["size"] for row in conn.execute("SELECT size FROM batch").fetchall()])
    assert max(sizes) <= 20_000
    assert stored_ops(shared_hub, laptop) == own_ops(laptop)
    assert laptop.store.read(lambda conn: marks.mark(conn, marks.GOODPUT)) > 2_000


def test_attachments_go_in_pieces(shared_hub: Hub, join: Callable[..., Unlocked]) -> None:
    laptop = join(shared_hub)
    blob = laptop.blobs.add(os.urandom(600_000), "image/jpeg", chunk_size=CHUNK)

    def work(conn: Connection) -> None:
        ops.append(
            conn,
            laptop,
            laptop.store.clock,
            kind="sync.review",
            record="r",
            form="f",
            def_hash=None,
            body={},
            sealed=True,
            attach=[blob],
        )

    laptop.store.write(work)
    assert run(laptop).chunks_sent == 4
    assert run(laptop).chunks_sent == 0
    name = laptop.blobs.chunks(blob)[1]
    assert next((shared_hub.folder / "chunks").rglob(name.hex())).read_bytes() == laptop.blobs.chunk(name)


# --- a hub that is not what it was


def test_a_hub_restored_from_a_backup_gets_everything_again(
    own_hub: Hub, join: Callable[..., Unlocked], tmp_path: Path
) -> None:
    laptop = join(own_hub)
    write_ops(laptop)
    run(laptop)
    own_hub.stop()
    shutil.copytree(own_hub.folder, tmp_path / "backup")
    own_hub.start()
    for _ in range(2):
        write_ops(laptop)
        run(laptop)
    own_hub.stop()
    shutil.rmtree(own_hub.folder)
    shutil.copytree(tmp_path / "backup", own_hub.folder)
    own_hub.start()
    assert counts(laptop) == (0, 0, 15)
    report = run(laptop)
    assert "SY-320" in [problem["code"] for problem in report.problems]
    assert report.batches_lost == 2
    assert (report.batches_sent, counts(laptop)) == (2, (0, 0, 15))
    assert stored_ops(own_hub, laptop) == own_ops(laptop)


def test_have_want_finds_single_losses(
    shared_hub: Hub, join: Callable[..., Unlocked], new_line: Callable[[Hub], Line]
) -> None:
    line = new_line(shared_hub)
    laptop = join(shared_hub, line.url)
    for _ in range(3):
        write_ops(laptop)
        run(laptop)
    lost = laptop.store.read(lambda conn: conn.execute("SELECT hash FROM batch ORDER BY first_seq").fetchall())[1][
        "hash"
    ]

    def claims(request: Request, reply: Reply) -> Reply:
        if request.path != "/v1/have":
            return reply
        return replace(reply, body=replace(wire.read_missing(reply.body), batches=[lost]).encode())

    line.after = claims
    report = run(laptop)
    assert (report.batches_lost, report.batches_sent) == (1, 1)
    assert counts(laptop) == (0, 0, 15)


def test_a_laptop_restored_from_an_old_copy_gets_keys_of_its_own(
    shared_hub: Hub, join: Callable[..., Unlocked], tmp_path: Path
) -> None:
    laptop = join(shared_hub)
    write_ops(laptop)
    run(laptop)
    laptop.lock()
    shutil.copytree(laptop.home, tmp_path / "copy")
    later = keys.unlock(laptop.home, "Sok Dara", PASSPHRASE, SystemClock())
    write_ops(later)
    run(later)
    later.lock()
    old = keys.unlock(tmp_path / "copy", "Sok Dara", PASSPHRASE, SystemClock())
    try:
        report = run(old)
        assert (report.rekeyed, report.problems) == (True, [])
        write_ops(old, 9)
        report = run(old)
        assert (report.quarantined, report.problems) == (0, [])  # nothing forks: it began a chain of its own in time
        assert counts(old) == (0, 0, 14)
    finally:
        old.lock()


def test_a_revoked_laptop_is_told_and_refused_nothing(own_hub: Hub, join: Callable[..., Unlocked]) -> None:
    laptop = join(own_hub)
    write_ops(laptop)
    run(laptop)
    own_hub.cli("revoke", laptop.device.device_id.hex())
    write_ops(laptop)
    report = run(laptop)
    assert [problem["code"] for problem in report.problems] == ["SY-322"]
    assert (report.quarantined, counts(laptop)) == (1, (0, 0, 10))


def test_publications_come_down_over_the_line(own_hub: Hub, join: Callable[..., Unlocked], tmp_path: Path) -> None:
    laptop = join(own_hub)
    run(laptop)
    (tmp_path / "prices.json").write_text("{}")
    own_hub.cli("publish", str(tmp_path / "prices.json"), "--under", "prices")
    assert run(laptop).publications == ["prices/prices.json"]
    assert laptop.store.read(lambda conn: publications.get(conn, "prices/prices.json")) == b"{}"


def test_the_stick_adds_nothing_to_what_came_by_line(
    own_hub: Hub, join: Callable[..., Unlocked], tmp_path: Path
) -> None:
    from sync import courier

    laptop = join(own_hub)
    write_ops(laptop, 8)
    handed = courier.export(laptop, tmp_path / "stick")
    run(laptop)
    assert counts(laptop) == (0, 0, 8)
    taken = own_hub.cli("import", str(tmp_path / "stick"))
    assert handed.batches == 1
    assert taken["new_ops"] == 0
    assert stored_ops(own_hub, laptop) == own_ops(laptop)


def test_a_laptop_without_any_line_is_enrolled_and_received_by_stick(
    own_hub: Hub, join: Callable[..., Unlocked], tmp_path: Path
) -> None:
    from sync import courier

    laptop = join(own_hub)
    write_ops(laptop, 8)
    courier.export(laptop, tmp_path / "stick")
    assert own_hub.cli("import", str(tmp_path / "stick"))["new_ops"] > 0
    taken = courier.import_(laptop, tmp_path / "stick")
    assert taken.problems == []
    assert (taken.enrolled, taken.waiting) == (True, 0)
    assert f"leases/{laptop.device.device_id.hex()}.cbor" in taken.publications
    assert counts(laptop) == (0, 0, 8)
    assert stored_ops(own_hub, laptop) == own_ops(laptop)


# --- small laws


def test_back_off_grows_spreads_and_never_gives_up() -> None:
    assert [backoff_ms(tries, lambda: 1.0) for tries in (0, 1, 2, 3, 9, 10, 50, 10_000)] == [
        5_000, 10_000, 20_000, 40_000, 2_560_000, 3_600_000, 3_600_000, 3_600_000,
    ]  # fmt: skip
    assert backoff_ms(5, lambda: 0.0) == 0
    assert [target_size(rate) for rate in (0, 1, 2_000, 10**9)] == [65_536, 8_192, 20_000, 1 << 20]


def test_a_run_is_due_when_there_is_a_reason(shared_hub: Hub, join: Callable[..., Unlocked]) -> None:
    laptop = join(shared_hub)
    now = laptop.store.clock.wall_ms

    def due(later_ms: int = 0) -> bool:
        return laptop.store.read(lambda conn: runs.due(conn, now() + later_ms))

    assert due()  # never reached the hub yet
    run(laptop)
    assert not due()
    write_ops(laptop)
    assert not due()
    assert due(120_000)  # two minutes to fill, then it goes
    write_ops(laptop, 40, size=20_000)
    assert due()  # enough for a batch
    run(laptop)
    assert not due()
    assert due(31 * 60_000)  # publications may have come
    time.sleep(0)
    assert laptop.store.read(delivery.pending) == []


def test_two_laptops_of_one_office_draw_from_disjoint_blocks(shared_hub: Hub, join: Callable[..., Unlocked]) -> None:
    blocks: dict[str, list[dict[str, Any]]] = {}
    for _ in range(2):
        laptop = join(shared_hub)
        now = laptop.store.clock.wall_ms()
        for resource in ("link-codes", "certificate-numbers", "receipt-numbers"):
            found = laptop.store.read(partial(leases.active, resource=resource, now_ms=now))
            blocks.setdefault(resource, []).extend({**lease.content, "size": lease.size} for lease in found)
    codes = sorted((block["from"], block["to"]) for block in blocks["link-codes"])
    assert all(end < start for (_, end), (start, _) in pairwise(codes))
    for resource in ("certificate-numbers", "receipt-numbers"):
        numbers = [
            (block["prefix"], n)
            for block in blocks[resource]
            for n in range(block["first"], block["first"] + block["size"])
        ]
        assert len(numbers) == len(set(numbers)) >= 200
