"""The console's pages over 1,000,000 records and 210 offices: each page's slowest of several openings, as a browser asks for it.

``SALA_BENCH_RECORDS`` makes it smaller; ``SALA_BENCH_POSTGRES=1`` measures over a PostgreSQL server of its own too.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import httpx

from tests.bench import million
from tests.bench.rows import Row
from tests.hub import postgres
from tests.hub.conftest import serving

RECORDS = int(os.environ.get("SALA_BENCH_RECORDS", "1000000"))
BUDGET_MS = 300
TIMES = 5
PAGES = {
    "national board": "", "offices": "offices", "an office": "office/0105", "records": "records",
    "records of an office": "records?office=0203",
    "records of a province, kind and month": "records?office=08&kind=links.created&since=2026-10-01&until=2026-10-31",
    "records of an officer": "records?officer=03030303030303030303030303030303", "records with two words": "records?text=market+school",
    "records deep down": "records?kind=forms.submission&after=9000-3", "batches": "batches",
    "quarantine": "quarantine", "laptops": "devices",
    "publications": "publications", "log": "log",
}  # fmt: skip


def rows(folder: Path) -> list[Row]:
    found = _measure("SQLite", folder / "sqlite", None)
    if os.environ.get("SALA_BENCH_POSTGRES"):
        with postgres.server().fresh() as url:
            found += _measure("PostgreSQL", folder / "postgres", url)
    return found


def _measure(name: str, folder: Path, url: str | None) -> list[Row]:
    from nacl.signing import SigningKey

    from sync.clock import SystemClock
    from sync.hub import centre, signers

    began = time.perf_counter()
    hub = centre.create(folder, SystemClock(), name="bench", log_name="hub", url=url)
    try:
        million.fill(hub, RECORDS)
        made = time.perf_counter() - began
        hub.close()
        hub = centre.open_(folder, SystemClock())  # whose counters then stand behind the rows made in bulk
        with serving(hub) as client:
            _log_in(client)
            took = {title: _slowest(client, f"/console/{path}") for title, path in PAGES.items()}
            key, now = bytes(SigningKey.generate().verify_key), hub.clock.wall_ms()
            hub.storage.write(lambda tx: signers.add(tx, hub.folder, "province", "03", "ខេត្តកំពង់ចាម", key, now))
            took["publications, a part signed elsewhere"] = _slowest(client, "/console/publications")
            key = bytes(SigningKey.generate().verify_key)
            hub.storage.write(lambda tx: signers.add(tx, hub.folder, "issuer", "0105", "សាលាស្រុក", key, now))
            hub.settle()
            took["publications, an issuer elsewhere"] = _slowest(client, "/console/publications")
    finally:
        hub.close()
    heaviest = max(took, key=lambda title: took[title])
    beside = " · ".join(f"{title} {ms:.0f}" for title, ms in sorted(took.items(), key=lambda item: -item[1]))
    what = f"console, heaviest page over {RECORDS:,} records, {name}"
    return [Row(what, took[heaviest], "ms", BUDGET_MS, beside=f"{heaviest}; all: {beside} (made in {made:.0f} s)")]


def _log_in(client: httpx.Client) -> None:
    gate = re.search(r'name="gate" value="([^"]+)"', client.get("/console/login").text)
    assert gate
    data = {"gate": gate[1], "name": million.ADMIN, "passphrase": million.PASSPHRASE, "back": "/console/"}
    assert client.post("/console/login", data=data).status_code == 303


def _slowest(client: httpx.Client, path: str) -> float:
    samples = []
    for turn in range(TIMES + 1):
        began = time.perf_counter()
        answer = client.get(path)
        if answer.status_code != 200:
            raise RuntimeError(f"{path}: {answer.status_code}")
        if turn:  # the first opening compiles the template
            samples.append((time.perf_counter() - began) * 1000)
    return max(samples)
