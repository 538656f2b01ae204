"""Pieces of attachments by stick alone: the centre's signed word comes home, and no later stick carries them once more."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from nacl.public import SealedBox
from nacl.signing import SigningKey

from desktop.shell import outbox_rows
from modules import carry, replicate, reviews
from modules.session import Session
from sync import delivery, inbox, keys, piecenote, pieces, volume
from sync.cbor import Malformed
from sync.hub import askagain, courier, downward
from sync.hub import centre as centres
from sync.hub.centre import Centre
from sync.marks import HUB_TIME, PIECES_DOUBTED, floor, mark
from sync.notes import NoteKey
from sync.piecenote import Held
from sync.volume import Object, Volume
from sync.wire import read_notices
from tests.end2end.hall import PASSPHRASE, Hall, pair, scan
from tests.faults import children

ROOT = Path(__file__).parents[2]


@pytest.fixture
def hall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hall]:
    made = Hall(tmp_path)
    monkeypatch.setenv("SALA_ROOTS", str(made.roots))
    yield made
    made.close()


def carried(laptop: Session, stick: Path, hop: str = "") -> int:
    """Hand everything that waits to a stick: how many pieces stand on it."""
    laptop.clock.advance(60_000)  # type: ignore[attr-defined]
    return int(replicate.export(laptop, stick, seal=hop)["chunks"])


def waiting(laptop: Session) -> int:
    return laptop.store.read(pieces.count)


def said(hub: Centre, names: list[bytes], *, epoch: int = 0, ms: int = 0, key: SigningKey | None = None) -> Object:
    """The centre's word, or a forged one, about ``names``."""
    held = Held(epoch or hub.log.epoch, ms or hub.clock.wall_ms(), names)
    note = piecenote.say(held, hub.log.note_key, key or hub.keys.log)
    return Object("pieces", names[0].hex(), note.encode())


def hear(laptop: Session, *objects: Object) -> tuple[int, list[str]]:
    """Give the laptop a courier file with just these: pieces that have arrived, and what was wrong."""
    from sync import courier as laptop_side

    taken = laptop_side.import_bytes(laptop.unlocked, volume.pack(objects))
    return taken.pieces, [problem["code"] for problem in taken.problems]


@pytest.mark.parametrize("hop", ["", "centre"])
def test_what_has_arrived_is_not_carried_again(hall: Hall, tmp_path: Path, hop: str) -> None:
    (laptop,) = hall.enrolled(1)
    assert len(scan(laptop, 70)) == 71 > piecenote.MOST
    first, second, third = (tmp_path / name for name in ("first", "second", "third"))
    assert carried(laptop, first, hop) == 71
    taken = courier.take(hall.hub, first)
    assert (taken.chunks, taken.problems) == (71, [])
    assert carried(laptop, second, hop) == 71, "nothing heard yet"
    found = replicate.import_(laptop, first)
    assert (found["pieces"], waiting(laptop)) == (71, 0)
    assert found["problems"] == [], "nor is its own file one, which only the centre can read"
    assert replicate.import_(laptop, first)["pieces"] == 0
    new = len(scan(laptop))
    assert carried(laptop, third, hop) == new, "only what is new"
    assert courier.take(hall.hub, second).chunks == 0
    assert courier.take(hall.hub, third).chunks == new
    assert [replicate.import_(laptop, stick)["pieces"] for stick in (second, third)] == [0, new]
    assert carried(laptop, tmp_path / "last", hop) == 0


def test_one_stick_serves_several_laptops_and_colleagues_pieces(hall: Hall, tmp_path: Path) -> None:
    one, other = hall.enrolled(1, 2)
    stranger = hall.laptop(3, "0210")
    hall.to_centre(stranger)
    pair(one, other)
    names, theirs = scan(one), scan(stranger)
    for _ in range(2):
        hall.tell(one, other)
        hall.tell(other, one)
    assert waiting(other) == len(names), "a colleague's attachment goes on from here"
    stick = tmp_path / "stick"
    assert [carried(laptop, stick) for laptop in (other, stranger)] == [len(names), len(theirs)]
    courier.take(hall.hub, stick)
    found = [replicate.import_(laptop, stick) for laptop in (one, other, stranger)]
    assert [(taken["pieces"], taken["problems"]) for taken in found] == [
        (len(names), []), (len(names), []), (len(theirs), []),
    ]  # fmt: skip
    assert [waiting(laptop) for laptop in (one, other, stranger)] == [0, 0, 0]
    noted = one.store.read(lambda conn: {row["hash"] for row in conn.execute("SELECT hash FROM piece_asked")})
    assert noted == set(names), "others' pieces leave no trace here"


def test_a_stick_is_done_when_its_scans_have_arrived(hall: Hall, tmp_path: Path) -> None:
    one, other = hall.enrolled(1, 2)
    pair(one, other)
    scan(one)
    for _ in range(2):
        hall.tell(one, other)
        hall.tell(other, one)

    def last(laptop: Session) -> tuple[bool, int]:
        newest = carry.sticks(laptop)[0]
        return newest["done"], newest["chunks_left"]

    sticks = [(one, tmp_path / "own"), (other, tmp_path / "colleague's")]
    for laptop, stick in sticks:
        assert carried(laptop, stick) == 4
        assert last(laptop) == (False, 4)
    scan(one)
    assert last(one) == (False, 4), "what came later does not stand on it"
    for laptop, stick in sticks:
        courier.take(hall.hub, stick)
        replicate.import_(laptop, stick)
        assert last(laptop) == (True, 0)


def test_a_scan_that_no_case_names_stays_what_it_is(hall: Hall) -> None:
    (laptop,) = hall.enrolled(1)
    blob = laptop.unlocked.blobs.add(os.urandom(900), "image/png")
    assert hear(laptop, said(hall.hub, [bytes.fromhex(blob), *laptop.unlocked.blobs.chunks(blob)])) == (0, [])
    state = "SELECT DISTINCT state FROM chunk"
    assert [row["state"] for row in laptop.store.read(lambda conn: conn.execute(state).fetchall())] == ["waiting"]


def test_part_of_the_answer_is_worth_that_part(hall: Hall, tmp_path: Path) -> None:
    (laptop,) = hall.enrolled(1)
    scan(laptop, 130)
    stick = tmp_path / "stick"
    assert carried(laptop, stick) == 131
    (back,) = map(Path, courier.take(hall.hub, stick).back)
    with Volume(back) as found:
        notes = [Object("pieces", entry.name, data) for entry, data in found.of("pieces")]
    assert len(notes) == 3
    data = back.read_bytes()
    place = data.index(notes[0].data) + 200
    back.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    damaged = replicate.import_(laptop, stick)
    assert (damaged["pieces"], damaged["damaged"], waiting(laptop)) == (131 - piecenote.MOST, 1, piecenote.MOST)
    back.write_bytes(data[: data.index(notes[0].data) + len(notes[0].data)])
    cut = replicate.import_(laptop, stick)
    assert (cut["pieces"], cut["cut_off"], waiting(laptop)) == (piecenote.MOST, 1, 0)


def test_nobodys_word_but_the_centres_counts(hall: Hall) -> None:
    (laptop,) = hall.enrolled(1)
    hub, names = hall.hub, scan(laptop)
    good = said(hub, names)
    for place in range(0, len(good.data), 7):
        bent = good.data[:place] + bytes([good.data[place] ^ 1]) + good.data[place + 1 :]
        assert hear(laptop, Object("pieces", good.name, bent)) == (0, ["SY-310"])
    elsewhere = piecenote.say(Held(hub.log.epoch, hub.clock.wall_ms(), names), NoteKey("other", b""), hub.keys.log)
    assert hear(laptop, Object("pieces", "00", elsewhere.encode())) == (0, ["SY-310"])
    assert hear(laptop, said(hub, names, key=SigningKey.generate())) == (0, ["SY-310"])
    assert waiting(laptop) == len(names)
    assert hear(laptop, Object("pieces", "whatever", good.data)) == (len(names), []), "its name proves nothing"


def test_only_this_form_is_read(hall: Hall) -> None:
    from sync import notes

    log, key = hall.hub.log.note_key, hall.hub.keys.log
    held = Held(3, 5, [bytes(32), b"\1" * 32])
    assert piecenote.read(piecenote.say(held, log, key), log) == held
    for text in (
        "sala.pieces/v1\n3\n", "sala.pieces/v2\n3\n5\n", "sala.pieces/v1\n3\n05\n", "sala.pieces/v1\n-3\n5\n",
        "sala.pieces/v1\n3\n5\nAA==\n",
        *("sala.pieces/v1\n3\n5\n" + notes.hash_lines([bytes(32)] * many) for many in (piecenote.MOST + 1, 65)),
    ):  # fmt: skip
        with pytest.raises(Malformed):
            piecenote.read(notes.sign(text, log.name, key), log)


def test_an_old_word_does_not_undo_what_is_known_since(hall: Hall, tmp_path: Path) -> None:
    (laptop,) = hall.enrolled(1)
    hub, names = hall.hub, scan(laptop)
    stick = tmp_path / "stick"
    carried(laptop, stick)
    courier.take(hub, stick)
    replicate.import_(laptop, stick)
    old = said(hub, names, ms=hub.clock.wall_ms() - 1_000)
    gone = names[1]
    hub.storage.write(lambda tx: tx.execute("DELETE FROM chunk WHERE hash = :h", {"h": gone}))
    assert carried(laptop, tmp_path / "asks") == 0
    courier.take(hub, tmp_path / "asks")
    assert replicate.import_(laptop, tmp_path / "asks")["problems"] == []
    assert waiting(laptop) == 1, "the centre says that it lacks one"
    assert replicate.import_(laptop, stick)["pieces"] == 0 and hear(laptop, old) == (0, [])
    assert carried(laptop, tmp_path / "again") == 1
    assert courier.take(hub, tmp_path / "again").chunks == 1
    assert replicate.import_(laptop, tmp_path / "again")["pieces"] == 1
    assert replicate.import_(laptop, tmp_path / "asks")["problems"] == []


def test_what_a_person_at_the_centre_asks_for_goes_once_more(hall: Hall, tmp_path: Path) -> None:
    (laptop,) = hall.enrolled(1)
    hub, names = hall.hub, scan(laptop)
    op = laptop.store.read(lambda conn: conn.execute("SELECT hash FROM op ORDER BY seq DESC").fetchone()["hash"])
    stick = tmp_path / "stick"
    carried(laptop, stick)
    courier.take(hub, stick)
    replicate.import_(laptop, stick)
    heard = laptop.store.read(lambda conn: floor(conn, HUB_TIME))
    laptop.store.write(lambda conn: delivery.again(conn, laptop.clock, op))
    assert waiting(laptop) == len(names)
    assert replicate.import_(laptop, stick)["pieces"] == 0 and hear(laptop, said(hub, names, ms=heard)) == (0, [])
    assert carried(laptop, tmp_path / "again") == len(names)
    courier.take(hub, tmp_path / "again")
    assert replicate.import_(laptop, tmp_path / "again")["pieces"] == len(names)
    assert waiting(laptop) == 0


def test_a_batch_of_250_scans_is_asked_for_and_comes_whole(hall: Hall, tmp_path: Path) -> None:
    (laptop,) = hall.enrolled(1)
    hub = hall.hub
    names = [name for _ in range(250) for name in scan(laptop, 1)]
    assert carried(laptop, tmp_path / "stick") == len(names) == 500
    courier.take(hub, tmp_path / "stick")
    replicate.import_(laptop, tmp_path / "stick")
    assert waiting(laptop) == 0
    rows = hub.storage.read(lambda tx: tx.query("SELECT idx, n FROM batch WHERE via <> 'hub' ORDER BY n DESC"))
    found = hub.storage.write(lambda tx: askagain.ask(tx, rows[0]["idx"], "ស្កេនមិនពេញ", "សុខា", hub.clock.wall_ms()))
    assert found.attached == 250
    sealed = hub.storage.read(lambda tx: downward.gather(tx, [], hub.keys, hub.clock.wall_ms())).targets
    notices = read_notices(
        SealedBox(laptop.unlocked.device.seal).decrypt(sealed[f"inbox/{laptop.unlocked.device.device_id.hex()}.cbor"])
    )
    assert len(notices) == 3
    laptop.store.write(lambda conn: inbox.receive(conn, notices, laptop.clock.wall_ms()))
    assert reviews.deliver(laptop) == 3
    assert waiting(laptop) == 500, "each of the 250"
    shown = laptop.store.read(outbox_rows._decisions)
    assert len(shown) == 250
    assert carried(laptop, tmp_path / "again") == 500


def test_a_centre_put_back_from_an_older_copy_gets_them_again(hall: Hall, tmp_path: Path) -> None:
    (laptop,) = hall.enrolled(1)
    folder = hall.hub.folder
    hall.hub.close()
    shutil.copytree(folder, tmp_path / "older")
    hall.hub = centres.open_(folder, hall.clock)
    names, stick, earlier = scan(laptop), tmp_path / "stick", hall.hub.log.epoch
    carried(laptop, stick)
    courier.take(hall.hub, stick)
    assert replicate.import_(laptop, stick)["pieces"] == len(names)
    hall.hub.close()
    hall.clock.advance(120_000)
    hall.hub = centres.new_epoch(tmp_path / "older", hall.clock)
    assert carried(laptop, tmp_path / "asks") == 0
    courier.take(hall.hub, tmp_path / "asks")
    replicate.import_(laptop, tmp_path / "asks")
    assert waiting(laptop) == len(names) and laptop.store.read(lambda conn: mark(conn, PIECES_DOUBTED)) > 0
    hall.clock.advance(1_000)
    assert hear(laptop, said(hall.hub, names, epoch=earlier)) == (0, []), "of an earlier life, however late it was said"
    replicate.import_(laptop, stick)
    assert carried(laptop, tmp_path / "again") == len(names)
    assert courier.take(hall.hub, tmp_path / "again").chunks == len(names)
    assert replicate.import_(laptop, tmp_path / "again")["pieces"] == len(names)
    assert carried(laptop, tmp_path / "last") == 0


CHILD = """
import sys
from pathlib import Path
from sync import courier, keys
from sync.clock import SetClock
home, stick, now = sys.argv[1:]
laptop = keys.unlock(Path(home), "Chan Sokha", sys.stdin.readline().strip(), SetClock(int(now)))
courier.import_(laptop, Path(stick))
"""


def test_killed_while_the_answer_is_taken(hall: Hall, tmp_path: Path) -> None:
    (laptop,) = hall.enrolled(1)
    scan(laptop, 70)
    stick, home = tmp_path / "stick", laptop.unlocked.home
    carried(laptop, stick)
    courier.take(hall.hub, stick)
    laptop.close()
    hall.opened.clear()
    for point in ("receive:pieces:1", "receive:pieces:2"):
        done = children.script(CHILD, home, stick, hall.clock.wall_ms(), text=PASSPHRASE + "\n", SALA_FAILPOINT=point)
        assert done.returncode == -9, done.stderr
    hall.opened.append(again := Session.open(keys.unlock(home, "Chan Sokha", PASSPHRASE, hall.clock)))
    assert waiting(again) == 71 - piecenote.MOST, "the first note was taken whole"
    assert replicate.import_(again, stick)["pieces"] == 71 - piecenote.MOST
    assert waiting(again) == 0
