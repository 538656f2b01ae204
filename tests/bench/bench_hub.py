"""Records a second into the real hub over loopback: signed batches, Merkle log, labels, receipts, fsync on.

The load (ready-made, signed batches over keep-alive connections, every receipt awaited) and the hub share the machine's cores. Two
batches of each laptop go before and are not counted: a hub that has just begun still loads its program. What is made of the records
afterwards (projections, words, publications) waits for the end of such a burst (``sync/hub/bursts.py``): how many seconds later all of
it can be read stands beside each figure, and the processor's microseconds a record of the hub, its database and the load: those swing
less with the neighbours.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.bench import cpu
from tests.bench.rows import Row, quantile
from tests.hub import postgres
from tests.hub.laptop import Laptop, join

NAMES = ("សុខ", "ចាន់", "ឈឹម", "កែវ", "ហេង", "លី", "សៅ", "មាស", "ប៉ែន", "នួន")
ROOT = Path(__file__).parents[2]
BEFORE = 2  # batches of each laptop that are not counted


@dataclass(frozen=True, slots=True)
class Measured:
    """Records a second; milliseconds of an upload; microseconds of processor a record of hub, database and load; seconds from the last
    receipt until all projections were caught up."""

    rate: float
    p50: float
    p99: float
    hub: float
    database: float
    load: float
    readable: float


def rows(folder: Path) -> list[Row]:
    found = [_row(folder, "SQLite", case) for case in ((16, 20, 100, 10_000), (4, 10, 1_000, 10_000), (16, 60, 1, 300))]
    # files on the disk, everything flushed; a hub on PostgreSQL is served by several processes, here by one for each core
    with postgres.cluster(memory=False, shared_buffers="256MB", max_wal_size="1GB") as dsn:
        server = postgres.Server(dsn)
        for case in ((16, 20, 100, 15_000), (4, 10, 1_000, 15_000), (16, 60, 1, 300)):
            with server.fresh() as url:
                found.append(_row(folder, "PostgreSQL", case, url, processes=2))
    return found


def _row(
    folder: Path, database: str, case: tuple[int, int, int, int], url: str | None = None, *, processes: int = 1
) -> Row:
    devices, batches, records, budget = case
    place = folder / f"{database}-{devices}x{records}"
    found = measure(place, devices, batches, records, url, processes=processes)
    return Row(
        f"hub, {database}, {devices} devices × {records} records a batch", found.rate, "records/s", budget, better="more",
        beside=f"a receipt in {found.p50:.0f} ms p50, {found.p99:.0f} ms p99; processor µs a record: "
        f"hub {found.hub:.0f}, database {found.database:.0f}, load {found.load:.0f}; all readable {found.readable:.1f} s later",
    )  # fmt: skip


def measure(
    folder: Path, devices: int, batches: int, records: int, url: str | None = None, *, processes: int = 1
) -> Measured:
    """What a fresh hub in ``processes`` of its own takes; ``url``: on PostgreSQL."""
    from sync.clock import SystemClock
    from sync.hub import centre

    hub = centre.create(folder, SystemClock(), name="bench", log_name="hub", url=url)
    try:
        laptops = [join(hub, Laptop(now=SystemClock().wall_ms())) for _ in range(devices)]
    finally:
        hub.close()
    ready = [[_upload(laptop, records) for _ in range(BEFORE + batches)] for laptop in laptops]
    with ExitStack() as stack:
        served = [stack.enter_context(_serving(folder)) for _ in range(processes)]
        ports, hubs, server = (
            [port for port, _ in served],
            [pid for _, pid in served],
            [_postmaster(url)] if url else [],
        )
        asyncio.run(_load(ports, [requests[:BEFORE] for requests in ready]))
        asyncio.run(_readable(ports[0]))
        before, own = [cpu.seconds(pids) for pids in (hubs, server)], time.process_time()
        samples, took = asyncio.run(_load(ports, [requests[BEFORE:] for requests in ready]))
        used = [cpu.seconds(pids) - then for pids, then in zip((hubs, server), before, strict=True)]
        own = time.process_time() - own
        readable = asyncio.run(_readable(ports[0]))
    total = devices * batches * records
    used_hub, used_database, used_load = (1e6 * part / total for part in (*used, own))
    return Measured(
        total / took,
        quantile(samples, 0.5),
        quantile(samples, 0.99),
        hub=used_hub,
        database=used_database,
        load=used_load,
        readable=readable,
    )


def _postmaster(url: str) -> int:
    """The first process of the server behind ``url``, made by :func:`postgres.cluster`."""
    return int((Path(url.rpartition("host=")[2]) / "data" / "postmaster.pid").read_text("ascii").split("\n")[0])


@contextmanager
def _serving(folder: Path) -> Iterator[tuple[int, int]]:
    """A served hub; its port and its process."""
    serving = subprocess.Popen(
        [sys.executable, "-m", "sync.hub.cli", "--data", str(folder), "--json", "serve", "--port", "0"],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUTF8": "1"},
    )  # fmt: skip
    try:
        assert serving.stdout is not None
        yield int(json.loads(serving.stdout.readline())["url"].rpartition(":")[2]), serving.pid
    finally:
        serving.terminate()
        serving.wait(30)
        if serving.stdout is not None:
            serving.stdout.close()


def _upload(laptop: Laptop, records: int) -> bytes:
    """One HTTP request with a batch of short links, each different."""
    made = []
    for _ in range(records):
        dice = random.Random(os.urandom(8))
        body: dict[str, Any] = {
            "code": f"{dice.randrange(31**7):x}"[:7], "target": f"https://www.{dice.randrange(10**6)}.gov.kh/{dice.randrange(10**9)}",
            "title": " ".join(dice.choices(NAMES, k=6)), "tags": dice.choices(NAMES, k=2), "expires_ms": None,
        }  # fmt: skip
        made.append(laptop.op(body))
    data = laptop.batch(made=made)
    head = (
        f"PUT /v1/batches/{sha256(data).hexdigest()} HTTP/1.1\r\nHost: hub\r\nContent-Type: application/octet-stream\r\n"
        f"Content-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


async def _load(ports: list[int], ready: list[list[bytes]]) -> tuple[list[float], float]:
    """Milliseconds of each upload, and the seconds of all."""
    samples: list[float] = []
    began = time.perf_counter()
    await asyncio.gather(
        *(_device(ports[number % len(ports)], requests, samples) for number, requests in enumerate(ready))
    )
    return samples, time.perf_counter() - began


async def _device(port: int, requests: list[bytes], samples: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in requests:
        began = time.perf_counter()
        writer.write(request)
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
        answer = await reader.readexactly(int(length.partition(b":")[2]))
        if b" 201 " not in head.split(b"\r\n")[0]:
            raise RuntimeError((head + answer).decode("utf-8", "replace"))
        samples.append((time.perf_counter() - began) * 1000)
    writer.close()
    await writer.wait_closed()


async def _readable(port: int) -> float:
    """Seconds until the hub says that no projection is behind."""
    began = time.perf_counter()
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /readyz HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n")
        behind = json.loads((await reader.read()).partition(b"\r\n\r\n")[2])["checks"]["projections"]["behind"]
        writer.close()
        await writer.wait_closed()
        if not any(behind.values()):
            return time.perf_counter() - began
        await asyncio.sleep(0.1)
