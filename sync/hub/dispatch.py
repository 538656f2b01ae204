"""Outside effects that projections asked for. Each is done at most once and its end is written down; a rebuild asks nothing again.

Released messages are *held for the operator*: no carrier is connected to this hub, so an admin exports the release, hands it to
the operator and marks it here. The console says so in words.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sync.errors import Refused
from sync.hub.storage import Row, Tx

WAITING, HELD, DONE, FAILED = "waiting", "held", "done", "failed"


def hold(tx: Tx, now_ms: int) -> int:
    """Put new intents that need a person into their tray; how many."""
    return tx.execute("UPDATE effect SET state = 'held', changed_ms = :now WHERE state = 'waiting'", {"now": now_ms})


def waiting(tx: Tx) -> Sequence[Row]:
    """Effects that wait for a person, oldest first, with their payload read."""
    rows = tx.query("SELECT * FROM effect WHERE state IN ('waiting', 'held') ORDER BY changed_ms, id")
    return [{**row, "payload": json.loads(row["payload"])} for row in rows]


def finish(tx: Tx, id: str, result: dict[str, Any], now_ms: int, *, failed: bool = False) -> None:
    """Write down the end of an effect. Refused HB-140 when it is over already or was never asked for."""
    touched = tx.execute(
        """UPDATE effect SET state = :state, result = :result, tries = tries + 1, changed_ms = :now
           WHERE id = :id AND state IN ('waiting', 'held')""",
        {"state": FAILED if failed else DONE, "result": json.dumps(result, ensure_ascii=False), "now": now_ms, "id": id},
    )
    if not touched:
        raise Refused("HB-140", id=id)
