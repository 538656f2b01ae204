"""What anyone uses is a projection of what was accepted: tables that modules fill from ops and that can be made anew at any time.

A projection reads accepted ops in one fixed order and nothing else: no clock, no network, no chance. Its cursor moves in the
transaction of its rows. One that raises stops alone and names the op; ingest and the others go on.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from sync import batch as batches
from sync.hub.storage import Row, Storage, Tx
from sync.ops import SealedRef

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

    It may also have ``console() -> {"title": {km, en}, "columns": [{"key", "title": {km, en}}, …], "query": sql}`` (newest first), so that
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
            storage.write(lambda tx, p=projection: self._prepare(tx, p))  # type: ignore[misc]

    def _prepare(self, tx: Tx, projection: Projection) -> None:
        found = tx.one("SELECT version FROM cursor WHERE projection = :p", {"p": projection.name})
        if found and found["version"] == projection.version:
            return
        _drop(tx, projection)  # a new version starts from the first op
        for statement in projection.tables():
            tx.execute(statement)
        tx.execute(
            """INSERT INTO cursor (projection, version, accepted_idx) VALUES (:p, :v, 0)
               ON CONFLICT (projection) DO UPDATE SET version = :v, accepted_idx = 0, failure = NULL, failed_op = NULL""",
            {"p": projection.name, "v": projection.version},
        )

    def run(self) -> int:
        """Apply all that waits; the number of ops applied, over all projections."""
        return sum(self._run_one(projection) for projection in self.projections)

    def _run_one(self, projection: Projection) -> int:
        total = 0
        while applied := self._storage.write(lambda tx: self._step(tx, projection)):
            total += applied
        return total

    def _step(self, tx: Tx, projection: Projection) -> int:
        cursor = tx.one("SELECT accepted_idx, failure FROM cursor WHERE projection = :p", {"p": projection.name})
        if cursor is None or cursor["failure"]:
            return 0
        rows = accepted(tx, after=cursor["accepted_idx"], limit=CHUNK)
        if not rows:
            return 0
        done = _apply(tx, projection, rows)
        if done:
            tx.execute(
                "UPDATE cursor SET accepted_idx = :idx WHERE projection = :p", {"idx": rows[done - 1][0].index, "p": projection.name}
            )
        return done if done == len(rows) else 0

    def rebuild(self, name: str | None = None) -> dict[str, dict[str, Any]]:
        """Make projections anew from the raw batches in one transaction each and compare: ``{name: {"rows", "same"}}``."""
        report: dict[str, dict[str, Any]] = {}
        for projection in self.projections:
            if name in (None, projection.name):
                report[projection.name] = self._storage.write(lambda tx, p=projection: self._again(tx, p))  # type: ignore[misc]
        return report

    def _again(self, tx: Tx, projection: Projection) -> dict[str, Any]:
        before = digest(tx, projection)
        _drop(tx, projection)
        for statement in projection.tables():
            tx.execute(statement)
        last = 0
        while rows := accepted(tx, after=last, limit=CHUNK):
            if _apply(tx, projection, rows) < len(rows):
                break
            last = rows[-1][0].index
        tx.execute(
            "UPDATE cursor SET accepted_idx = :idx, version = :v WHERE projection = :p",
            {"idx": last, "v": projection.version, "p": projection.name},
        )
        after = digest(tx, projection)
        return {"rows": after["rows"], "same": before == after}


def _apply(tx: Tx, projection: Projection, rows: Sequence[tuple[AcceptedOp, int]]) -> int:
    """Apply until one fails; how many held. The failure is written on the cursor, the rest waits."""
    for done, (op, received_ms) in enumerate(rows):
        if op.kind not in projection.kinds:
            continue
        try:
            tx.execute("SAVEPOINT projected")
            projection.apply(ProjectionTx(tx, projection.name, received_ms), op, received_ms)
            tx.execute("RELEASE projected")
        except Exception as error:  # a module's mistake must stop that module only
            log.exception("projection %s stopped at op %s", projection.name, op.hash)
            tx.execute("ROLLBACK TO projected")
            tx.execute("RELEASE projected")
            tx.execute(
                "UPDATE cursor SET failure = :why, failed_op = :op WHERE projection = :p",
                {"why": f"{type(error).__name__}: {error}"[:500], "op": bytes.fromhex(op.hash), "p": projection.name},
            )
            return done
    return len(rows)


def accepted(tx: Tx, *, after: int, limit: int) -> list[tuple[AcceptedOp, int]]:
    """Accepted ops in their order with the time at which they came, read out of the raw batches."""
    rows = tx.query(
        """SELECT a.idx, o.hash, o.device, o.seq, o.batch, o.place, d.office, b.received_ms FROM accepted a
           JOIN op o ON o.hash = a.hash JOIN device d ON d.device = o.device JOIN batch b ON b.idx = o.batch
           WHERE a.idx > :after ORDER BY a.idx LIMIT :limit""",
        {"after": after, "limit": limit},
    )
    parsed: dict[int, batches.Batch] = {}
    found: list[tuple[AcceptedOp, int]] = []
    for row in rows:
        if row["batch"] not in parsed:
            raw = tx.query("SELECT raw FROM batch WHERE idx = :idx", {"idx": row["batch"]})[0]["raw"]
            parsed = {row["batch"]: batches.parse(raw)}  # ops of one batch mostly stand together: keep one
        op = parsed[row["batch"]].ops[row["place"]]
        fields = op.fields
        body = None if isinstance(fields.body, SealedRef) else fields.body
        found.append((
            AcceptedOp(
                index=row["idx"], device=row["device"].hex(), office=row["office"], seq=op.seq, hash=op.hash.hex(),
                op_id=fields.op_id.hex(), kind=fields.kind, form=fields.form, def_hash=fields.def_hash.hex(), wall_ms=fields.wall_ms,
                officer=fields.officer.hex(), body=body, refs=tuple(ref.hex() for ref in fields.refs),
                attach=tuple(blob.hex() for blob in fields.attach),
            ),
            row["received_ms"],
        ))  # fmt: skip
    return found


def table_names(projection: Projection) -> list[str]:
    """The tables that a projection makes."""
    return [found[1] for statement in projection.tables() if (found := _TABLE.match(statement.strip()))]


def _drop(tx: Tx, projection: Projection) -> None:
    for name in table_names(projection):
        tx.execute(f"DROP TABLE IF EXISTS {name}")


def digest(tx: Tx, projection: Projection) -> dict[str, Any]:
    """Rows and a hash over every value of every table: two equal digests are equal tables."""
    total, hashed = 0, sha256()
    for name in table_names(projection):
        rows = sorted(repr(sorted(row.items())) for row in tx.query(f"SELECT * FROM {name}"))  # noqa: S608  names are our own DDL's
        total += len(rows)
        hashed.update(name.encode() + "\n".join(rows).encode())
    return {"rows": total, "sha256": hashed.hexdigest()}
