"""Bytes that came as a batch and are none: whose they say they are, and the first record in them that was touched.

Only what an enrolled laptop's signed header stands before is kept, and only the newest few: nobody fills the disk with garbage.
The laptop still has the original, so nothing is lost; this is for the person who must know what happened on the way.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from sync import cbor, cose
from sync.batch import AAD, CONTENT_TYPE, device_id, read_header
from sync.cbor import Malformed
from sync.hub.storage import Row, Tx
from sync.limits import MAX_BATCH, MAX_ENVELOPE, MAX_OP, MAX_RAW, MAX_WINDOW
from sync.ops import op_hash, read_fields

KEPT: Final = 64  # raw bytes of so many refused batches
_SLICE: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Claim:
    """What the signed header before altered bytes says."""

    device: bytes
    first_seq: int
    n: int
    prev: bytes
    body: bytes
    raw_len: int


@dataclass(frozen=True, slots=True)
class Found:
    """What became of the records. ``bad_seq``: the first one that was touched, None when the bytes alone do not tell;
    ``bad_op``: its op id, when that can be read or the hub has the genuine one."""

    device: bytes
    first_seq: int
    n: int
    bad_seq: int | None
    bad_op: bytes | None


def claim(data: bytes) -> Claim | None:
    """The header of ``data`` if a laptop signed it, whatever the rest is."""
    if len(data) > MAX_BATCH:
        return None
    try:
        signed, split = cose.parse_prefix(data, CONTENT_TYPE, MAX_ENVELOPE)
        header = read_header(cbor.decode(signed.payload))
        if signed.key_id != device_id(header[15]):
            return None
        cose.verify(signed, header[15], AAD)
    except Malformed:
        return None
    return Claim(signed.key_id, header[2], header[3], header[4], data[split:], header[8])


def examine(tx: Tx, data: bytes) -> Found | None:
    """What can be said of ``data``; None when no enrolled laptop has signed what stands before it."""
    said = claim(data)
    if said is None or tx.one("SELECT 1 AS yes FROM device WHERE device = :d", {"d": said.device}) is None:
        return None
    bad_seq, bad_op = _first_bad(tx, said)
    return Found(said.device, said.first_seq, said.n, bad_seq, bad_op)


def listing(tx: Tx, limit: int = 200) -> list[Row]:
    """What was refused, newest first: hash, reason, via, file, received_ms, size, device, office, number, first_seq, n, bad_seq,
    bad_op. What the bytes alone did not tell is looked for again: the genuine records may have come since."""
    rows = tx.query(
        """SELECT r.idx, r.hash, r.reason, r.via, r.file, r.received_ms, r.size, r.device, r.first_seq, r.n, r.bad_seq, r.bad_op, r.raw,
               d.office, d.number FROM refused r LEFT JOIN device d ON d.device = r.device ORDER BY r.idx DESC LIMIT :limit""",
        {"limit": limit},
    )
    found = []
    for row in rows:
        raw = row.pop("raw")
        if raw and (row["bad_seq"] is None or row["bad_op"] is None):
            again = examine(tx, bytes(raw))
            if again is not None:
                row |= {"bad_seq": again.bad_seq, "bad_op": again.bad_op}
        found.append({**row, "kept": bool(raw)})
    return found


def raw(tx: Tx, digest: bytes) -> bytes | None:
    """The kept bytes of a refused batch, for whoever investigates."""
    row = tx.one("SELECT raw FROM refused WHERE hash = :h AND raw IS NOT NULL ORDER BY idx DESC LIMIT 1", {"h": digest})
    return bytes(row["raw"]) if row else None


def _first_bad(tx: Tx, said: Claim) -> tuple[int | None, bytes | None]:
    """Walk the records: the first that cannot be read, or that is not the one which the hub has at its place."""
    genuine = {
        row["seq"]: row
        for row in tx.query(
            """SELECT seq, hash, op_id FROM op WHERE device = :d AND seq >= :first AND seq < :end AND label IN ('accepted', 'q:schema')""",
            {"d": said.device, "first": said.first_seq, "end": said.first_seq + said.n},
        )
    }
    parent, seq = said.prev, said.first_seq
    for data in _readable(said):
        parent = op_hash(parent, data)
        known = genuine.get(seq)
        if known is not None and known["hash"] != parent:
            return seq, known["op_id"]
        seq += 1
    if seq == said.first_seq + said.n:
        return None, None  # every record reads well: only the genuine ones can show which was touched
    return seq, genuine[seq]["op_id"] if seq in genuine else None


def _readable(said: Claim) -> Iterator[bytes]:
    """The records up to the first that is none."""
    body, start = _unpacked(said.body, said.raw_len), 0
    items = cbor.sequence(body)
    for _ in range(said.n):
        try:
            item, end = next(items)
            read_fields(item)
        except (Malformed, StopIteration):
            return
        if end - start > MAX_OP:
            return
        yield body[start:end]
        start = end


def _unpacked(body: bytes, length: int) -> bytes:
    """As much as the frame still gives, never more than it should."""
    import zstandard

    found = bytearray()
    reader = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW).stream_reader(io.BytesIO(body))
    most = min(length, MAX_RAW)
    try:
        while len(found) < most and (piece := reader.read(min(_SLICE, most - len(found)))):
            found += piece
    except zstandard.ZstdError:
        pass
    return bytes(found)


def note(tx: Tx, data: bytes, *, reason: str, via: str, file: str, now_ms: int, kept: int) -> None:
    """Write down that ``data`` was refused; at most ``kept`` rows and :data:`KEPT` raw ones stay."""
    found = examine(tx, data)
    said: dict[str, Any] = {
        "device": None, "first_seq": None, "n": None, "bad_seq": None, "bad_op": None, "raw": None,
    }  # fmt: skip
    if found is not None:
        said = {
            "device": found.device, "first_seq": found.first_seq, "n": found.n, "bad_seq": found.bad_seq, "bad_op": found.bad_op,
            "raw": data,
        }  # fmt: skip
    tx.execute(
        """INSERT INTO refused (hash, reason, via, received_ms, file, size, device, first_seq, n, bad_seq, bad_op, raw)
           VALUES (:hash, :reason, :via, :now, :file, :size, :device, :first_seq, :n, :bad_seq, :bad_op, :raw)""",
        {
            "hash": sha256(data).digest(), "reason": reason, "via": via, "now": now_ms, "file": file[:200], "size": len(data), **said,
        },
    )  # fmt: skip
    tx.execute("DELETE FROM refused WHERE idx <= (SELECT max(idx) FROM refused) - :kept", {"kept": kept})
    tx.execute(
        """UPDATE refused SET raw = NULL WHERE raw IS NOT NULL AND idx NOT IN (
               SELECT idx FROM (SELECT idx FROM refused WHERE raw IS NOT NULL ORDER BY idx DESC LIMIT :most) AS newest)""",
        {"most": KEPT},
    )
