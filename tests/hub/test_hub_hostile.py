"""What a hostile person sends to the centre, and what nobody but a broken program could have written into its own log."""

from __future__ import annotations

from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from nacl.signing import SigningKey

from sync import devices, merkle, notes, readmission, receipts
from sync.cbor import Malformed
from sync.devices import Certificate
from sync.hub import codes, enrolment, evidence, origins, parts
from sync.hub.centre import Centre
from sync.hub.replay import Replay
from sync.notes import Checkpoint
from sync.receipts import Leaf, State
from tests.hub.laptop import NOW, OFFICE, Laptop, join, labels, slot


def certified(laptop: Laptop, key: SigningKey, number: int = 1, made_ms: int = NOW) -> bytes:
    said = Certificate(
        device_id=laptop.id, sign_public=bytes(laptop.sign.verify_key), seal_public=bytes(laptop.seal.public_key),
        office_public=bytes(laptop.issue.verify_key), office="0306", number=number, valid_from_ms=made_ms,
    )  # fmt: skip
    return devices.issue_certificate(said, key)


def test_certificates_come_over_the_line_from_anybody_and_bring_back_whom_they_name(
    centre: Centre, client: httpx.Client
) -> None:
    """The place that was open for the laptop when the copy was made is its own again."""
    laptop, place = Laptop(), slot(centre)
    first = certified(laptop, centre.keys.pack)
    for data, code in ((readmission.encode([first], place.slot), 200), (b"x", 422), (b"", 422)):
        assert client.post("/v1/readmit", content=data).status_code == code
    found = centre.storage.read(lambda tx: tx.query("SELECT slot, device FROM slot WHERE office = '0306'"))
    assert [(bytes(row["slot"]), bytes(row["device"])) for row in found] == [(place.slot, laptop.id)]
    again = certified(laptop, centre.keys.pack, made_ms=NOW + 1)  # another certificate of a laptop that is known
    assert client.post("/v1/readmit", content=readmission.encode([again], place.slot)).status_code == 200
    kept = centre.storage.read(
        lambda tx: tx.query("SELECT certificate FROM device WHERE device = :d", {"d": laptop.id})
    )
    assert [bytes(row["certificate"]) for row in kept] == [first]


def receipted(centre: Centre, state: State) -> str:
    """The hub's own receipt for a batch that is not here."""
    leaf = Leaf(bytes(32), bytes(16), 1, 2, NOW, state)
    root = merkle.leaf_hash(leaf.data())
    name = centre.log.note_key.name
    note = notes.sign(Checkpoint(name, centre.log.epoch, 1, root).text(), name, centre.keys.log)
    return receipts.issue(leaf, 0, merkle.inclusion([root], 0), note)


@pytest.mark.parametrize("state", [one for one in State if one not in (State.ACCEPTED, State.SCHEMA)])
def test_a_receipt_for_what_was_put_aside_is_no_evidence(centre: Centre, state: State) -> None:
    assert evidence.take(centre, [receipted(centre, state)]) == 0
    assert centre.storage.read(lambda tx: tx.query("SELECT * FROM evidence")) == []


def test_a_receipt_for_what_has_not_come_again_waits_for_it(centre: Centre) -> None:
    text = receipted(centre, State.ACCEPTED)
    assert [evidence.take(centre, [text]) for _ in range(2)] == [1, 0]
    assert centre.storage.read(lambda tx: tx.query("SELECT received_ms FROM evidence")) == [{"received_ms": NOW}]


def test_a_code_for_a_pack_that_was_just_made(centre: Centre) -> None:
    spoken = codes.issue_for(centre, centre.enrol(OFFICE, ["https://hub.example"], spoken=True))
    assert (spoken.office, devices.is_code(spoken.code)) == (OFFICE["code"], True)


def test_without_delegates_the_top_role_says_nothing_of_any() -> None:
    assert parts.delegations([]) is None
    assert parts.same(None, [])


# --- doing again


def act(kind: str, body: Any) -> Any:
    return SimpleNamespace(fields=SimpleNamespace(kind=kind, body=body, wall_ms=NOW))


@pytest.mark.parametrize(
    "body",
    [
        None, 5, [], {"@rows": [["device; DROP TABLE op", "device", b"", []]]}, {"@rows": [["office", "code = 1 OR 1", "x", []]]},
        {"@rows": [["office", "code", "x", [{"code": "x", "name, code": "y"}]]]}, {"@rows": [["OFFICE", "code", "x", []]]},
    ],
)  # fmt: skip
def test_an_act_that_is_none_changes_nothing(centre: Centre, body: Any) -> None:
    with pytest.raises(Malformed):
        centre.storage.write(lambda tx: Replay(centre.keys).apply(tx, act("sync.role", body)))


def test_a_root_in_pieces_is_taken_with_its_last_one(centre: Centre) -> None:
    replay = Replay(centre.keys)

    def piece(number: int, data: bytes) -> None:
        body = {"version": 9, "part": number, "parts": 2, "data": data}
        centre.storage.write(lambda tx: replay.apply(tx, act(origins.ROOT, body)))

    piece(0, b"first, ")
    assert replay.roots == {}
    piece(1, b"second")
    assert replay.roots == {9: b"first, second"}


def test_evidence_done_again_counts_what_a_revocation_had_put_aside(centre: Centre) -> None:
    laptop = join(centre, Laptop())
    centre.storage.write(lambda tx: enrolment.revoke(tx, laptop.id, NOW))
    late = sha256(data := laptop.batch(2)).digest()
    centre.ingest.take(data)
    assert set(labels(centre, laptop).values()) == {"q:revoked"}
    replay, row = Replay(centre.keys), {"batch": late, "device": laptop.id, "received_ms": NOW - 1}
    for rows, label in (([], "q:revoked"), ([row], "accepted")):
        body = {"batch": late, "@rows": [["evidence", "batch", late, rows]]}
        centre.storage.write(lambda tx, body=body: replay.apply(tx, act(evidence.ACT, body)))  # type: ignore[misc]
        assert set(labels(centre, laptop).values()) == {label}
