"""The Merkle log of batches: leaves, inner nodes, signed checkpoints, proofs (RFC 6962; C2SP tlog-tiles, tlog-proof).

Inner nodes of complete subtrees are stored once, so that a proof costs a handful of look-ups however long the log is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from nacl.signing import SigningKey

from sync import merkle, notes, receipts
from sync.cbor import Malformed
from sync.errors import Known
from sync.hub import raws
from sync.hub.storage import Row, Tx
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

    def append(self, tx: Tx, entries: Sequence[tuple[Leaf, int]]) -> int:
        """Add leaves, each of the stored batch with that number; returns the index of the first."""
        first = size(tx)
        known = _edge(tx, first)
        leaves, nodes = [], []
        for index, (leaf, batch) in enumerate(entries, first):
            data = leaf.data()
            hashed = merkle.leaf_hash(data)
            leaves.append({"idx": index, "hash": hashed, "data": data, "batch": batch, "device": leaf.device_id})
            for lo, hi in _grow(known, index, hashed):  # a complete subtree ends here: keep its hash
                height = (hi - lo).bit_length() - 1
                nodes.append({"height": height, "idx": lo >> height, "hash": known[lo, hi]})
        tx.add("leaf", leaves)
        tx.add("node", nodes)
        return first

    def seal(self, tx: Tx, now_ms: int) -> None:
        """Sign a checkpoint over all leaves and give every new leaf its receipt. Runs once before each commit."""
        new = tx.query("SELECT idx, hash, data, batch FROM leaf WHERE receipt IS NULL ORDER BY idx")
        if not new:
            return
        known = _edge(tx, new[0]["idx"])  # with the new leaves it holds all that their proofs need
        for row in new:
            _grow(known, row["idx"], row["hash"])
        note, total = self.sign(tx, now_ms, known)
        issued = []
        for row in new:
            proof = [range_hash(tx, lo, hi, known) for lo, hi in merkle.inclusion_ranges(row["idx"], total)]
            text = receipts.issue(receipts.read_leaf(row["data"]), row["idx"], proof, note)
            issued.append({"text": text, "idx": row["idx"]})
            tx.receipts[row["batch"]] = text
        tx.execute_many("UPDATE leaf SET receipt = :text WHERE idx = :idx", issued)

    def sign(self, tx: Tx, now_ms: int, known: Hashes | None = None) -> tuple[str, int]:
        """The signed checkpoint of the present size, and that size."""
        total = size(tx)
        found = tx.one(
            "SELECT note FROM checkpoint WHERE epoch = :epoch AND size = :size", {"epoch": self.epoch, "size": total}
        )
        if found:
            return str(found["note"]), total
        root = range_hash(tx, 0, total, known) if total else merkle.EMPTY_ROOT
        note = notes.sign(Checkpoint(self.name, self.epoch, total, root).text(), self.name, self.key)
        tx.execute(
            "INSERT INTO checkpoint (epoch, size, root, note, made_ms) VALUES (:epoch, :size, :root, :note, :now)",
            {"epoch": self.epoch, "size": total, "root": root, "note": note, "now": now_ms},
        )
        return note, total

    def latest(self, tx: Tx) -> str:
        """The newest signed checkpoint."""
        found = tx.one("SELECT note FROM checkpoint ORDER BY epoch DESC, size DESC LIMIT 1")
        if found is None:
            raise Malformed("log: no checkpoint")
        return str(found["note"])

    def verify(self, tx: Tx) -> list[str]:
        """Recompute everything from the raw batches; what does not fit, in words. Empty: the log is whole."""
        faults: list[str] = []
        notes_by_size: dict[int, list[Row]] = {}
        for row in tx.query("SELECT epoch, size, root, note FROM checkpoint ORDER BY epoch, size"):
            notes_by_size.setdefault(row["size"], []).append(row)
        peaks: list[bytes | None] = []  # the complete subtree of each height, as in a binary counter
        total = 0
        faults += self._wrong_notes(notes_by_size.pop(0, []), merkle.EMPTY_ROOT)
        while rows := tx.query(_LEAVES, {"after": total, "limit": _PAGE}):
            for row in rows:
                hashed = merkle.leaf_hash(row["data"])
                sound = row["idx"] == total and hashed == row["hash"] and _raw_hash(tx, row) == row["data"][:32]
                if not sound or not self._receipt_holds(row):
                    faults.append(f"leaf {row['idx']}")
                _add(peaks, hashed)
                total += 1
                faults += self._wrong_notes(notes_by_size.pop(total, []), _bagged(peaks))
        return faults + [f"checkpoint {size} has no leaves" for size in notes_by_size]

    def _receipt_holds(self, row: Row) -> bool:
        try:
            receipt = receipts.verify(row["receipt"] or "", self.note_key)
        except Malformed:
            return False
        return bool(receipt.index == row["idx"] and receipt.leaf.data() == row["data"])

    def _wrong_notes(self, rows: Sequence[Row], root: bytes) -> list[str]:
        wrong = []
        for row in rows:
            try:
                found = notes.read_checkpoint(row["note"], self.note_key)
            except Malformed:
                found = None
            if (
                found is None
                or (found.epoch, found.size, found.root) != (row["epoch"], row["size"], root)
                or row["root"] != root
            ):
                wrong.append(f"checkpoint {row['size']}")
        return wrong


_PAGE: Final = 500  # leaves at a time: their batches are in memory meanwhile
_LEAVES: Final = """SELECT l.idx, l.hash, l.data, l.receipt, b.hash AS batch_hash, b.raw FROM leaf l JOIN batch b ON b.idx = l.batch
    WHERE l.idx >= :after ORDER BY l.idx LIMIT :limit"""


def _raw_hash(tx: Tx, row: Row) -> bytes:
    try:
        return sha256(raws.whole(tx, {"raw": row["raw"], "hash": row["batch_hash"]})).digest()
    except Known as error:
        if error.code != "HB-167":
            raise
        return b""  # gone or damaged: the leaf is named


def _add(peaks: list[bytes | None], hashed: bytes) -> None:
    """Put one more leaf under the peaks."""
    for height, peak in enumerate(peaks):
        if peak is None:
            peaks[height] = hashed
            return
        peaks[height], hashed = None, merkle.node_hash(peak, hashed)
    peaks.append(hashed)


def _bagged(peaks: Sequence[bytes | None]) -> bytes:
    """The root over the peaks; there is at least one."""
    standing = [peak for peak in peaks if peak is not None]
    root = standing[0]
    for peak in standing[1:]:
        root = merkle.node_hash(peak, root)
    return root


def size(tx: Tx) -> int:
    """Leaves in the log."""
    found = tx.one("SELECT max(idx) AS last FROM leaf")
    return 0 if found is None or found["last"] is None else int(found["last"]) + 1


def _node(tx: Tx, height: int, place: int) -> bytes:
    sql = (
        "SELECT hash FROM leaf WHERE idx = :i"
        if height == 0
        else "SELECT hash FROM node WHERE height = :h AND idx = :i"
    )
    found = tx.one(sql, {"i": place} if height == 0 else {"h": height, "i": place})
    if found is None:
        raise Malformed(f"log: node {height}/{place}")
    return bytes(found["hash"])


Hashes = dict[tuple[int, int], bytes]  # of stretches of leaves


def _edge(tx: Tx, total: int) -> Hashes:
    """The complete subtrees side by side that the first ``total`` leaves are: all that is needed to go on from there."""
    peaks = [(height, (total >> height) - 1) for height in range(total.bit_length()) if total >> height & 1]
    if not peaks:
        return {}
    where: list[str] = []
    values: dict[str, int] = {}
    for n, (height, place) in enumerate(peak for peak in peaks if peak[0]):
        where.append(f"(height = :h{n} AND idx = :i{n})")
        values |= {f"h{n}": height, f"i{n}": place}
    rows = tx.query(f"SELECT height, idx, hash FROM node WHERE {' OR '.join(where)}", values) if where else []
    found = {(row["height"], row["idx"]): bytes(row["hash"]) for row in rows}
    if total & 1:
        found[0, total - 1] = _node(tx, 0, total - 1)
    for height, place in peaks:
        if (height, place) not in found:
            raise Malformed(f"log: node {height}/{place}")
    return {(place << height, (place + 1) << height): found[height, place] for height, place in peaks}


def _grow(known: Hashes, index: int, hashed: bytes) -> list[tuple[int, int]]:
    """Add leaf ``index`` to the ``known`` hashes, and the subtrees that it completes, the lowest first; those."""
    lo, hi = index, index + 1
    known[lo, hi] = hashed
    found: list[tuple[int, int]] = []
    while (width := hi - lo) & lo and (left := known.get((lo - width, lo))) is not None:
        known[lo - width, hi] = merkle.node_hash(left, known[lo, hi])
        lo -= width
        found.append((lo, hi))
    return found


def range_hash(tx: Tx, lo: int, hi: int, known: Hashes | None = None) -> bytes:
    """The hash over the leaves ``[lo, hi)`` of a subtree. ``known``: what was computed before in the same transaction."""
    if known is not None and (lo, hi) in known:
        return known[lo, hi]
    width = hi - lo
    if width & (width - 1) == 0 and lo % width == 0:
        found = _node(tx, width.bit_length() - 1, lo // width)
    else:
        middle = lo + merkle.split(width)
        found = merkle.node_hash(range_hash(tx, lo, middle, known), range_hash(tx, middle, hi, known))
    if known is not None:
        known[lo, hi] = found
    return found


def consistency(tx: Tx, old: int, new: int) -> list[bytes]:
    """The proof that the log of ``old`` leaves is the start of the one of ``new``."""
    return [range_hash(tx, lo, hi) for lo, hi in merkle.consistency_ranges(old, new)]


def tile(tx: Tx, level: int, index: int, width: int = TILE_WIDTH) -> bytes | None:
    """One tile of hashes in the C2SP layout: ``width`` hashes at height 8 × ``level`` from place 256 × ``index``; None: not there."""
    height, first = level * TILE_HEIGHT, index * TILE_WIDTH
    where = "idx >= :lo AND idx < :hi ORDER BY idx"
    sql = f"SELECT hash FROM node WHERE height = :h AND {where}" if height else f"SELECT hash FROM leaf WHERE {where}"
    rows = tx.query(sql, {"lo": first, "hi": first + width} | ({"h": height} if height else {}))
    return b"".join(row["hash"] for row in rows) if len(rows) == width else None
