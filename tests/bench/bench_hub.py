"""Records a second into the real hub over loopback: signed batches, Merkle log, labels, receipts, fsync on.

The load (ready-made batches over keep-alive connections, every receipt awaited) and the hub share the machine's cores.
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
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.bench.rows import Row, quantile
from tests.hub import postgres
from tests.hub.laptop import Laptop, join

NAMES = ("សុខ", "ចាន់", "ឈឹម", "កែវ", "ហេង", "លី", "សៅ", "មាស", "ប៉ែន", "នួន")
ROOT = Path(__file__).parents[2]


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
    rate, p50, p99 = measure(place, devices, batches, records, url, processes=processes)
    return Row(
        f"hub, {database}, {devices} devices × {records} records a batch", rate, "records/s", budget, better="more",
        beside=f"a receipt in {p50:.0f} ms p50, {p99:.0f} ms p99",
    )  # fmt: skip


def measure(
    folder: Path, devices: int, batches: int, records: int, url: str | None = None, *, processes: int = 1
) -> tuple[float, float, float]:
    """Records a second, and milliseconds of an upload (p50, p99), of a fresh hub in ``processes`` of its own; ``url``: on PostgreSQL."""
    from sync.clock import SystemClock
    from sync.hub import centre

    hub = centre.create(folder, SystemClock(), name="bench", log_name="hub", url=url)
    try:
        laptops = [join(hub, Laptop(now=SystemClock().wall_ms())) for _ in range(devices)]
    finally:
        hub.close()
    ready = [[_upload(laptop, records) for _ in range(batches)] for laptop in laptops]
    with ExitStack() as stack:
        ports = [stack.enter_context(_serving(folder)) for _ in range(processes)]
        return asyncio.run(_load(ports, ready, records))


@contextmanager
def _serving(folder: Path) -> Iterator[int]:
    """A served hub; its port."""
    serving = subprocess.Popen(
        [sys.executable, "-m", "sync.hub.cli", "--data", str(folder), "--json", "serve", "--port", "0"],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUTF8": "1"},
    )  # fmt: skip
    try:
        assert serving.stdout is not None
        yield int(json.loads(serving.stdout.readline())["url"].rpartition(":")[2])
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


async def _load(ports: list[int], ready: list[list[bytes]], records: int) -> tuple[float, float, float]:
    samples: list[float] = []
    began = time.perf_counter()
    await asyncio.gather(
        *(_device(ports[number % len(ports)], requests, samples) for number, requests in enumerate(ready))
    )
    took = time.perf_counter() - began
    return sum(map(len, ready)) * records / took, quantile(samples, 0.5), quantile(samples, 0.99)


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
