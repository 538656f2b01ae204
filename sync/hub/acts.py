"""What the centre itself does, signed: ops of the hub's own device, in the same log and the same transaction as their effect.

Whoever changes what raw batches of laptops cannot tell (an admin's decision, a slot, an enrolment, a lease) calls
:func:`record` behind the change. Before the next entry of the log, and before every commit, all that was recorded becomes one
signed batch. So a hub can be made anew from raw batches alone (:mod:`sync.hub.replay`), and nobody can deny a decision.

``rows`` names the rows that changed, each by table, column and value: the op then carries them as they are after the change
(none: they are gone), and a rebuild puts them back. Columns that hold secrets are hidden with a key of the hub.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from nacl.secret import SecretBox

from sync import batch as batches
from sync import cbor, ops
from sync.ids import uuid7
from sync.limits import KIB, MAX_OP, MAX_OPS, MAX_TARGET
from sync.ops import OpFields
from sync.version import VERSION

if TYPE_CHECKING:
    from sync.hub.keys import HubKeys
    from sync.hub.storage import Row, Tx

VIA: Final = "hub"  # how the hub's own batches came in
FORM: Final = "sync"
ROWS: Final = "@rows"  # reserved in the body: [[table, column, value, [row …]] …]
SECRET: Final = frozenset({("slot", "code_key"), ("lease", "content")})
PIECE: Final = 512 * KIB  # of data too large for one act
_NOBODY: Final = bytes(16)  # no officer: the admin's name stands in the body

Place = tuple[str, str, Any]  # table, column, value


def record(tx: Tx, kind: str, body: Mapping[str, Any], now_ms: int = 0, rows: Iterable[Place] = ()) -> None:
    """Write down one act of the centre; with ``rows`` and ``body`` it can be done again. No secret in ``body``.

    ``now_ms`` 0: the moment of signing.
    """
    images = [[*place, _image(tx, *place)] for place in rows]
    data = cbor.encode({**body, ROWS: images} if images else dict(body))
    if len(data) > MAX_OP - 8 * KIB:
        raise ValueError(f"an act of {len(data)} bytes fits into no op")
    tx.execute(
        "INSERT INTO act (kind, body, made_ms) VALUES (:kind, :body, :now)", {"kind": kind, "body": data, "now": now_ms}
    )


def record_data(tx: Tx, kind: str, body: Mapping[str, Any], data: bytes, now_ms: int) -> None:
    """An act about ``data`` of any size: in pieces, ``part`` of ``parts`` each."""
    parts = [data[start : start + PIECE] for start in range(0, len(data), PIECE)] or [b""]
    for part, piece in enumerate(parts):
        record(tx, kind, {**body, "part": part, "parts": len(parts), "data": piece}, now_ms)


def pending(tx: Tx, keys: HubKeys, now_ms: int) -> Iterator[bytes]:
    """The recorded acts as signed batches that follow the hub's own chain; whoever asks must store each before the next."""
    rows = tx.query("SELECT kind, body, made_ms FROM act ORDER BY idx")
    if not rows:
        return
    tx.execute("DELETE FROM act")
    while rows:
        n = _fitting(rows)
        yield _batch(tx, keys, [{**row, "made_ms": row["made_ms"] or now_ms} for row in rows[:n]])
        rows = rows[n:]


def images(keys: HubKeys, body: Mapping[str, Any]) -> Iterator[tuple[Place, list[dict[str, Any]]]]:
    """The rows that an act names, secrets in the clear."""
    for table, column, value, rows in body.get(ROWS, ()):
        box = SecretBox(keys.vault)
        yield (
            (table, column, value),
            [{name: box.decrypt(v) if (table, name) in SECRET else v for name, v in row.items()} for row in rows],
        )


def device_id(keys: HubKeys) -> bytes:
    """The device id of the hub."""
    return batches.device_id(bytes(keys.device.verify_key))


def _image(tx: Tx, table: str, column: str, value: Any) -> list[Row]:
    return tx.query(f"SELECT * FROM {table} WHERE {column} = :value ORDER BY 1", {"value": value})


def _hidden(keys: HubKeys, body: bytes) -> dict[str, Any]:
    """The body with its secret columns hidden."""
    found: dict[str, Any] = cbor.decode(body)
    for table, _, _, rows in found.get(ROWS, ()):
        for row in rows:
            for name in row.keys() & {column for named, column in SECRET if named == table}:
                row[name] = bytes(SecretBox(keys.vault).encrypt(row[name]))
    return found


def _fitting(rows: Sequence[Row]) -> int:
    """How many of ``rows`` go into one batch."""
    size = 0
    for n, row in enumerate(rows):
        size += len(row["body"]) + KIB
        if n == MAX_OPS or (n and size > MAX_TARGET):
            return n
    return len(rows)


def _batch(tx: Tx, keys: HubKeys, rows: Sequence[Row]) -> bytes:
    head = tx.one("SELECT hash, seq FROM op WHERE device = :d ORDER BY seq DESC LIMIT 1", {"d": device_id(keys)})
    prev = head["hash"] if head else ops.genesis(bytes(keys.device.verify_key))
    made = [
        OpFields(
            op_id=uuid7(row["made_ms"]), kind=row["kind"], form=FORM, def_hash=b"", wall_ms=row["made_ms"], mono_ms=0,
            boot_id=bytes(8), hub_floor_ms=row["made_ms"], officer=_NOBODY, body=_hidden(keys, row["body"]),
        ).encode()
        for row in rows
    ]  # fmt: skip
    return batches.build(
        keys.device, first_seq=(head["seq"] if head else 0) + 1, prev=prev, ops=made, app_version=VERSION
    )
