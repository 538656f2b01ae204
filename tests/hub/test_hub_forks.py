"""Copies of a laptop as the hub sees them: branches side by side, shared numbers, evidence, and who may go on as another laptop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from sync import cbor, devices, ops, succession
from sync.batch import device_id
from sync.cbor import Malformed
from sync.devices import Request
from sync.hub import enrolment, evidence, forks, rekeying
from sync.hub.centre import Centre
from sync.limits import MAX_HAVE
from tests.hub.laptop import NOW, Laptop, join, labels, slot


def take(centre: Centre, data: bytes) -> None:
    centre.ingest.take(data)


@pytest.fixture
def pair(centre: Centre) -> tuple[Laptop, Laptop]:
    """A laptop and its copy, after two ops in common; the first one is what the hub follows."""
    first = join(centre, Laptop())
    take(centre, first.batch(2))
    copy = first.clone()
    take(centre, first.batch(made=[first.op({"code": "aaaaaa"}), first.op({"code": "bbbbbb"})]))
    take(
        centre,
        copy.batch(
            made=[copy.op({"code": "bbbbbb"}), copy.op({"code": "cccccc"}), copy.op({"note": "x"}, kind="links.state")]
        ),
    )
    return first, copy


def root(centre: Centre) -> dict[str, Any]:
    found = centre.storage.read(forks.listing)
    assert len(found) == 1
    return found[0]


def request_of(centre: Centre, old: Laptop, new: Laptop, proof: bytes, **changes: Any) -> bytes:
    asked = Request(
        slot=new.id, office="0306", sign_public=bytes(new.sign.verify_key), seal_public=bytes(new.seal.public_key),
        office_public=bytes(new.issue.verify_key), officers=(), made_ms=NOW, predecessor=old.id,
    )  # fmt: skip
    return succession.make_request(replace(asked, **changes), new.sign, old.sign, proof)


def proof_of(centre: Centre, old: Laptop) -> bytes:
    def work(tx: Any) -> bytes:
        fork = forks.of_device(tx, old.id)[0]
        return rekeying._signed(centre, forks.evidence(tx, fork, NOW))

    return centre.storage.read(work)


def ask(centre: Centre, data: bytes) -> enrolment.Answer:
    return centre.storage.write(lambda tx: rekeying.succeed(centre, tx, data))


def test_both_branches_stand_side_by_side(centre: Centre, pair: tuple[Laptop, Laptop]) -> None:
    listed = root(centre)
    assert (listed["office"], listed["seq"], listed["waiting"], listed["successors"]) == ("0306", 3, 3, 0)
    sides = centre.storage.read(lambda tx: forks.view(centre, tx, listed["op"]))
    assert sides is not None
    assert [row["seq"] for row in sides["left"]] == [3, 4]
    assert [row["seq"] for row in sides["right"]] == [3, 4, 5]
    assert {row["label"] for row in sides["right"]} == {"q:fork"}
    assert centre.storage.read(lambda tx: forks.view(centre, tx, bytes(32))) is None


def test_a_number_that_both_gave_out_is_named(centre: Centre, pair: tuple[Laptop, Laptop]) -> None:
    listed = root(centre)
    clash = centre.storage.read(lambda tx: forks.clashes(centre, tx, listed["op"]))
    assert clash == [listed["op"]], "bbbbbb was taken by the accepted branch; cccccc is free"
    sides = centre.storage.read(lambda tx: forks.view(centre, tx, listed["op"]))
    assert sides is not None
    assert [row["clash"] for row in sides["right"]] == [True, False, False]
    assert centre.storage.read(lambda tx: forks.clashes(centre, tx, bytes(32))) == []


def test_a_branch_without_numbers_shares_none(centre: Centre) -> None:
    first = join(centre, Laptop())
    copy = first.clone()
    take(centre, first.batch(1, kind="links.state"))
    take(centre, copy.batch(2, kind="links.state"))
    assert centre.storage.read(lambda tx: forks.clashes(centre, tx, root(centre)["op"])) == []


def test_the_branch_is_released_by_the_same_decision_as_ever(centre: Centre, pair: tuple[Laptop, Laptop]) -> None:
    first, copy = pair
    assert set(labels(centre, copy).values()) == {"accepted", "q:fork"}
    from sync.hub import decisions

    centre.storage.write(lambda tx: decisions.decide(tx, root(centre)["op"], "released", "ពិនិត្យរួច", "សុខា", NOW))
    assert root(centre)["waiting"] == 0
    assert set(labels(centre, first).values()) == {"accepted"}


def test_a_copy_goes_on_as_another_laptop(centre: Centre, pair: tuple[Laptop, Laptop]) -> None:
    _, copy = pair
    new = Laptop()
    data = request_of(centre, copy, new, proof_of(centre, copy))
    answer = ask(centre, data)
    assert answer.status == 201
    assert answer.certificate is not None
    said = devices.read_certificate(answer.certificate, bytes(centre.keys.pack.verify_key))
    assert (said.predecessor, said.number, said.device_id) == (copy.id, 2, new.id)
    again = ask(centre, data)
    assert (again.status, again.certificate) == (200, answer.certificate)
    assert root(centre)["successors"] == 1
    take(centre, new.batch(2))
    assert set(labels(centre, new).values()) == {"accepted"}


def test_a_place_that_stands_open_in_the_same_office_is_taken(centre: Centre, pair: tuple[Laptop, Laptop]) -> None:
    _, copy = pair
    place, new = slot(centre), Laptop()
    assert ask(centre, request_of(centre, copy, new, proof_of(centre, copy), slot=place.slot)).status == 201


def test_who_may_not(centre: Centre, pair: tuple[Laptop, Laptop]) -> None:
    first, copy = pair
    proof, stranger, new = proof_of(centre, copy), Laptop(), Laptop()
    unknown = request_of(centre, stranger, new, proof)
    assert (ask(centre, unknown).status, ask(centre, unknown).code) == (404, "HB-173")
    forged = succession.make_request(
        succession.read_request(request_of(centre, copy, new, proof))[0], new.sign, stranger.sign, proof
    )
    assert (ask(centre, forged).status, ask(centre, forged).code) == (403, "HB-172")
    another = join(centre, Laptop())
    wrong = request_of(centre, another, new, proof)
    assert (ask(centre, wrong).status, ask(centre, wrong).code) == (409, "HB-174")
    elsewhere = request_of(centre, copy, new, proof, office="0401")
    assert ask(centre, elsewhere).status == 409
    slot = centre.storage.read(lambda tx: tx.query("SELECT slot FROM slot WHERE device = :d", {"d": first.id}))[0][
        "slot"
    ]
    taken = request_of(centre, copy, new, proof, slot=slot)
    assert (ask(centre, taken).status, ask(centre, taken).code) == (409, "HB-174")
    before = request_of(centre, copy, another, proof)
    assert ask(centre, before).status == 409, "a laptop that is enrolled already has another history"
    centre.storage.write(lambda tx: enrolment.revoke(tx, copy.id, NOW))
    assert ask(centre, request_of(centre, copy, new, proof)).status == 403
    with pytest.raises(Malformed):
        ask(centre, request_of(centre, copy, new, proof, predecessor=b""))


def test_a_laptop_that_is_behind(centre: Centre) -> None:
    laptop = join(centre, Laptop())
    take(centre, laptop.batch(3))
    late = centre.storage.read(lambda tx: forks.behind(tx, laptop.id, 1, NOW))
    assert late is not None
    assert (late.seq, len(late.batches)) == (2, 1)
    assert centre.storage.read(lambda tx: forks.behind(tx, laptop.id, 3, NOW)) is None
    data = succession.issue_evidence(late, centre.keys.log, b"kkkk")
    assert succession.read_evidence(data, bytes(centre.keys.log.verify_key)).children


def test_what_a_stick_brings_back(centre: Centre, pair: tuple[Laptop, Laptop]) -> None:
    first, copy = pair

    def brought(device: bytes, head: bytes, seq: int) -> list[bytes]:
        return centre.storage.read(lambda tx: rekeying.open_evidence(centre, tx, device, head, seq))

    assert brought(first.id, first.head, first.seq) == [], "the hub follows this one"
    assert len(brought(copy.id, copy.head, copy.seq)) == 1
    assert len(brought(copy.id, b"\1" * 32, 9)) == 1, "a head that is not here yet"
    older = ops.genesis(bytes(first.sign.verify_key))
    assert len(brought(first.id, older, 0)) == 1, "a copy from before: it is behind"
    assert brought(bytes(16), bytes(32), 4) == []


@pytest.mark.parametrize("path", ["/v1/forks", "/v1/forks/00", "/v1/forks/behind/3"])
def test_evidence_is_shown_to_the_device_alone(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 403
    assert client.post("/v1/second-site", content=cbor.encode([])).status_code == 403


def test_the_calls(
    centre: Centre, client: httpx.Client, pair: tuple[Laptop, Laptop], signed: Callable[..., httpx.Response]
) -> None:
    _, copy = pair
    rows = cbor.decode(signed(copy, "GET", "/v1/forks").content)
    assert rows == [[root(centre)["op"], 3]]
    shown = signed(copy, "GET", f"/v1/forks/{rows[0][0].hex()}")
    assert succession.read_evidence(shown.content, bytes(centre.keys.log.verify_key)).seq == 3
    for path in ("/v1/forks/zz", f"/v1/forks/{bytes(32).hex()}", "/v1/forks/behind/99"):
        assert signed(copy, "GET", path).status_code == 404
    assert signed(copy, "GET", "/v1/forks/behind/1").status_code == 200
    new = Laptop()
    data = request_of(centre, copy, new, shown.content)
    assert [client.post("/v1/rekey", content=data).status_code for _ in range(2)] == [201, 200]
    assert client.post("/v1/rekey", content=b"x").status_code == 422
    assert signed(copy, "POST", "/v1/second-site", cbor.encode([bytes(32)])).status_code == 200
    assert signed(copy, "POST", "/v1/second-site", cbor.encode([b"x"])).status_code == 422
    assert client.post("/v1/evidence", content=cbor.encode([])).status_code == 200
    for bad in (cbor.encode([1]), cbor.encode(["no receipt"]), cbor.encode([""] * (MAX_HAVE + 1))):
        assert client.post("/v1/evidence", content=bad).status_code == 422


@pytest.fixture
def signed(client: httpx.Client) -> Callable[..., httpx.Response]:
    """A request as a laptop makes it."""
    from sync import wire

    def call(laptop: Laptop, method: str, path: str, body: bytes = b"") -> httpx.Response:
        nonce = bytes.fromhex(client.get("/v1/log/checkpoint").headers[wire.NONCE])
        signature = laptop.sign.sign(wire.request_message(method, path, body, nonce)).signature
        headers = {wire.DEVICE: laptop.id.hex(), wire.NONCE: nonce.hex(), wire.SIGNATURE: signature.hex()}
        return client.request(method, path, content=body, headers=headers)

    return call


def test_old_receipts_count_whenever_they_come(centre: Centre) -> None:
    """Before the batch or after it, once or twice; one of another hub never."""
    laptop = join(centre, Laptop())
    data = laptop.batch(2)
    receipt = centre.ingest.take(data).receipt
    centre.storage.write(lambda tx: tx.execute("UPDATE device SET revoked_ms = :n, cutoff_seq = 0", {"n": NOW * 2}))
    centre.storage.write(lambda tx: tx.execute("UPDATE op SET label = 'q:revoked' WHERE form = 'links'"))
    centre.storage.write(lambda tx: tx.execute("DELETE FROM accepted"))
    assert set(labels(centre, laptop).values()) == {"q:revoked"}
    assert evidence.take(centre, [receipt]) == 1
    assert set(labels(centre, laptop).values()) == {"accepted"}
    assert evidence.take(centre, [receipt]) == 0
    take(centre, laptop.batch(1))
    assert sorted(labels(centre, laptop).values()) == ["accepted", "accepted", "q:revoked"]
    with pytest.raises(Malformed):
        evidence.take(centre, [receipt.replace("index 0", "index 1").replace("index", "index ")])
    assert device_id(bytes(laptop.sign.verify_key)) == laptop.id
