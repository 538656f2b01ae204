"""The device's own chain and outbox: append, cut, states, cut again, what a hub lost."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync import batch, cutting, delivery, keys, marks, merkle, notes, ops, outbox, receipts, sealing
from sync.cbor import Malformed
from sync.clock import SetClock
from sync.errors import Known, Refused
from sync.keys import Officer, Unlocked
from sync.limits import MAX_OP, RECUT_OVER
from sync.receipts import Leaf, State
from sync.store import Connection
from sync.version import VERSION
from tests.sync.conftest import Centre

Append = Callable[..., list[str]]


@pytest.fixture
def append(laptop: Unlocked, clock: SetClock) -> Append:
    """Appends ``n`` ops, one record each."""

    def make(n: int = 1, *, sealed: bool = False, size: int = 20, first: int = 0) -> list[str]:
        noise = random.Random(first)

        def work(conn: Connection) -> list[str]:
            return [
                ops.append(
                    conn, laptop, clock, kind="forms.submission", record=f"r{number}", form="f", def_hash=b"d" * 32,
                    body={"n": number, "text": noise.randbytes(size // 2).hex()}, sealed=sealed,
                )
                for number in range(first, first + n)
            ]  # fmt: skip

        clock.advance(60_000)
        return laptop.store.write(work)

    return make


def cut(laptop: Unlocked, clock: SetClock, **options: Any) -> bytes | None:
    return cutting.cut(laptop, VERSION, **options)


def frozen(laptop: Unlocked, hash_: bytes) -> batch.Batch:
    return batch.parse(laptop.store.read(lambda conn: delivery.data(conn, hash_)))


def give_receipt(
    laptop: Unlocked,
    centre: Centre,
    data: batch.Batch,
    *,
    state: State = State.ACCEPTED,
    epoch: int = 1,
    key: Any = None,
) -> Any:
    leaf = Leaf(data.hash, data.device_id, data.first_seq, data.last_seq, 1_795_000_111_000, state)
    text = receipt_text(leaf, centre, epoch, key)
    return laptop.store.write(lambda conn: delivery.received(conn, text, centre.log))


def receipt_text(leaf: Leaf, centre: Centre, epoch: int = 1, key: Any = None) -> str:
    root = merkle.root([merkle.leaf_hash(leaf.data())])
    note = notes.sign(notes.Checkpoint("hub", epoch, 1, root).text(), "hub", key or centre.log_key)
    return receipts.issue(leaf, 0, [], note)


# --- append


def test_ops_make_one_chain_from_the_devices_genesis(laptop: Unlocked, append: Append) -> None:
    hashes = append(5) + append(3, sealed=True, first=5)
    rows = laptop.store.read(lambda conn: conn.execute("SELECT prev, bytes, hash FROM op ORDER BY seq").fetchall())
    start = ops.genesis(bytes(laptop.device.sign.verify_key))
    assert rows[0]["prev"] == start
    assert ops.chain_holds(start, [(row["bytes"], row["hash"]) for row in rows])
    assert [row["hash"].hex() for row in rows] == hashes


def test_an_op_never_changes(laptop: Unlocked, append: Append) -> None:
    append()
    for sql in ("UPDATE op SET record = 'x'", "DELETE FROM op"):
        with pytest.raises(Exception, match="an op"):
            laptop.store.write(lambda conn, sql=sql: conn.execute(sql))


def test_what_the_hub_would_refuse_is_refused_at_once(laptop: Unlocked, clock: SetClock) -> None:
    def attempt(**changes: Any) -> None:
        values: dict[str, Any] = {
            "kind": "forms.submission", "record": "r", "form": "f", "def_hash": None, "body": {"a": 1}, "sealed": False,
        }  # fmt: skip
        laptop.store.write(lambda conn: ops.append(conn, laptop, clock, **{**values, **changes}))

    attempt()
    with pytest.raises(Refused) as refused:
        attempt(body={str(n): "x" * 60_000 for n in range(MAX_OP // 60_000 + 1)})
    assert refused.value.code == "SY-302"
    for changes in ({"kind": "Submission"}, {"def_hash": b"short"}, {"refs": ["00"]}, {"body": {"a": float("nan")}}):
        with pytest.raises(Malformed):
            attempt(**changes)
    with pytest.raises(LookupError):
        attempt(attach=["00" * 32])
    assert laptop.store.read(lambda conn: conn.execute("SELECT count(*) AS n FROM op").fetchone()["n"]) == 1


def test_attachments_travel_with_the_key_that_opens_them(laptop: Unlocked, clock: SetClock, centre: Centre) -> None:
    blob = laptop.blobs.add(b"photo" * 100, "image/png")

    def work(conn: Connection) -> None:
        ops.append(
            conn,
            laptop,
            clock,
            kind="forms.submission",
            record="r",
            form="f",
            def_hash=None,
            body={"a": 1},
            sealed=True,
            attach=[blob],
        )

    laptop.store.write(work)
    found = frozen(laptop, cut(laptop, clock) or b"")
    body = next(iter(sealing.open_bodies(found, centre.agency).values()))
    assert body["a"] == 1
    assert found.ops[0].fields.attach == (bytes.fromhex(blob),)
    stored = laptop.store.read(lambda conn: conn.execute("SELECT key FROM blob").fetchone()["key"])
    assert body[ops.ATTACHMENT_KEYS] == {blob: stored}


# --- cut


def test_a_cut_freezes_everything_that_waits(laptop: Unlocked, clock: SetClock, append: Append, centre: Centre) -> None:
    assert cut(laptop, clock) is None
    append(4, sealed=True)
    append(2, first=4)
    first = cut(laptop, clock)
    assert first is not None
    found = frozen(laptop, first)
    kinds = [op.fields.kind for op in found.ops]
    assert kinds == ["forms.submission"] * 6 + ["sync.officer", "sync.audit_checkpoint"]
    assert len(sealing.open_bodies(found, centre.agency)) == len(sealing.open_bodies(found, centre.recovery)) == 4
    author = found.authors[0]
    assert ops.author_holds(found.ops[author.index].hash, bytes(laptop.officer_key.verify_key), author.signature)
    assert author.index == len(found.ops) - 1
    assert cut(laptop, clock) is None
    append(1, first=6)
    following = frozen(laptop, cut(laptop, clock) or b"")
    assert (following.first_seq, following.prev) == (found.last_seq + 1, found.last)
    assert [op.fields.kind for op in following.ops] == ["forms.submission", "sync.audit_checkpoint"]


def test_a_batch_keeps_to_its_target(laptop: Unlocked, clock: SetClock, append: Append) -> None:
    append(60, size=2_000)
    sizes = []
    while (made := cut(laptop, clock, target=16 << 10)) is not None:
        data = frozen(laptop, made)
        sizes.append(len(data.data))
    assert len(sizes) > 3
    assert max(sizes) <= 16 << 10
    spans = laptop.store.read(
        lambda conn: conn.execute("SELECT first_seq, last_seq FROM batch ORDER BY first_seq").fetchall()
    )
    assert [row["first_seq"] for row in spans] == [1, *(row["last_seq"] + 1 for row in spans[:-1])]


def test_one_large_op_goes_alone(laptop: Unlocked, clock: SetClock, append: Append) -> None:
    append(1, size=60_000, sealed=True)
    append(2, first=1)
    found = frozen(laptop, cut(laptop, clock, target=8 << 10) or b"")
    assert len(found.ops) == 1


def test_a_large_batch_is_cut_again_into_smaller_ones_of_the_same_ops(
    laptop: Unlocked, clock: SetClock, append: Append
) -> None:
    append(100, size=2_000, sealed=True)
    large = frozen(laptop, cut(laptop, clock) or b"")
    assert len(large.data) > RECUT_OVER
    made = laptop.store.write(lambda conn: cutting.recut(conn, clock, VERSION, large.hash))
    parts = [frozen(laptop, hash_) for hash_ in made]
    assert len(parts) >= 2
    assert max(len(part.data) for part in parts) <= len(large.data) // 2
    assert [op.hash for part in parts for op in part.ops] == [op.hash for op in large.ops]
    pending = laptop.store.read(delivery.pending)
    assert [item.hash for item in pending] == made


def test_a_lost_batch_whose_bytes_are_gone_is_cut_from_its_ops(
    laptop: Unlocked, clock: SetClock, append: Append, centre: Centre
) -> None:
    append(5)
    found = frozen(laptop, cut(laptop, clock) or b"")
    give_receipt(laptop, centre, found)

    def prune(conn: Connection) -> None:
        outbox.settle(conn)
        marks.set_mark(conn, marks.STABLE, found.last_seq)
        delivery.prune(conn)

    laptop.store.write(prune)
    assert laptop.store.read(lambda conn: delivery.data(conn, found.hash)) == b""
    assert laptop.store.read(lambda conn: outbox.states(conn, ["r0"])) == {"r0": "stable"}
    assert laptop.store.read(lambda conn: delivery.offers(conn, everything=False)) == []
    assert laptop.store.read(lambda conn: delivery.offers(conn, everything=True)) == [found.hash]
    assert laptop.store.write(lambda conn: delivery.lost(conn, clock, [found.hash, bytes(32)])) == 1
    again = laptop.store.read(delivery.pending)
    assert [op.hash for op in frozen(laptop, again[0].hash).ops] == [op.hash for op in found.ops]
    assert laptop.store.read(lambda conn: outbox.states(conn, ["r0"])) == {"r0": "waiting"}


# --- states


def test_states_follow_the_batch(laptop: Unlocked, clock: SetClock, append: Append, centre: Centre) -> None:
    def state() -> str:
        return laptop.store.read(lambda conn: outbox.states(conn, ["r0", "unknown"]))["r0"]

    append(3)
    assert state() == "waiting"
    made = cut(laptop, clock) or b""
    assert state() == "waiting"
    laptop.store.write(lambda conn: delivery.sent(conn, made, clock))
    assert state() == "sending"
    receipt, new = give_receipt(laptop, centre, frozen(laptop, made))
    assert new
    assert state() == "received"
    assert give_receipt(laptop, centre, frozen(laptop, made)) == (receipt, False)
    history = laptop.store.read(lambda conn: outbox.history(conn, "r0"))
    assert [(row["kind"], row["state"], row["received_ms"]) for row in history] == [
        ("forms.submission", "received", 1_795_000_111_000)
    ]
    assert history[0]["officer"] == laptop.officer.id
    summary = laptop.store.read(outbox.summary)
    assert (summary.waiting, summary.sending, summary.received, summary.stable) == (0, 0, 3, 0)
    assert summary.last_received_ms == 1_795_000_111_000
    assert laptop.store.read(lambda conn: marks.floor(conn, marks.HUB_TIME)) == 1_795_000_111_000


def test_a_record_shows_its_least_advanced_op(
    laptop: Unlocked, clock: SetClock, append: Append, centre: Centre
) -> None:
    append(1)
    give_receipt(laptop, centre, frozen(laptop, cut(laptop, clock) or b""))
    append(1)
    assert laptop.store.read(lambda conn: outbox.states(conn, ["r0"])) == {"r0": "waiting"}
    assert [row["state"] for row in laptop.store.read(lambda conn: outbox.history(conn, "r0"))] == [
        "received",
        "waiting",
    ]


def test_what_a_stick_carries_is_on_its_way(laptop: Unlocked, clock: SetClock, append: Append) -> None:
    append(2)
    made = cut(laptop, clock) or b""
    laptop.store.write(lambda conn: delivery.carried(conn, [made], clock))
    assert laptop.store.read(lambda conn: outbox.states(conn, ["r1"])) == {"r1": "sending"}
    assert len(laptop.store.read(lambda conn: outbox.items(conn, "sending", 10))) == 2
    assert laptop.store.read(lambda conn: outbox.items(conn, "waiting", 10)) == []


def test_forged_and_foreign_receipts_turn_nothing_green(
    laptop: Unlocked, clock: SetClock, append: Append, centre: Centre
) -> None:
    append(2)
    found = frozen(laptop, cut(laptop, clock) or b"")
    with pytest.raises(Malformed, match="signature"):
        give_receipt(laptop, centre, found, key=centre.pack_key)
    for leaf, code in (
        (Leaf(found.hash, found.device_id, 1, found.last_seq + 1, 1, State.ACCEPTED), "SY-360"),
        (Leaf(bytes(32), found.device_id, 1, 2, 1, State.ACCEPTED), None),
    ):
        text = receipt_text(leaf, centre)
        if code is None:
            assert laptop.store.write(lambda conn, text=text: delivery.received(conn, text, centre.log)) is None
            continue
        with pytest.raises(Known) as refused:
            laptop.store.write(lambda conn, text=text: delivery.received(conn, text, centre.log))
        assert refused.value.code == code
    assert laptop.store.read(lambda conn: outbox.states(conn, ["r0"])) == {"r0": "waiting"}


def test_failures_are_remembered_and_shown(laptop: Unlocked, clock: SetClock, append: Append) -> None:
    append(60, size=3_000)
    made = cut(laptop, clock) or b""
    for tries in (1, 2):
        laptop.store.write(lambda conn: delivery.failed(conn, clock, made, "SY-350"))
        stuck = laptop.store.read(outbox.summary).stuck
        assert [(item["batch"], item["tries"], item["code"]) for item in stuck] == [(made.hex(), tries, "SY-350")]
        assert clock.wall_ms() <= stuck[0]["next_try_ms"] <= clock.wall_ms() + 5_000 * 2**tries
    laptop.store.write(lambda conn: delivery.failed(conn, clock, made, "SY-350"))
    pending = laptop.store.read(delivery.pending)
    assert made not in [item.hash for item in pending]
    assert len(pending) >= 2


def test_a_batch_that_the_hub_cannot_read_stays_whole(laptop: Unlocked, clock: SetClock, append: Append) -> None:
    append(60, size=3_000)
    made = cut(laptop, clock) or b""
    for _ in range(4):
        laptop.store.write(lambda conn: delivery.failed(conn, clock, made, "SY-357"))
    pending = laptop.store.read(delivery.pending)
    assert [item.hash for item in pending] == [made]
    assert pending[0].next_try_ms == clock.wall_ms() + 6 * 3_600_000


# --- the law of spans, against the plain question for each op


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_spans_agree_with_the_state_of_every_op(data: st.DataObject, laptop: Unlocked, append: Append) -> None:
    if not laptop.store.read(lambda conn: conn.execute("SELECT 1 FROM op").fetchone()):
        append(30)
    span = st.integers(1, 30)
    batches = data.draw(
        st.lists(
            st.tuples(span, st.integers(1, 12), st.sampled_from(["cut", "sent", "receipted", "recut"]), st.booleans()),
            max_size=8,
        )
    )
    stable = data.draw(st.integers(0, 30))

    def lay(conn: Connection) -> None:
        conn.execute("DELETE FROM batch")
        for number, (first, length, state, carried) in enumerate(batches):
            conn.execute(
                """INSERT INTO batch (hash, first_seq, last_seq, bytes, size, state, cut_ms, sent_ms, carried_ms)
                   VALUES (?, ?, ?, x'', 0, ?, 0, ?, ?)""",
                (
                    bytes([number]),
                    first,
                    min(30, first + length),
                    state,
                    1 if state == "sent" else None,
                    1 if carried else None,
                ),
            )
        marks.set_mark(conn, marks.STABLE, stable)
        outbox.settle(conn)

    laptop.store.write(lay)
    expected = {}
    reached = laptop.store.read(lambda conn: marks.mark(conn, marks.RECEIVED))
    for seq in range(1, 31):
        levels = [0]
        for first, length, state, carried in batches:
            if first <= seq <= min(30, first + length):
                levels.append(2 if state == "receipted" else 1 if state == "sent" or carried else 0)
        expected[seq] = 3 if seq <= min(stable, reached) else max(levels)
    found = laptop.store.read(outbox.spans)
    assert {seq: level for first, last, level in found for seq in range(first, last + 1)} == expected
    states = laptop.store.read(lambda conn: outbox.states(conn, [f"r{n}" for n in range(30)]))
    assert states == {f"r{seq - 1}": outbox.STATES[level] for seq, level in expected.items()}
    summary = laptop.store.read(outbox.summary)
    counts = [summary.waiting, summary.sending, summary.received, summary.stable]
    assert counts == [list(expected.values()).count(level) for level in range(4)]
    for level, word in enumerate(outbox.STATES):
        assert len(laptop.store.read(lambda conn, word=word: outbox.items(conn, word, 100))) == counts[level]


# --- a laptop that was re-keyed


def test_a_re_keyed_laptop_starts_a_chain_of_its_own_and_still_sends_the_old_one(
    laptop: Unlocked, clock: SetClock, append: Append, centre: Centre
) -> None:
    append(3, sealed=True)
    old = laptop.device
    new = laptop.replace_device()
    append(2, first=3, sealed=True)
    first = frozen(laptop, cut(laptop, clock) or b"")
    second = frozen(laptop, cut(laptop, clock) or b"")
    assert (first.device_id, first.first_seq, len(first.ops)) == (old.device_id, 1, 3)
    assert (second.device_id, second.first_seq) == (new.device_id, 1)
    assert second.prev == ops.genesis(bytes(new.sign.verify_key))
    for found in (first, second):
        assert len(sealing.open_bodies(found, centre.agency)) in (3, 2)
        give_receipt(laptop, centre, found)
    assert laptop.store.read(outbox.summary).waiting == 0


# --- officers


def test_every_officer_stands_for_their_own_work(
    laptop: Unlocked, clock: SetClock, append: Append, tmp_path: Path
) -> None:
    """Two officers write in turn; the second one sends: the batch carries a signature of each."""
    person = Officer("", "ចាន់ សុភា", "Chan Sophea", "chief")
    added = keys.add_officer(laptop, person, "ភ្នំពេញ ថ្ងៃនេះ", cost=keys.CHEAP)
    append(3)
    first = laptop.officer
    laptop.lock()
    second = keys.unlock(tmp_path / "laptop-1", "Chan Sophea", "ភ្នំពេញ ថ្ងៃនេះ", clock)
    try:

        def work(conn: Connection) -> None:
            ops.append(
                conn, second, clock, kind="forms.review", record="r0", form="f", def_hash=None, body={}, sealed=False
            )

        second.store.write(work)
        found = frozen(second, cut(second, clock) or b"")
        signed = {author.officer.hex(): author for author in found.authors}
        assert set(signed) == {first.id, added.id}
        for officer, author in signed.items():
            assert ops.author_holds(found.ops[author.index].hash, second.officer_public(officer), author.signature)
        assert signed[first.id].index == 2
        declared = [op.fields.body for op in found.ops if op.fields.kind == "sync.officer"]
        assert {body["officer"] for body in declared if isinstance(body, dict)} == {first.id, added.id}
    finally:
        second.lock()
