"""What programs read through the feed, for the audit: one row of it for each program, table and hour, with how many rows were read.

While the hour runs the sums stand in ``feed_look``, written before an answer goes out; when it is over they become a row of
the chain (:mod:`sync.hub.watch`). So a program that reads a million pages costs the audit one row an hour, and a power cut
forgets none of them.
"""

from __future__ import annotations

from typing import Final

from sync.hub import watch
from sync.hub.storage import Row, Tx

HOUR_MS: Final = 3_600_000
WHO: Final = "odata: {name}"  # so that no program passes for a person
PLACE: Final = "/odata/"


def note(tx: Tx, name: str, table: str, rows: int, now_ms: int) -> None:
    """The program with the token ``name`` is about to get ``rows`` rows of ``table``."""
    close(tx, now_ms)
    tx.execute(
        """INSERT INTO feed_look (hour, name, subject, reads, rows) VALUES (:hour, :name, :subject, 1, :rows)
           ON CONFLICT (hour, name, subject) DO UPDATE SET reads = feed_look.reads + 1, rows = feed_look.rows + :rows""",
        {"hour": now_ms // HOUR_MS, "name": WHO.format(name=name), "subject": f"{PLACE}{table}", "rows": rows},
    )


def due(tx: Tx, now_ms: int) -> bool:
    """Whether an hour is over whose sums are not in the chain yet."""
    return tx.one("SELECT 1 AS yes FROM feed_look WHERE hour <> :hour LIMIT 1", {"hour": now_ms // HOUR_MS}) is not None


def close(tx: Tx, now_ms: int, *, every: bool = False) -> None:
    """Put the sums of hours that are over into the chain; ``every``: also those of the hour that runs, before a copy is made."""
    for row in open_sums(tx):
        if every or row["hour"] != now_ms // HOUR_MS:  # another hour, also when the clock was set back
            begun = row["hour"] * HOUR_MS
            watch.note(
                tx, row["name"], watch.FEED, row["subject"], now_ms, hour=begun, reads=row["reads"], rows=row["rows"]
            )
            tx.execute(
                "DELETE FROM feed_look WHERE hour = :hour AND name = :name AND subject = :subject",
                {name: row[name] for name in ("hour", "name", "subject")},
            )


def open_sums(tx: Tx) -> list[Row]:
    """What is not in the chain yet: ``{"hour", "name", "subject", "reads", "rows"}``, ``hour`` counted from 1970."""
    return tx.query("SELECT hour, name, subject, reads, rows FROM feed_look ORDER BY hour, name, subject")
