"""Making a projection anew from the raw batches: beside the live one, compared with it byte for byte, swapped in one transaction.

The hub goes on taking batches meanwhile; only the last step, which also takes in what came since, holds up the writer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sync.errors import Refused
from sync.hub.projections import Projection, Runner, apply_all, caught_up, read, table_names
from sync.hub.storage import Storage, Tx
from sync.hub.storage_sqlite import SqliteTx


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rebuild found. ``failure``: why the projection stopped, "" when it holds."""

    rows: int
    same: bool  # the rebuilt tables equal those that stood there
    stopped: bool  # the live projection had stopped before, so that its tables had to differ
    failure: str

    @property
    def sound(self) -> bool:
        return not self.failure and (self.same or self.stopped)


def rebuild(storage: Storage, runner: Runner, name: str | None = None) -> dict[str, Outcome]:
    """Rebuild every projection, or the one called ``name``. Refused HB-151 when there is none of that name."""
    wanted = [projection for projection in runner.projections if name in (None, projection.name)]
    if not wanted and name is not None:
        raise Refused("HB-151", name=name, known=", ".join(projection.name for projection in runner.projections))
    runner.run()
    return {projection.name: _rebuild(storage, projection) for projection in wanted}


def _rebuild(storage: Storage, projection: Projection) -> Outcome:
    from sync.hub import schema  # loads SQLAlchemy: not for every start of the hub

    beside = sqlite3.connect("", isolation_level=None, check_same_thread=False)  # a temporary file, gone when closed
    try:
        tx = SqliteTx(beside)
        for statement in (*projection.tables(), *schema.sqlite_statements(*schema.OF_PROJECTIONS)):
            tx.execute(statement)
        caught_up(tx, projection, 0)
        tx.execute("BEGIN")
        while _more(storage, tx, projection):
            pass
        return storage.write_beside(lambda live: _swap(live, tx, projection))
    finally:
        beside.close()


def _more(storage: Storage, tx: Tx, projection: Projection) -> bool:
    return storage.read(lambda live: _follow(live, tx, projection))


def _follow(live: Tx, tx: Tx, projection: Projection) -> bool:
    """One more stretch; False at the end, or where the projection stops."""
    cursor = tx.query("SELECT accepted_idx, failure FROM cursor")[0]
    stretch = (
        None if cursor["failure"] else read(live, after=cursor["accepted_idx"], kinds=projection.kinds, verify=True)
    )
    if stretch is None:
        return False
    failed = apply_all(tx, projection, stretch.ops)
    tx.execute("UPDATE cursor SET accepted_idx = :idx", {"idx": failed - 1 if failed else stretch.last})
    return failed is None


def _swap(live: Tx, tx: Tx, projection: Projection) -> Outcome:
    while _follow(live, tx, projection):  # what came since
        pass
    stopped = _catch_up(live, projection)
    before, after = digest(live, table_names(projection)), digest(tx, table_names(projection))
    for table in table_names(projection):
        live.execute(f"DELETE FROM {table}")
        rows = tx.query(f"SELECT * FROM {table} ORDER BY rowid")
        if rows:
            names = ", ".join(rows[0])
            values = ", ".join(f":{column}" for column in rows[0])
            live.execute_many(f"INSERT INTO {table} ({names}) VALUES ({values})", rows)
    cursor = tx.query("SELECT accepted_idx, failure, failed_op FROM cursor")[0]
    live.execute(
        "UPDATE cursor SET accepted_idx = :accepted_idx, failure = :failure, failed_op = :failed_op WHERE projection = :p",
        {**cursor, "p": projection.name},
    )
    live.execute_many(  # an effect that was asked for already is not asked for again
        """INSERT INTO effect (id, kind, payload, state, tries, result, projection, changed_ms)
           VALUES (:id, :kind, :payload, :state, :tries, :result, :projection, :changed_ms) ON CONFLICT (id) DO NOTHING""",
        tx.query("SELECT * FROM effect ORDER BY rowid"),
    )
    return Outcome(after["rows"], before == after, stopped, cursor["failure"] or "")


def _catch_up(live: Tx, projection: Projection) -> bool:
    """Let the live tables see what the new ones have seen, so that they can be compared; True when they had stopped."""
    place = "UPDATE cursor SET accepted_idx = :idx WHERE projection = :p"
    while True:
        cursor = live.query("SELECT accepted_idx, failure FROM cursor WHERE projection = :p", {"p": projection.name})[0]
        stretch = None if cursor["failure"] else read(live, after=cursor["accepted_idx"], kinds=projection.kinds)
        if stretch is None:
            return cursor["failure"] is not None
        failed = apply_all(live, projection, stretch.ops)
        live.execute(place, {"idx": failed - 1 if failed else stretch.last, "p": projection.name})


def digest(tx: Tx, tables: Sequence[str]) -> dict[str, Any]:
    """Rows and a hash over every value of ``tables``: two equal digests are equal tables."""
    total, hashed = 0, sha256()
    for name in tables:
        rows = sorted(repr(sorted(row.items())) for row in tx.query(f"SELECT * FROM {name}"))
        total += len(rows)
        hashed.update("\n".join([name, *rows]).encode())
    return {"rows": total, "sha256": hashed.hexdigest()}
