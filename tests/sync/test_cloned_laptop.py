"""Two laptops with one key: evidence, re-key, numbers, and what the centre sees. Real hub over loopback."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sync import audit_export, cbor, courier, enrol, exchange, keys, leases, ops, outbox, rekey, succession
from sync.cbor import Malformed
from sync.clock import SystemClock
from sync.keys import Unlocked
from sync.store import Connection
from tests.sync.conftest import PASSPHRASE
from tests.sync.hub_process import Hub

PROGRAM = Path(__file__).parents[2] / "tools" / "programs" / "auditverify.py"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    made = Hub(tmp_path_factory.mktemp("hub") / "data").start()
    yield made
    made.stop()


@pytest.fixture
def twins(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., list[Unlocked]]]:
    """``twins(n, works)``: a laptop at work that was then copied, so that ``n`` of it are there."""
    monkeypatch.setenv("SALA_ROOTS", str(hub.folder / "roots"))
    made: list[Unlocked] = []

    def make(n: int = 2, works: int = 3) -> list[Unlocked]:
        pack = tmp_path / "one.pack"
        hub.pack(pack)
        first = enrol.setup(
            tmp_path / "home-0", pack, officer_name="សុខ ដារ៉ា", officer_latin="Sok Dara", passphrase=PASSPHRASE,
            clock=SystemClock(), cost=keys.CHEAP,
        )  # fmt: skip
        work(first, works, "before")
        exchange.run(first)
        first.lock()
        for number in range(1, n):
            shutil.copytree(tmp_path / "home-0", tmp_path / f"home-{number}")
        made.extend(keys.unlock(tmp_path / f"home-{n_}", "Sok Dara", PASSPHRASE, SystemClock()) for n_ in range(n))
        return made

    yield make
    for unlocked in made:
        unlocked.lock()


def work(unlocked: Unlocked, n: int, what: str) -> list[tuple[str, int]]:
    """``n`` ops, each with a leased certificate number; the numbers (lease, n)."""
    taken: list[tuple[str, int]] = []

    def one(conn: Connection) -> None:
        unlocked.current(conn)
        lease, number = leases.take(conn, "certificate-numbers", unlocked.store.clock.wall_ms())
        prefix, first = lease.content["prefix"], lease.content["first"]
        taken.append((f"{prefix}{first + number:06d}", number))
        ops.append(
            conn, unlocked, unlocked.store.clock, kind="links.created", record=f"{what}/{number}", form="links",
            def_hash=None, body={"note": what, "number": taken[-1][0]}, sealed=False,
        )  # fmt: skip

    for _ in range(n):
        unlocked.store.write(one)
    return taken


def rows(hub: Hub, sql: str, *values: object) -> list[tuple[Any, ...]]:
    with sqlite3.connect(next(hub.folder.glob("*.db"))) as conn:
        return conn.execute(sql, values).fetchall()


def labels(hub: Hub, *laptops: bytes) -> dict[str, int]:
    marks_ = ", ".join("?" * len(laptops))
    return dict(
        rows(
            hub,
            f"SELECT label, count(*) FROM op WHERE form = 'links' AND device IN ({marks_}) GROUP BY label",
            *laptops,
        )
    )


def free(unlocked: Unlocked) -> int:
    now = unlocked.store.clock.wall_ms()
    return unlocked.store.read(
        lambda conn: sum(one.size - one.used for one in leases.active(conn, "certificate-numbers", now))
    )


def audited(hub: Hub, laptop: Unlocked) -> list[int]:
    """The centre holds the laptop's audit log for sound; the sizes from which its checkpoints prove that."""
    hub.cli("audit", "list")
    device = laptop.device.device_id
    verdicts = {row[0] for row in rows(hub, "SELECT verdict FROM p_audit_mark WHERE device = ?", device.hex())}
    assert verdicts == {"sound"}
    sql = "SELECT bytes FROM op WHERE kind = 'sync.audit_checkpoint' AND device = ? ORDER BY seq"
    found = laptop.store.read(lambda conn: conn.execute(sql, (device,)).fetchall())
    return [cbor.decode(row["bytes"])[10]["after"] for row in found]


def inspected(hub: Hub, laptop: Unlocked, folder: Path, device: bytes) -> int:
    """What the inspector's program says of the laptop's log, held against the centre's word about ``device``."""
    audit_export.write(laptop, folder / "log.jsonl")
    hub.cli("audit", "note", device.hex(), "--out", str(folder / "note.txt"))
    brought = ["--seen", str(folder / "note.txt"), "--key", hub.cli("audit", "key")["key"]]
    command = [sys.executable, str(PROGRAM), str(folder / "log.jsonl"), *brought]
    return subprocess.run(command, capture_output=True, check=False).returncode


def test_the_second_copy_becomes_a_laptop_of_its_own(
    hub: Hub, twins: Callable[..., list[Unlocked]], tmp_path: Path
) -> None:
    first, second = twins()
    old = first.device.device_id
    work(first, 2, "left")
    exchange.run(first)
    work(second, 4, "right")
    report = exchange.run(second)
    assert report.rekeyed
    assert report.problems == []
    assert second.device.device_id != old
    assert second.store.read(enrol.certificate).predecessor == old  # type: ignore[union-attr]
    assert second.store.read(outbox.summary).received == 7, "what it did under the old key is receipted, all of it"
    assert free(second) > 0, "with numbers of its own in the same run"

    left, right = work(first, 30, "left"), work(second, 30, "right")
    assert not {number for number, _ in left} & {number for number, _ in right}
    assert exchange.run(first).problems == exchange.run(second).problems == []
    assert first.device.device_id == old, "the copy that the hub follows goes on as before"
    assert exchange.run(second).batches_cut == 0
    assert labels(hub, old, second.device.device_id) == {"accepted": 3 + 2 + 30 + 30, "q:fork": 4}
    assert audited(hub, second)[0] > 0, "proven from what both copies share"
    audited(hub, first)
    for note, code in ((second.device.device_id, 0), (old, 2)):
        assert inspected(hub, second, tmp_path, note) == code


def test_a_laptop_put_back_from_an_old_copy_is_behind(hub: Hub, twins: Callable[..., list[Unlocked]]) -> None:
    first, second = twins()
    old = first.device.device_id
    used = work(first, 5, "lost later")
    exchange.run(first)
    report = exchange.run(second)
    assert (report.rekeyed, report.problems) == (True, [])
    assert free(second) > 0
    new = work(second, 5, "after")
    assert not {number for number, _ in used} & {number for number, _ in new}
    assert exchange.run(second).problems == []
    assert labels(hub, old, second.device.device_id) == {"accepted": 3 + 5 + 5}
    assert audited(hub, second)[0] > 0
    told = second.store.read(rekey.told)
    assert told is not None
    assert (told.cause, told.number > 1) == ("behind", True)
    second.store.write(lambda conn: rekey.seen(conn, 5))
    assert second.store.read(rekey.told) is None


def test_three_copies_never_share_a_number_once_the_centre_has_seen_them(
    hub: Hub, twins: Callable[..., list[Unlocked]]
) -> None:
    copies = twins(3)
    for number, copy in enumerate(copies):
        work(copy, 1 + number, f"copy {number}")
    for _ in range(2):
        for copy in copies:
            assert exchange.run(copy).problems == []
    assert len({copy.device.device_id for copy in copies}) == 3
    drawn = [{number for number, _ in work(copy, 40, "more")} for copy in copies]
    assert len(set.union(*drawn)) == 120
    for copy in copies:
        assert exchange.run(copy).problems == []
        assert copy.store.read(outbox.summary).waiting == 0


def test_open_windows_of_other_officers_go_on_with_the_new_keys(hub: Hub, twins: Callable[..., list[Unlocked]]) -> None:
    first, second = twins()
    other = keys.unlock(second.home, "Sok Dara", PASSPHRASE, SystemClock())
    try:
        blob = other.blobs.add(b"scan", "image/png")
        work(first, 1, "left")
        exchange.run(first)
        work(second, 1, "right")
        assert exchange.run(second).rekeyed
        work(other, 3, "another window")
        assert other.device.device_id == second.device.device_id
        assert bytes(other.office_key) == bytes(second.office_key)
        assert other.blobs.read(blob) == b"scan"
        assert other.blobs.read(other.blobs.add(b"another", "image/png")) == b"another"
        assert exchange.run(other).problems == []
        assert second.store.read(outbox.summary).waiting == 0
    finally:
        other.lock()


def test_a_line_that_breaks_before_the_enrolment_only_delays_it(hub: Hub, twins: Callable[..., list[Unlocked]]) -> None:
    first, second = twins()
    work(first, 1, "left")
    exchange.run(first)
    work(second, 1, "right")
    exchange.run(second)
    new = second.device.device_id
    second.store.write(lambda conn: conn.execute("UPDATE identity SET certificate = NULL WHERE retired_ms IS NULL"))
    rows_ = second.store.read(lambda conn: conn.execute("SELECT request FROM rekey").fetchall())
    assert rows_[0]["request"] is None, "the answered request is forgotten: it holds whole batches"
    assert exchange.run(second).enrolled is False
    assert second.device.device_id == new


def test_a_revoked_laptop_gets_no_successor(hub: Hub, twins: Callable[..., list[Unlocked]]) -> None:
    first, second = twins()
    old = first.device.device_id
    work(first, 1, "left")
    exchange.run(first)
    hub.cli("revoke", old.hex())
    work(second, 2, "right")
    report = exchange.run(second)
    assert not report.rekeyed
    assert "SY-400" in [problem["code"] for problem in report.problems]
    assert second.store.read(enrol.certificate) is None
    assert second.store.read(outbox.summary).waiting == 0, "what it did is at the centre all the same"


def test_evidence_proves_itself(hub: Hub, twins: Callable[..., list[Unlocked]]) -> None:
    """Every altered byte is noticed, and a hub alone cannot make any: the device's own signature is inside."""
    first, second = twins()
    work(first, 1, "left")
    exchange.run(first)
    work(second, 1, "right")
    exchange.run(second)
    from sync import cbor, cose, office

    centre = second.store.read(office.centre)
    assert centre is not None
    fork = rows(hub, "SELECT op FROM fork WHERE device = ?", first.device.device_id)
    assert len(fork) == 1
    from sync.hub import centre as centres
    from sync.hub import forks

    opened = centres.open_(hub.folder, SystemClock())
    try:
        row = opened.storage.read(lambda tx: forks.one(tx, fork[0][0]))
        assert row is not None
        data = succession.issue_evidence(
            opened.storage.read(lambda tx: forks.evidence(tx, row, 5)), opened.keys.log, b"kkkk"
        )
        key = opened.keys.log
        sides = opened.storage.read(lambda tx: forks.view(opened, tx, fork[0][0]))
    finally:
        opened.close()
    assert sides is not None
    assert sides["left"][0]["label"] == "accepted"
    assert {row["label"] for row in sides["right"]} == {"q:fork"}
    found = succession.read_evidence(data, centre.log.public)
    assert found.children[1] == fork[0][0]
    for place in range(0, len(data), 37):
        with pytest.raises(Malformed):
            succession.read_evidence(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :], centre.log.public)

    def forged(**changes: Any) -> bytes:
        from dataclasses import replace

        return succession.issue_evidence(replace(found, **changes), key, b"kkkk")

    for changes in (
        {"batches": (found.batches[0], found.batches[0])}, {"seq": found.seq + 1}, {"parent": bytes(32)},
        {"device_id": bytes(16)}, {"batches": (found.batches[0], b"x")}, {"batches": found.batches * 2}, {"seq": 0},
    ):  # fmt: skip
        with pytest.raises(Malformed):
            succession.read_evidence(forged(**changes), centre.log.public)
    for payload in (cbor.encode({1: 1}), cbor.encode({1: 1, 2: bytes(16), 3: 1, 4: bytes(32), 5: [b"", 1], 6: 1})):
        signed = cose.sign(key, payload, content_type="application/sala-fork+cbor", key_id=b"kkkk", aad=b"sala/fork/v1")
        with pytest.raises(Malformed):
            succession.read_evidence(signed, centre.log.public)
    for bad in (cbor.encode([b"", b"", b""]), cbor.encode({}), bytes(succession.MAX_REQUEST + 1)):
        with pytest.raises(Malformed):
            succession.read_request(bad)


def test_by_stick_the_copy_gets_its_numbers_with_its_certificate(
    hub: Hub, twins: Callable[..., list[Unlocked]], tmp_path: Path
) -> None:
    """The first stick brings the evidence, the second one the certificate and numbers; not one number is shared meanwhile."""
    first, second = twins()
    old = first.device.device_id
    work(first, 2, "left")
    exchange.run(first)
    work(second, 3, "right")
    stick = tmp_path / "stick"
    courier.export(second, stick)
    hub.cli("import", str(stick))
    taken = courier.import_(second, stick)
    assert (taken.rekeyed, taken.problems) == (True, [])
    assert second.device.device_id != old
    assert free(second) == 0, "the old numbers belong to the other copy now"
    assert not courier.import_(second, stick).rekeyed, "the same stick once more does nothing"
    assert not courier.import_(first, stick).rekeyed, "nor does it on the other copy"

    another = tmp_path / "another"
    courier.export(second, another)
    assert hub.cli("import", str(another))["enrolled"] == 1
    assert hub.cli("import", str(another))["enrolled"] == 0
    taken = courier.import_(second, another)
    assert (taken.enrolled, taken.waiting, taken.problems) == (True, 0, [])
    left, right = work(first, 20, "left"), work(second, 20, "right")
    assert not {number for number, _ in left} & {number for number, _ in right}
    assert exchange.run(second).problems == []
    exchange.run(first)
    assert labels(hub, old, second.device.device_id) == {"accepted": 3 + 2 + 40, "q:fork": 3}


def test_a_copy_of_a_copy_becomes_a_laptop_of_its_own_too(
    hub: Hub, twins: Callable[..., list[Unlocked]], tmp_path: Path
) -> None:
    """Two copies that share the branch which was put aside have the same evidence, and still no number in common."""
    first, second = twins()
    work(first, 1, "left")
    exchange.run(first)
    work(second, 2, "right")
    second.store.write(lambda conn: None)
    third_home = tmp_path / "home-third"
    shutil.copytree(second.home, third_home)
    third = keys.unlock(third_home, "Sok Dara", PASSPHRASE, SystemClock())
    try:
        work(second, 1, "right, second")
        work(third, 3, "right, third")
        for copy in (second, third, second, third):
            assert exchange.run(copy).problems == []
        assert len({copy.device.device_id for copy in (first, second, third)}) == 3
        drawn = [{number for number, _ in work(copy, 30, "more")} for copy in (first, second, third)]
        assert len(set.union(*drawn)) == 90
        for copy in (first, second, third):
            assert exchange.run(copy).problems == []
            assert copy.store.read(outbox.summary).waiting == 0
        ids = [copy.device.device_id for copy in (first, second, third)]
        assert labels(hub, *ids) == {"accepted": 3 + 1 + 90, "q:fork": 2 + 1 + 3}
        assert all(audited(hub, copy)[0] > 0 for copy in (second, third))
    finally:
        third.lock()
