"""Laws of ingest: any order, any number of times, over any line, the same state; what is not whole leaves no trace but a note."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync import batch as batches
from sync import ops, receipts
from sync.clock import SetClock
from sync.errors import Known, Refused
from sync.hub import chunks, enrolment, labels
from sync.hub.centre import Centre
from sync.receipts import State
from tests.hub.laptop import Laptop, ask, join, slot
from tests.hub.laptop import labels as labels_of

EXAMPLES = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def accepted_order(centre: Centre, laptop: Laptop) -> list[bytes]:
    rows = centre.storage.read(
        lambda tx: tx.query(
            "SELECT o.hash FROM accepted a JOIN op o ON o.id = a.op WHERE o.device = :d ORDER BY a.idx",
            {"d": laptop.id},
        )
    )
    return [row["hash"] for row in rows]


def chain(*data: bytes) -> list[bytes]:
    """The op hashes of batches that follow each other."""
    return [op.hash for one in data for op in batches.parse(one).ops]


def test_a_batch_is_stored_receipted_and_accepted(centre: Centre, laptop: Laptop) -> None:
    data = laptop.batch(3)
    taken = centre.ingest.take(data, sha256(data).digest())
    assert (taken.again, taken.new_ops, taken.label) == (False, 3, labels.ACCEPTED)
    receipt = receipts.verify(taken.receipt, centre.log.note_key)
    assert receipts.belongs(receipt, batches.parse(data))
    assert (receipt.leaf.state, receipt.leaf.received_ms) == (State.ACCEPTED, centre.clock.wall_ms())
    assert accepted_order(centre, laptop) == chain(data)


def test_the_same_batch_gets_the_identical_receipt_for_ever(centre: Centre, laptop: Laptop, clock: SetClock) -> None:
    data = laptop.batch(2)
    first = centre.ingest.take(data)
    centre.ingest.take(laptop.batch(1))
    clock.advance(86_400_000)
    again = centre.ingest.take(data, via="courier")
    assert (again.receipt, again.again, again.new_ops) == (first.receipt, True, 0)


def test_the_same_ops_cut_anew_are_not_doubled(centre: Centre, laptop: Laptop) -> None:
    made = [laptop.op() for _ in range(6)]
    whole = laptop.clone().batch(made=made)
    left, right = laptop.batch(made=made[:2]), laptop.batch(made=made[2:])
    for data, new in ((left, 2), (whole, 4), (right, 0)):
        taken = centre.ingest.take(data)
        assert (taken.new_ops, taken.label) == (new, labels.ACCEPTED)
    assert accepted_order(centre, laptop) == chain(whole)


def rows(centre: Centre) -> list[int]:
    """How many rows the tables have that a batch would touch."""
    tables = ("batch", "op", "leaf", "refused")
    return centre.storage.read(lambda tx: [tx.query(f"SELECT count(*) AS n FROM {t}")[0]["n"] for t in tables])


@pytest.mark.parametrize("kind", ["cut off", "altered", "not a batch", "empty", "another name"])
def test_what_is_not_whole_is_refused_and_never_stored(centre: Centre, laptop: Laptop, kind: str) -> None:
    data = laptop.batch(4)
    sent = {
        "cut off": data[:-1], "altered": data[:-3] + bytes([data[-3] ^ 1]) + data[-2:], "not a batch": b"\x00" * 500, "empty": b"",
        "another name": data,
    }[kind]  # fmt: skip
    expected = bytes(32) if kind == "another name" else sha256(sent).digest()
    before = rows(centre)
    with pytest.raises(Refused) as refused:
        centre.ingest.take(sent, expected)
    assert refused.value.code == "HB-110"
    assert [now - then for now, then in zip(rows(centre), before, strict=True)] == [0, 0, 0, 1]
    assert centre.ingest.take(data).new_ops == 4  # the laptop still has it, and it is taken when it comes whole


@EXAMPLES
@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_any_flipped_bit_is_noticed(shared_centre: Centre, place: int, bit: int) -> None:
    data = bytearray(Laptop().batch(2))
    data[place % len(data)] ^= 1 << bit
    with pytest.raises(Refused):
        shared_centre.ingest.take(bytes(data))


def test_refusals_do_not_fill_the_disk(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    from sync.hub import ingest

    monkeypatch.setattr(ingest, "_REFUSALS_KEPT", 3)
    for number in range(7):
        with pytest.raises(Refused):
            centre.ingest.take(bytes([number]))
    assert centre.storage.read(lambda tx: tx.query("SELECT count(*) AS n FROM refused"))[0]["n"] == 3


def test_the_same_batch_twice_in_one_moment_is_stored_once(centre: Centre, laptop: Laptop) -> None:
    parsed = batches.parse(laptop.batch(2))
    for came in ([(parsed, "line")] * 2, [(parsed, "line")]):
        kept = centre.storage.write(lambda tx, c=came: centre.ingest._store(tx, c))  # type: ignore[misc]
        assert [one is not None for one in kept] == ([True, False] if len(came) == 2 else [False])
    assert centre.ingest.take(parsed.data).again


# --- the tree


@EXAMPLES
@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=6), data=st.data())
def test_any_order_any_number_of_times_gives_the_same_chain(
    shared_centre: Centre, sizes: list[int], data: st.DataObject
) -> None:
    laptop = Laptop()
    cut = [laptop.batch(size) for size in sizes]
    enrol_at = data.draw(st.integers(0, len(cut)))
    order = data.draw(st.permutations(cut + data.draw(st.lists(st.sampled_from(cut), max_size=3))))
    for step, one in enumerate(order):
        if step == enrol_at:
            join(shared_centre, laptop)
        shared_centre.ingest.take(one)
    if enrol_at >= len(order):
        join(shared_centre, laptop)
    assert accepted_order(shared_centre, laptop) == chain(*cut)
    assert set(labels_of(shared_centre, laptop).values()) == {labels.ACCEPTED}
    assert shared_centre.storage.read(shared_centre.log.verify) == []


@EXAMPLES
@given(
    common=st.integers(0, 3), one=st.lists(st.integers(1, 3), min_size=1, max_size=3),
    two=st.lists(st.integers(1, 3), min_size=1, max_size=3),
    data=st.data(),
)  # fmt: skip
def test_two_laptops_with_one_key_fork_and_lose_nothing(
    shared_centre: Centre, common: int, one: list[int], two: list[int], data: st.DataObject
) -> None:
    laptop = join(shared_centre, Laptop())
    start = [laptop.batch(common)] if common else []
    clone = laptop.clone()
    left, right = [laptop.batch(n) for n in one], [clone.batch(n) for n in two]
    for batch in data.draw(st.permutations(start + left + right)):
        shared_centre.ingest.take(batch)
    found = labels_of(shared_centre, laptop)
    assert set(found) == {*chain(*start), *chain(*left), *chain(*right)}
    branches = [{found[op] for op in chain(*branch)} for branch in (left, right)]
    assert sorted(branches, key=sorted) == [{labels.ACCEPTED}, {labels.FORK}]
    winner = left if branches[0] == {labels.ACCEPTED} else right
    assert accepted_order(shared_centre, laptop) == chain(*start, *winner)


def test_a_fork_says_so_on_its_receipt(centre: Centre, laptop: Laptop) -> None:
    clone = laptop.clone()
    centre.ingest.take(laptop.batch(1))
    taken = centre.ingest.take(clone.batch(2))
    assert taken.label == labels.FORK
    assert receipts.verify(taken.receipt, centre.log.note_key).leaf.state is State.FORK


def test_an_unknown_device_waits_and_is_receipted(centre: Centre) -> None:
    laptop = Laptop()
    first, second = laptop.batch(2), laptop.batch(1)
    assert centre.ingest.take(second).label == labels.PENDING
    assert centre.ingest.take(first).label == labels.PENDING
    ticket = slot(centre)
    assert ask(centre, laptop.request(ticket)).status == 201
    assert set(labels_of(centre, laptop).values()) == {labels.ACCEPTED}
    assert accepted_order(centre, laptop) == chain(first, second)


def test_an_unknown_kind_keeps_its_place_and_waits_for_its_module(centre: Centre, laptop: Laptop) -> None:
    strange = laptop.batch(1, kind="gardens.planted")
    plain = laptop.batch(1)
    assert centre.ingest.take(strange).label == labels.SCHEMA
    assert centre.ingest.take(plain).label == labels.ACCEPTED
    centre.kinds = centre.kinds | {"gardens.planted"}
    from sync.hub import tree

    assert centre.storage.write(lambda tx: tree.learn(tx, centre.kinds)) == 1
    assert centre.storage.write(lambda tx: tree.learn(tx, centre.kinds)) == 0
    assert accepted_order(centre, laptop) == chain(plain, strange)  # it joins at the end: projections never look back


# --- revoked laptops


def revoke(centre: Centre, laptop: Laptop) -> None:
    centre.storage.write(lambda tx: enrolment.revoke(tx, laptop.id, centre.clock.wall_ms()))


def test_a_revoked_laptop_is_stored_receipted_and_quarantined(centre: Centre, laptop: Laptop) -> None:
    before = laptop.batch(2)
    centre.ingest.take(before)
    revoke(centre, laptop)
    after = laptop.batch(2)
    taken = centre.ingest.take(after)
    assert taken.label == labels.REVOKED
    assert receipts.verify(taken.receipt, centre.log.note_key).leaf.state is State.REVOKED
    assert centre.ingest.take(laptop.batch(1)).label == labels.REVOKED  # what hangs on it shares its label
    assert accepted_order(centre, laptop) == chain(before)


def test_what_was_receipted_before_stays_accepted_when_it_comes_again(centre: Centre, laptop: Laptop) -> None:
    before = laptop.batch(2)
    first = centre.ingest.take(before)
    revoke(centre, laptop)
    assert centre.ingest.take(before).receipt == first.receipt


@pytest.mark.parametrize("claimed", [1, 2, 3])
def test_a_revoked_laptop_does_not_slip_below_the_cutoff_by_claiming_low_numbers(
    centre: Centre, laptop: Laptop, claimed: int
) -> None:
    centre.ingest.take(laptop.batch(3))
    revoke(centre, laptop)
    lie = laptop.batch(2, first_seq=claimed)
    assert centre.ingest.take(lie).label == labels.REVOKED
    places = centre.storage.read(
        lambda tx: tx.query("SELECT seq FROM op WHERE device = :d ORDER BY seq", {"d": laptop.id})
    )
    assert [row["seq"] for row in places] == [1, 2, 3, 4, 5]


def test_an_op_of_another_device_is_no_parent(centre: Centre, laptop: Laptop) -> None:
    centre.ingest.take(laptop.batch(1))
    other = join(centre, Laptop())
    other.head = laptop.head
    assert centre.ingest.take(other.batch(1, first_seq=2)).label == labels.PENDING


# --- chunks


def test_a_chunk_is_kept_once_under_its_hash(centre: Centre) -> None:
    data = b"cipher" * 1000
    digest = sha256(data).digest()
    assert centre.ingest.take_chunk(data, digest, centre.put_chunk)
    assert not centre.ingest.take_chunk(data, digest, centre.put_chunk)
    assert chunks.path(centre.folder, digest).read_bytes() == data


def test_two_chunks_may_share_a_folder(centre: Centre) -> None:
    for digest in (b"\xaa" * 32, b"\xaa" * 31 + b"\xbb"):
        centre.put_chunk(digest, b"x")
        assert chunks.path(centre.folder, digest).read_bytes() == b"x"


@pytest.mark.parametrize("damage", ["bytes", "size"])
def test_a_damaged_or_huge_chunk_is_refused(centre: Centre, damage: str) -> None:
    data = b"x" * (300 * 1024 if damage == "size" else 10)
    digest = sha256(data).digest() if damage == "size" else bytes(32)
    with pytest.raises(Refused) as refused:
        centre.ingest.take_chunk(data, digest, centre.put_chunk)
    assert refused.value.code == "HB-111"
    assert not (centre.folder / "chunks").exists()


def test_a_chunk_that_finds_no_room_leaves_no_part(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    data = b"y" * 10
    monkeypatch.setattr("sync.hub.chunks.os.fsync", full)
    with pytest.raises(Known) as known:
        centre.put_chunk(sha256(data).digest(), data)
    assert known.value.code == "HB-102"
    assert not [path for path in (centre.folder / "chunks").rglob("*") if path.is_file()]


def test_a_genesis_is_the_hash_of_the_key(laptop: Laptop) -> None:
    assert batches.parse(laptop.batch(1)).prev == ops.genesis(bytes(laptop.sign.verify_key))
