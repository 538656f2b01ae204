"""The Merkle log of batches: leaves, inner nodes, signed checkpoints, proofs (RFC 6962; C2SP tlog-tiles, tlog-proof).

Inner nodes of complete subtrees are stored once, so that a proof costs a handful of look-ups however long the log is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from nacl.signing import SigningKey

from sync import merkle, notes, receipts
from sync.cbor import Malformed
from sync.hub.storage import Tx
from sync.notes import Checkpoint, NoteKey
from sync.receipts import Leaf

TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 1 << TILE_HEIGHT


@dataclass(frozen=True, slots=True)
class Log:
    """One epoch of the hub's log."""

    name: str
    epoch: int
    key: SigningKey

    @property
    def note_key(self) -> NoteKey:
        return NoteKey(self.name, bytes(self.key.verify_key))

    def append(self, tx: Tx, leaf: Leaf, batch: int) -> int:
        """Add ``leaf`` of the stored batch number ``batch``; returns its index."""
        index = size(tx)
        data = leaf.data()
        reached = merkle.leaf_hash(data)
        tx.execute(
            "INSERT INTO leaf (idx, hash, data, batch, device) VALUES (:idx, :hash, :data, :batch, :device)",
            {"idx": index, "hash": reached, "data": data, "batch": batch, "device": leaf.device_id},
        )
        height, place = 0, index
        while place & 1:  # the subtree that ends here is complete: keep its hash
            left = _node(tx, height, place - 1)
            reached = merkle.node_hash(left, reached)
            height, place = height + 1, place >> 1
            tx.execute("INSERT INTO node (height, idx, hash) VALUES (:h, :i, :hash)", {"h": height, "i": place, "hash": reached})
        return index

    def seal(self, tx: Tx, now_ms: int) -> None:
        """Sign a checkpoint over all leaves and give every new leaf its receipt. Runs once before each commit."""
        new = tx.query("SELECT idx, data FROM leaf WHERE receipt IS NULL ORDER BY idx")
        if not new:
            return
        note, total = self.sign(tx, now_ms)
        for row in new:
            proof = [range_hash(tx, lo, hi) for lo, hi in merkle.inclusion_ranges(row["idx"], total)]
            text = receipts.issue(receipts.read_leaf(row["data"]), row["idx"], proof, note)
            tx.execute("UPDATE leaf SET receipt = :text WHERE idx = :idx", {"text": text, "idx": row["idx"]})

    def sign(self, tx: Tx, now_ms: int) -> tuple[str, int]:
        """The signed checkpoint of the present size, and that size."""
        total = size(tx)
        found = tx.one("SELECT note FROM checkpoint WHERE size = :size", {"size": total})
        if found:
            return str(found["note"]), total
        root = range_hash(tx, 0, total) if total else merkle.EMPTY_ROOT
        note = notes.sign(Checkpoint(self.name, self.epoch, total, root).text(), self.name, self.key)
        tx.execute(
            "INSERT INTO checkpoint (size, root, note, made_ms) VALUES (:size, :root, :note, :now)",
            {"size": total, "root": root, "note": note, "now": now_ms},
        )
        return note, total

    def latest(self, tx: Tx) -> str:
        """The newest signed checkpoint."""
        found = tx.one("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1")
        if found is None:
            raise Malformed("log: no checkpoint")
        return str(found["note"])

    def verify(self, tx: Tx) -> list[str]:
        """Recompute everything from the leaves' data; what does not fit, in words. Empty: the log is whole."""
        faults: list[str] = []
        hashes: list[bytes] = []
        for row in tx.query("SELECT l.idx, l.hash, l.data, l.receipt, b.hash AS batch FROM leaf l JOIN batch b ON b.idx = l.batch ORDER BY l.idx"):
            if row["idx"] != len(hashes) or merkle.leaf_hash(row["data"]) != row["hash"] or row["data"][:32] != row["batch"]:
                faults.append(f"leaf {row['idx']}")
            hashes.append(merkle.leaf_hash(row["data"]))
        for row in tx.query("SELECT size, root, note FROM checkpoint ORDER BY size"):
            if row["size"] > len(hashes) or merkle.root(hashes[: row["size"]]) != row["root"]:
                faults.append(f"checkpoint {row['size']}")
                continue
            checkpoint = notes.read_checkpoint(row["note"], self.note_key)
            if (checkpoint.size, checkpoint.root) != (row["size"], row["root"]):
                faults.append(f"checkpoint note {row['size']}")
        return faults


def size(tx: Tx) -> int:
    """Leaves in the log."""
    found = tx.one("SELECT max(idx) AS last FROM leaf")
    return 0 if found is None or found["last"] is None else int(found["last"]) + 1


def _node(tx: Tx, height: int, place: int) -> bytes:
    sql = "SELECT hash FROM leaf WHERE idx = :i" if height == 0 else "SELECT hash FROM node WHERE height = :h AND idx = :i"
    found = tx.one(sql, {"i": place} if height == 0 else {"h": height, "i": place})
    if found is None:
        raise Malformed(f"log: node {height}/{place}")
    return bytes(found["hash"])


def range_hash(tx: Tx, lo: int, hi: int) -> bytes:
    """The hash over the leaves ``[lo, hi)`` of a subtree."""
    width = hi - lo
    if width & (width - 1) == 0 and lo % width == 0:
        return _node(tx, width.bit_length() - 1, lo // width)
    middle = lo + merkle.split(width)
    return merkle.node_hash(range_hash(tx, lo, middle), range_hash(tx, middle, hi))


def consistency(tx: Tx, old: int, new: int) -> list[bytes]:
    """The proof that the log of ``old`` leaves is the start of the one of ``new``."""
    return [range_hash(tx, lo, hi) for lo, hi in merkle.consistency_ranges(old, new)]


def tile(tx: Tx, level: int, index: int, width: int = TILE_WIDTH) -> bytes | None:
    """One tile of hashes in the C2SP layout: ``width`` hashes at height 8 × ``level`` from place 256 × ``index``; None: not there."""
    height, first = level * TILE_HEIGHT, index * TILE_WIDTH
    table = "SELECT idx, hash FROM leaf WHERE idx >= :lo AND idx < :hi" if height == 0 else (
        "SELECT idx, hash FROM node WHERE height = :h AND idx >= :lo AND idx < :hi"
    )
    values = {"lo": first, "hi": first + width} | ({"h": height} if height else {})
    rows: Sequence[dict[str, object]] = tx.query(f"{table} ORDER BY idx", values)
    return b"".join(bytes(row["hash"]) for row in rows) if len(rows) == width else None  # type: ignore[call-overload]
