"""What tests of a laptop on a line to a real hub do and count."""

from __future__ import annotations

import os
from typing import Any

from sync import exchange, office, ops, outbox
from sync.exchange import Report
from sync.keys import Unlocked
from sync.store import Connection
from sync.transport import Transport
from tests.sync.hub_process import Hub


def write_ops(laptop: Unlocked, n: int = 5, *, size: int = 40) -> None:
    def work(conn: Connection) -> None:
        for _ in range(n):
            ops.append(
                conn, laptop, laptop.store.clock, kind="sync.review", record=os.urandom(4).hex(), form="forms", def_hash=None,
                body={"text": os.urandom(size // 2).hex()}, sealed=True,
            )  # fmt: skip

    laptop.store.write(work)


def run(laptop: Unlocked, **options: Any) -> Report:
    centre = laptop.store.read(office.centre)
    assert centre is not None
    return exchange.run(laptop, Transport(centre.urls, laptop.device, timeout_s=5), **options)


def counts(laptop: Unlocked) -> tuple[int, int, int]:
    found = laptop.store.read(outbox.summary)
    return found.waiting, found.sending, found.received


def stored_ops(hub: Hub, laptop: Unlocked) -> list[bytes]:
    """The hashes of the laptop's ops in the hub's database, as often as they stand there."""
    import sqlite3

    with sqlite3.connect(next(hub.folder.glob("*.db"))) as conn:
        rows = conn.execute("SELECT hash FROM op WHERE device = ? ORDER BY seq", (laptop.device.device_id,)).fetchall()
    return [row[0] for row in rows]


def own_ops(laptop: Unlocked) -> list[bytes]:
    return [
        row["hash"]
        for row in laptop.store.read(lambda conn: conn.execute("SELECT hash FROM op ORDER BY seq").fetchall())
    ]
