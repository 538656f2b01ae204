"""A relay that is killed at its worst moments: what it signed for is there, and comes to the centre once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from sync import relayed
from sync.audit_export import verifier_key
from sync.clock import SystemClock
from sync.failpoint import VARIABLE
from sync.hub import centre as centres
from sync.notes import NoteKey
from tests.faults import children
from tests.hub import tables
from tests.hub.conftest import Process, sala_hub
from tests.hub.laptop import Laptop, join

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

Start = Callable[..., str]


@pytest.fixture
def relay_process(tmp_path: Path) -> Iterator[Start]:
    """``relay_process(folder, **environment)``: a served relay's address."""
    begun: list[children.Served] = []

    def start(folder: Path, **environment: str) -> str:
        begun.append(children.Served(folder, tmp_path / "relay.errors", environment, verb=("relay", "serve")))
        return begun[-1].url

    yield start
    for running in begun:
        running.kill()


@pytest.mark.parametrize("point", ["relay:received", "relay:stored"])
def test_killed_while_work_is_with_it(
    tmp_path: Path, hub_process: Callable[..., Process], relay_process: Start, point: str
) -> None:
    folder, relay = tmp_path / "hub", tmp_path / "relay"
    hub = centres.create(tables.lay(folder), SystemClock(), name="hub", log_name="hub")
    laptop = join(hub, Laptop())
    key = verifier_key(hub.log.note_key)
    hub.close()
    served = hub_process(folder)
    made = sala_hub(
        relay, "relay", "init", "--name", "pursat", "--province", "15", "--upstream", served.url, "--key", key
    )
    served.stop()
    sala_hub(folder, "witness", "add", "pursat", "15", made["key"])
    data = laptop.batch(3)
    digest = sha256(data).digest()
    url = relay_process(relay, **{VARIABLE: f"{point}:1"})  # the centre is away: what comes must wait here
    with pytest.raises(httpx.HTTPError):
        httpx.put(f"{url}/v1/batches/{digest.hex()}", content=data, timeout=30)
    url = relay_process(relay)
    again = httpx.put(f"{url}/v1/batches/{digest.hex()}", content=data, timeout=30)
    assert again.status_code == 202
    assert relayed.read_handed(again.text, NoteKey("pursat", bytes.fromhex(made["key"])), digest) > 0
    assert httpx.put(f"{url}/v1/batches/{digest.hex()}", content=data, timeout=30).text == again.text

    settings = json.loads((relay / "relay.json").read_text("utf-8"))
    alive = hub_process(folder)
    (relay / "relay.json").write_text(json.dumps({**settings, "upstream": [alive.url]}), "utf-8")
    assert children.hub_verb(relay, "relay", "run", **{VARIABLE: "relay:forward:1"})[0] == -9
    done = sala_hub(relay, "relay", "run")
    assert (done["forwarded"], done["receipts"], done["problem"]) == (1, 1, "")
    assert sala_hub(relay, "relay", "run")["forwarded"] == 0
    alive.stop()
    hub = centres.open_(folder, SystemClock())
    try:
        rows = hub.storage.read(lambda tx: tx.query("SELECT seq, label FROM op WHERE device = :d", {"d": laptop.id}))
        assert [row["label"] for row in rows] == ["accepted"] * 3
    finally:
        hub.close()
