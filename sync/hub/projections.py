"""What anyone uses is a projection of what was accepted: tables that modules fill from ops and that can be made anew at any time.

A projection reads accepted ops in one fixed order and nothing else: no clock, no network, no chance. Its cursor moves in the
transaction of its rows. One that raises stops alone and names the op; ingest and the others go on.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

from sync import batch as batches
from sync.cbor import Malformed
from sync.hub import bursts, raws, stored
from sync.hub.storage import Row, Storage, Tx
from sync.ops import OpFields, SealedRef

log = logging.getLogger(__name__)

CHUNK = 1_000  # ops of one transaction
_TABLE = re.compile(r"CREATE TABLE (?:IF NOT EXISTS )?(p_[a-z0-9_]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AcceptedOp:
    """One accepted op as a projection sees it. ``body`` is None when it is sealed to the agency."""

    index: int  # place in the order of acceptance
    device: str
    office: str
    seq: int
    hash: str
    op_id: str
    kind: str
    form: str
    def_hash: str
    wall_ms: int
    officer: str
    body: Mapping[str, Any] | None
    refs: tuple[str, ...]
    attach: tuple[str, ...]
    predecessor: str = ""  # device id of the laptop of which this one was a copy, as its enrolment proved


@dataclass(frozen=True, slots=True)
class ProjectionTx:
    """What ``apply`` may touch: its own tables, and intents of outside effects."""

    tx: Tx
    projection: str
    received_ms: int

    def execute(self, sql: str, values: Mapping[str, Any] | None = None, /) -> int:
        return self.tx.execute(sql, values)

    def query(self, sql: str, values: Mapping[str, Any] | None = None, /) -> list[Row]:
        return self.tx.query(sql, values)

    def intent(self, id: str, kind: str, payload: Mapping[str, Any]) -> None:
        """Ask for one outside effect; the same ``id`` again (a rebuild) asks nothing."""
        self.tx.execute(
            """INSERT INTO effect (id, kind, payload, state, tries, projection, changed_ms)
               VALUES (:id, :kind, :payload, 'waiting', 0, :projection, :now) ON CONFLICT (id) DO NOTHING""",
            {
                "id": id, "kind": kind, "payload": json.dumps(dict(payload), ensure_ascii=False, sort_keys=True),
                "projection": self.projection, "now": self.received_ms,
            },
        )  # fmt: skip


@runtime_checkable
class Projection(Protocol):
    """What a module's manifest names under ``[hub] projections``.

    It may also have ``console() -> {"title": {km, en}, "columns": [{"key", "title": {km, en}}, …], "query": sql}`` (newest first; a
    column may carry ``looks``: {value: {"icon", "tone", km, en}} for states or ``names``: {value: {km, en}}), so that
    the console lists it without knowing it, and ``publications(tx, offices, now_ms, sign, public) -> {target name: bytes}``.
    """

    name: str
    version: int
    kinds: frozenset[str]

    def tables(self) -> Sequence[str]: ...
    def apply(self, tx: Any, op: Any, received_ms: int) -> None: ...


def load(names: Sequence[str]) -> list[Projection]:
    """The projections that manifests name as ``package.module:Class``. One that cannot be loaded is logged and left out:
    the hub takes batches whatever state a module is in, and a later start projects what was missed."""
    found: list[Projection] = []
    for dotted in names:
        module, _, name = dotted.partition(":")
        try:
            projection = getattr(import_module(module), name)()
        except Exception:
            log.exception("projection %s cannot be loaded", dotted)
            continue
        if not isinstance(projection, Projection):
            raise TypeError(f"{dotted} is no projection")
        found.append(projection)
    return found


def manifests(folder: Path | None = None) -> list[dict[str, Any]]:
    """The manifests of the installed modules; the hub reads them as data and runs none of their cores."""
    import tomllib

    folder = folder or Path(__file__).parents[2] / "modules"
    return [tomllib.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*/module.toml"))]


class Runner:
    """Keeps every projection up with what was accepted."""

    def __init__(self, storage: Storage, projections: Sequence[Projection]) -> None:
        self._storage = storage
        self.projections = list(projections)
        for projection in self.projections:
            storage.write_beside(lambda tx, p=projection: self._prepare(tx, p))  # type: ignore[misc]

    def _prepare(self, tx: Tx, projection: Projection) -> None:
        found = tx.one("SELECT version FROM cursor WHERE projection = :p", {"p": projection.name})
        if found and found["version"] == projection.version:
            return
        drop(tx, projection)  # a new version starts from the first op
        for statement in projection.tables():
            tx.execute(statement)
        caught_up(tx, projection, 0)

    def run(self, rest: bursts.Rest = bursts.never) -> int:
        """Apply all that waits; the number of accepted ops that were new to at least one projection."""
        total, worked = 0, 0.0
        while True:
            rest(worked)
            with self._storage.turn():
                began = time.monotonic()
                if (stretch := self._storage.read(self._next)) is None:
                    return total
                self._storage.write_beside(lambda tx, found=stretch: self._apply(tx, found))  # type: ignore[misc]
            total += stretch.last - stretch.after
            worked = time.monotonic() - began

    def _next(self, tx: Tx) -> Stretch | None:
        """What the projection that lags most must see next; read and parsed outside the writing transaction."""
        rows = tx.query("SELECT projection, accepted_idx FROM cursor WHERE failure IS NULL")
        places = {row["projection"]: row["accepted_idx"] for row in rows}
        going = [projection for projection in self.projections if projection.name in places]
        if not going:
            return None
        return read(tx, after=min(places[p.name] for p in going), kinds=frozenset().union(*(p.kinds for p in going)))

    def _apply(self, tx: Tx, stretch: Stretch) -> None:
        for projection in self.projections:
            cursor = tx.query("SELECT accepted_idx, failure FROM cursor WHERE projection = :p", {"p": projection.name})[
                0
            ]
            if cursor["failure"] is None and cursor["accepted_idx"] < stretch.last:
                rows = [(op, ms) for op, ms in stretch.ops if op.index > cursor["accepted_idx"]]
                failed = apply_all(tx, projection, rows)
                reached = failed - 1 if failed else stretch.last
                tx.execute(
                    "UPDATE cursor SET accepted_idx = :idx WHERE projection = :p",
                    {"idx": reached, "p": projection.name},
                )


# busy, locked, out of memory, read-only, interrupted, input or output, damaged, full, cannot be opened
_ENVIRONMENT: Final = frozenset({5, 6, 7, 8, 9, 10, 11, 13, 14})


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of the order of acceptance: all places ``after`` < place ≤ ``last``, and of those the wanted ops with their time."""

    after: int
    last: int
    ops: Sequence[tuple[AcceptedOp, int]]


def apply_all(tx: Tx, projection: Projection, rows: Sequence[tuple[AcceptedOp, int]]) -> int | None:
    """Apply until one fails; the place of that op, None when all held. Its failure is written on the cursor, the rest waits."""
    wanted = [(op, received_ms) for op, received_ms in rows if op.kind in projection.kinds]
    if not wanted:
        return None
    tx.execute("SAVEPOINT stretch")
    try:
        for op, received_ms in wanted:
            projection.apply(ProjectionTx(tx, projection.name, received_ms), op, received_ms)
    except Exception as error:
        if _of_environment(error):  # no module's mistake: all of it is tried again later
            raise
        tx.execute("ROLLBACK TO stretch")  # the second time names the op
        tx.execute("RELEASE stretch")
        return _one_by_one(tx, projection, wanted)
    tx.execute("RELEASE stretch")
    return None


def _of_environment(error: Exception) -> bool:
    """Is it the disk or the line to the database that failed?"""
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _ENVIRONMENT
    return any((kind.__module__, kind.__name__) == ("psycopg", "OperationalError") for kind in type(error).__mro__)


def _one_by_one(tx: Tx, projection: Projection, rows: Sequence[tuple[AcceptedOp, int]]) -> int | None:
    """The same with a savepoint for each op: what came before the one that fails is kept."""
    for op, received_ms in rows:
        tx.execute("SAVEPOINT projected")
        try:
            projection.apply(ProjectionTx(tx, projection.name, received_ms), op, received_ms)
        except Exception as error:  # a module's mistake must stop that module only
            if _of_environment(error):
                raise
            log.exception("projection %s stopped at op %s", projection.name, op.hash)
            tx.execute("ROLLBACK TO projected")
            tx.execute("RELEASE projected")
            tx.execute(
                "UPDATE cursor SET failure = :why, failed_op = :op WHERE projection = :p",
                {"why": f"{type(error).__name__}: {error}"[:500], "op": bytes.fromhex(op.hash), "p": projection.name},
            )
            return op.index
        tx.execute("RELEASE projected")
    return None


def read(tx: Tx, *, after: int, kinds: frozenset[str], limit: int = CHUNK, verify: bool = False) -> Stretch | None:
    """The next stretch after place ``after``, its ops read out of the raw batches; None at the end.

    ``verify``: check signatures, hashes and chains of those batches anew.
    """
    end = tx.one(
        "SELECT max(idx) AS last FROM (SELECT idx FROM accepted WHERE idx > :after ORDER BY idx LIMIT :limit) AS next",
        {"after": after, "limit": limit},
    )
    if end is None or end["last"] is None:
        return None
    rows = tx.query(
        """SELECT a.idx, o.hash, o.device, o.seq, o.batch, o.place, o.kind, d.office, d.predecessor, b.received_ms FROM accepted a
           JOIN op o ON o.id = a.op AND o.wall_ms = a.wall_ms JOIN device d ON d.device = o.device JOIN batch b ON b.idx = o.batch
           WHERE a.idx > :after AND a.idx <= :last ORDER BY a.idx""",
        {"after": after, "last": end["last"]},
    )
    wanted: dict[int, list[Row]] = {}
    for row in rows:
        if row["kind"] in kinds:
            wanted.setdefault(row["batch"], []).append(row)
    found: list[tuple[AcceptedOp, int]] = []
    for number, places in wanted.items():
        raw = raws.of(tx, number)
        fields = _verified(raw, places) if verify else stored.read(raw, {row["place"] for row in places})
        found += [(_op(row, fields[row["place"]]), row["received_ms"]) for row in places]
    found.sort(key=lambda item: item[0].index)
    return Stretch(after, end["last"], found)


def _verified(raw: bytes, rows: Sequence[Row]) -> dict[int, OpFields]:
    """The ops of a batch whose signature, hashes and chain are checked anew."""
    ops = batches.parse(raw).ops
    for row in rows:
        if ops[row["place"]].hash != row["hash"]:
            raise Malformed("hub: a stored op is not the one that was labelled")
    return {row["place"]: ops[row["place"]].fields for row in rows}


def _op(row: Row, fields: OpFields) -> AcceptedOp:
    return AcceptedOp(
        index=row["idx"], device=row["device"].hex(), office=row["office"], predecessor=row["predecessor"].hex(), seq=row["seq"],
        hash=row["hash"].hex(),
        op_id=fields.op_id.hex(),
        kind=fields.kind, form=fields.form, def_hash=fields.def_hash.hex(), wall_ms=fields.wall_ms, officer=fields.officer.hex(),
        body=None if isinstance(fields.body, SealedRef) else fields.body, refs=tuple(ref.hex() for ref in fields.refs),
        attach=tuple(blob.hex() for blob in fields.attach),
    )  # fmt: skip


def table_names(projection: Projection) -> list[str]:
    """The tables that a projection makes."""
    return [found[1] for statement in projection.tables() if (found := _TABLE.match(statement.strip()))]


def drop(tx: Tx, projection: Projection) -> None:
    """Remove the tables of a projection, if they are there."""
    for name in table_names(projection):
        tx.execute(f"DROP TABLE IF EXISTS {name}")


def caught_up(tx: Tx, projection: Projection, index: int) -> None:
    """Write down that ``projection`` has seen every accepted op up to ``index`` and that nothing stops it."""
    tx.execute(
        """INSERT INTO cursor (projection, version, accepted_idx) VALUES (:p, :v, :idx)
           ON CONFLICT (projection) DO UPDATE SET version = :v, accepted_idx = :idx, failure = NULL, failed_op = NULL""",
        {"p": projection.name, "v": projection.version, "idx": index},
    )
