"""What an admin must see at once: what is missing, what is late, what is odd. Plain rows for the console and the command line."""

from __future__ import annotations

from typing import Any, Final

from sync.hub.storage import Row, Tx

LATE_MS: Final = 3 * 86_400_000  # an office that was not seen for three days is late


def gaps(tx: Tx, _now_ms: int = 0) -> list[Row]:
    """Devices whose ops have a hole: from which to which sequence number something is missing."""
    return tx.query(
        """SELECT device, office, after_seq + 1 AS first_missing, seq - 1 AS last_missing FROM (
               SELECT o.device, d.office, o.seq, lag(o.seq, 1, 0) OVER (PARTITION BY o.device ORDER BY o.seq) AS after_seq
               FROM op o LEFT JOIN device d ON d.device = o.device) AS steps
           WHERE seq > after_seq + 1 ORDER BY office, device, first_missing"""
    )


def devices(tx: Tx, _now_ms: int = 0) -> list[Row]:
    """Every laptop: office, number, last seen, highest sequence number, revoked or not."""
    return tx.query(
        """SELECT device, office, number, enrolled_ms, last_seen_ms, head_seq, revoked_ms FROM device ORDER BY office, number"""
    )


def batches(tx: Tx, _now_ms: int = 0, *, limit: int = 200, office: str | None = None) -> list[Row]:
    """The newest batches first."""
    return tx.query(
        """SELECT b.idx, b.hash, b.device, d.office, d.number, b.first_seq, b.n, b.new_ops, b.received_ms, b.via, length(b.raw) AS bytes
           FROM batch b LEFT JOIN device d ON d.device = b.device
           WHERE :office = '' OR d.office = :office ORDER BY b.idx DESC LIMIT :limit""",
        {"limit": limit, "office": office or ""},
    )


def board(tx: Tx, now_ms: int) -> list[dict[str, Any]]:
    """The national board: one row an office."""
    missing = {row["office"]: row["n"] for row in _per_office(tx, [r["device"] for r in gaps(tx)])}
    labels = tx.query(
        """SELECT d.office, o.label, count(*) AS n FROM op o JOIN device d ON d.device = o.device GROUP BY d.office, o.label"""
    )
    counts: dict[str, dict[str, int]] = {}
    for row in labels:
        counts.setdefault(row["office"], {})[row["label"]] = row["n"]
    offices = tx.query(
        """SELECT o.*, (SELECT count(*) FROM device d WHERE d.office = o.code) AS devices,
               (SELECT count(*) FROM slot s WHERE s.office = o.code AND s.device IS NULL) AS waiting_slots,
               (SELECT max(last_seen_ms) FROM device d WHERE d.office = o.code) AS last_seen_ms,
               (SELECT count(*) FROM batch b JOIN device d ON d.device = b.device WHERE d.office = o.code) AS batches
           FROM office o ORDER BY o.code"""
    )
    return [
        {
            **row,
            "records": sum(counts.get(row["code"], {}).values()),
            "quarantined": sum(n for label, n in counts.get(row["code"], {}).items() if label.startswith("q:")),
            "pending": counts.get(row["code"], {}).get("pending", 0),
            "gaps": missing.get(row["code"], 0),
            "late": bool(row["devices"]) and (row["last_seen_ms"] or 0) < now_ms - LATE_MS,
        }
        for row in offices
    ]


def _per_office(tx: Tx, devices_with_gaps: list[bytes]) -> list[Row]:
    found: dict[str, int] = {}
    for device in devices_with_gaps:
        row = tx.one("SELECT office FROM device WHERE device = :d", {"d": device})
        if row:
            found[row["office"]] = found.get(row["office"], 0) + 1
    return [{"office": office, "n": n} for office, n in found.items()]


def quarantine(tx: Tx) -> list[Row]:
    """Ops that wait for an admin or for a module."""
    return tx.query(
        """SELECT o.hash, o.parent, o.device, d.office, o.seq, o.kind, o.label, o.wall_ms, o.batch FROM op o
           LEFT JOIN device d ON d.device = o.device WHERE o.label IN ('q:fork', 'q:revoked', 'q:schema') ORDER BY o.batch DESC LIMIT 500"""
    )


def totals(tx: Tx) -> Row:
    """The figures at the top of the board."""
    found = tx.one(
        """SELECT (SELECT count(*) FROM office) AS offices, (SELECT count(*) FROM batch) AS batches, (SELECT count(*) FROM op) AS records,
               (SELECT count(*) FROM op WHERE label LIKE 'q:%') AS quarantined, (SELECT count(*) FROM op WHERE label = 'pending') AS pending,
               (SELECT count(*) FROM refused) AS refused,
               (SELECT count(*) FROM effect WHERE state IN ('waiting', 'held')) AS effects"""
    )
    return found or {}
