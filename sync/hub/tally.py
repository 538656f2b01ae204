"""How much came from which laptop on which day, summed in the transaction that takes a batch: boards never count batches.

Days are those of Phnom Penh, counted from 1970. Sums can be made anew from the batches at any time (:func:`recount`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sync.hub.storage import Tx
from sync.limits import DAY_MS

PHNOM_PENH_MS: Final = 7 * 3_600_000


def day(ms: int) -> int:
    """The day of a moment."""
    return (ms + PHNOM_PENH_MS) // DAY_MS


def count(tx: Tx, came: Sequence[tuple[bytes, int]], now_ms: int) -> None:
    """One more batch of each device in ``came`` with so many new ops; the hub saw those laptops at ``now_ms``."""
    values = [{"device": device, "n": new_ops, "now": now_ms, "day": day(now_ms)} for device, new_ops in came]
    tx.execute_many(
        "UPDATE device SET last_seen_ms = :now, batches = batches + 1, records = records + :n WHERE device = :device",
        values,
    )
    tx.execute_many(
        """INSERT INTO tally (day, device, batches, records) VALUES (:day, :device, 1, :n)
           ON CONFLICT (day, device) DO UPDATE SET batches = tally.batches + 1, records = tally.records + :n""",
        values,
    )


def enrolled(tx: Tx, device: bytes) -> None:
    """A laptop has got its row: what came of it before counts now."""
    tx.execute(
        """UPDATE device SET batches = (SELECT coalesce(sum(t.batches), 0) FROM tally t WHERE t.device = :device),
               records = (SELECT coalesce(sum(t.records), 0) FROM tally t WHERE t.device = :device) WHERE device = :device""",
        {"device": device},
    )


def recount(tx: Tx) -> None:
    """Make all sums anew from the batches."""
    tx.execute("DELETE FROM tally")
    tx.execute(
        """INSERT INTO tally (day, device, batches, records)
           SELECT (received_ms + :shift) / :day, device, count(*), sum(new_ops) FROM batch WHERE via <> 'hub'
           GROUP BY (received_ms + :shift) / :day, device""",
        {"shift": PHNOM_PENH_MS, "day": DAY_MS},
    )
    tx.execute(
        """UPDATE device SET batches = (SELECT coalesce(sum(t.batches), 0) FROM tally t WHERE t.device = device.device),
               records = (SELECT coalesce(sum(t.records), 0) FROM tally t WHERE t.device = device.device)"""
    )
