"""What admins publish by hand: files that every laptop receives as signed publications."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sync.errors import Refused
from sync.hub import acts, publish
from sync.hub.storage import Row, Tx

PUBLISHED: Final = "sync.published"  # kinds of acts
WITHDRAWN: Final = "sync.withdrawn"


def put(tx: Tx, files: Mapping[str, bytes], now_ms: int) -> None:
    """Publish ``files`` by target name; one of the same name gives way. Refused HB-130 name, HB-131 size: then none of them."""
    for name, data in files.items():
        publish.check(name, data)
        tx.execute(
            """INSERT INTO target (name, data, source, changed_ms) VALUES (:name, :data, 'file', :now)
               ON CONFLICT (name) DO UPDATE SET data = :data, changed_ms = :now""",
            {"name": name, "data": data, "now": now_ms},
        )
        acts.record_data(tx, PUBLISHED, {"name": name}, data, now_ms)


def withdraw(tx: Tx, names: Iterable[str], now_ms: int) -> None:
    """Take publications back; laptops that have them keep their copies. Refused HB-132: none of that name."""
    for name in names:
        if not tx.execute("DELETE FROM target WHERE name = :name", {"name": name}):
            raise Refused("HB-132", name=name[:100])
        acts.record(tx, WITHDRAWN, {"name": name}, now_ms)


def by_hand(tx: Tx) -> dict[str, Row]:
    """When each hand-made publication changed last, by name."""
    return {row["name"]: row for row in tx.query("SELECT name, changed_ms FROM target")}
