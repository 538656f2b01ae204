"""Attachments of a colleague: piece by piece to the other laptop, and from it on to the hub, in whatever way the line or disk fails."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sync import care, colleagues, courier, exchange, foreign_files, keys, meeting, ops, outbox, pieces, wire
from sync.clock import SystemClock
from sync.enrol import setup
from sync.errors import Known
from sync.keys import Unlocked
from sync.limits import MAX_HAVE
from sync.listener import Listener
from sync.meeting import Host
from sync.store import Connection
from sync.volume import Object, Volume
from tests.faults import children
from tests.sync.bad_line import Line, Request
from tests.sync.conftest import PASSPHRASE
from tests.sync.hub_process import Hub


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    made = Hub(tmp_path_factory.mktemp("hub") / "data").start()
    yield made
    made.stop()


@pytest.fixture
def between(hub: Hub) -> Iterator[Line]:
    made = Line(hub.url)
    yield made
    made.close()


@pytest.fixture
def two(
    hub: Hub, between: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Unlocked, Unlocked]]:
    """Two laptops of one office that know each other; the second one has an attachment that the hub has not."""
    monkeypatch.setenv("SALA_ROOTS", str(hub.folder / "roots"))
    made = []
    for number in (1, 2):
        pack = hub.pack_for(tmp_path / f"{number}.salapack", between.url)
        made.append(
            setup(
                tmp_path / f"home-{number}", pack, officer_name="សុខ ដារ៉ា", officer_latin="Sok Dara", passphrase=PASSPHRASE,
                clock=SystemClock(), cost=keys.CHEAP,
            )
        )  # fmt: skip
        assert exchange.run(made[-1]).enrolled
    for here, there in (made, made[::-1]):
        certificate = there.store.read(colleagues.own_certificate)
        here.store.write(lambda conn, h=here, c=certificate: colleagues.pair(conn, h.store.clock, c))  # type: ignore[misc]
    yield made[0], made[1]
    for laptop in made:
        laptop.lock()


def case(laptop: Unlocked, size: int = 150_000) -> str:
    """A finished case with a scan of three pieces: the attachment."""
    blob = laptop.blobs.add(os.urandom(size), "image/png", chunk_size=64 << 10)

    def work(conn: Connection) -> None:
        ops.append(
            conn, laptop, laptop.store.clock, kind="sync.review", record=os.urandom(4).hex(), form="forms", def_hash=None,
            body={"text": "ស្កេន"}, sealed=True, attach=[blob],
        )  # fmt: skip

    laptop.store.write(work)
    return blob


def tell(one: Unlocked, other: Unlocked, stick: Path) -> courier.Taken:
    """One stick from ``one`` to ``other``."""
    shutil.rmtree(stick, ignore_errors=True)
    stick.mkdir()
    courier.export(one, stick)
    return courier.import_(other, stick)


def share(one: Unlocked, other: Unlocked, stick: Path) -> None:
    """Sticks go back and forth until nothing is asked for any more."""
    for _ in range(3):
        tell(one, other, stick)
        tell(other, one, stick)
    assert other.store.read(foreign_files.lacking) == []


def at_hub(hub: Hub, laptop: Unlocked, blob: str) -> int:
    """How many of the attachment's pieces the hub holds, byte for byte, with its manifest."""
    with sqlite3.connect(hub.folder / "hub.db") as conn:
        known = {row[0] for row in conn.execute("SELECT hash FROM chunk")}
    found = 0
    for name in laptop.blobs.chunks(blob):
        file = hub.folder / "chunks" / name.hex()[:2] / name.hex()
        found += name in known and file.read_bytes() == laptop.blobs.chunk(name)
    return found + (bytes.fromhex(blob) in known)


def test_they_come_over_the_lan_and_go_on_to_the_hub_after_ones_own(
    two: tuple[Unlocked, Unlocked], hub: Hub, between: Line
) -> None:
    one, other = two
    blob = case(other)
    host = Host(other)
    ear = Listener(host)
    try:
        meeting.visit(one, host.invitation(ear.start(["127.0.0.1"])).text())
    finally:
        ear.close()
    assert one.store.read(foreign_files.lacking) == []
    own = case(one)
    assert one.store.read(pieces.count) == 8
    between.seen.clear()
    report = exchange.run(one)
    assert (report.problems, report.carried_on > 0, report.chunks_sent, report.chunks_carried) == ([], True, 8, 4)
    assert at_hub(hub, other, blob) == at_hub(hub, one, own) == 4
    puts = [path.rpartition("/")[2] for path in between.seen if path.startswith("PUT /v1/chunks/")]
    mine = [own, *(name.hex() for name in one.blobs.chunks(own))]
    assert puts[:4] == mine, "one's own first"
    records = [n for n, path in enumerate(between.seen) if path.startswith("PUT /v1/batches/")]
    assert max(records) < between.seen.index(f"PUT /v1/chunks/{own}"), "all records before the first scan"
    between.seen.clear()
    told = exchange.run(other)
    assert (told.chunks_sent, other.store.read(pieces.count)) == (0, 0), "the other one learns it and sends nothing"
    assert not [path for path in between.seen if "/v1/chunks/" in path]
    assert other.store.read(outbox.summary).pieces == []
    again = exchange.run(one)
    assert (again.chunks_sent, again.chunks_lost) == (0, 0)
    assert care.problems(one) == care.problems(other) == []


def test_what_the_hub_has_from_the_other_one_is_not_sent_from_here(
    two: tuple[Unlocked, Unlocked], between: Line, tmp_path: Path
) -> None:
    one, other = two
    case(other)
    share(other, one, tmp_path / "stick")
    assert exchange.run(other).chunks_sent == 4
    between.seen.clear()
    assert exchange.run(one).chunks_sent == 0
    assert not [path for path in between.seen if "/v1/chunks/" in path]
    assert one.store.read(pieces.count) == 0


def test_on_a_stick_they_reach_the_centre_too(
    two: tuple[Unlocked, Unlocked], hub: Hub, tmp_path: Path, between: Line
) -> None:
    one, other = two
    blob = case(other)
    share(other, one, tmp_path / "between")
    stick = tmp_path / "stick"
    stick.mkdir()
    (file,) = courier.export(one, stick).files
    with Volume(Path(file)) as found:
        packed = [entry.name for entry in found.entries if entry.type == "chunk"]
    assert sorted(packed) == sorted([blob, *(name.hex() for name in other.blobs.chunks(blob))])
    hub.cli("import", str(stick))
    assert at_hub(hub, other, blob) == 4
    assert exchange.run(other).chunks_sent == 0


def test_a_line_that_is_cut_in_the_middle_goes_on_where_it_was(
    two: tuple[Unlocked, Unlocked], hub: Hub, between: Line, tmp_path: Path
) -> None:
    one, other = two
    blob = case(other)
    share(other, one, tmp_path / "stick")
    passed: list[str] = []

    def cut(request: Request) -> str | None:
        if "/v1/chunks/" in request.path:
            passed.append(request.path)
        return "cut" if len(passed) > 2 else None

    between.before = cut
    with pytest.raises(Known, match="SY-350"):
        exchange.run(one)
    between.before = lambda _: None
    lost_answers = iter([True, False, False, False])
    between.after = lambda request, reply: "lost" if "/v1/chunks/" in request.path and next(lost_answers) else reply
    passed.clear()
    report = exchange.run(one)
    assert report.chunks_sent == 1, "the one whose answer was lost is found by asking"
    assert at_hub(hub, other, blob) == 4 and one.store.read(pieces.count) == 0


def test_a_tampered_piece_is_refused_here_and_asked_for_again(
    two: tuple[Unlocked, Unlocked], hub: Hub, tmp_path: Path
) -> None:
    one, other = two
    blob = case(other)
    tell(other, one, tmp_path / "stick")  # the record and the manifest
    name = one.store.read(foreign_files.lacking)[0]
    good = other.blobs.chunk(name)
    from sync import volume

    bad = volume.pack([Object("chunk", name.hex(), good[:-1] + bytes([good[-1] ^ 1]))])
    taken = courier.import_bytes(one, bad)
    assert [problem["code"] for problem in taken.problems] == ["SY-310"] and taken.office_files == 0
    assert name in one.store.read(foreign_files.lacking)
    share(other, one, tmp_path / "stick")
    exchange.run(one)
    assert at_hub(hub, other, blob) == 4


def test_a_full_disk_keeps_the_pieces_until_there_is_room(
    two: tuple[Unlocked, Unlocked], hub: Hub, tmp_path: Path
) -> None:
    one, other = two
    blob = case(other)
    folder = one.blobs.path(bytes(32)).parent.parent
    folder.mkdir(exist_ok=True)
    blocked = [folder / f"{n:02x}" for n in range(256)]
    for place in blocked:
        place.write_bytes(b"")  # no folder can be made there: every write fails
    for _ in range(3):
        tell(other, one, tmp_path / "stick")
        tell(one, other, tmp_path / "stick")
    assert one.store.read(foreign_files.lacking) == [] and one.store.read(pieces.count) == 0
    for place in blocked:
        place.unlink()
    report = exchange.run(one)
    assert (report.problems, report.chunks_carried) == ([], 4)
    assert at_hub(hub, other, blob) == 4


CHILD = """
import sys
from pathlib import Path
from sync import courier, exchange, keys
from sync.clock import SystemClock
home, what = Path(sys.argv[1]), sys.argv[2]
one = keys.unlock(home, "Sok Dara", sys.stdin.readline().strip(), SystemClock())
exchange.run(one) if what == "run" else courier.import_(one, Path(what))
one.lock()
"""


def dies(home: Path, what: str, point: str) -> bool:
    """Whether a process that does ``what`` with the laptop dies at that point."""
    return children.script(CHILD, home, what, text=PASSPHRASE + "\n", SALA_FAILPOINT=point).returncode == -9


def test_killed_anywhere_it_goes_on(two: tuple[Unlocked, Unlocked], hub: Hub, tmp_path: Path) -> None:
    one, other = two
    blob, stick, home = case(other), tmp_path / "stick", one.home
    tell(other, one, stick)
    shutil.rmtree(stick)
    stick.mkdir()
    courier.export(other, stick)  # the three pieces
    one.lock()
    assert dies(home, str(stick), "foreign:piece:1")
    assert dies(home, str(stick), "foreign:piece:2"), "the last one: all are here, and no file yet"
    assert dies(home, "run", "foreign:file:2"), "before a run sends anything they are put into their files"
    assert dies(home, "run", "chunk:after-put:2")
    assert dies(home, "run", "have:before-commit:2"), "the question for what may have arrived"
    assert dies(home, "run", "chunk:sent:1")
    again = keys.unlock(home, "Sok Dara", PASSPHRASE, SystemClock())
    try:
        report = exchange.run(again)
        assert report.problems == [] and again.store.read(pieces.count) == 0
        assert care.problems(again) == []
    finally:
        again.lock()
    assert at_hub(hub, other, blob) == 4


# --- more pieces than one question holds


def questions(line: Line) -> Callable[[], list[int]]:
    """Watch ``line``: how many pieces each have/want asked for since the last call."""
    asked: list[int] = []

    def note(request: Request) -> None:
        if request.path == "/v1/have":
            asked.append(len(wire.read_have(request.body).chunks))

    def since() -> list[int]:
        found = [count for count in asked if count]
        asked.clear()
        return found

    line.before = note
    return since


@pytest.fixture
def office(two: tuple[Unlocked, Unlocked], hub: Hub) -> tuple[Unlocked, list[bytes]]:
    """A laptop with more pieces than one question holds, in the order of their sending; the hub has them all.

    The files of those in the middle are spared: only their names are ever asked for.
    """
    laptop = two[0]
    blobs = [laptop.blobs.add(os.urandom(4 * 16), "image/png", chunk_size=16) for _ in range(2)]

    def work(conn: Connection) -> None:
        for blob in blobs:
            ops.append(
                conn, laptop, laptop.store.clock, kind="sync.review", record="r", form="forms", def_hash=None, body={"t": 1},
                sealed=False, attach=[blob],
            )  # fmt: skip
        conn.executemany(
            "INSERT INTO chunk (hash, blob, n, size) VALUES (?, ?, ?, 16)",
            [(os.urandom(32), bytes.fromhex(blobs[0]), 4 + n) for n in range(2_600)],
        )

    laptop.store.write(work)
    names = [name for name, _, _ in laptop.store.read(pieces.waiting)]
    assert len(names) == 2_610 > MAX_HAVE
    with sqlite3.connect(hub.folder / "hub.db", timeout=20) as conn:
        conn.executemany(
            "INSERT OR IGNORE INTO chunk (hash, size, received_ms) VALUES (?, 1, 1)", [(name,) for name in names]
        )
    return laptop, names


def forget(hub: Hub, names: list[bytes]) -> None:
    """The hub holds these no longer."""
    with sqlite3.connect(hub.folder / "hub.db", timeout=20) as conn:
        conn.executemany("DELETE FROM chunk WHERE hash = ?", [(name,) for name in names])


def test_all_that_wait_are_asked_for_in_small_questions(
    office: tuple[Unlocked, list[bytes]], between: Line, hub: Hub
) -> None:
    laptop, names = office
    forget(hub, names[:3])
    since = questions(between)
    report = exchange.run(laptop)
    assert report.chunks_sent == 3 and laptop.store.read(pieces.count) == 0
    asked = since()
    assert sum(asked) >= len(names) and max(asked) <= 64


def test_after_a_restore_the_oldest_of_many_is_found_even_when_the_line_is_cut(
    office: tuple[Unlocked, list[bytes]], between: Line, hub: Hub
) -> None:
    laptop, names = office
    assert exchange.run(laptop).chunks_sent == 0
    since = questions(between)
    for _ in range(3):
        exchange.run(laptop)
    assert since() == [250] * 3, "in quiet times a few in every run"
    forget(hub, names[:2] + names[-2:])
    laptop.store.write(pieces.doubt)  # as a new epoch of the log does
    heard = iter([True])  # one answer, and the line is gone
    between.after = lambda request, reply: (
        "lost" if request.path == "/v1/have" and since() and not next(heard, False) else reply
    )
    with pytest.raises(Known, match="SY-350"):
        exchange.run(laptop)
    assert laptop.store.read(pieces.doubted)
    between.after = lambda _request, reply: reply
    since()
    report = exchange.run(laptop)
    assert max(since()) <= MAX_HAVE
    assert not laptop.store.read(pieces.doubted)
    with sqlite3.connect(hub.folder / "hub.db") as conn:
        held = {row[0] for row in conn.execute("SELECT hash FROM chunk")}
    assert held >= set(names) and report.problems == []


def test_a_single_loss_is_found_in_time(office: tuple[Unlocked, list[bytes]], between: Line, hub: Hub) -> None:
    laptop, names = office
    exchange.run(laptop)
    forget(hub, [names[0]])
    since, runs, found = questions(between), 0, 0
    while not found and runs < 12:
        found, runs = exchange.run(laptop).chunks_sent, runs + 1
    assert found == 1 and max(since()) <= 250
