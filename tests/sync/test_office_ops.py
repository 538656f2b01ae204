"""The ops of colleagues: any order, any subset; a contradiction, a wrong body, a wrong piece is refused and told; overtaken sticks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from nacl.signing import SigningKey

from sync import (
    batch,
    cbor,
    checkpoints,
    colleagues,
    devices,
    foreign,
    foreign_files,
    ids,
    merkle,
    notes,
    ops,
    publications,
    sealing,
)
from sync.clock import SetClock
from sync.devices import Certificate
from sync.errors import Known, Refused, SalaError
from sync.foreign import Body
from sync.keys import Unlocked
from sync.notes import Checkpoint
from sync.ops import SealedRef
from sync.store import Connection
from tests.hub.laptop import Laptop
from tests.sync.conftest import NOW, Centre


@pytest.fixture
def colleague(centre: Centre, laptop: Unlocked, clock: SetClock) -> Laptop:
    """A paired laptop that is only its keys and its chain."""
    made = Laptop()
    certificate = devices.issue_certificate(
        Certificate(
            device_id=made.id, sign_public=bytes(made.sign.verify_key), seal_public=bytes(made.seal.public_key),
            office_public=bytes(made.issue.verify_key), office="0306", number=2, valid_from_ms=NOW,
        ), centre.pack_key,
    )  # fmt: skip
    laptop.store.write(lambda conn: colleagues.pair(conn, clock, certificate))
    return made


@pytest.fixture
def take(laptop: Unlocked, clock: SetClock) -> Callable[[bytes], int]:
    return lambda data: laptop.store.write(lambda conn: foreign.take_batch(conn, clock, data))


def test_batches_come_in_any_order_and_again(laptop: Unlocked, colleague: Laptop, take: Callable[[bytes], int]) -> None:
    made = [colleague.batch(2) for _ in range(4)]
    assert [take(made[n]) for n in (2, 0, 0, 3, 1)] == [2, 2, 0, 2, 2]
    held = laptop.store.read(lambda conn: colleagues.held(conn, laptop.device.device_id))
    assert [(one.seq, one.received) for one in held][1:] == [(8, 0)]


def test_what_is_held_ends_before_a_gap(laptop: Unlocked, colleague: Laptop, take: Callable[[bytes], int]) -> None:
    made = [colleague.batch(2) for _ in range(3)]
    take(made[0])
    take(made[2])
    assert laptop.store.read(lambda conn: colleagues.held(conn, laptop.device.device_id))[1].seq == 2


def test_what_is_held_ends_before_an_op_whose_body_has_not_come(
    laptop: Unlocked, colleague: Laptop, take: Callable[[bytes], int]
) -> None:
    for _ in range(3):
        take(colleague.batch(2))
    laptop.store.write(lambda conn: conn.execute("UPDATE foreign_op SET body = NULL WHERE seq = 4"))
    assert laptop.store.read(lambda conn: colleagues.held(conn, laptop.device.device_id))[1].seq == 3
    laptop.store.write(lambda conn: conn.execute("UPDATE foreign_op SET body = NULL WHERE seq = 1"))
    assert laptop.store.read(lambda conn: colleagues.held(conn, laptop.device.device_id))[1].seq == 0


def test_two_laptops_with_one_key_are_noticed(colleague: Laptop, take: Callable[[bytes], int]) -> None:
    take(colleague.batch(2))
    clone = colleague.clone()
    take(colleague.batch(2))
    for wrong in (clone.batch(2), clone.batch(1)):  # other ops under the same number; then one behind them
        with pytest.raises(Known) as known:
            take(wrong)
        assert known.value.code == "SY-449"
    early = Laptop(colleague.sign, colleague.seal, colleague.issue)
    early.head = bytes(32)
    with pytest.raises(SalaError):
        take(batch.build(early.sign, first_seq=1, prev=bytes(32), ops=[early.op()], app_version="t", level=1))


def test_of_a_revoked_laptop_is_taken_what_counts(
    laptop: Unlocked, colleague: Laptop, take: Callable[[bytes], int]
) -> None:
    revoked = cbor.encode({"revocations": 1, "devices": [], "revoked": [[colleague.id, 2, NOW]]})
    first, second = colleague.batch(2), colleague.batch(2)
    laptop.store.write(lambda conn: publications.keep(conn, "devices/03.cbor", revoked, 1, NOW))
    assert take(first) == 2
    with pytest.raises(Refused) as refused:
        take(second)
    assert refused.value.code == "SY-447"


def test_a_colleague_stays_one_when_its_province_has_another_key(
    laptop: Unlocked, colleague: Laptop, take: Callable[[bytes], int], clock: SetClock
) -> None:
    former = devices.issue_certificate(
        laptop.store.read(lambda conn: colleagues.one(conn, colleague.id)).certificate, SigningKey.generate()
    )
    laptop.store.write(lambda conn: conn.execute("UPDATE colleague SET certificate = ?", (former,)))
    assert [one.device for one in laptop.store.read(colleagues.present)] == [colleague.id]
    assert laptop.store.write(lambda conn: colleagues.pair(conn, clock, former)).certificate.device_id == colleague.id
    assert take(colleague.batch(1)) == 1
    other = devices.issue_certificate(replace(devices.kept_certificate(former), number=9), SigningKey.generate())
    with pytest.raises(Refused) as refused:
        laptop.store.write(lambda conn: colleagues.pair(conn, clock, other))
    assert refused.value.code == "SY-444"


def test_a_stranger_is_not_taken(take: Callable[[bytes], int]) -> None:
    with pytest.raises(Refused) as refused:
        take(Laptop().batch(1))
    assert refused.value.code == "SY-447"


def test_a_body_that_the_op_did_not_commit_to_is_refused(
    laptop: Unlocked, colleague: Laptop, take: Callable[[bytes], int]
) -> None:
    take(colleague.batch(1))
    wrong = Body(colleague.head, bytes(16), b"\xa0")
    assert laptop.store.write(lambda conn: foreign.take_bodies(conn, [wrong])) == 0  # it has a plain body already

    def forget(conn: Connection) -> None:
        conn.execute("UPDATE foreign_op SET body = NULL")

    laptop.store.write(forget)
    with pytest.raises(SalaError):
        laptop.store.write(lambda conn: foreign.take_bodies(conn, [wrong]))
    box = foreign.seal_bodies([wrong], bytes(laptop.device.seal.public_key))
    assert foreign.open_bodies(box, laptop.device.seal) == [wrong]
    with pytest.raises(SalaError):
        foreign.open_bodies(box, colleague.seal)
    with pytest.raises(Exception, match="never changes"):
        laptop.store.write(lambda conn: conn.execute("UPDATE foreign_op SET bytes = x''"))


@pytest.mark.parametrize("body", [1, [], "x", None])
def test_a_body_that_is_no_map_is_refused_whatever_was_committed_to(
    laptop: Unlocked, colleague: Laptop, take: Callable[[bytes], int], body: Any
) -> None:
    plain, salt, public = cbor.encode(body), bytes(16), bytes(colleague.seal.public_key)
    ref = SealedRef(ids.key_id(public), sha256(b"sala/body/v1\0" + salt + plain).digest())
    made = replace(ops.read_fields(cbor.decode(colleague.op())), body=ref).encode()
    group = sealing.seal_group(
        device_id=colleague.id, first_seq=1, def_hash=b"", seed=bytes(32), bodies=[plain], recipients=[public], level=1
    )
    take(
        batch.build(
            colleague.sign, first_seq=1, prev=colleague.head, ops=[made], groups=[group], recipients=[ref.key_id],
            app_version="t", level=1,
        )
    )  # fmt: skip
    op = laptop.store.read(lambda conn: conn.execute("SELECT hash FROM foreign_op").fetchone()["hash"])
    with pytest.raises(SalaError):
        laptop.store.write(lambda conn: foreign.take_bodies(conn, [Body(op, salt, plain)]))
    assert laptop.store.read(lambda conn: foreign.unapplied(conn, ["links.created"])) == []


@pytest.mark.parametrize(
    "named", [7, [1], "x", {1: bytes(32)}, {"zz" * 32: bytes(32)}, {"aa" * 32: 7}, {"a " * 32: bytes(32)}]
)
def test_keys_of_attachments_that_are_none_cost_nothing(
    laptop: Unlocked, colleague: Laptop, take: Callable[[bytes], int], named: Any
) -> None:
    assert take(colleague.batch(made=[colleague.op({"@keys": named, "title": "x"})])) == 1
    assert laptop.store.read(foreign_files.lacking) == []


def test_nobody_names_the_officers_of_another_laptop(
    laptop: Unlocked, colleague: Laptop, take: Callable[[bytes], int]
) -> None:
    officer = bytes(range(16))
    body = {"officer": officer.hex(), "name": "សុខ ដារ៉ា", "latin": "Sok Dara", "role": "chief", "public": bytes(32)}
    take(colleague.batch(made=[colleague.op(body, "sync.officer")]))

    def name(device: bytes) -> str:
        return laptop.store.read(lambda conn: foreign.officer_name(conn, device, officer))

    assert (name(colleague.id), name(Laptop().id)) == ("សុខ ដារ៉ា", "")


def test_a_piece_that_is_not_what_it_is_called_is_refused(laptop: Unlocked) -> None:
    laptop.store.write(
        lambda conn: foreign_files.expect(conn, bytes(16), {ops.ATTACHMENT_KEYS: {"aa" * 32: bytes(32)}})
    )
    assert laptop.store.read(foreign_files.lacking) == [b"\xaa" * 32]
    for name, data in ((b"\xaa" * 32, b"x"), (b"\xbb" * 32, bytes(1 << 20))):
        with pytest.raises(SalaError):
            foreign_files.take(laptop, name, data)
    for wrong in (b"\xa0", b"\x81\x41x", b"\x81\x01"):
        with pytest.raises(SalaError):
            foreign_files.read(wrong)


LEAVES = [bytes([number]) * 32 for number in range(9)]


def note(centre: Centre, leaves: list[bytes]) -> str:
    """The signed checkpoint of a log of these leaves."""
    return notes.sign(Checkpoint("hub", 1, len(leaves), merkle.root(leaves)).text(), "hub", centre.log_key)


def test_a_stick_that_the_line_overtook_is_no_alarm_but_a_hub_that_went_back_is(
    laptop: Unlocked, centre: Centre
) -> None:
    def advance(leaves: list[bytes], since: int, *, by_stick: bool) -> None:
        proof = merkle.consistency(leaves, since) if since else []
        step = checkpoints.advance_by_stick if by_stick else checkpoints.advance
        laptop.store.write(lambda conn: step(conn, note(centre, leaves), centre.log, proof, NOW))

    def size() -> int:
        known = laptop.store.read(checkpoints.newest)
        return known.size if known else 0

    advance(LEAVES[:2], 0, by_stick=True)
    laptop.store.write(checkpoints.state)  # a stick goes off that states two leaves
    advance(LEAVES[:4], 2, by_stick=False)  # meanwhile the line shows four
    advance(LEAVES[:4], 2, by_stick=True)  # the stick is back with the very same
    advance(LEAVES[:6], 2, by_stick=True)  # another is back: it proves growth from what it stated, not from four
    assert size() == 4
    advance(LEAVES[:6], 4, by_stick=True)
    assert size() == 6
    other = [*LEAVES[:3], *(bytes([99]) * 32 for _ in range(5))]  # the hub went back and grew anew
    for since in (2, 6):
        wrong = [*LEAVES[:1], *other[1:]] if since == 2 else other
        with pytest.raises(Known) as known:
            advance([bytes([7]) * 32, *wrong[1:]], since, by_stick=True)
        assert known.value.code == "SY-320"
    assert size() == 6
