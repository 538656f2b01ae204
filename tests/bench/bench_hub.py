"""The hub's ingest with every check and real fsync: 16 laptops at once over loopback HTTP, sharing the two cores with their sender."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

from tests.bench.rows import Row

LAPTOPS, BATCHES, RECORDS = 16, 8, 100


def rows(folder: Path) -> list[Row]:
    import httpx

    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "sync.hub.cli", "--data", str(folder / "hub"), "--json"]
    subprocess.run([*command, "init"], env=environment, check=True, capture_output=True)
    work = [_batches(number) for number in range(LAPTOPS)]
    serving = subprocess.Popen([*command, "serve", "--port", "0"], env=environment, stdout=subprocess.PIPE, text=True)
    assert serving.stdout is not None
    url = json.loads(serving.stdout.readline())["url"]
    waits: list[float] = []
    lock = threading.Lock()

    def send(batches: list[bytes]) -> None:
        with httpx.Client(base_url=url, timeout=60) as line:
            for data in batches:
                began = time.perf_counter()
                answer = line.put(f"/v1/batches/{sha256(data).hexdigest()}", content=data)
                assert answer.status_code == 201, answer.text
                with lock:
                    waits.append((time.perf_counter() - began) * 1000)

    try:
        began = time.perf_counter()
        with ThreadPoolExecutor(LAPTOPS) as pool:
            list(pool.map(send, work))
        seconds = time.perf_counter() - began
    finally:
        serving.terminate()
        serving.wait(30)
        serving.stdout.close()
    waits.sort()
    return [
        Row(
            "hub on SQLite, whole format, fsync on", LAPTOPS * BATCHES * RECORDS / seconds, "records/s", 10_000, better="more",
            beside=f"{LAPTOPS} laptops × {RECORDS} records a batch; receipt p50 {waits[len(waits) // 2]:.0f} ms, p99 {waits[int(len(waits) * 0.99)]:.0f} ms",
        )
    ]  # fmt: skip


def _batches(laptop: int) -> list[bytes]:
    """Batches of plain ops of a laptop of its own, in one chain."""
    from nacl.signing import SigningKey

    from sync import batch, ops
    from sync.ids import uuid7

    key = SigningKey(bytes([laptop + 1]) * 32)
    parent, seq, made = ops.genesis(bytes(key.verify_key)), 1, []
    for _ in range(BATCHES):
        encoded = []
        for number in range(RECORDS):
            body = {
                "code": f"{laptop:02}{seq + number:06}",
                "target": f"https://moi.gov.kh/{number}",
                "title": "ក្រសួងមហាផ្ទៃ",
                "expires_ms": None,
            }
            encoded.append(
                ops.OpFields(
                    op_id=uuid7(1_795_000_000_000), kind="links.created", form="links", def_hash=b"", wall_ms=1_795_000_000_000, mono_ms=1,
                    boot_id=bytes(8), hub_floor_ms=0, officer=bytes(16), body=body,
                ).encode()
            )  # fmt: skip
        made.append(batch.build(key, first_seq=seq, prev=parent, ops=encoded, app_version="bench"))
        for data in encoded:
            parent = ops.op_hash(parent, data)
        seq += RECORDS
    return made
