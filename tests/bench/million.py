"""A hub with a million records of 210 offices in a minute: real offices, laptops and a few real batches; the rest are rows in bulk.

The rows that are made in bulk carry the bytes of one real batch and stand in no log: no page lists by reading bytes, and the
pages that read them open a real one. Everything that pages count and find by (sums, marks, words, labels) is made as ingest makes it.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from typing import Any

from i18n import gazetteer
from sync.clock import SystemClock
from sync.hub import marks, tally
from sync.hub.centre import Centre
from sync.hub.console.admins import set_passphrase, set_rule
from sync.hub.offices import office_facts
from sync.hub.storage import Tx
from sync.limits import DAY_MS
from tests.hub.laptop import Laptop, join

OFFICES = 210
PER_BATCH = 66  # what an office sends in a day's contact
STRETCH = 300  # batches of one transaction
ADMIN, PASSPHRASE = "បេនឆ៍", "a passphrase for the bench"
KINDS = (
    ("forms.submission", "business-licence"),
    ("forms.submission", "family-book"),
    ("links.created", "links"),
    ("cases.step", "flows"),
)
WORDS = ("ផ្សារ", "សាលារៀន", "ភូមិ", "អាជ្ញាបណ្ណ", "market", "bridge", "ទន្លេ", "វត្ត", "road", "school")


def fill(centre: Centre, records: int) -> list[Laptop]:
    """``records`` records over a year, and something of everything that wants a person; the laptops."""
    clock = SystemClock()
    now = clock.wall_ms()

    def people(tx: Tx) -> None:
        set_passphrase(tx, ADMIN, PASSPHRASE, now)
        set_rule(tx, "nobody")

    centre.storage.write(people)
    codes = list(_codes())[:OFFICES]
    laptops = [join(centre, Laptop(now=now - 400 * DAY_MS), office_facts(code)) for code in codes]
    for laptop in laptops[:20]:
        centre.ingest.take(laptop.batch(PER_BATCH))
    _quarantines(centre, laptops)
    _bulk(centre, laptops, records, now)
    return laptops


def _codes() -> Iterator[str]:
    """District codes, province by province."""
    for province in range(1, 26):
        for district in range(1, 20):
            code = f"{province:02}{district:02}"
            try:
                gazetteer.unit(code)
            except KeyError:
                continue
            yield code


def _quarantines(centre: Centre, laptops: list[Laptop]) -> None:
    """Forks, gaps and unknown kinds in some offices."""
    for laptop in laptops[:4]:
        clone = laptop.clone()
        centre.ingest.take(laptop.batch(2))
        centre.ingest.take(clone.batch(3))
    for laptop in laptops[5:9]:
        laptop.batch(4)  # never arrives
        centre.ingest.take(laptop.batch(2))
    centre.ingest.take(laptops[10].batch(2, kind="gardens.planted"))


def _bulk(centre: Centre, laptops: list[Laptop], records: int, now: int) -> None:
    dice = random.Random(1)
    storage = centre.storage
    sample: dict[str, Any] = storage.read(
        lambda tx: tx.query("SELECT raw, size FROM batch WHERE n = :n ORDER BY idx LIMIT 1", {"n": PER_BATCH})
    )[0]
    start = storage.read(lambda tx: tx.query("SELECT max(idx) AS b FROM batch"))[0]["b"]
    marks.advance(storage)
    busy = laptops[20:]
    total = records // PER_BATCH
    for begin in range(0, total, STRETCH):
        numbers = range(begin, min(begin + STRETCH, total))
        batches, ops, held, words = [], [], [], []
        for n in numbers:
            laptop = busy[n % len(busy)]
            idx, received = start + 1 + n, now - (total - n) * 365 * DAY_MS // total
            digest = hashlib.sha256(f"batch {n}".encode()).digest()
            seq = 1_000 + (n // len(busy)) * PER_BATCH
            officer = bytes([n % 7]) * 16
            batches.append(
                {
                    "idx": idx,
                    "hash": digest,
                    "device": laptop.id,
                    "first": seq,
                    "n": PER_BATCH,
                    "now": received,
                    "raw": sample["raw"],
                    "size": sample["size"],
                }
            )
            counts: dict[tuple[str, str], int] = {}
            for place in range(PER_BATCH):
                kind, form = KINDS[dice.randrange(4)]
                counts[kind, form] = counts.get((kind, form), 0) + 1
                number = n * PER_BATCH + place
                ops.append({
                    "id": 10_000_000 + number, "hash": hashlib.sha256(f"op {number}".encode()).digest(), "device": laptop.id,
                    "seq": seq + place,
                    "kind": kind, "form": form, "wall": received - 60_000, "officer": officer, "batch": idx, "place": place,
                })  # fmt: skip
                if kind == "links.created":
                    words += [{"word": word, "op": 10_000_000 + number} for word in dice.sample(WORDS, 3)]
            held += [
                {"batch": idx, "kind": kind, "form": form, "officer": officer, "device": laptop.id, "n": n_}
                for (kind, form), n_ in counts.items()
            ]
        storage.write(lambda tx, a=batches, b=ops, c=held, d=words: _insert(tx, a, b, c, d))  # type: ignore[misc]
    storage.write(lambda tx: tx.execute("UPDATE device SET last_seen_ms = :now", {"now": now - 3_600_000}))
    storage.write(tally.recount)


def _insert(tx: Tx, batches: list[Any], ops: list[Any], held: list[Any], words: list[Any]) -> None:
    tx.execute_many(
        """INSERT INTO batch (idx, hash, device, device_public, first_seq, n, received_ms, app_version, via, new_ops, raw, wall_ms, size)
           VALUES (:idx, :hash, :device, :device, :first, :n, :now, 'bench', 'line', :n, :raw, :now, :size)""",
        batches,
    )
    tx.execute_many(
        """INSERT INTO op (id, hash, parent, device, seq, op_id, kind, form, def_hash, wall_ms, officer, batch, place, label, known)
           VALUES (:id, :hash, :hash, :device, :seq, :officer, :kind, :form, :officer, :wall, :officer, :batch, :place, 'accepted', 1)""",
        ops,
    )
    tx.execute_many(
        "INSERT INTO mark (batch, kind, form, officer, device, n) VALUES (:batch, :kind, :form, :officer, :device, :n)",
        held,
    )
    tx.execute_many("INSERT INTO word (word, op) VALUES (:word, :op) ON CONFLICT DO NOTHING", words)
