"""Outside effects that projections asked for. Each is ended once and its end is written down; a rebuild asks nothing again.

No carrier is connected to this hub: what is to leave it (released messages above all) is held for the operator, who takes it
from the module's own table, hands it over and says here how that went. The console says so in words.
"""

from __future__ import annotations

import json
from typing import Final

from sync.errors import Refused
from sync.hub import acts
from sync.hub.storage import Row, Tx

ACT: Final = "sync.effect"
WAITING: Final = "waiting"
DONE: Final = "done"
FAILED: Final = "failed"
MOST: Final = 500


def waiting(tx: Tx) -> list[Row]:
    """Effects that wait for a person, oldest first, with their payload read."""
    rows = tx.query(
        """SELECT id, kind, payload, projection, changed_ms FROM effect WHERE state = 'waiting'
           ORDER BY changed_ms, id LIMIT :most""",
        {"most": MOST},
    )
    return [{**row, "payload": json.loads(row["payload"])} for row in rows]


def ended(tx: Tx, limit: int = 50) -> list[Row]:
    """The effects that ended last, with what was said of them."""
    rows = tx.query(
        """SELECT id, kind, payload, state, result, projection, changed_ms FROM effect WHERE state <> 'waiting'
           ORDER BY changed_ms DESC, id LIMIT :most""",
        {"most": limit},
    )
    return [{**row, "payload": json.loads(row["payload"]), "result": json.loads(row["result"])} for row in rows]


def finish(tx: Tx, id: str, *, admin: str, note: str, now_ms: int, failed: bool = False) -> None:
    """Write down the end of an effect. Refused HB-140 when it is over already or was never asked for."""
    touched = tx.execute(
        """UPDATE effect SET state = :state, result = :result, tries = tries + 1, changed_ms = :now
           WHERE id = :id AND state = 'waiting'""",
        {
            "state": FAILED if failed else DONE, "result": json.dumps({"admin": admin, "note": note[:1000]}, ensure_ascii=False),
            "now": now_ms, "id": id,
        },
    )  # fmt: skip
    if not touched:
        raise Refused("HB-140", id=id)
    acts.record(tx, ACT, {"id": id, "admin": admin}, now_ms, [("effect", "id", id)])
