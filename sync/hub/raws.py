"""The raw bytes of a stored batch, wherever they lie: in its row, or in the object storage under its hash. Nobody else reads the column."""

from __future__ import annotations

from sync.errors import Known
from sync.hub.storage import Row, Tx


def of(tx: Tx, batch: int) -> bytes:
    """The raw bytes of the batch with that number."""
    return whole(tx, tx.query("SELECT hash, raw FROM batch WHERE idx = :idx", {"idx": batch})[0])


def whole(tx: Tx, row: Row) -> bytes:
    """The raw bytes of a row with the batch's ``raw`` and ``hash``. Known HB-166 storage unreachable, HB-167 gone or damaged."""
    raw = bytes(row["raw"])
    if raw:
        return raw
    if tx.objects is None:
        raise Known("HB-167", hash=row["hash"].hex())
    return tx.objects.get(row["hash"])
