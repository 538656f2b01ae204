"""Webhooks: every accepted op once or more, in order, signed; a receiver that fails is asked again and loses nothing."""

from __future__ import annotations

import base64
import hmac
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from sync.clock import SetClock
from sync.errors import Refused
from sync.hub.centre import Centre
from sync.hub.feeds import webhooks
from tests.hub.laptop import NOW, Laptop, join

MINE = ["links.created"]


class Receiver:
    """A program that listens: what came, and what it answers."""

    def __init__(self) -> None:
        self.came: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []  # the next ones; 204 when there are none
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                status = outer.answers.pop(0) if outer.answers else 204
                if status == 204:
                    outer.came.append(({key.lower(): value for key, value in self.headers.items()}, body))
                self.send_response(status)
                if status == 302:
                    self.send_header("location", "http://127.0.0.1:1/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def numbers(self) -> list[int]:
        return [json.loads(body)["data"]["number"] for _, body in self.came]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


def subscribe(centre: Centre, receiver: Receiver, **more: Any) -> dict[str, Any]:
    return centre.storage.write(lambda tx: webhooks.add(tx, receiver.url, MINE, NOW, **more))


def deliver(centre: Centre) -> int:
    return webhooks.deliver(centre.storage, centre.clock, centre.kinds)


def state(centre: Centre) -> dict[str, Any]:
    return centre.storage.read(webhooks.listed)[0]


def test_accepted_ops_are_told_in_order_and_signed(centre: Centre, receiver: Receiver) -> None:
    laptop = join(centre, Laptop())
    centre.ingest.take(laptop.batch(1))
    made = subscribe(centre, receiver)
    assert deliver(centre) == 0
    centre.ingest.take(laptop.batch(3))
    assert deliver(centre) == 3
    assert deliver(centre) == 0
    assert receiver.numbers() == [2, 3, 4]
    headers, body = receiver.came[0]
    assert made["secret"].startswith("whsec_")
    secret = base64.b64decode(made["secret"].removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    assert headers["webhook-signature"] == "v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()
    told = json.loads(body)
    assert told["type"] == "links.created"
    assert told["data"]["office"] == "0306"
    assert told["data"]["body"] == {"note": "សួស្ដី"}
    assert len({headers["webhook-id"] for headers, _ in receiver.came}) == 3


def test_from_the_beginning_means_everything(centre: Centre, receiver: Receiver) -> None:
    centre.ingest.take(join(centre, Laptop()).batch(2))
    subscribe(centre, receiver, from_beginning=True)
    deliver(centre)
    assert receiver.numbers() == [1, 2]


def test_a_receiver_that_fails_hears_the_rest_later(centre: Centre, receiver: Receiver, clock: SetClock) -> None:
    subscribe(centre, receiver)
    centre.ingest.take(join(centre, Laptop()).batch(4))
    receiver.answers = [204, 500]
    assert deliver(centre) == 1
    assert (state(centre)["tries"], state(centre)["last_result"]) == (1, "500")
    assert state(centre)["next_ms"] > NOW
    assert deliver(centre) == 0  # not yet due
    clock.advance(3_600_000)
    assert deliver(centre) == 3
    assert receiver.numbers() == [1, 2, 3, 4]
    assert (state(centre)["tries"], state(centre)["behind"]) == (0, 0)


@pytest.mark.parametrize("status", [302, 404, 503])
def test_nothing_but_a_success_counts(centre: Centre, receiver: Receiver, status: int) -> None:
    subscribe(centre, receiver)
    centre.ingest.take(join(centre, Laptop()).batch(1))
    receiver.answers = [status]
    assert deliver(centre) == 0
    assert state(centre)["last_result"] == str(status)
    assert state(centre)["state"] == "on"


def test_gone_ends_it_until_an_admin_switches_it_on(centre: Centre, receiver: Receiver, clock: SetClock) -> None:
    subscribe(centre, receiver)
    centre.ingest.take(join(centre, Laptop()).batch(1))
    receiver.answers = [410]
    deliver(centre)
    assert state(centre)["state"] == "off"
    clock.advance(7_200_000)
    assert deliver(centre) == 0
    centre.storage.write(lambda tx: webhooks.set_state(tx, 1, on=True, now_ms=clock.wall_ms()))
    assert deliver(centre) == 1


def test_a_receiver_that_is_not_there_holds_nobody_up(centre: Centre, receiver: Receiver) -> None:
    centre.storage.write(lambda tx: webhooks.add(tx, "http://127.0.0.1:1/", MINE, NOW))
    subscribe(centre, receiver)
    centre.ingest.take(join(centre, Laptop()).batch(2))
    assert deliver(centre) == 2
    assert receiver.numbers() == [1, 2]
    assert state(centre)["last_result"] == "ConnectError"


@pytest.mark.parametrize(
    "url",
    [
        "", "ftp://x/", "https://", "https://user:pass@x/", "x" * 600, "javascript:alert(1)", "http://[::1", "http://169.254.169.254/latest/",
        "http://2852039166/", "http://[::ffff:169.254.169.254]/", "http://[fe80::1]/", "http://[fd00:ec2::254]/", "http://0.0.0.0/",
        "http://224.0.0.1/",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(centre: Centre, url: str) -> None:
    with pytest.raises(Refused) as refused:
        centre.storage.write(lambda tx: webhooks.add(tx, url, [], NOW))
    assert refused.value.code == "HB-235"


def test_what_is_not_there_cannot_be_switched_or_removed(centre: Centre) -> None:
    for act in (lambda tx: webhooks.remove(tx, 7), lambda tx: webhooks.set_state(tx, 7, on=True, now_ms=NOW)):
        with pytest.raises(Refused) as refused:
            centre.storage.write(act)
        assert refused.value.code == "HB-236"


def test_the_list_shows_no_secret(centre: Centre, receiver: Receiver) -> None:
    made = subscribe(centre, receiver)
    assert made["secret"] not in json.dumps(centre.storage.read(webhooks.listed))


def test_a_name_that_leads_to_a_clouds_door_later_is_told_nothing(
    centre: Centre, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribe(centre, receiver)
    centre.ingest.take(join(centre, Laptop()).batch(1))
    door = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: door)
    assert deliver(centre) == 0 and receiver.came == []
    assert state(centre)["last_result"] == "address"


def test_a_slow_receiver_keeps_its_turn_no_longer_than_its_claim(
    centre: Centre, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribe(centre, receiver)
    centre.ingest.take(join(centre, Laptop()).batch(3))
    monkeypatch.setattr(webhooks, "_CLAIM_MS", 0)
    assert [deliver(centre) for _ in range(4)] == [1, 1, 1, 0]
    assert receiver.numbers() == [1, 2, 3]


def test_a_process_that_took_too_long_sets_nothing_back(centre: Centre, receiver: Receiver) -> None:
    subscribe(centre, receiver)
    centre.ingest.take(join(centre, Laptop()).batch(3))
    row = centre.storage.read(lambda tx: tx.query("SELECT * FROM webhook"))[0]
    assert deliver(centre) == 3
    at = centre.storage.read(lambda tx: tx.query("SELECT accepted_idx FROM webhook"))
    receiver.answers = [204, 500]
    with httpx.Client() as client:
        assert webhooks._tell(centre.storage, centre.clock, client, row, centre.kinds) == 1
    assert centre.storage.read(lambda tx: tx.query("SELECT accepted_idx FROM webhook")) == at
    assert (state(centre)["tries"], state(centre)["last_result"]) == (0, "ok")
