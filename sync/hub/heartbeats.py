"""What laptops without data say in a text message: verified, kept by laptop, held against what the hub has.

A message proves who said it and what it counted, not when: an older one that comes again never replaces a newer one.
"""

from __future__ import annotations

from typing import Any

from sync import heartbeat
from sync.errors import Refused
from sync.hub.storage import Row, Tx


def take(tx: Tx, text: str, now_ms: int) -> dict[str, Any]:
    """Keep the message ``text``: what :func:`outstanding` says of its laptop, and ``newer``: whether it told anything new.

    Refused SY-455: no sound message, or of a laptop that this hub does not know.
    """
    found = heartbeat.read(text)
    row = _device(tx, found)
    if row is None:
        raise Refused("SY-455")
    values = {
        "device": row["device"], "seq": found.seq, "head": found.head, "pending": found.pending, "text": heartbeat.plain(text),
        "now": now_ms,
    }  # fmt: skip
    newer = tx.execute(
        """INSERT INTO heartbeat (device, seq, head, pending, message, received_ms) VALUES (:device, :seq, :head, :pending, :text, :now)
           ON CONFLICT (device) DO UPDATE SET seq = :seq, head = :head, pending = :pending, message = :text, received_ms = :now
           WHERE heartbeat.seq < :seq OR (heartbeat.seq = :seq AND heartbeat.message <> :text)""",
        values,
    )
    return {**(of_device(tx, row["device"]) or {}), "newer": bool(newer)}


def _device(tx: Tx, found: heartbeat.Heartbeat) -> Row | None:
    """The laptop whose id begins as the message says and whose key signed it."""
    rows = tx.query(
        "SELECT device, sign_public FROM device WHERE device >= :low AND device <= :high ORDER BY device",
        {"low": found.device + bytes(8), "high": found.device + b"\xff" * 8},
    )
    return next((row for row in rows if found.holds(row["sign_public"])), None)


def outstanding(tx: Tx) -> list[dict[str, Any]]:
    """Every laptop that ever sent a message, those with most outstanding first.

    ``{"device", "office", "number", "seq", "head", "pending", "received_ms", "held", "outstanding", "agrees"}``: the last op that the
    laptop named, its ops that no receipt covered then, when the message was taken, the last op that the hub holds now, how many
    it lacks, and whether the named op is the one that the hub holds under that number (None while it lacks it).
    """
    return sorted(_rows(tx, ""), key=lambda row: (-row["outstanding"], row["office"], row["number"]))


def of_device(tx: Tx, device: bytes) -> dict[str, Any] | None:
    """The row of one laptop, None when it never sent a message."""
    return next(iter(_rows(tx, "WHERE h.device = :device", device=device)), None)


def _rows(tx: Tx, where: str, **values: Any) -> list[dict[str, Any]]:
    rows = tx.query(
        f"""SELECT h.device, d.office, d.number, h.seq, h.head, h.pending, h.received_ms,
                coalesce((SELECT max(o.seq) FROM op o WHERE o.device = h.device), 0) AS held
            FROM heartbeat h JOIN device d ON d.device = h.device {where} ORDER BY h.device""",
        values,
    )
    return [{**row, "outstanding": max(0, row["seq"] - row["held"]), "agrees": _agrees(tx, row)} for row in rows]


def _agrees(tx: Tx, row: Row) -> bool | None:
    if row["seq"] == 0:
        return True
    named = tx.query(
        "SELECT hash FROM op WHERE device = :d AND seq = :s ORDER BY hash", {"d": row["device"], "s": row["seq"]}
    )
    return any(bytes(one["hash"]).startswith(bytes(row["head"])) for one in named) if named else None
