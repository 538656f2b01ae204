"""The law of groups: batches that come together leave what they would have left one after the other, and none touches another."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync import batch as batches
from sync import receipts
from sync.batch import Batch
from sync.clock import SetClock
from sync.hub import centre as centres
from sync.hub import enrolment, ingest
from sync.hub.centre import Centre
from sync.hub.ingest import Kept
from sync.hub.storage import Tx
from tests.hub import tables
from tests.hub.laptop import NOW, Laptop, join

EXAMPLES = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def together(centre: Centre, data: Sequence[bytes]) -> list[Kept | None]:
    """What became of batches that share one call."""
    came = [(batches.parse(one), "line") for one in data]
    return centre.storage.write(lambda tx: centre.ingest._store(tx, came))


def state(centre: Centre, laptops: Sequence[Laptop]) -> list[Any]:
    """All that ingest writes about laptops, without numbers and times of this hub."""

    def read(tx: Tx) -> list[Any]:
        found: list[Any] = []
        for laptop in laptops:
            values = {"d": laptop.id}
            found += [
                tx.query("SELECT hash, parent, seq, label, known, place FROM op WHERE device = :d ORDER BY hash", values),
                tx.query("SELECT hash, n, new_ops, size, via FROM batch WHERE device = :d ORDER BY hash", values),
                tx.query("SELECT day, batches, records FROM tally WHERE device = :d ORDER BY day", values),
                tx.query("SELECT batches, records, last_seen_ms FROM device WHERE device = :d", values),
                tx.query("SELECT op, seq, sibling FROM fork WHERE device = :d ORDER BY op", values),
                [row["hash"] for row in tx.query(
                    "SELECT o.hash FROM accepted a JOIN op o ON o.id = a.op WHERE o.device = :d ORDER BY a.idx", values)],
                sorted(bytes(row["data"]) for row in tx.query("SELECT data FROM leaf WHERE device = :d", values)),
            ]  # fmt: skip
        return found

    return centre.storage.read(read)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Centre, Centre]]:
    """Two hubs: one gets batches together, the other one after the other."""
    folder = tmp_path_factory.mktemp("pair")
    made = [
        centres.create(tables.lay(folder / name), SetClock(NOW), name="hub", log_name="hub")
        for name in ("group", "alone")
    ]
    yield made[0], made[1]
    for one in made:
        one.close()


@EXAMPLES
@given(data=st.data())
def test_batches_together_leave_what_they_leave_one_by_one(pair: tuple[Centre, Centre], data: st.DataObject) -> None:
    laptops = [Laptop() for _ in range(data.draw(st.integers(1, 3)))]
    sent: list[bytes] = []
    for laptop in laptops:
        clone = laptop.clone()
        sent += [laptop.batch(n) for n in data.draw(st.lists(st.integers(1, 3), max_size=3))]
        sent += [clone.batch(n) for n in data.draw(st.lists(st.integers(1, 2), max_size=2))]  # a copy of it: forks
        if data.draw(st.booleans()):
            sent.append(laptop.batch(1, kind="gardens.planted"))
    sent += data.draw(st.lists(st.sampled_from(sent), max_size=2)) if sent else []
    sent = data.draw(st.permutations(sent))
    unknown = data.draw(st.integers(0, 3)) == 0
    for centre in pair:
        for laptop in laptops[int(unknown) :]:
            join(centre, laptop)
    cut = data.draw(st.integers(0, len(sent)))
    for group in (sent[:cut], sent[cut:]):
        if group:
            together(pair[0], group)
    for one in sent:
        pair[1].ingest.take(one)
    assert state(pair[0], laptops) == state(pair[1], laptops)
    assert pair[0].storage.read(pair[0].log.verify) == []


def test_a_group_of_everything(centre: Centre) -> None:
    """Straight batches, a chain in one group, a fork, a stranger, one that came before, one twice: on both databases."""
    one, two, three, stranger = join(centre, Laptop()), join(centre, Laptop()), join(centre, Laptop()), Laptop()
    copy = three.clone()
    before = one.batch(2)
    centre.ingest.take(before)
    sent = [
        before,
        one.batch(9),
        two.batch(1),
        one.batch(3),
        three.batch(2),
        copy.batch(2),
        stranger.batch(10),
        two.batch(20),
    ]
    found = together(centre, [*sent, sent[1]])
    assert [kept and (kept.new_ops, kept.label) for kept in found] == [
        None, (9, "accepted"), (1, "accepted"), (3, "accepted"), (2, "accepted"), (2, "q:fork"), (10, "pending"), (20, "accepted"),
        None,
    ]  # fmt: skip
    for data, kept in zip(sent, found, strict=False):
        if kept is not None:
            receipt = receipts.verify(kept.receipts[kept.index], centre.log.note_key)
            assert receipts.belongs(receipt, batches.parse(data))
            assert centre.ingest.take(data).receipt == receipt.text  # the same for ever
    assert centre.storage.read(centre.log.verify) == []


def test_a_revocation_holds_within_a_group(centre: Centre) -> None:
    gone, stays = join(centre, Laptop()), join(centre, Laptop())
    centre.ingest.take(gone.batch(2))
    centre.storage.write(lambda tx: enrolment.revoke(tx, gone.id, NOW))
    found = together(centre, [gone.batch(1), stays.batch(2), gone.batch(1)])
    assert [kept and kept.label for kept in found] == ["q:revoked", "accepted", "q:revoked"]


def test_who_moves_somebody_has_a_round_of_their_own() -> None:
    def parsed(laptop: Laptop, kind: str = "links.created") -> Batch:
        return batches.parse(laptop.batch(1, kind=kind))

    one, two, three = Laptop(), Laptop(), Laptop()
    first, mover, again, last = parsed(one), parsed(two, "sync.transfer"), parsed(one), parsed(three)
    after = parsed(two)
    rounds = list(ingest._rounds([first, mover, again, last, after]))
    assert rounds == [[first, last], [mover], [again, after]]


def test_one_batch_that_cannot_be_stored_touches_no_other(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    """The group fails as a whole, is undone as a whole, and each batch goes alone."""
    one, two, three = join(centre, Laptop()), join(centre, Laptop()), join(centre, Laptop())
    sent = {name: laptop.batch(12) for name, laptop in (("one", one), ("two", two), ("three", three))}
    poison, leaf = batches.parse(sent["two"]).hash, ingest._leaf
    sizes: list[int] = []

    def broken(placed: Any, now: int) -> receipts.Leaf:
        if placed.batch.hash == poison:
            raise ArithmeticError("no leaf")
        return leaf(placed, now)

    write = ingest._write

    def watched(tx: Tx, came: Sequence[Any], now: int, *, elsewhere: bool) -> dict[bytes, int]:
        sizes.append(len(came))
        return write(tx, came, now, elsewhere=elsewhere)

    monkeypatch.setattr(ingest, "_leaf", broken)
    monkeypatch.setattr(ingest, "_write", watched)
    held, go = threading.Event(), threading.Event()
    outcomes: dict[str, Any] = {}

    def take(name: str) -> None:
        try:
            outcomes[name] = centre.ingest.take(sent[name]).label
        except ArithmeticError as error:
            outcomes[name] = error

    def hold(_tx: Tx) -> None:
        held.set()
        go.wait(10)

    holding = threading.Thread(target=centre.storage.write, args=(hold,))
    holding.start()
    assert held.wait(10)
    takers = [threading.Thread(target=take, args=(name,)) for name in sent]
    for thread in takers:
        thread.start()
    while centre.storage._group.waiting() < 3:  # type: ignore[attr-defined]
        pass
    go.set()
    for thread in (holding, *takers):
        thread.join(20)
    assert (outcomes["one"], outcomes["three"]) == ("accepted", "accepted")
    assert isinstance(outcomes["two"], ArithmeticError)
    assert sizes == [3, 1, 1, 1]
    monkeypatch.undo()
    assert centre.storage.read(centre.log.verify) == []
    assert centre.ingest.take(sent["two"]).label == "accepted"  # nothing of it was left
