"""A real hub that is killed at its worst moments: what was acknowledged is there, what was not comes again, nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from sync import receipts
from sync.clock import SystemClock
from sync.failpoint import VARIABLE
from sync.hub import centre as centres
from tests.hub.conftest import Process
from tests.hub.laptop import Laptop, join


def put(url: str, data: bytes) -> httpx.Response:
    return httpx.put(f"{url}/v1/batches/{sha256(data).hexdigest()}", content=data, timeout=30)


@pytest.mark.parametrize("point", ["hub:received", "hub:in-transaction", "hub:stored"])
def test_killed_between_receiving_and_answering(
    tmp_path: Path, hub_process: Callable[..., Process], point: str, database: str | None
) -> None:
    folder = tmp_path / "hub"
    hub = centres.create(folder, SystemClock(), name="hub", log_name="hub", url=database)
    laptop = join(hub, Laptop())
    first = laptop.batch(5)
    acknowledged = hub.ingest.take(first).receipt
    hub.close()
    second = laptop.batch(5)

    process = hub_process(folder, **{VARIABLE: f"{point}:1"})
    with pytest.raises(httpx.HTTPError):
        put(process.url, second)
    assert process.wait_dead() == -9

    alive = hub_process(folder)
    again = put(alive.url, second)
    assert again.status_code in (200, 201)
    assert put(alive.url, second).text == again.text
    assert put(alive.url, first).text == acknowledged
    alive.stop()

    hub = centres.open_(folder, SystemClock())
    try:
        assert receipts.verify(again.text, hub.log.note_key).leaf.batch_hash == sha256(second).digest()
        assert hub.storage.read(hub.log.verify) == []
        own = "SELECT seq, label FROM op WHERE device = :d ORDER BY seq"
        rows = hub.storage.read(lambda tx: tx.query(own, {"d": laptop.id}))
        assert [(row["seq"], row["label"]) for row in rows] == [(seq, "accepted") for seq in range(1, 11)]
        assert hub.storage.read(lambda tx: tx.query("SELECT count(*) AS n FROM accepted"))[0]["n"] == 10
    finally:
        hub.close()


def test_a_restarted_hub_goes_on_with_its_log(
    tmp_path: Path, hub_process: Callable[..., Process], database: str | None
) -> None:
    folder = tmp_path / "hub"
    hub = centres.create(folder, SystemClock(), name="hub", log_name="hub", url=database)
    laptop = join(hub, Laptop())
    hub.close()
    texts = []
    for _ in range(3):
        process = hub_process(folder)
        texts.append(put(process.url, laptop.batch(2)).text)
        process.stop()
    hub = centres.open_(folder, SystemClock())
    try:
        indexes = [receipts.verify(text, hub.log.note_key).index for text in texts]
        assert indexes == [indexes[0] + n for n in range(3)]
        assert hub.storage.read(hub.log.verify) == []
    finally:
        hub.close()
