"""The HTTP face: caps while reading, nonces, the answers that devices rely on. Through the real application."""

from __future__ import annotations

import time
from collections.abc import Iterator
from hashlib import sha256

import httpx
import pytest

from sync import devices, notes, receipts, wire
from sync.errors import Known
from sync.hub import app, nonces
from sync.hub.centre import Centre
from sync.hub.nonces import LIFE_MS, Nonces
from sync.limits import MAX_BATCH, MAX_CHUNK
from tests.hub.conftest import serving
from tests.hub.laptop import Laptop, slot


def send(client: httpx.Client, data: bytes) -> httpx.Response:
    return client.put(f"/v1/batches/{sha256(data).hexdigest()}", content=data)


def signed(client: httpx.Client, laptop: Laptop, method: str, path: str, body: bytes = b"", nonce: str | None = None):  # type: ignore[no-untyped-def]
    nonce = nonce or client.get("/v1/log/checkpoint").headers[wire.NONCE]
    message = wire.request_message(method, path, body, bytes.fromhex(nonce))
    headers = {
        wire.DEVICE: laptop.id.hex(),
        wire.NONCE: nonce,
        wire.SIGNATURE: laptop.sign.sign(message).signature.hex(),
    }
    return client.request(method, path, content=body, headers=headers)


def have(laptop: Laptop, *batches: bytes, chunks: tuple[bytes, ...] = (), epoch: int = 0, size: int = 0) -> bytes:
    return wire.Have(list(batches), list(chunks), laptop.seq, laptop.head, epoch, size).encode()


def test_a_batch_gets_201_then_200_with_the_same_receipt(client: httpx.Client, centre: Centre, laptop: Laptop) -> None:
    data = laptop.batch(3)
    first, again = send(client, data), send(client, data)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.text == again.text
    assert receipts.verify(first.text, centre.log.note_key).leaf.last_seq == 3


def test_what_is_no_batch_gets_422_and_another_name_404(client: httpx.Client, laptop: Laptop) -> None:
    data = laptop.batch(1)
    assert client.put(f"/v1/batches/{bytes(32).hex()}", content=data).status_code == 422
    assert client.put(f"/v1/batches/{sha256(data).hexdigest()}", content=data[:-1]).status_code == 422
    assert client.put("/v1/batches/xyz", content=data).status_code == 404
    assert client.put("/v1/batches/aa", content=data).status_code == 404


def test_a_body_over_its_bound_gets_413_whether_it_says_so_or_not(client: httpx.Client) -> None:
    name = bytes(32).hex()
    said = client.put(f"/v1/batches/{name}", content=bytes(MAX_BATCH + 1))

    def pieces() -> Iterator[bytes]:
        for _ in range(MAX_BATCH // 65536 + 2):
            yield bytes(65536)

    unsaid = client.put(f"/v1/batches/{name}", content=pieces())
    chunk = client.put(f"/v1/chunks/{name}", content=bytes(MAX_CHUNK + 1))
    assert (said.status_code, unsaid.status_code, chunk.status_code) == (413, 413, 413)


def test_a_hub_that_cannot_store_says_when_to_come_back(
    client: httpx.Client, centre: Centre, laptop: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise Known("HB-102")

    monkeypatch.setattr(centre.ingest, "take", full)
    answer = send(client, laptop.batch(1))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_chunks_are_kept_once(client: httpx.Client) -> None:
    data = b"sealed piece"
    path = f"/v1/chunks/{sha256(data).hexdigest()}"
    assert [client.put(path, content=data).status_code for _ in range(2)] == [201, 200]
    assert client.put(path, content=b"other").status_code == 422
    assert client.put("/v1/chunks/none", content=data).status_code == 404


def test_enrolment_over_the_line(client: httpx.Client, centre: Centre) -> None:
    laptop, ticket = Laptop(), slot(centre)
    assert client.post("/v1/enrol", content=laptop.request(ticket, key=bytes(32))).status_code == 403
    answer = client.post("/v1/enrol", content=laptop.request(ticket))
    assert answer.status_code == 201
    assert devices.read_certificate(answer.content, bytes(centre.keys.pack.verify_key)).device_id == laptop.id
    assert client.post("/v1/enrol", content=b"\x00").status_code == 422
    assert f"leases/{laptop.id.hex()}.cbor" in [target.name for target in centre.repository.listing().targets]


def test_have_names_what_is_missing_and_proves_that_the_log_only_grew(
    client: httpx.Client, centre: Centre, laptop: Laptop
) -> None:
    first, second = laptop.batch(2), laptop.batch(1)
    send(client, first)
    known = notes.read_checkpoint(client.get("/v1/log/checkpoint").text, centre.log.note_key)
    send(client, Laptop().batch(1))
    names = [sha256(data).digest() for data in (first, second)]
    answer = signed(
        client, laptop, "POST", "/v1/have", have(laptop, *names, chunks=(bytes(32),), epoch=1, size=known.size)
    )
    missing = wire.read_missing(answer.content)
    assert (list(missing.batches), list(missing.chunks)) == ([names[1]], [bytes(32)])
    receipts.require_advance(known, notes.read_checkpoint(missing.note, centre.log.note_key), missing.proof)
    status = wire.read_status(missing.status, centre.log.note_key.public)
    assert (status.device_id, status.head_seq, status.stable_seq, status.revoked) == (laptop.id, 2, 0, False)
    other = wire.read_missing(signed(client, laptop, "POST", "/v1/have", have(laptop, epoch=7, size=9)).content)
    assert list(other.proof) == []


def test_receipts_of_one_device_page_by_page(
    client: httpx.Client, centre: Centre, laptop: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.hub.answers.RECEIPTS", 2)
    for _ in range(3):
        send(client, laptop.batch(1))
        send(client, Laptop().batch(1))
    seqs, after, more = [], 0, True
    while more:
        page = wire.read_receipts(signed(client, laptop, "GET", f"/v1/receipts?after={after}").content)
        seqs += [receipts.verify(text, centre.log.note_key).leaf.first_seq for text in page.texts]
        after, more = page.next, page.more
    assert seqs == [1, 2, 3]
    assert wire.read_receipts(signed(client, laptop, "GET", "/v1/receipts?after=nonsense").content).texts[0]


def test_a_refill_of_numbers_stands_in_the_next_publication(
    client: httpx.Client, centre: Centre, laptop: Laptop
) -> None:
    assert signed(client, laptop, "POST", "/v1/leases/link-codes").status_code == 202
    assert signed(client, laptop, "POST", "/v1/leases/unknown").status_code == 202
    name = f"leases/{laptop.id.hex()}.cbor"
    listed = next(target for target in centre.repository.listing().targets if target.name == name)
    grants = wire.read_grants(centre.repository.target(listed))
    assert [grant.resource for grant in grants].count("link-codes") == 2


# --- nonces


def test_a_nonce_is_good_for_one_request(client: httpx.Client, laptop: Laptop) -> None:
    nonce = client.get("/v1/log/checkpoint").headers[wire.NONCE]
    body = have(laptop)
    first = signed(client, laptop, "POST", "/v1/have", body, nonce)
    replay = signed(client, laptop, "POST", "/v1/have", body, nonce)
    assert (first.status_code, replay.status_code) == (200, 401)
    assert replay.headers[wire.NONCE] not in (nonce, first.headers[wire.NONCE])
    assert signed(client, laptop, "POST", "/v1/have", body, replay.headers[wire.NONCE]).status_code == 200


def test_a_restart_ends_every_nonce_but_those_that_processes_share(
    centre: Centre, laptop: Laptop, database: str | None
) -> None:
    """In a file: what was signed before a restart cannot be played back after it, and the device is given another nonce.

    Processes over one PostgreSQL server share nonces on purpose: one outlives a restart, and is good once there too.
    """
    with serving(centre) as before:
        nonce = before.get("/v1/log/checkpoint").headers[wire.NONCE]
    with serving(centre) as after:
        answers = [signed(after, laptop, "POST", "/v1/have", have(laptop), nonce).status_code for _ in range(2)]
        assert answers == ([401, 401] if database is None else [200, 401])
        assert signed(after, laptop, "POST", "/v1/have", have(laptop)).status_code == 200


def test_a_wrong_signature_spends_no_nonce(client: httpx.Client, laptop: Laptop) -> None:
    nonce = client.get("/v1/log/checkpoint").headers[wire.NONCE]
    stranger = Laptop()
    stranger_claims = Laptop(sign=stranger.sign)
    assert signed(client, stranger_claims, "POST", "/v1/have", have(laptop), nonce).status_code == 403
    assert client.post("/v1/have", content=have(laptop)).status_code == 403
    assert client.post("/v1/have", content=b"", headers={wire.DEVICE: "zz"}).status_code == 403
    assert signed(client, laptop, "POST", "/v1/have", have(laptop), nonce).status_code == 200


def test_a_signature_covers_path_query_and_body(client: httpx.Client, laptop: Laptop) -> None:
    nonce = client.get("/v1/log/checkpoint").headers[wire.NONCE]
    message = wire.request_message("GET", "/v1/receipts?after=1", b"", bytes.fromhex(nonce))
    headers = {
        wire.DEVICE: laptop.id.hex(),
        wire.NONCE: nonce,
        wire.SIGNATURE: laptop.sign.sign(message).signature.hex(),
    }
    assert client.get("/v1/receipts?after=2", headers=headers).status_code == 403
    assert client.get("/v1/receipts?after=1", headers=headers).status_code == 200


def test_nonces_age_and_strangers_cannot_flush_them() -> None:
    now = [0]
    given = Nonces(lambda: now[0])
    honest = given.give()
    for _ in range(1000):
        given.give()
    assert not given.spend(bytes(16)) and not given.spend(honest[:-1]) and not given.spend(honest[:-1] + b"?")
    now[0] = LIFE_MS
    assert given.spend(honest) and not given.spend(honest)
    late = given.give()
    now[0] += LIFE_MS + 1
    assert not given.spend(late)
    assert given.spend(given.give())
    assert len(given._spent) == 1  # the old one is too old to be played back and was forgotten
    assert len(late) == nonces.SIZE


# --- the log and the publications


def test_the_log_is_public(client: httpx.Client, centre: Centre, laptop: Laptop) -> None:
    for _ in range(3):
        send(client, laptop.batch(1))
    proof = notes.read_hash_lines(client.get("/v1/log/consistency?epoch=1&old=1&new=3").text)
    assert proof == centre.storage.read(lambda tx: app.log.consistency(tx, 1, 3))
    for query in ("epoch=2&old=1&new=3", "epoch=1&old=3&new=1", "epoch=1&old=1&new=9", "epoch=1&old=-1&new=1", "old=1"):
        assert client.get(f"/v1/log/consistency?{query}").status_code == 404
    assert len(client.get("/v1/log/tile/0/0?w=3").content) == 96
    for path in ("0/0", "0/0?w=999", "5/0?w=1"):
        assert client.get(f"/v1/log/tile/{path}").status_code == 404


def test_publications_are_served_and_nothing_else(client: httpx.Client, centre: Centre) -> None:
    centre.settle()
    assert client.get("/v1/tuf/metadata/timestamp.json").status_code == 200
    for path in ("metadata/none.json", "../hub.json", "%2e%2e/hub.json", "keys/log.key", "metadata/..%2f..%2fhub.json"):
        assert client.get(f"/v1/tuf/{path}").status_code == 404


def test_every_answer_of_the_api_carries_a_nonce(client: httpx.Client) -> None:
    assert len(bytes.fromhex(client.get("/v1/nothing").headers[wire.NONCE])) == 16
    assert wire.NONCE not in client.get("/console/login").headers


def test_the_root_leads_to_the_console(client: httpx.Client) -> None:
    answer = client.get("/", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/")


def test_a_running_hub_projects_and_publishes_by_itself(centre: Centre, laptop: Laptop) -> None:
    centre.work_in_background()
    with serving(centre) as client:
        send(client, laptop.batch(2))
        end = time.monotonic() + 20
        while time.monotonic() < end:
            row = centre.storage.read(lambda tx: tx.one("SELECT accepted_idx FROM cursor WHERE projection = 'links'"))
            if row and row["accepted_idx"] == 2 and centre.repository.listing().version:
                break
            time.sleep(0.05)
        else:
            pytest.fail("nothing was projected or published")
    centre.close()


def test_a_projection_thread_survives_its_failures(
    centre: Centre, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import threading

    failed = threading.Event()

    def broken(_rest: object) -> int:
        failed.set()
        raise OSError("disk")

    monkeypatch.setattr(centre.runner, "run", broken)
    with caplog.at_level("CRITICAL"):
        centre.work_in_background()
        assert failed.wait(10)
        failed.clear()
        centre.wake()
        assert failed.wait(10)
        centre.close()
