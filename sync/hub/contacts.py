"""What laptops said of themselves when they were heard last, and how old the publications are that each holds.

A laptop tells the version of its publications in the signed question with which every contact begins; the hub remembers when it
signed each version. So a laptop whose prices or trust lists grow old is seen before somebody relies on them.
"""

from __future__ import annotations

from typing import Final

from sync import wire
from sync.hub.storage import Row, Tx
from sync.limits import DAY_MS

SEEN_EVERY_MS: Final = 60_000  # how exactly the hub remembers when it saw a laptop
OLD_MS: Final = 7 * DAY_MS  # publications that were signed longer ago than this want a person
_KEPT_MS: Final = 400 * DAY_MS  # for how long it is remembered when a version was signed


def stale(tx: Tx, device: bytes, about: wire.About | None, now_ms: int) -> bool:
    """Whether there is anything to write down: a minute has passed, or the laptop says something else than last time."""
    if tx.one(
        "SELECT 1 AS yes FROM device WHERE device = :d AND last_seen_ms < :before",
        {"d": device, "before": now_ms - SEEN_EVERY_MS},
    ):
        return True
    if about is None:
        return False
    found = tx.one("SELECT publications, waiting, app FROM contact WHERE device = :d", {"d": device})
    return found is None or (found["publications"], found["waiting"], found["app"]) != (
        about.publications, about.waiting, about.app,
    )  # fmt: skip


def heard(tx: Tx, device: bytes, about: wire.About | None, now_ms: int) -> None:
    """The laptop was heard, and this is what it said of itself."""
    tx.execute("UPDATE device SET last_seen_ms = :now WHERE device = :d", {"now": now_ms, "d": device})
    if about is not None:
        tx.execute(
            """INSERT INTO contact (device, at_ms, publications, waiting, app) VALUES (:d, :now, :publications, :waiting, :app)
               ON CONFLICT (device) DO UPDATE SET at_ms = :now, publications = :publications, waiting = :waiting, app = :app""",
            {
                "d": device,
                "now": now_ms,
                "publications": about.publications,
                "waiting": about.waiting,
                "app": about.app,
            },
        )


def signed(tx: Tx, version: int, now_ms: int) -> None:
    """Version ``version`` of the publications is out."""
    tx.execute(
        "INSERT INTO edition (version, made_ms) VALUES (:v, :now) ON CONFLICT (version) DO NOTHING",
        {"v": version, "now": now_ms},
    )
    tx.execute("DELETE FROM edition WHERE made_ms < :old", {"old": now_ms - _KEPT_MS})


def ages(tx: Tx, now_ms: int) -> dict[bytes, Row]:
    """Of every laptop that said something: device → {publications, waiting, app, at_ms, age_ms, old}.

    ``age_ms``: since the version that it holds was signed (0 for the newest); None when the hub does not remember that version.
    """
    newest = tx.query("SELECT coalesce(max(version), 0) AS v FROM edition")[0]["v"]
    found = {}
    for row in tx.query(
        """SELECT c.device, c.at_ms, c.publications, c.waiting, c.app, e.made_ms FROM contact c
           LEFT JOIN edition e ON e.version = c.publications ORDER BY c.device"""
    ):
        current = row["publications"] >= newest
        age = 0 if current else None if row["made_ms"] is None else max(0, now_ms - row["made_ms"])
        found[bytes(row["device"])] = {**row, "age_ms": age, "old": not current and (age is None or age > OLD_MS)}
    return found
