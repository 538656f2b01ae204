"""The Merkle log: its proofs hold against the reference tree, and every alteration of what is stored is named."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nacl.signing import SigningKey

from sync import merkle, notes, receipts
from sync.cbor import Malformed
from sync.errors import Known
from sync.hub import centre as centres
from sync.hub import log as logs
from sync.hub import objects
from sync.hub.centre import Centre
from sync.hub.log import Log
from sync.hub.storage import Storage, Tx
from sync.receipts import Leaf, State
from tests.hub import postgres
from tests.hub.conftest import tamper
from tests.hub.laptop import NOW, Laptop, join

EXAMPLES = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """A log of 300 leaves (more than a tile), with their hashes."""
    with postgres.storage(request.param, tmp_path_factory.mktemp("log")) as storage:
        yield _filled(storage)


def _filled(storage: Storage) -> Filled:
    log, hashes = Log("hub", 1, SigningKey.generate()), list[bytes]()

    def fill(tx: Tx) -> None:
        for number in range(300):
            leaf = Leaf(number.to_bytes(32, "big"), bytes(16), 1, 1, NOW, State.ACCEPTED)
            assert log.append(tx, [(leaf, number)]) == number
            hashes.append(merkle.leaf_hash(leaf.data()))

    storage.write(fill)
    return storage, log, hashes


Filled = tuple[Storage, Log, list[bytes]]


@EXAMPLES
@given(data=st.data())
def test_proofs_are_those_of_the_reference_tree(filled: Filled, data: st.DataObject) -> None:
    storage, _, hashes = filled
    size = data.draw(st.integers(1, 300))
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(0, size))
    ranges = merkle.inclusion_ranges(index, size)
    proof = storage.read(lambda tx: [logs.range_hash(tx, lo, hi) for lo, hi in ranges])
    assert proof == merkle.inclusion(hashes[:size], index)
    assert storage.read(lambda tx: logs.range_hash(tx, 0, size)) == merkle.root(hashes[:size])
    assert storage.read(lambda tx: logs.consistency(tx, old, size)) == merkle.consistency(hashes[:size], old)


def test_tiles_are_the_hashes_of_complete_subtrees(filled: Filled) -> None:
    storage, _, hashes = filled
    assert storage.read(lambda tx: logs.tile(tx, 0, 0)) == b"".join(hashes[:256])
    assert storage.read(lambda tx: logs.tile(tx, 0, 1)) is None
    assert storage.read(lambda tx: logs.tile(tx, 0, 1, 44)) == b"".join(hashes[256:])
    assert storage.read(lambda tx: logs.tile(tx, 1, 0, 1)) == merkle.root(hashes[:256])
    assert storage.read(lambda tx: logs.tile(tx, 1, 0, 2)) is None


def test_a_node_that_is_not_there_is_malformed(filled: Filled) -> None:
    with pytest.raises(Malformed):
        filled[0].read(lambda tx: logs.range_hash(tx, 512, 1024))
    with pytest.raises(Malformed):
        filled[0].read(filled[1].latest)


def test_a_log_that_lost_a_node_is_not_gone_on_with(filled: Filled) -> None:
    storage, log, hashes = filled
    leaf = Leaf(bytes(32), bytes(16), 1, 1, NOW, State.ACCEPTED)

    def go_on(tx: Tx) -> None:
        tx.execute("DELETE FROM node WHERE height = 8")
        log.append(tx, [(leaf, 300)])

    with pytest.raises(Malformed, match="node 8/0"):
        storage.write(go_on)
    assert storage.read(logs.size) == len(hashes)
    assert storage.read(lambda tx: logs.range_hash(tx, 0, 256)) == merkle.root(hashes[:256]), "and nothing else is lost"


def test_the_empty_log_is_signed_too(centre: Centre) -> None:
    first = centre.storage.read(lambda tx: tx.query("SELECT note FROM checkpoint ORDER BY size LIMIT 1"))[0]["note"]
    checkpoint = notes.read_checkpoint(first, centre.log.note_key)
    assert (checkpoint.size, checkpoint.root, checkpoint.origin) == (0, merkle.EMPTY_ROOT, "hub/1")
    assert centre.storage.read(centre.log.verify) == []


def test_a_reopened_hub_signs_nothing_twice(centre: Centre) -> None:
    laptop = join(centre, Laptop())
    centre.ingest.take(laptop.batch(1))
    before = centre.storage.read(centre.log.latest)
    count = "SELECT count(*) AS n FROM checkpoint"
    signed = centre.storage.read(lambda tx: tx.query(count))
    centre.close()
    again = centres.open_(centre.folder, centre.clock)
    assert again.storage.read(again.log.latest) == before
    assert again.storage.read(lambda tx: tx.query(count)) == signed
    again.close()


def test_every_receipt_verifies_under_the_newest_checkpoint(centre: Centre) -> None:
    laptops = [join(centre, Laptop()) for _ in range(3)]
    for number in range(12):
        centre.ingest.take(laptops[number % 3].batch(1))
    texts = [
        row["receipt"] for row in centre.storage.read(lambda tx: tx.query("SELECT receipt FROM leaf ORDER BY idx"))
    ]
    newest = notes.read_checkpoint(centre.storage.read(centre.log.latest), centre.log.note_key)
    for index, text in enumerate(texts):
        receipt = receipts.verify(text, centre.log.note_key)
        assert receipt.index == index
        proof = centre.storage.read(lambda tx, old=receipt.checkpoint.size: logs.consistency(tx, old, newest.size))  # type: ignore[misc]
        receipts.require_advance(receipt.checkpoint, newest, proof)


def test_batches_of_one_commit_share_one_checkpoint(centre: Centre) -> None:
    laptop = join(centre, Laptop())
    parsed = [laptop.batch(1) for _ in range(5)]
    before = centre.storage.read(logs.size)
    from sync import batch

    def store(tx: Tx) -> None:
        for data in parsed:
            centre.ingest._store(tx, [(batch.parse(data), "line")])

    centre.storage.write(store)
    sizes = centre.storage.read(lambda tx: tx.query("SELECT size FROM checkpoint ORDER BY size"))
    assert [row["size"] for row in sizes if row["size"] > before] == [before + 5]


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        ("UPDATE leaf SET hash = zeroblob(32) WHERE idx = 1", "leaf 1"),
        ("UPDATE leaf SET data = zeroblob(73) WHERE idx = 0", "leaf 0"),
        ("UPDATE batch SET raw = zeroblob(10) WHERE idx = (SELECT batch FROM leaf WHERE idx = 1)", "leaf 1"),
        ("UPDATE batch SET raw = zeroblob(0) WHERE idx = (SELECT batch FROM leaf WHERE idx = 1)", "leaf 1"),
        ("UPDATE leaf SET receipt = NULL WHERE idx = 2", "leaf 2"),
        ("UPDATE leaf SET receipt = (SELECT receipt FROM leaf WHERE idx = 0) WHERE idx = 2", "leaf 2"),
        ("UPDATE checkpoint SET root = zeroblob(32) WHERE size = 2", "checkpoint 2"),
        ("UPDATE checkpoint SET note = 'x' WHERE size = 3", "checkpoint 3"),
        ("UPDATE checkpoint SET note = (SELECT note FROM checkpoint WHERE size = 0) WHERE size = 3", "checkpoint 3"),
        ("UPDATE checkpoint SET root = zeroblob(32) WHERE size = 0", "checkpoint 0"),
        ("DELETE FROM leaf WHERE idx = (SELECT max(idx) FROM leaf)", "has no leaves"),
    ],
)
def test_every_alteration_is_named(centre: Centre, damage: str, named: str) -> None:
    laptop = join(centre, Laptop())
    for _ in range(3):
        centre.ingest.take(laptop.batch(1))
    assert centre.storage.read(centre.log.verify) == []
    tamper(centre, damage)
    assert any(fault.endswith(named) for fault in centre.storage.read(centre.log.verify))


def test_a_log_is_not_called_broken_while_its_storage_is_away(centre: Centre) -> None:
    centre.ingest.take(join(centre, Laptop()).batch(1))
    tamper(centre, "UPDATE batch SET raw = zeroblob(0)")
    with closing(socket.socket()) as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = objects.address(f"http://127.0.0.1:{nobody.getsockname()[1]}/sala")
        centre.storage.objects = objects.Bucket(address, "batches", lambda: ("sala", "not-a-real-secret"))
        with pytest.raises(Known, match="HB-166"):
            centre.storage.read(centre.log.verify)
        centre.storage.objects = None


def test_a_new_epoch_signs_the_same_leaves_under_its_own_name(centre: Centre) -> None:
    laptop = join(centre, Laptop())
    centre.ingest.take(laptop.batch(1))
    second = Log("hub", 2, centre.keys.log)
    centre.storage.write(lambda tx: second.sign(tx, NOW))
    checkpoint = notes.read_checkpoint(centre.storage.read(second.latest), second.note_key)
    assert (checkpoint.origin, checkpoint.size) == ("hub/2", centre.storage.read(logs.size))
    assert centre.storage.read(second.verify) == []
