"""Health, metrics, pace and log lines: what operators look at, without a name in it."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.clock import SetClock
from sync.hub import app, health, journal
from sync.hub.centre import Centre
from sync.hub.feeds import tokens
from sync.hub.pace import Pace
from tests.hub.laptop import NOW, Laptop, join

FAR = "203.0.113.9"


def asked(application: Any, path: str, address: str = "127.0.0.1", **headers: str) -> httpx.Response:
    """What the application answers somebody at ``address``."""

    async def ask() -> httpx.Response:
        line = httpx.ASGITransport(application, client=(address, 5000))
        async with httpx.AsyncClient(transport=line, base_url="http://hub") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(ask())


def test_a_well_hub_is_ready_and_says_why(client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {"ok": True}
    found = client.get("/readyz")
    assert found.status_code == 200
    assert set(found.json()["checks"]) == {"database", "disk", "publications", "projections"}


def test_what_is_not_well_is_named(
    client: httpx.Client, centre: Centre, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "LEAST_FREE", 1 << 60)
    found = client.get("/readyz")
    assert found.status_code == 503
    assert [name for name, check in found.json()["checks"].items() if not check["ok"]] == ["disk"]
    centre.storage.write(lambda tx: tx.execute("UPDATE cursor SET failure = 'x' WHERE projection = 'links'"))
    clock.advance(400 * 86_400_000)
    checks = client.get("/readyz").json()["checks"]
    assert checks["projections"]["stopped"] == ["links"]
    assert not checks["publications"]["ok"]


def test_a_database_that_is_gone_is_no_ready_hub(centre: Centre) -> None:
    centre.storage.close()
    assert health.readiness(centre)["checks"]["database"] == {"ok": False, "why": "RuntimeError"}


def test_metrics_count_requests_and_stock_without_names(client: httpx.Client, centre: Centre) -> None:
    laptop = join(centre, Laptop())
    data = laptop.batch(3)
    client.put(f"/v1/batches/{sha256(data).hexdigest()}", content=data)
    client.get("/v1/batches/secret-name")
    text = client.get("/metrics").text
    assert 'sala_requests_total{call="batches",status="201"} 1.0' in text
    assert "sala_devices 1.0" in text
    assert "0306" not in text
    assert "secret-name" not in text


def test_only_this_machine_and_holders_of_a_token_read_the_metrics(centre: Centre) -> None:
    hub = app.create(centre)
    token = centre.storage.write(lambda tx: tokens.add(tx, "Prometheus", ["metrics"], NOW))
    other = centre.storage.write(lambda tx: tokens.add(tx, "Excel", ["records"], NOW))
    assert asked(hub, "/metrics", "127.0.0.1").status_code == 200
    assert asked(hub, "/metrics", FAR).status_code == 401
    assert asked(hub, "/metrics", FAR, authorization=f"Bearer {other}").status_code == 401
    assert asked(hub, "/metrics", FAR, authorization=f"Bearer {token}").status_code == 200


def test_a_flood_is_asked_to_come_later_and_health_is_not(centre: Centre) -> None:
    hub = app.create(centre, Pace(burst=2, a_second=0.1))
    assert [asked(hub, "/v1/log/checkpoint").status_code for _ in range(3)] == [200, 200, 503]
    assert int(asked(hub, "/v1/log/checkpoint").headers["retry-after"]) >= 1
    assert asked(hub, "/healthz").status_code == 200
    assert asked(hub, "/v1/log/checkpoint", FAR).status_code == 200


@given(st.lists(st.floats(0, 5), max_size=200))
def test_nobody_ever_gets_more_than_the_burst_and_the_rate(pauses: list[float]) -> None:
    now = [0.0]
    pace = Pace(burst=3, a_second=1, clock=lambda: now[0])
    welcome = 0
    for pause in pauses:
        now[0] += pause
        welcome += pace.wait_s("a") == 0
        assert welcome <= 3 + now[0] + 1e-6
    assert pace.wait_s("b") == 0


def test_the_pace_forgets_the_oldest_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.hub.pace._ADDRESSES", 5)
    pace = Pace()
    for number in range(50):
        pace.wait_s(str(number))
    assert len(pace._buckets) == 5


def test_a_log_line_is_json_without_the_words_of_an_error(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise ValueError("សុខ ដារ៉ា 012345678")
    except ValueError:
        record = logging.LogRecord("sync.hub", logging.ERROR, str(Path(__file__)), 1, "failed", None, sys.exc_info())
    record.count = 3
    line = json.loads(journal.Lines().format(record))
    assert (line["level"], line["what"], line["count"], line["error"]) == ("error", "failed", 3, "ValueError")
    assert "012345678" not in json.dumps(line)
    assert line["places"]


def test_paths_and_queries_that_no_database_keeps_are_no_address(centre: Centre) -> None:
    hub = app.create(centre)
    for path in ("/v1/batches/%00", "/l/a%00b", "/console?q=%00"):
        assert asked(hub, path).status_code == 404
    assert "%00" not in asked(hub, "/metrics").text


def test_a_strange_path_is_counted_as_its_kind_only(centre: Centre) -> None:
    hub = app.create(centre)
    for path in ("/v1", "/v1/sok-dara", "/sok-dara/0306"):
        assert asked(hub, path).status_code == 404
    asked(hub, "/odata")
    text = asked(hub, "/metrics").text
    assert (
        'call="other",status="404"} 2.0' in text and 'call="link",status="404"} 1.0' in text and 'call="odata"' in text
    )
    assert "sok-dara" not in text


def test_who_has_no_address_is_nobody_of_this_machine_and_is_answered_at_one_pace(centre: Centre) -> None:
    """A server behind a Unix socket knows no address of those who ask."""
    hub = app.create(centre, Pace(burst=1, a_second=0.01))
    nobody: Any = None
    assert asked(hub, "/metrics", "unix").status_code == 401
    assert [asked(hub, "/v1/log/checkpoint", address).status_code for address in ("unix", FAR)] == [200, 200]

    async def unknown(path: str) -> int:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(hub, client=nobody), base_url="http://hub"
        ) as client:
            return (await client.get(path)).status_code

    assert asyncio.run(unknown("/metrics")) == 401
    assert [asyncio.run(unknown("/v1/log/checkpoint")) for _ in range(2)] == [200, 503]


def test_a_web_socket_passes_the_gate_uncounted(centre: Centre) -> None:
    hub, sent = app.create(centre), list[Any]()

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "websocket",
        "path": "/v1/batches/x",
        "headers": [],
        "query_string": b"",
        "client": (FAR, 1),
        "app": hub,
    }
    asyncio.run(hub(scope, receive, send))
    assert [message["type"] for message in sent] == ["websocket.close"]
    assert 'call="batches"' not in asked(hub, "/metrics").text
