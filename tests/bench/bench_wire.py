"""The same 500 Khmer records over the same shaped line (64 kbit/s, 300 ms each way): Sala's real client and hub beside an OpenRosa
post a record and CouchDB's replication. Bytes are counted on the line, headers and all; and parsing and checking of batches.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.people import varied
from tests.bench.rows import Row, best_rate
from tests.shaper import Line, Shape

RECORDS = 500
SLOW = Shape(rate=8_000, latency=0.3, speed=20)  # the line's clock runs 20 times as fast; bytes are what they are
_FORM = "birth-extract-copy"


def rows(folder: Path) -> list[Row]:
    from sync import batch

    sealed = _Sala(folder / "sealed")
    try:
        records = sealed.work(RECORDS)
        sealed_up, sealed_s, data = sealed.send()
    finally:
        sealed.close()
    plain = _Sala(folder / "plain")
    try:
        plain.repeat(sealed.bodies)
        plain_up, plain_s, _ = plain.send()
    finally:
        plain.close()
    rosa_up, rosa_s = _peer_openrosa(records)
    couch_up, couch_s = _peer_couchdb(records)
    parsed = batch.parse(data)

    def parse() -> int:
        batch.parse(data)
        return len(parsed.ops)

    times = f"plain {plain_s:.0f} s, CouchDB {couch_s:.0f} s, OpenRosa {rosa_s:.0f} s"
    line = f"{SLOW.rate * 8 / 1000:.0f} kbit/s, {SLOW.latency * 1000:.0f} ms"
    return [
        Row(f"wire, whole op, plain, {RECORDS} records, whole run", plain_up / RECORDS, "B/record", 100, beside=_json(records)),
        Row(f"wire, whole op, sealed, {RECORDS} records, whole run", sealed_up / RECORDS, "B/record", 120, beside=_json(records)),
        Row("wire, OpenRosa post a record ÷ sealed", rosa_up / sealed_up, "times", 15, "more", f"{rosa_up / RECORDS:.0f} B/record"),
        Row("wire, CouchDB replication ÷ sealed", couch_up / sealed_up, "times", 7, "more", f"{couch_up / RECORDS:.0f} B/record"),
        Row(f"wire, whole run on {line}, sealed", sealed_s, "s", couch_s, beside=times),
        Row("batch parsed and checked", best_rate(parse), "ops/s", 10_000, better="more"),
    ]  # fmt: skip


class _Sala:
    """A real laptop and a real hub process with the shaped line between them."""

    def __init__(self, folder: Path) -> None:
        import os

        from modules.session import Session
        from sync import enrol, exchange, keys
        from sync.clock import SystemClock
        from tests.sync.hub_process import Hub

        folder.mkdir()
        self.folder = folder
        self.hub = Hub(folder / "hub").start()
        self.line = Line(self.hub.port, SLOW)
        os.environ["SALA_ROOTS"] = str(self.hub.folder / "roots")
        pack = self.hub.pack_for(folder / "office.salapack", self.line.url)
        self.session = Session.open(
            enrol.setup(
                folder / "home", pack, officer_name="ចាន់ សុខា", officer_latin="Chan Sokha", passphrase="bench bench bench",
                clock=SystemClock(), cost=keys.CHEAP,
            )
        )  # fmt: skip
        self._exchange = exchange
        for _ in range(2):
            exchange.run(self.session.unlocked)  # enrolled, and what the centre publishes is here
        self.bodies: list[Any] = []

    def close(self) -> None:
        self.session.close()
        self.line.__exit__()
        self.hub.stop()
        shutil.rmtree(self.folder)

    def work(self, count: int) -> list[dict[str, Any]]:
        """``count`` people at the counter; what they answered, as JSON."""
        run = self.session.commands.run
        for number in range(count):
            run("forms.fill", form=_FORM, answers=varied(number), finish=True)
        found = self.session.store.read(
            lambda conn: (
                conn.execute("SELECT answers FROM forms_submission ORDER BY serial").fetchall(),
                conn.execute(
                    "SELECT record, form, def_hash, body FROM op WHERE body IS NOT NULL ORDER BY seq"
                ).fetchall(),
            )
        )
        self.bodies = [dict(row) for row in found[1]]
        return [json.loads(row["answers"]) for row in found[0]]

    def repeat(self, bodies: list[Any]) -> None:
        """The same ops, readable by the hub."""
        from sync import cbor, ops

        unlocked = self.session.unlocked

        def work(conn: Any) -> None:
            for one in bodies:
                ops.append(
                    conn, unlocked, unlocked.store.clock, kind="forms.submission", record=one["record"], form=one["form"],
                    def_hash=one["def_hash"], body=cbor.decode(one["body"]), sealed=False,
                )  # fmt: skip

        unlocked.store.write(work)

    def send(self) -> tuple[int, float, bytes]:
        """One sync run: bytes up in all, line time, and the largest batch."""
        from sync import marks, outbox

        # A line that was measured as this one is: else the first batches would be cut for a guess.
        self.session.store.write(lambda conn: marks.set_mark(conn, marks.GOODPUT, int(SLOW.rate)))
        self.line.restart_clock()
        before = self.line.up
        self._exchange.run(self.session.unlocked)
        took, up = self.line.seconds, self.line.up - before
        left = self.session.store.read(outbox.summary)
        if left.waiting + left.sending:
            raise AssertionError(f"{left.waiting} records were not received")
        row = self.session.store.read(
            lambda conn: conn.execute("SELECT bytes FROM batch ORDER BY last_seq - first_seq DESC LIMIT 1").fetchone()
        )
        return up, took, bytes(row["bytes"])


def _peer_openrosa(records: list[dict[str, Any]]) -> tuple[int, float]:
    from tests.bench.peers import Central, collect

    central = Central()
    found = _over_the_line(central.server, lambda port: collect("127.0.0.1", port, records))
    if len(central.kept) != len(records):
        raise AssertionError("OpenRosa: submissions are missing")
    return found


def _peer_couchdb(records: list[dict[str, Any]]) -> tuple[int, float]:
    from tests.bench.peers import Couch, pouch

    couch = Couch()
    found = _over_the_line(couch.server, lambda port: pouch("127.0.0.1", port, records))
    if len(couch.docs) != len(records):
        raise AssertionError("CouchDB: documents are missing")
    return found


def _over_the_line(server: Any, send: Callable[[int], None]) -> tuple[int, float]:
    try:
        with Line(server.port, SLOW) as line:
            send(line.port)
            return line.up, line.seconds
    finally:
        server.close()


def _json(records: list[dict[str, Any]]) -> str:
    size = sum(len(json.dumps(one, ensure_ascii=False).encode()) for one in records) / len(records)
    return f"the answers alone as JSON {size:.0f} B"
