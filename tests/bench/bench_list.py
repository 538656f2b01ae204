"""A million records: the first page, a wheel step on screen, and searching them.

The rows are written straight into the tables (a million finished forms would take hours); what is measured is what an officer
does with them. ``SALA_BENCH_RECORDS`` sets how many there are.
"""

from __future__ import annotations

import os
import random
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.office import unlocked
from tests.bench.rows import Row, quantile, timed

if TYPE_CHECKING:
    from modules.session import Session
    from sync.store import Connection

RECORDS = int(os.environ.get("SALA_BENCH_RECORDS", "1000000"))
CHUNK = 20_000


def rows(folder: Path) -> list[Row]:
    with unlocked(folder) as session:
        began = time.perf_counter()
        _fill(session)
        filled = time.perf_counter() - began
        run = session.commands.run
        first = timed(lambda: run("forms.list", limit=50), 20)
        words = ("សុខ", "ស្រីមុំ", "ចាន់ធី", "0306-01-400", "បុប្ផា", "LIM")
        search = [sample for word in words for sample in timed(lambda word=word: session.store.read(_finder(word)), 5)]
        listed = [
            sample for word in words for sample in timed(lambda word=word: run("forms.list", filter=word, limit=50), 3)
        ]
    beside = f"{RECORDS:,} records, written in {filled:.0f} s"
    return [
        Row("list of records: first page", statistics.median(first), "ms", 50, beside=beside),
        Row("search in everything, p95", quantile(search, 0.95), "ms", 100, beside=beside),
        Row("search in the list of forms, p95", quantile(listed, 0.95), "ms", 100, beside=beside),
        Row(
            "table of a million rows: wheel step on screen, median",
            _wheel(),
            "ms",
            16.7,
            beside="the kit's own table and delegate",
        ),
    ]


def _finder(word: str) -> Any:
    from sync import search

    return lambda connection: search.find(connection, word, (), 50)


def _fill(session: Session) -> None:
    from desktop.day.samples import NAMES
    from i18n.search import index_text

    dice = random.Random(1)
    store = session.store
    prepared = {
        name: index_text(f"{name} LIM SREYMOM អាជ្ញាប័ណ្ណជាងកាត់សក់")
        for name in (f"{a.split()[0]} {b.split()[-1]}" for a in NAMES for b in NAMES)
    }
    names = list(prepared)

    def chunk(connection: Connection, start: int) -> None:
        people = [dice.choice(names) for _ in range(CHUNK)]
        connection.executemany(
            "INSERT INTO forms_submission (id, receipt, serial, form, version, def_hash, service, person, latin, phone, fee, "
            "opened, received, received_ms, due, officer, officer_name, op, last_op, answers) "
            "VALUES (?, ?, ?, 'barber-licence', 1, '', 'barber-shop-2-4', ?, 'LIM SREYMOM', '+85512345678', 20000, "
            "'2026-11-01', '2026-11-01', 0, '2026-11-10', '', 'ចាន់ សុខា', '', '', '{}')",
            [(f"{start + n:032x}", f"0306-01-{start + n:07d}", start + n, who) for n, who in enumerate(people)],
        )
        connection.executemany(
            "INSERT INTO search (record, kind, title) VALUES (?, 'forms.submission', ?)",
            [(f"{start + n:032x}", person) for n, person in enumerate(people)],
        )
        last = connection.execute("SELECT max(id) AS last FROM search").fetchone()["last"]
        connection.executemany(
            "INSERT INTO search_text (rowid, kind, text) VALUES (?, 'formssubmission', ?)",
            [(last - CHUNK + 1 + n, f"{prepared[person]} 0306 01 {start + n:07d}") for n, person in enumerate(people)],
        )

    for start in range(1, RECORDS + 1, CHUNK):
        store.write(lambda connection, start=start: chunk(connection, start))  # type: ignore[misc]


def _wheel() -> float:
    """Milliseconds from a step of the wheel to the painted picture of 1366×768."""
    from PySide6.QtWidgets import QApplication

    from desktop import app as start
    from desktop.kit.table import Column, Table

    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication(["bench"])
    start.prepare(app)
    table = Table(
        [
            Column("number", {"km": "លេខ", "en": "Number"}, 160),
            Column("person", {"km": "ឈ្មោះ", "en": "Name"}),
            Column("service", {"km": "សេវា", "en": "Service"}),
        ],
        name="bench",
    )
    table.resize(1270, 600)

    def fetch(first: int, count: int, deliver: Any) -> None:
        deliver(
            [
                {"id": str(n), "number": f"0306-01-{n:07d}", "person": "លឹម ស្រីមុំ", "service": "អាជ្ញាប័ណ្ណជាងកាត់សក់"}
                for n in range(first, first + count)
            ]
        )

    table.show(1_000_000, fetch)
    table.grab()
    bar = table.verticalScrollBar()
    samples = []
    for step in range(60):
        bar.setValue(bar.value() + 3 * (1 if step % 7 else 400))
        app.processEvents()
        samples += timed(table.grab, 1)
    return statistics.median(samples)
