"""What the key of an officer who moved signs for the old office: put aside in any order of arrival, and nobody else is held up."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from nacl.public import PrivateKey
from nacl.signing import SigningKey

from sync import batch, ids, ops, sealing, transfers
from sync.errors import Refused
from sync.hub import decisions
from sync.hub import transfers as moves
from sync.hub.centre import Centre
from sync.hub.storage import Tx
from sync.ids import uuid7
from sync.ops import OpFields
from tests.hub.laptop import NOW, OFFICE, OFFICER, Laptop, join, labels

OTHER = bytes(range(16, 32))
CHIEF = SigningKey(b"c" * 32)
HOUR = 3_600_000


def op(
    laptop: Laptop,
    *,
    at: int,
    officer: bytes = OFFICER,
    floor: int = 0,
    kind: str = "links.created",
    body: object = None,
) -> bytes:
    laptop.now += 1
    return OpFields(
        op_id=uuid7(laptop.now), kind=kind, form="sync" if kind.startswith("sync.") else "links", def_hash=b"", wall_ms=at, mono_ms=1,
        boot_id=bytes(8), hub_floor_ms=floor, officer=officer, body=body or {"note": "x"},  # type: ignore[arg-type]
    ).encode()  # fmt: skip


def send(centre: Centre, laptop: Laptop, *made: bytes) -> list[str]:
    """The labels of these ops after they came in as one batch."""
    head, hashes = laptop.head, []
    for one in made:
        head = ops.op_hash(head, one)
        hashes.append(head)
    centre.ingest.take(laptop.batch(made=list(made)))
    found = labels(centre, laptop)
    return [found[one] for one in hashes]


def move(centre: Centre, at: int, to: str = "0402", officer: bytes = OFFICER) -> None:
    moves.move(centre, officer.hex(), to, "chief", at, "សុខា")


def refused(work: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        work()
    return caught.value.code


def test_only_what_this_officer_signs_after_the_day_is_put_aside(centre: Centre, laptop: Laptop) -> None:
    move(centre, NOW + HOUR)
    found = send(
        centre, laptop, op(laptop, at=NOW), op(laptop, at=NOW + 2 * HOUR), op(laptop, at=NOW + 2 * HOUR, officer=OTHER),
        op(laptop, at=NOW, floor=NOW + HOUR), op(laptop, at=NOW + 2 * HOUR, kind="sync.audit_checkpoint"), op(laptop, at=NOW),
    )  # fmt: skip
    assert found == ["accepted", "q:officer", "accepted", "q:officer", "accepted", "accepted"]
    row = centre.storage.read(moves.listing)[0]
    assert (row["aside"], row["to_office"], row["made_by"]) == (2, "0402", "សុខា")


def test_the_order_of_arrival_changes_nothing(centre: Centre, laptop: Laptop) -> None:
    move(centre, NOW + HOUR)
    first = [op(laptop, at=NOW), op(laptop, at=NOW + 2 * HOUR)]
    early = laptop.batch(made=first)
    late = [op(laptop, at=NOW + 3 * HOUR), op(laptop, at=NOW + 3 * HOUR, officer=OTHER)]
    centre.ingest.take(laptop.batch(made=late))
    assert set(labels(centre, laptop).values()) == {"pending"}
    centre.ingest.take(early)
    assert sorted(labels(centre, laptop).values()) == ["accepted", "accepted", "q:officer", "q:officer"]


def test_who_comes_back_signs_again(centre: Centre, laptop: Laptop) -> None:
    move(centre, NOW + HOUR)
    move(centre, NOW + 3 * HOUR, "0306")
    found = send(centre, laptop, *(op(laptop, at=NOW + hour * HOUR) for hour in range(5)))
    assert found == ["accepted", "q:officer", "q:officer", "accepted", "accepted"]


def test_an_admin_releases_what_was_put_aside(centre: Centre, laptop: Laptop) -> None:
    move(centre, NOW)
    assert send(centre, laptop, op(laptop, at=NOW + 1)) == ["q:officer"]
    centre.storage.write(lambda tx: decisions.decide(tx, laptop.head, "released", "ការងារថ្ងៃចុងក្រោយ", "សុខា", NOW))
    assert set(labels(centre, laptop).values()) == {"accepted"}


def said(by: bytes = OTHER, before: str = "0306") -> transfers.Transfer:
    return transfers.Transfer(
        officer=OFFICER, name="ក", latin="A", from_office=before, to_office="0402", role="chief", at_ms=NOW + HOUR, by=by, by_name="ខ",
        made_ms=NOW,
    )  # fmt: skip


def statement(one: transfers.Transfer, key: SigningKey = CHIEF) -> bytes:
    return transfers.sign(one, bytes(key.sign(transfers.message(one)).signature))


def declared(laptop: Laptop, role: str = "chief") -> bytes:
    body = {"officer": OTHER.hex(), "name": "ខ", "latin": "B", "role": role, "public": bytes(CHIEF.verify_key)}
    return op(laptop, at=NOW, kind="sync.officer", officer=OTHER, body=body)


def transfer_op(laptop: Laptop, data: object, officer: bytes = OTHER) -> bytes:
    return op(laptop, at=NOW, kind="sync.transfer", officer=officer, body={"statement": data})


def test_a_chiefs_statement_counts_in_its_own_batch_and_when_it_waited(centre: Centre, laptop: Laptop) -> None:
    send(centre, laptop, declared(laptop))
    found = send(
        centre, laptop, transfer_op(laptop, statement(said())), op(laptop, at=NOW), op(laptop, at=NOW + 2 * HOUR)
    )
    assert found == ["accepted", "accepted", "q:officer"]
    second = join(centre, Laptop())
    waits = second.batch(made=[declared(second)])
    later = [transfer_op(second, statement(said(), CHIEF)), op(second, at=NOW + 2 * HOUR)]
    centre.ingest.take(second.batch(made=later))
    centre.ingest.take(waits)
    assert sorted(labels(centre, second).values()) == ["accepted", "accepted", "q:officer"]
    assert len(centre.storage.read(moves.listing)) == 1, "the same statement counts once"


@pytest.mark.parametrize(
    "data",
    [
        b"x", 5, statement(said(before="0307")), statement(said(by=OFFICER)), statement(said(), SigningKey(b"z" * 32)),
        transfers.sign(said(), bytes(64)),
    ],
)  # fmt: skip
def test_a_statement_that_does_not_hold_is_kept_and_moves_nobody(centre: Centre, laptop: Laptop, data: object) -> None:
    send(centre, laptop, declared(laptop))
    assert send(centre, laptop, transfer_op(laptop, data), op(laptop, at=NOW + 2 * HOUR)) == ["accepted", "accepted"]
    assert centre.storage.read(moves.listing) == []


def test_only_a_chief_or_it_moves_people(centre: Centre, laptop: Laptop) -> None:
    send(centre, laptop, declared(laptop, role="cashier"))
    assert send(centre, laptop, transfer_op(laptop, statement(said()))) == ["accepted"]
    assert centre.storage.read(moves.listing) == []


def test_the_centre_moves_only_whom_it_knows(centre: Centre, laptop: Laptop) -> None:
    for officer, to, role in (
        (OTHER, "0402", "chief"),
        (OFFICER, "0306", "chief"),
        (OFFICER, "ក", "chief"),
        (OFFICER, "0402", "king"),
    ):
        assert refused(lambda o=officer, t=to, r=role: moves.move(centre, o.hex(), t, r, NOW, "x")) == "HB-187"
    assert refused(lambda: centre.storage.read(lambda tx: moves.statement(tx, 1))) == "HB-187"
    move(centre, NOW)
    row = centre.storage.read(moves.listing)[0]
    data = centre.storage.read(lambda tx: moves.statement(tx, row["idx"]))
    assert transfers.holds(data, bytes(centre.keys.log.verify_key))
    assert not transfers.holds(data, bytes(CHIEF.verify_key)) and not transfers.holds(data, bytes(31))
    assert transfers.read(data)[0].by == moves.HUB


@pytest.mark.parametrize("place", range(11))
def test_a_statement_with_a_wrong_field_is_none(place: int) -> None:
    from sync import cbor

    values = cbor.decode(said().encode())
    values[place] = -1 if place in (7, 10) else b"x" if place in (1, 8) else "x" * 300 if place != 6 else "king"
    with pytest.raises(Refused, match="SY-477"):
        transfers.read(cbor.encode([cbor.encode(values), bytes(64)]))


def test_who_left_another_office_only_is_no_question_here(centre: Centre, laptop: Laptop) -> None:
    move(centre, NOW, "0402")
    there = join(centre, Laptop(), {**OFFICE, "code": "0307"})
    send(centre, there, declared(there))
    moves.move(centre, OTHER.hex(), "0306", "cashier", NOW, "សុខា")

    def both(tx: Tx) -> dict[str, moves.Moves]:
        return moves.Moves.of(tx, ["0306", "0307"])

    known = centre.storage.read(both)
    assert [known["0306"].about(officer) for officer in (OFFICER, OTHER)] == [True, False]
    assert [known["0307"].about(officer) for officer in (OFFICER, OTHER)] == [False, True]


def test_an_officer_whose_word_is_sealed_is_nobody_to_the_centre(centre: Centre, laptop: Laptop) -> None:
    before = centre.storage.read(moves.people)
    agency, recovery = bytes(PrivateKey(b"a" * 32).public_key), bytes(PrivateKey(b"r" * 32).public_key)
    made = op(laptop, at=NOW, kind="sync.officer", body=ops.SealedRef(ids.key_id(agency), bytes(32)))
    group = sealing.seal_group(
        device_id=laptop.id,
        first_seq=1,
        def_hash=b"",
        seed=bytes(32),
        bodies=[b"\xa0"],
        recipients=[agency, recovery],
        level=1,
    )
    data = batch.build(
        laptop.sign, first_seq=1, prev=laptop.head, ops=[made], app_version="test", level=1, groups=[group],
        recipients=sorted([ids.key_id(agency), ids.key_id(recovery)]),
    )  # fmt: skip
    assert centre.ingest.take(data).label == "accepted"
    assert centre.storage.read(moves.people) == before
