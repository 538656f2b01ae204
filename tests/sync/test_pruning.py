"""What is old and held twice leaves the op log; nothing else ever does. Real hub over loopback."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey

from sync import care, enrol, exchange, keys, marks, ops, outbox, pruning
from sync.cbor import Malformed
from sync.clock import SystemClock
from sync.errors import Known
from sync.keys import Unlocked
from sync.limits import CHUNK
from sync.store import Connection, IntegrityError
from tests.faults import children
from tests.sync.conftest import PASSPHRASE
from tests.sync.hub_process import Hub

AT_ONCE = {"links.created": 0, "sync.audit_checkpoint": 0, "sync.officer": 0}
FOR_EVER = {**AT_ONCE, "links.created": None}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    made = Hub(tmp_path / "hub").start()
    yield made
    made.stop()


@pytest.fixture
def laptop(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Unlocked]:
    monkeypatch.setenv("SALA_ROOTS", str(hub.folder / "roots"))
    made = enrol.setup(
        tmp_path / "home", hub.pack(tmp_path / "one.pack"), officer_name="សុខ ដារ៉ា", officer_latin="Sok Dara",
        passphrase=PASSPHRASE, clock=SystemClock(), cost=keys.CHEAP,
    )  # fmt: skip
    yield made
    made.lock()


def work(unlocked: Unlocked, n: int, record: str = "r", **more: Any) -> None:
    def one(conn: Connection) -> None:
        ops.append(
            conn, unlocked, unlocked.store.clock, kind="links.created", record=record, form="links", def_hash=None,
            body={"note": "សំបុត្រ" * 20}, sealed=False, **more,
        )  # fmt: skip

    for _ in range(n):
        unlocked.store.write(one)


def whole(unlocked: Unlocked) -> tuple[int, int]:
    """Ops and lines of ops that have left."""
    kept = unlocked.store.read(pruning.standing)
    return kept.ops, kept.lines


def settle(hub: Hub, laptop: Unlocked, backup: Path) -> None:
    """Everything is sent, copied to the second site, and the laptop knows."""
    exchange.run(laptop)
    hub.cli("export", str(backup), "--confirm")
    exchange.run(laptop)


def test_only_what_a_second_site_holds_leaves(hub: Hub, laptop: Unlocked, tmp_path: Path) -> None:
    backup = tmp_path / "second site"
    work(laptop, 20, "old")
    assert pruning.run(laptop, AT_ONCE).ops == 0, "not sent"
    exchange.run(laptop)
    assert pruning.run(laptop, AT_ONCE).ops == 0, "received, but not yet held twice"
    settle(hub, laptop, backup)
    work(laptop, 3, "new")
    settle(hub, laptop, backup)
    before = whole(laptop)
    assert pruning.run(laptop, FOR_EVER).ops == 0
    assert pruning.run(laptop, {}).ops == 0, "kinds of a module that is not here are kept"
    assert pruning.run(laptop, dict.fromkeys(AT_ONCE, 1)).ops == 0, "a day is not over"
    done = pruning.run(laptop, AT_ONCE)
    assert done.ops > 20
    assert done.bytes > 20 * 400
    assert whole(laptop) == (before[0] - done.ops, done.ops)
    assert laptop.store.read(pruning.standing).freed == done.bytes
    assert pruning.run(laptop, AT_ONCE).ops == 0, "the newest batch stays"

    assert laptop.store.read(lambda conn: outbox.states(conn, ["old", "new"])) == {"old": "stable", "new": "stable"}
    history = laptop.store.read(lambda conn: outbox.history(conn, "old"))
    assert len(history) == 20
    assert all(line["state"] == "stable" and line["received_ms"] for line in history)
    summary = laptop.store.read(outbox.summary)
    assert (summary.waiting, summary.sending, summary.received, summary.stable) == (0, 0, 0, 23)
    assert care.problems(laptop) == []

    work(laptop, 5, "later")
    report = exchange.run(laptop)
    assert (report.batches_sent, report.problems, report.batches_lost) == (1, [], 0)
    assert laptop.store.read(outbox.summary).waiting == 0


def test_a_hub_that_was_put_back_loses_nothing_after_pruning(hub: Hub, laptop: Unlocked, tmp_path: Path) -> None:
    backup = tmp_path / "second site"
    work(laptop, 10, "old")
    settle(hub, laptop, backup)
    work(laptop, 4, "middle")
    settle(hub, laptop, backup)
    hub.stop()
    shutil.copytree(hub.folder, tmp_path / "copy")
    hub.start()
    work(laptop, 6, "new")
    exchange.run(laptop)
    assert pruning.run(laptop, AT_ONCE).ops > 10
    hub.stop()
    shutil.rmtree(hub.folder)
    shutil.copytree(tmp_path / "copy", hub.folder)
    hub.cli("new-epoch")
    hub.start()
    report = exchange.run(laptop)
    assert report.batches_lost >= 1
    assert [problem["code"] for problem in report.problems] == []
    assert exchange.run(laptop).batches_lost == 0
    assert laptop.store.read(outbox.summary).waiting == 0
    import sqlite3

    with sqlite3.connect(next(hub.folder.glob("*.db"))) as conn:
        found = conn.execute("SELECT label, count(*) FROM op WHERE form = 'links' GROUP BY label").fetchall()
    assert found == [("accepted", 20)]
    assert care.problems(laptop) == []


def test_the_log_is_closed_to_everybody_else(hub: Hub, laptop: Unlocked, tmp_path: Path) -> None:
    work(laptop, 3)
    settle(hub, laptop, tmp_path / "second site")
    for sql in ("DELETE FROM op", "DELETE FROM op WHERE seq = 1", "UPDATE op SET bytes = x''"):

        def work_(conn: Connection, sql: str = sql) -> None:
            conn.execute(sql)

        with pytest.raises(IntegrityError):
            laptop.store.write(work_)
    assert whole(laptop)[1] == 0


def test_the_chain_is_held_against_the_last_op_that_left(hub: Hub, laptop: Unlocked, tmp_path: Path) -> None:
    work(laptop, 3)
    settle(hub, laptop, tmp_path / "second site")
    work(laptop, 1)
    settle(hub, laptop, tmp_path / "second site")
    pruning.run(laptop, AT_ONCE)
    assert care.problems(laptop) == []
    laptop.store.write(
        lambda conn: conn.execute("UPDATE past SET hash = zeroblob(32) WHERE seq = (SELECT max(seq) FROM past)")
    )
    assert care.problems(laptop) == [f"the op chain of device {laptop.device.device_id.hex()} is broken"]


def test_attachments_go_when_the_second_site_holds_every_piece(hub: Hub, laptop: Unlocked, tmp_path: Path) -> None:
    backup = tmp_path / "second site"
    scan = os.urandom(600_000)
    blob = laptop.blobs.add(scan, "image/png", chunk_size=CHUNK)
    work(laptop, 2, attach=(blob,))
    settle(hub, laptop, backup)
    work(laptop, 1)
    settle(hub, laptop, backup)
    assert pruning.run(laptop, AT_ONCE).pieces == 0, "the second site was not asked yet"
    exchange.run(laptop)
    done = pruning.run(laptop, AT_ONCE)
    assert done.pieces == len(laptop.blobs.chunks(blob)) > 1
    assert done.bytes > 600_000
    assert not any(laptop.blobs.path(name).exists() for name in laptop.blobs.chunks(blob))
    with pytest.raises(Known) as gone:
        laptop.blobs.read(blob)
    assert gone.value.code == "SY-405"
    assert care.problems(laptop) == []
    assert laptop.blobs.add(scan, "image/png", chunk_size=CHUNK) == blob, "the same scan once more is here again"
    assert laptop.blobs.read(blob) == scan
    work(laptop, 1, attach=(blob,))
    report = exchange.run(laptop)
    assert (report.problems, report.chunks_sent) == ([], 0), "the centre has its pieces"


def test_a_piece_that_came_after_the_copy_stays(hub: Hub, laptop: Unlocked, tmp_path: Path) -> None:
    backup = tmp_path / "second site"
    work(laptop, 1)
    settle(hub, laptop, backup)
    blob = laptop.blobs.add(os.urandom(1_000), "image/png")
    work(laptop, 1, attach=(blob,))
    exchange.run(laptop)
    laptop.store.write(lambda conn: marks.raise_floor(conn, marks.PRUNABLE, 50))  # as if its op had left
    exchange.run(laptop)
    assert pruning.run(laptop, AT_ONCE).pieces == 0
    assert laptop.blobs.read(blob)


def test_the_word_about_the_second_site_is_signed() -> None:
    key, names = SigningKey.generate(), [bytes([n]) * 32 for n in range(3)]
    data = pruning.say_held(b"d" * 16, names, key, b"kkkk")
    public = bytes(key.verify_key)
    assert pruning.read_held(data, b"d" * 16, public) == names
    wrong = (
        (data, b"e" * 16, public), (data[:-1] + bytes([data[-1] ^ 1]), b"d" * 16, public),
        (pruning.say_held(b"d" * 16, [b"short"], key, b"kkkk"), b"d" * 16, public),
        (data, b"d" * 16, bytes(SigningKey.generate().verify_key)),
    )  # fmt: skip
    for arguments in wrong:
        with pytest.raises(Malformed):
            pruning.read_held(*arguments)


def test_bounded_work(hub: Hub, laptop: Unlocked, tmp_path: Path) -> None:
    for n in range(4):
        work(laptop, 2, str(n))
        exchange.run(laptop)
    settle(hub, laptop, tmp_path / "second site")
    first = pruning.run(laptop, AT_ONCE, most=1)
    assert first.batches == 1, "one batch, and the rest next time"
    assert pruning.run(laptop, AT_ONCE, cancel=lambda: True).ops == 0
    assert pruning.run(laptop, AT_ONCE).batches == 2


@pytest.mark.parametrize(
    ("point", "nth"), [("prune:begin", 1), ("prune:deleted", 1), ("prune:deleted", 2), ("prune:piece", 2)]
)
def test_killed_anywhere_it_goes_on(
    hub: Hub, laptop: Unlocked, tmp_path: Path, point: str, nth: int, child: Callable[..., int]
) -> None:
    blob = laptop.blobs.add(os.urandom(600_000), "image/png")
    for attach in ((blob,), (blob,), ()):
        work(laptop, 2, attach=attach)
        exchange.run(laptop)
    settle(hub, laptop, tmp_path / "second site")
    settle(hub, laptop, tmp_path / "second site")
    laptop.store.write(lambda conn: conn.execute("UPDATE chunk SET state = 'held'"))
    laptop.lock()
    assert child(laptop.home, f"{point}:{nth}") != 0
    again = keys.unlock(laptop.home, "Sok Dara", PASSPHRASE, SystemClock())
    try:
        pruning.run(again, AT_ONCE)
        assert care.problems(again) == []
        assert whole(again)[1] > 3
        assert exchange.run(again).problems == []
        work(again, 1)
        exchange.run(again)
        assert again.store.read(outbox.summary).waiting == 0
    finally:
        again.lock()


@pytest.fixture
def child() -> Callable[..., int]:
    code = (
        "import sys\nfrom pathlib import Path\nfrom sync import keys, pruning\nfrom sync.clock import SystemClock\n"
        'unlocked = keys.unlock(Path(sys.argv[1]), "Sok Dara", sys.argv[2], SystemClock())\n'
        'pruning.run(unlocked, {"links.created": 0, "sync.audit_checkpoint": 0, "sync.officer": 0})\n'
    )

    def run(home: Path, failpoint: str) -> int:
        return children.script(code, home, PASSPHRASE, SALA_FAILPOINT=failpoint).returncode

    return run
