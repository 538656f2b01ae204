"""Three days of work without a line, then ten minutes of a bad one: the scenario that tests and ``./dev bench`` share.

200 records and forty cases with two scans each wait on a real laptop profile; the hub is a real process; between them lies a
shaped line (256 kbit/s, 300 ms there and back, cut every 40 s, three connections in ten cut at some moment of their own).
"""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from modules.session import Session
from sync import enrol, exchange, keys, line, marks, outbox, pieces
from sync.clock import SystemClock
from sync.errors import Known
from sync.store import Connection
from sync.transport import GONE
from tests.bench.people import varied
from tests.shaper import Line, Shape
from tests.sync.hub_process import Hub

PASSPHRASE = "ទន្លេសាប ឆ្នាំនេះ"
RATE = 32_000  # bytes a second: 256 kbit/s
RECORDS_WITHIN_S = 60


def bad_line(speed: float, *, seed: int = 1, cut_every: float = 40) -> Shape:
    """The line of the scenario, its clock ``speed`` times as fast."""
    return Shape(
        rate=RATE,
        latency=0.15,
        cut_every=cut_every,
        down=min(2, cut_every / 8),
        lossy=0.3,
        life=8,
        seed=seed,
        speed=speed,
    )


@dataclass
class Days:
    """The laptop, its hub, and the line between them."""

    folder: Path
    shape: Shape
    hub: Hub = field(init=False)
    line: Line = field(init=False)
    session: Session = field(init=False)
    deaths: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    sent_chunks: int = 0

    def __post_init__(self) -> None:
        self.hub = Hub(self.folder / "hub").start()
        self.line = Line(self.hub.port, self.shape)
        os.environ["SALA_ROOTS"] = str(self.hub.folder / "roots")
        pack = self.folder / "office.salapack"
        self.hub.cli("enrol", "0306", "--out", str(pack), "--url", self.line.url)
        self.session = Session.open(
            enrol.setup(
                self.folder / "home", pack, officer_name="សុខ ដារ៉ា", officer_latin="Sok Dara", passphrase=PASSPHRASE,
                clock=SystemClock(), cost=keys.CHEAP,
            )
        )  # fmt: skip
        for _ in range(20):  # it has been at work for long: enrolled, and with the centre's forms
            if self.run() and self.read(enrol.certificate) is not None:
                break
        self.read_write(lambda conn: marks.set_mark(conn, marks.GOODPUT, 0))

    def close(self) -> None:
        self.session.close()
        self.line.__exit__()
        self.hub.stop()

    def read(self, work: Callable[[Connection], Any]) -> Any:
        return self.session.store.read(work)

    def read_write(self, work: Callable[[Connection], Any]) -> Any:
        return self.session.store.write(work)

    # --- the days without a line

    def work(self, records: int, cases: int, scan_bytes: int) -> None:
        """``records`` in all, the first ``cases`` of them with two scans."""
        dice = random.Random(5)
        for number in range(records):
            answers = varied(number)
            if number < cases:
                self.fill("copy-legalisation", copy_answers(number), [scan(dice, scan_bytes) for _ in range(2)])
            else:
                self.fill("birth-extract-copy", answers)

    def work_one(self, number: int) -> None:
        """One case with a small scan."""
        self.fill("copy-legalisation", copy_answers(number), [scan(random.Random(number), 20_000)])

    def fill(self, form: str, answers: dict[str, Any], scans: list[bytes] | None = None) -> dict[str, Any]:
        """One case from the counter to its receipt."""
        given = dict(answers)
        if scans:
            places = []
            for number, data in enumerate(scans):
                place = self.folder / f"scan-{number}.png"
                place.write_bytes(data)
                places.append(str(place))
            given["original_scan"] = places
        made: dict[str, Any] = self.session.commands.run("forms.fill", form=form, answers=given, finish=True)
        return made

    # --- the line

    def run(self, **options: Any) -> bool:
        """One sync run; False when the line broke it."""
        self.runs += 1
        try:
            report = exchange.run(self.session.unlocked, **options)
        except Known as error:
            if error.code not in GONE:
                raise
            self.deaths[error.code] += 1
            return False
        self.sent_chunks += report.chunks_sent
        assert not [problem for problem in report.problems if problem["code"] not in GONE], report.problems
        return True

    def until(self, done: Callable[[], bool], line_seconds: float, *, patience: float = 3_600, **options: Any) -> float:
        """Run again and again, as the window does (in line time), until ``done``; the line time that it took.

        ``patience``: after so many seconds of waiting somebody presses *Send now*.
        """
        while not done():
            assert self.line.seconds < line_seconds, f"not done after {self.line.seconds:.0f} s of line time"
            if not self.run(**options):
                wait_ms = self.read(lambda conn: marks.mark(conn, marks.RUN_NEXT)) - SystemClock().wall_ms()
                time.sleep(max(0.0, min(wait_ms / 1000, patience) / self.shape.speed))
        return self.line.seconds

    # --- what must hold

    def waiting(self) -> int:
        """Ops of people that no receipt covers."""
        found = self.read(outbox.summary)
        return int(found.waiting + found.sending)

    def pieces_left(self) -> int:
        return int(self.read(pieces.count))

    def hub_ops(self) -> list[bytes]:
        """The hashes of this laptop's ops at the hub, as often as they stand there."""
        device = self.session.unlocked.device.device_id
        with closing(sqlite3.connect(self.hub.folder / "hub.db")) as conn:
            return [row[0] for row in conn.execute("SELECT hash FROM op WHERE device = ? ORDER BY seq", (device,))]

    def own_ops(self) -> list[bytes]:
        return [
            row["hash"] for row in self.read(lambda conn: conn.execute("SELECT hash FROM op ORDER BY seq").fetchall())
        ]

    def missing_pieces(self) -> list[str]:
        """Pieces of attachments that the hub lacks or has in another form."""
        names = self.read(lambda conn: [row["hash"] for row in conn.execute("SELECT hash FROM chunk").fetchall()])
        there = {path.name: path for path in (self.hub.folder / "chunks").rglob("*") if path.is_file()}
        blobs = self.session.unlocked.blobs
        return [
            name.hex()
            for name in names
            if name.hex() not in there or there[name.hex()].read_bytes() != blobs.chunk(name)
        ]

    def settings(self, settings: line.Settings) -> None:
        self.read_write(lambda conn: line.keep(conn, settings))


def copy_answers(number: int) -> dict[str, Any]:
    """A case with a person of its own."""
    from desktop.day import samples

    person = varied(number)
    return {**samples.COPY, **{name: person[name] for name in ("applicant", "dob", "id_card", "phone", "address")}}


def scan(dice: random.Random, size: int) -> bytes:
    """A picture of about ``size`` bytes that does not compress."""
    from PIL import Image

    side = int((size / 3) ** 0.5)
    written = BytesIO()
    Image.frombytes("RGB", (side, side), dice.randbytes(side * side * 3)).save(written, "PNG")
    return written.getvalue()
