"""Laptops' audit logs at the centre: a log goes on from its last good checkpoint, under new keys from what both copies share."""

from __future__ import annotations

from typing import Any

import pytest

from sync import audit, merkle, rekey
from sync.hub import audits
from sync.hub.centre import Centre
from sync.hub.projections import ProjectionTx
from sync.limits import MAX_SEQ
from tests.hub.laptop import Laptop, join

OLD, NEW, NEWEST = (bytes([n]) * 16 for n in (1, 2, 3))
PREDECESSORS = {NEW: OLD, NEWEST: NEW}


class Log:
    """A growing log as its checkpoints show it."""

    def __init__(self, rows: int, branch: bytes = b"") -> None:
        self.leaves = [merkle.leaf_hash(bytes([n])) for n in range(rows)]
        self.branch = branch

    def grown(self, rows: int) -> Log:
        made = Log(0, self.branch)
        made.leaves = [*self.leaves, *(merkle.leaf_hash(self.branch + bytes([n])) for n in range(rows))]
        return made

    def body(self, after: int = 0) -> dict[str, Any]:
        size = len(self.leaves)
        ranges = merkle.consistency_ranges(after, size) if 0 < after < size else []
        proof = [merkle.subtree(self.leaves, lo, hi) for lo, hi in ranges]
        return {"size": size, "root": merkle.root(self.leaves), "after": after, "proof": proof}


class Op:
    def __init__(self, device: bytes, seq: int, body: Any, kind: str = audit.CHECKPOINT_KIND) -> None:
        self.device, self.seq, self.body, self.kind = device.hex(), seq, body, kind
        self.predecessor = PREDECESSORS.get(device, b"").hex()


@pytest.fixture
def lines(centre: Centre) -> Centre:
    """Three device keys of one laptop, one after the other."""
    join(centre, laptop := Laptop())
    row = centre.storage.read(lambda tx: tx.query("SELECT * FROM device WHERE device = :d", {"d": laptop.id}))[0]
    for device, before in ((OLD, b""), (NEW, OLD), (NEWEST, NEW)):
        made = {**row, "device": device, "predecessor": before}
        sql = f"INSERT INTO device ({', '.join(made)}) VALUES ({', '.join(':' + name for name in made)})"
        centre.storage.write(lambda tx, sql=sql, made=made: tx.execute(sql, made))  # type: ignore[misc]
    return centre


def take(centre: Centre, op: Op) -> str:
    """Apply one op; the verdict on it, "" when it has none."""

    def work(tx: Any) -> str:
        audits.Audit().apply(ProjectionTx(tx, "audit", 5), op, 5)
        found = tx.one("SELECT verdict FROM p_audit_mark WHERE device = :d AND seq = :s", {"d": op.device, "s": op.seq})
        return str(found["verdict"]) if found else ""

    return centre.storage.write(work)


def rekeyed(centre: Centre, device: bytes, shared: object) -> None:
    assert take(centre, Op(device, 1, {"shared": shared}, rekey.KIND)) == ""


def test_the_first_checkpoint_under_new_keys_is_proven_from_the_shared_one(lines: Centre) -> None:
    common = Log(5)
    assert take(lines, Op(OLD, 2, common.body())) == audits.SOUND
    left = common.grown(4)
    assert take(lines, Op(OLD, 9, left.body(5))) == audits.SOUND, "the copy that goes on"
    rekeyed(lines, NEW, 6)
    right = Log(5, b"right").grown(3)
    assert take(lines, Op(NEW, 2, right.body(5))) == audits.SOUND
    assert take(lines, Op(NEW, 3, right.grown(2).body(8))) == audits.SOUND


def test_a_log_that_was_rewritten_at_the_rekeying_is_no_good_one(lines: Centre) -> None:
    assert take(lines, Op(OLD, 2, Log(5).body())) == audits.SOUND
    rekeyed(lines, NEW, 6)
    rewritten = Log(0, b"other").grown(9)
    assert take(lines, Op(NEW, 2, rewritten.body(5))) == audits.OTHER
    assert take(lines, Op(NEW, 3, rewritten.body())) == audits.OTHER, (
        "saying nothing of the predecessor's is no way out"
    )
    assert take(lines, Op(NEW, 4, Log(4).body())) == audits.SMALLER
    assert take(lines, Op(NEW, 5, Log(5).grown(2).body(5))) == audits.SOUND, "the true one still is"
    assert lines.storage.read(lambda tx: audits.note(tx, lines.log, OLD)) is not None


def test_what_the_predecessor_never_marked_comes_from_the_one_before(lines: Centre) -> None:
    assert take(lines, Op(OLD, 2, Log(5).body())) == audits.SOUND
    rekeyed(lines, NEW, 6)
    rekeyed(lines, NEWEST, 1)
    assert take(lines, Op(NEWEST, 2, Log(0, b"x").grown(7).body(5))) == audits.OTHER
    assert take(lines, Op(NEWEST, 3, Log(5).grown(2).body(5))) == audits.SOUND


def verdicts(centre: Centre, device: bytes) -> list[str]:
    sql = "SELECT verdict FROM p_audit_mark WHERE device = :d ORDER BY seq"
    return [row["verdict"] for row in centre.storage.read(lambda tx: tx.query(sql, {"d": device.hex()}))]


def noted(centre: Centre, device: bytes) -> bool:
    return centre.storage.read(lambda tx: audits.note(tx, centre.log, device)) is not None


@pytest.mark.parametrize("honest", [True, False])
def test_a_key_under_which_nothing_came_hides_no_log(lines: Centre, honest: bool) -> None:
    """Twice new keys, and the first word under the one in between is held back: nothing counts until it is here."""
    assert take(lines, Op(OLD, 2, Log(5).body())) == audits.SOUND
    rekeyed(lines, NEWEST, 0)
    log = Log(5).grown(2) if honest else Log(0, b"x").grown(7)
    assert take(lines, Op(NEWEST, 2, log.body(5))) == audits.WAITS
    assert take(lines, Op(NEWEST, 3, log.grown(3).body(7))) == audits.WAITS
    assert not noted(lines, NEWEST) and audits.WAITS in audits.WRONG
    rekeyed(lines, NEW, 6)
    assert verdicts(lines, NEWEST) == ([audits.SOUND] * 2 if honest else [audits.OTHER, audits.OTHER])
    assert noted(lines, NEWEST) is honest
    assert take(lines, Op(NEWEST, 4, log.grown(5).body(10))) == (audits.SOUND if honest else audits.OTHER)


@pytest.mark.parametrize("newest", [NEWEST, b"\0" * 16])
def test_keys_that_wait_for_one_another_are_judged_in_their_order(
    lines: Centre, monkeypatch: pytest.MonkeyPatch, newest: bytes
) -> None:
    monkeypatch.setitem(PREDECESSORS, newest, NEW)
    log = Log(5).grown(3)
    rekeyed(lines, newest, 2)
    assert take(lines, Op(newest, 2, log.grown(2).body(8))) == audits.WAITS
    rekeyed(lines, NEW, 6)
    assert take(lines, Op(NEW, 2, log.body(5))) == audits.WAITS
    assert take(lines, Op(newest, 3, log.grown(4).body(10))) == audits.WAITS
    assert take(lines, Op(OLD, 2, Log(5).body())) == audits.SOUND
    assert verdicts(lines, NEW) + verdicts(lines, newest) == [audits.SOUND] * 3


@pytest.mark.parametrize("keys", [1, 2])
def test_whoever_shares_nothing_begins_anew_and_stays_shown_as_that(lines: Centre, keys: int) -> None:
    assert take(lines, Op(OLD, 2, Log(5).body())) == audits.SOUND
    rekeyed(lines, NEW, 0)
    device = (NEW, NEWEST)[keys - 1]
    if device == NEWEST:
        rekeyed(lines, NEWEST, 0)
    log = Log(0, b"x").grown(3)
    assert take(lines, Op(device, 2, log.body())) == audits.BEGUN
    assert take(lines, Op(device, 3, log.grown(2).body(3))) == audits.BEGUN
    assert take(lines, Op(device, 4, Log(9).body(5))) == audits.OTHER, "from there on it is held to what it says"
    assert noted(lines, device) and audits.BEGUN not in audits.WRONG
    assert verdicts(lines, OLD) == [audits.SOUND]


def test_what_comes_before_the_former_keys_own_word_waits_for_it(lines: Centre) -> None:
    rekeyed(lines, NEW, 2)
    assert take(lines, Op(NEW, 2, Log(5).grown(2).body(5))) == audits.WAITS
    assert take(lines, Op(OLD, 2, Log(5).body())) == audits.SOUND
    assert verdicts(lines, NEW) == [audits.SOUND]


def test_more_keys_than_anybody_needs_are_not_followed(lines: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audits, "_MOST_KEYS", 1)
    assert take(lines, Op(OLD, 2, Log(5).body())) == audits.SOUND
    rekeyed(lines, NEW, 0)
    rekeyed(lines, NEWEST, 0)
    assert take(lines, Op(NEWEST, 2, Log(5).body())) == audits.WAITS


@pytest.mark.parametrize("shared", [None, -1, MAX_SEQ + 1, "6", b""])
def test_whoever_says_nothing_must_prove_it_from_the_newest(lines: Centre, shared: object) -> None:
    assert take(lines, Op(OLD, 2, Log(5).body())) == audits.SOUND
    assert take(lines, Op(OLD, 9, Log(5).grown(4).body(5))) == audits.SOUND
    rekeyed(lines, NEW, shared)
    rekeyed(lines, NEW, 6)  # the first word counts
    assert take(lines, Op(NEW, 2, Log(5, b"right").grown(3).body(5))) == audits.SMALLER
    assert take(lines, Op(NEW, 3, Log(5, b"right").grown(8).body(5))) == audits.OTHER
    assert take(lines, Op(NEW, 4, Log(5).grown(6).body(9))) == audits.SOUND


def test_keys_that_name_each_other_end(lines: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    """A province's keeper can certify anything."""
    monkeypatch.setitem(PREDECESSORS, OLD, NEWEST)
    for device in (OLD, NEWEST, NEW):
        rekeyed(lines, device, 6)
    assert take(lines, Op(NEW, 2, Log(5).body())) == audits.SOUND
    assert take(lines, Op(NEW, 3, Log(5).body())) == audits.SOUND, "nothing was added since"


@pytest.mark.parametrize(
    "body",
    [
        None, {}, {"size": -1, "root": bytes(32)}, {"size": MAX_SEQ + 1, "root": bytes(32)}, {"size": 1, "root": b""},
        {"size": 1, "root": bytes(32), "after": "x"}, {"size": 1, "root": bytes(32), "proof": [1]},
        {"size": 1, "root": bytes(32), "proof": [bytes(32)] * 1_000},
    ],
)  # fmt: skip
def test_what_is_no_checkpoint_is_no_good_one(lines: Centre, body: Any) -> None:
    assert take(lines, Op(OLD, 2, body)) == audits.OTHER
    assert lines.storage.read(lambda tx: audits.note(tx, lines.log, OLD)) is None
    assert [row["verdict"] for row in lines.storage.read(lambda tx: audits.listing(tx))] == [audits.OTHER]
