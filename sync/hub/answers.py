"""What the hub answers a device, the same over the line and on a stick."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sync import merkle, notes, wire
from sync import receipts as proofs
from sync.hub import cosignatures, log
from sync.hub.log import range_hash
from sync.hub.storage import Tx

if TYPE_CHECKING:
    from sync.hub.centre import Centre
    from sync.hub.log import Log

RECEIPTS: Final = 200  # of one answer


def missing(centre: Centre, tx: Tx, device: bytes, have: wire.Have) -> wire.Missing:
    """Of what a device offers, what the hub lacks; its word about the device; its log, and the proof that it only grew."""
    total = log.size(tx)
    grown = have.epoch == centre.log.epoch and have.size <= total
    return wire.Missing(
        batches=[
            digest
            for digest in have.batches
            if tx.one("SELECT 1 AS yes FROM batch WHERE hash = :h", {"h": digest}) is None
        ],
        chunks=[
            digest
            for digest in have.chunks
            if tx.one("SELECT 1 AS yes FROM chunk WHERE hash = :h", {"h": digest}) is None
        ],
        status=centre.status(tx, device),
        note=centre.log.latest(tx),
        proof=log.consistency(tx, have.size, total) if grown else [],
    )


def receipts(tx: Tx, device: bytes, after: int) -> wire.Receipts:
    """The receipts of a device from a place in the log on, under a checkpoint that witnesses cosigned where there is one."""
    rows = tx.query(
        "SELECT idx, data, receipt FROM leaf WHERE device = :d AND idx >= :after AND receipt IS NOT NULL ORDER BY idx LIMIT :most",
        {"d": device, "after": after, "most": RECEIPTS + 1},
    )
    page = rows[:RECEIPTS]
    return wire.Receipts(
        cosignatures.receipts_of(tx, page), page[-1]["idx"] + 1 if page else after, len(rows) > len(page)
    )


def present(tx: Tx, *, log: Log, receipt: str) -> str:
    """``receipt``, or when it was given in an earlier life of the log: the same entry under the newest checkpoint of this one.

    Whoever hears of the centre by sticks alone, knows by it that what was receipted then was not lost since.
    """
    found = proofs.verify(receipt, log.note_key)
    if found.checkpoint.epoch == log.epoch:
        return receipt
    note = log.latest(tx)
    size = notes.read_checkpoint(note, log.note_key).size
    path = [range_hash(tx, lo, hi) for lo, hi in merkle.inclusion_ranges(found.index, size)]
    return proofs.issue(found.leaf, found.index, path, note)
