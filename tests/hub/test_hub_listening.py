"""Whoever says nothing, or stops in the middle, is let go; whoever goes on is answered."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from sync.clock import SetClock
from sync.hub import app, listening
from sync.hub import centre as centres
from sync.hub.centre import Centre
from tests.hub.laptop import NOW

ASK = b"GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    made = centres.create(tmp_path_factory.mktemp("listening") / "hub", SetClock(NOW), name="hub", log_name="hub")
    yield made
    made.close()


@pytest.fixture
def address(hub: Centre, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """Where the hub listens with little patience."""
    monkeypatch.setattr(listening, "HEAD_S", 0.3)
    monkeypatch.setattr(listening, "IDLE_S", 0.3)
    config = uvicorn.Config(
        app.create(hub), port=0, log_level="error", lifespan="off", ws="none", http=listening.Patient
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    yield server.servers[0].sockets[0].getsockname()
    server.should_exit = True
    thread.join(20)


def heard(line: socket.socket) -> bytes:
    """Everything until the hub closes the line."""
    found = b""
    while piece := line.recv(65_536):
        found += piece
    return found


@pytest.mark.parametrize("said", [b"", b"GET /healthz HTTP/1.1\r\nHost: h", ASK + b"GET /hea"])
def test_a_head_that_does_not_end_closes_the_line(address: tuple[str, int], said: bytes) -> None:
    with socket.create_connection(address, timeout=20) as line:
        line.sendall(said)
        assert heard(line).count(b"200 OK") == said.count(ASK)


def test_a_body_that_stops_is_answered_and_the_line_closed(address: tuple[str, int]) -> None:
    for head in (b"PUT /v1/batches/" + b"00" * 32, b"POST /console/login"):
        with socket.create_connection(address, timeout=20) as line:
            line.sendall(head + b" HTTP/1.1\r\nHost: hub\r\nContent-Length: 100\r\n\r\nabc")
            assert heard(line).split(b" ")[1] in (b"400", b"403")


def test_a_slow_line_that_goes_on_is_heard_to_its_end(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=20) as line:
        line.sendall(b"PUT /v1/batches/" + b"00" * 32 + b" HTTP/1.1\r\nHost: hub\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(8):
            time.sleep(0.1)  # longer than the patience with a head, all in all
            line.sendall(b"3\r\nabc\r\n")
        line.sendall(b"0\r\n\r\n")
        assert line.recv(65_536).split(b" ")[1] == b"422"
        for _ in range(2):  # and the line goes on to serve
            line.sendall(ASK)
            assert b"200 OK" in line.recv(65_536)
