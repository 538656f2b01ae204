"""Lives of the log that know nothing of each other: a hub that is put back twice from one copy gives nothing out twice."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from nacl.signing import SigningKey

from sync import merkle, notes, receipts
from sync.cbor import Malformed
from sync.clock import SetClock
from sync.hub import app as face
from sync.hub import centre as centres
from sync.hub import decisions, enrolment, epochs, evidence, exports, leases, log, whole
from sync.hub.centre import Centre
from sync.hub.mirror import Mirror, Split
from sync.hub.offices import office_facts
from sync.hub.site import FolderSite
from sync.hub.storage_sqlite import SqliteStorage
from sync.transport import Answer
from tests.hub import tables
from tests.hub.laptop import NOW, Laptop, join

MINUTE = 60_000


class Copies:
    """One hub and its copies; every life that was begun is closed at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.opened: list[Centre] = []
        first = self.keep(centres.create(tables.lay(folder / "hub"), SetClock(NOW), name="hub", log_name="hub"))
        first.ingest.take(Laptop().batch(1))
        first.settle()
        self.first = first

    def keep(self, centre: Centre) -> Centre:
        self.opened.append(centre)
        return centre

    def copy(self, of: Centre, name: str) -> Path:
        of.close()
        shutil.copytree(of.folder, self.folder / name)
        return self.folder / name

    def life(self, copy: Path, name: str, minutes: float) -> Centre:
        """A life from ``copy``, begun so many minutes after the first one."""
        shutil.copytree(copy, self.folder / name)
        return self.keep(centres.new_epoch(self.folder / name, SetClock(NOW + int(minutes * MINUTE))))

    def close(self) -> None:
        for centre in self.opened:
            centre.close()


@pytest.fixture
def copies(tmp_path: Path) -> Iterator[Copies]:
    found = Copies(tmp_path)
    yield found
    found.close()


def note(centre: Centre) -> notes.Checkpoint:
    return notes.read_checkpoint(centre.storage.read(centre.log.latest), centre.log.note_key)


def given(centre: Centre) -> dict[str, Any]:
    """What a life gives out first: laptop number, link codes, place in the status list, version of the publications."""
    centre.enrol(office_facts("0306"), ["http://hub.test"])
    sql = """SELECT s.number, l.first, l.content FROM slot s JOIN lease l ON l.slot = s.slot WHERE l.resource = :r
        ORDER BY l.made_ms DESC, s.number DESC"""
    codes, index = (
        centre.storage.read(lambda tx, r=r: tx.query(sql, {"r": r}))[0]  # type: ignore[misc]
        for r in ("link-codes", "certificate-numbers")
    )
    return {
        "epoch": centre.log.epoch, "number": codes["number"], "code": codes["first"], "index": index["content"],
        "version": centre.repository.version() // 1_000,
    }  # fmt: skip


def test_two_lives_from_one_copy_have_nothing_in_common(copies: Copies) -> None:
    copies.first.enrol(office_facts("0306"), ["http://hub.test"])
    copy = copies.copy(copies.first, "copy")
    one, other = given(copies.life(copy, "a", 10)), given(copies.life(copy, "b", 12))
    assert {name for name in one if one[name] == other[name]} == set()
    assert max(one["number"], other["number"]) <= 9_999, "papers have room for four digits"


def test_laptops_follow_from_either_life_to_the_other_that_began_later(copies: Copies) -> None:
    copy = copies.copy(copies.first, "copy")
    one, other = copies.life(copy, "a", 1), copies.life(copy, "b", 2)
    assert one.log.epoch < other.log.epoch
    receipts.require_advance(note(one), note(other), [])


def test_a_decision_of_a_later_life_is_never_taken_for_one_of_a_life_that_was_lost(copies: Copies) -> None:
    """A laptop takes one notice under every number: a number given twice would hide the second decision from it."""
    laptop = join(copies.first, Laptop())
    copies.first.ingest.take(laptop.batch(1))
    copy = copies.copy(copies.first, "copy")

    def told(centre: Centre, decision: str) -> int:
        centre.storage.write(lambda tx: decisions.decide(tx, laptop.head, decision, "ម្ដងទៀត", "ដារ៉ា", NOW))
        rows = centre.storage.read(lambda tx: tx.query("SELECT seq FROM notice ORDER BY seq"))
        return int(rows[-1]["seq"])

    lost, one, other = (copies.keep(centres.open_(copies.copy(copies.first, "on"), SetClock(NOW))), *(
        copies.life(copy, name, minutes) for name, minutes in (("a", 1), ("b", 2))
    ))  # fmt: skip
    numbers = [told(centre, decision) for centre in (lost, one, other) for decision in ("sent_back", "send_again")]
    assert numbers == sorted(set(numbers)) and numbers[:2] == [1, 2]


def test_a_number_is_the_second_and_always_higher_than_the_last() -> None:
    assert epochs.following(1, 1_795_000_000_999) == 1_795_000_000
    assert epochs.following(1_795_000_000, 1_795_000_000_999) == 1_795_000_001, "twice within a second"
    assert epochs.following(1_795_000_000, 5) == 1_795_000_001, "a clock that was set back"
    assert epochs.least_version(epochs.following(1, 4_102_444_800_000)) < 1 << 53, "exact in every JSON reader in 2100"


def test_receipts_of_a_life_that_this_copy_does_not_know_push_the_next_one_behind_it(copies: Copies) -> None:
    laptop = join(copies.first, Laptop())
    copy = copies.copy(copies.first, "copy")
    fast = copies.life(copy, "a", 60 * 24 * 365)  # its clock was a year ahead
    receipt = fast.ingest.take(laptop.batch(1)).receipt
    right = copies.life(copy, "b", 5)
    assert right.log.epoch < fast.log.epoch
    evidence.take(right, [receipt])
    right.close()
    again = copies.keep(centres.new_epoch(right.folder, SetClock(NOW + 6 * MINUTE)))
    assert again.log.epoch == fast.log.epoch + 1


def test_numbers_of_one_stretch_are_given_in_order_and_never_twice(copies: Copies) -> None:
    life = copies.life(copies.copy(copies.first, "copy"), "a", 1)

    def numbers(tx: Any) -> list[int]:
        made = [
            enrolment.open_slot(tx, life.keys, office_facts("0306"), enrolment.new_ticket(), NOW, epoch)["number"]
            for epoch in (1, life.log.epoch, 1, life.log.epoch)
        ]
        return [int(number) for number in made]

    one, far, two, further = life.storage.write(numbers)
    assert (two, further) == (one + 1, far + 1) and far % enrolment.EPOCH_NUMBERS == 1 and far > two


@pytest.mark.parametrize("minutes", [0, 1, 7_199, 4_319])
def test_what_a_life_leaves_out_is_bounded(copies: Copies, minutes: int) -> None:
    copies.first.enrol(office_facts("0306"), ["http://hub.test"])
    life = copies.life(copies.copy(copies.first, "copy"), "a", minutes)
    rows = life.storage.read(lambda tx: tx.query("SELECT resource, size FROM lease WHERE slot = :s", {"s": bytes(16)}))
    most = max(row["size"] // leases.BLOCKS[row["resource"]] for row in rows)
    assert leases.LOST_EVERYWHERE <= most < leases.LOST_EVERYWHERE + 20 * 5 * 1_440
    assert life.log.epoch >= NOW // 1000


def test_the_second_site_tells_which_lives_descend_from_which(copies: Copies) -> None:
    """The second life began from an older copy than the third: nothing of it is in the third one's past."""
    site = copies.folder / "site"
    old = copies.copy(copies.first, "old")
    grown = copies.keep(centres.open_(copies.first.folder, SetClock(NOW)))
    for _ in range(3):
        grown.ingest.take(Laptop().batch(1))
    exports.backup(grown, site)
    newer = copies.copy(grown, "newer")
    second = copies.life(old, "a", 1)
    stray = second.ingest.take(Laptop().batch(1))
    exports.backup(second, site)
    third = copies.life(newer, "b", 2)
    third.ingest.take(Laptop().batch(1))
    exports.backup(third, site)
    made = copies.folder / "made"
    shutil.copytree(third.folder / "keys", made / "keys")
    built = copies.keep(whole.restore(made, FolderSite(site), SetClock(NOW + 3 * MINUTE))[0])
    size = third.storage.read(log.size)
    assert built.storage.read(built.log.verify) == []
    roots = [centre.storage.read(lambda tx: log.range_hash(tx, 0, size)) for centre in (third, built)]
    assert roots[0] == roots[1]
    told = epochs.read(str(built.storage.read(lambda tx: epochs.note_of(tx, built.log.epoch))), built.log.note_key)
    assert told.after == third.log.epoch
    assert stray.label == "pending" and built.storage.read(
        lambda tx: tx.query("SELECT count(*) AS n FROM batch WHERE via = 'courier'")
    ) == [{"n": 1}], "what only the second life had comes in anew"


class Ways:
    """What a witness asks a centre, answered by its real face."""

    def __init__(self, centre: Centre) -> None:
        self._line = httpx.ASGITransport(face.create(centre))
        self.flips = 0  # tiles that still come with a flipped bit, each another one
        self.short = 0  # bytes that every tile lacks

    def call(self, method: str, path: str, *, limit: int) -> Answer:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._line, base_url="http://hub.test") as client:
                return await client.request(method, path)

        answer = asyncio.run(ask())
        data = bytearray(answer.content[:limit])
        if self.flips and "/tile/" in path:
            data[self.flips] ^= 1
            self.flips -= 1
        if self.short and "/tile/" in path:
            del data[-self.short :]
        return Answer(answer.status_code, bytes(data))


class Witness:
    def __init__(self, folder: Path, centre: Centre) -> None:
        self.storage = SqliteStorage(folder)
        self.mirror = Mirror(self.storage, centre.log.note_key, "pursat", SigningKey.generate())

    def follow(self, centre: Centre) -> int:
        signed = self.mirror.advance(Ways(centre), NOW)  # type: ignore[arg-type]  # its calls are all that a mirror needs
        size: int = self.storage.read(self.mirror.seen).size
        assert signed is None or size == centre.storage.read(log.size)
        root = self.storage.read(lambda tx: self.mirror.root(tx, size))
        assert root == (centre.storage.read(lambda tx: log.range_hash(tx, 0, size)) if size else merkle.EMPTY_ROOT)
        return int(self.storage.read(self.mirror.seen).epoch)


@pytest.fixture
def witness(copies: Copies, tmp_path: Path) -> Iterator[Witness]:
    (tmp_path / "witness").mkdir()
    found = Witness(tmp_path / "witness", copies.first)
    yield found
    found.storage.close()


def test_a_witness_follows_a_life_that_does_not_descend_from_the_last_one(copies: Copies, witness: Witness) -> None:
    assert witness.follow(copies.first) == 1
    shared = copies.first.storage.read(log.size)
    old = copies.copy(copies.first, "old")
    grown = copies.keep(centres.open_(copies.first.folder, SetClock(NOW)))
    grown.ingest.take(Laptop().batch(1))
    newer = copies.copy(grown, "newer")
    one = copies.life(old, "a", 1)
    one.ingest.take(Laptop().batch(1))
    assert witness.follow(one) == one.log.epoch
    unseen = copies.life(newer, "b", 2)
    unseen.ingest.take(Laptop().batch(1))
    last = copies.life(copies.copy(unseen, "of-unseen"), "c", 3)
    assert witness.follow(last) == last.log.epoch
    assert witness.storage.read(witness.mirror.alarm) is None
    assert witness.storage.read(lambda tx: witness.mirror.agrees(tx, shared + 1, bytes(32))), (
        "nothing can be told there"
    )
    assert not witness.storage.read(lambda tx: witness.mirror.agrees(tx, shared, bytes(32)))
    with pytest.raises(Split, match="older life"):
        witness.mirror.advance(Ways(copies.keep(centres.open_(one.folder, SetClock(NOW)))), NOW)  # type: ignore[arg-type]


def test_a_witness_that_comes_late_learns_all_lives(copies: Copies, witness: Witness) -> None:
    one = copies.life(copies.copy(copies.first, "old"), "a", 1)
    two = copies.life(copies.copy(one, "of-a"), "b", 2)
    assert witness.follow(two) == two.log.epoch
    other = copies.life(copies.folder / "old", "c", 3)
    assert witness.follow(other) == other.log.epoch
    forged = copies.life(copies.folder / "old", "d", 4)
    forged.storage.write(lambda tx: tx.execute("DELETE FROM meta WHERE name LIKE 'epoch-note/%'"))
    with pytest.raises(Split, match="without a word"):
        witness.follow(forged)


def test_a_bit_that_flipped_on_the_line_accuses_nobody(copies: Copies, witness: Witness) -> None:
    way = Ways(copies.first)
    way.flips = 2
    with pytest.raises(Malformed):
        witness.mirror.advance(way, NOW)  # type: ignore[arg-type]
    assert witness.storage.read(witness.mirror.alarm) is None
    way.flips = 1
    assert witness.mirror.advance(way, NOW) is not None, "asked once more in the same run"  # type: ignore[arg-type]
    assert witness.follow(copies.first) == 1


def test_a_word_about_another_life_is_no_word(copies: Copies, witness: Witness) -> None:
    old = copies.copy(copies.first, "old")
    one, two = copies.life(old, "a", 1), copies.life(old, "b", 2)
    word = one.storage.read(lambda tx: epochs.note_of(tx, one.log.epoch))
    sql = "UPDATE meta SET value = :word WHERE name = :name"
    two.storage.write(lambda tx: tx.execute(sql, {"word": word, "name": f"epoch-note/{two.log.epoch}"}))
    with pytest.raises(Split, match="another life"):
        witness.follow(two)


def test_a_tile_that_is_cut_and_a_copy_that_lost_a_hash_are_no_log(copies: Copies, witness: Witness) -> None:
    way = Ways(copies.first)
    for way.short in (1, 32):
        with pytest.raises(Malformed, match="tile"):
            witness.mirror.advance(way, NOW)  # type: ignore[arg-type]
    assert witness.follow(copies.first) == 1
    for _ in range(2):
        copies.first.ingest.take(Laptop().batch(1))
    assert witness.follow(copies.first) == 1
    size = copies.first.storage.read(log.size)
    proof = witness.storage.read(lambda tx: witness.mirror.consistency(tx, 1, size))
    assert proof == copies.first.storage.read(lambda tx: log.consistency(tx, 1, size)) != []
    witness.storage.write(lambda tx: tx.execute("DELETE FROM node WHERE idx = 0"))
    with pytest.raises(Malformed, match="node"):
        witness.storage.read(lambda tx: witness.mirror.root(tx, size))
