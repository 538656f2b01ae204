"""What an admin must see at once: what is missing, what is late, what is odd. Plain rows for the console and the command line.

Figures come from small indices, never from the batches themselves, so that the board stays quick over millions of records.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

from sync.hub import contacts, heartbeats, tally
from sync.hub.storage import Row, Tx
from sync.limits import DAY_MS

LATE_DAYS: Final = 3  # an office that was not seen for three days is late
PHNOM_PENH_MS: Final = 7 * 3_600_000
TIMELINE_DAYS: Final = 28


def day_start(now_ms: int) -> int:
    """When today began in Phnom Penh."""
    return (now_ms + PHNOM_PENH_MS) // DAY_MS * DAY_MS - PHNOM_PENH_MS


def gaps(tx: Tx, office: str = "") -> list[Row]:
    """Devices whose ops have a hole: from which to which sequence number something is missing.

    Only a device with ops that wait for their parents can have one, and few have.
    """
    found: list[Row] = []
    waiting = tx.query(
        """SELECT DISTINCT d.device, d.office, d.number FROM op o JOIN device d ON d.device = o.device
           WHERE o.label = 'pending' AND o.label <> 'accepted' AND (:office = '' OR d.office = :office) ORDER BY d.office, d.number""",
        {"office": office},
    )
    for device in waiting:
        after = 0
        for row in tx.query(
            "SELECT first_seq, n, received_ms FROM batch WHERE device = :d ORDER BY first_seq, n",
            {"d": device["device"]},
        ):
            if row["first_seq"] > after + 1:
                found.append(
                    {
                        **device,
                        "first_missing": after + 1,
                        "last_missing": row["first_seq"] - 1,
                        "since_ms": row["received_ms"],
                    }
                )
            after = max(after, row["first_seq"] + row["n"] - 1)
    return found


def devices(tx: Tx, office: str = "") -> list[Row]:
    """Every laptop: office, number, last seen, highest sequence number, batches, revoked or not."""
    return tx.query(
        """SELECT d.device, d.office, d.number, d.enrolled_ms, d.last_seen_ms, d.revoked_ms, d.cutoff_seq, d.officers,
               coalesce((SELECT max(seq) FROM op WHERE op.device = d.device), 0) AS head_seq, d.batches, d.records, d.predecessor, d.words
           FROM device d WHERE :office = '' OR d.office = :office ORDER BY d.office, d.number""",
        {"office": office},
    )


def batches(tx: Tx, *, limit: int = 200, office: str = "", before: int = 0) -> list[Row]:
    """The newest batches first, those with an index below ``before`` when that is given."""
    return tx.query(
        """SELECT b.idx, b.hash, b.device, d.office, d.number, b.first_seq, b.n, b.new_ops, b.received_ms, b.via,
               b.size AS bytes, f.name_km, f.name_en
           FROM batch b LEFT JOIN device d ON d.device = b.device LEFT JOIN office f ON f.code = d.office
           WHERE (:office = '' OR d.office = :office) AND (:before = 0 OR b.idx < :before) AND b.via <> 'hub'
           ORDER BY b.idx DESC LIMIT :limit""",
        {"limit": limit, "office": office, "before": before},
    )


def board(tx: Tx, now_ms: int) -> list[dict[str, Any]]:
    """The national board: one row an office, by code."""
    today = day_start(now_ms)
    seen = _by_office(
        tx,
        """SELECT office, count(*) AS devices, max(last_seen_ms) AS last_seen_ms, sum(batches) AS batches, sum(records) AS records
           FROM device GROUP BY office""",
    )
    fresh = _by_office(
        tx,
        """SELECT d.office, sum(t.records) AS today FROM tally t JOIN device d ON d.device = t.device WHERE t.day = :day
           GROUP BY d.office""",
        {"day": tally.day(now_ms)},
    )
    slots = _by_office(tx, "SELECT office, count(*) AS open FROM slot WHERE device IS NULL GROUP BY office")
    asked = _asked(tx)
    missing: dict[str, int] = defaultdict(int)
    for gap in gaps(tx):
        missing[gap["office"]] += gap["last_missing"] - gap["first_missing"] + 1
    told = _told(tx, now_ms)
    rows = []
    for office in tx.query(
        "SELECT code, name_km, name_en, province_km, province_en, added_ms FROM office ORDER BY code"
    ):
        code = office["code"]
        laptop, said = seen.get(code, {}), told.get(code, {})
        last = laptop.get("last_seen_ms")
        row = {
            **office, "devices": laptop.get("devices", 0), "slots": slots.get(code, {}).get("open", 0), "last_seen_ms": last,
            "batches": laptop.get("batches", 0), "records": laptop.get("records", 0), "today": fresh.get(code, {}).get("today", 0),
            "pending": asked[code].get("pending", 0), "gaps": missing[code],
            "quarantined": sum(n for label, n in asked[code].items() if label.startswith("q:")),
            "late": last is not None and last < now_ms - LATE_DAYS * DAY_MS,
            "old": said.get("old", 0), "waiting": said.get("waiting", 0), "outstanding": said.get("outstanding", 0),
        }  # fmt: skip
        rows.append({**row, "state": _state(row, last, today)})
    return rows


def _asked(tx: Tx) -> dict[str, dict[str, int]]:
    """Office → label → ops that are not accepted and not set aside."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in tx.query(
        """SELECT d.office, o.label, count(*) AS n FROM op o JOIN device d ON d.device = o.device
           LEFT JOIN set_aside a ON a.op = o.hash AND a.device = o.device
           WHERE o.label <> 'accepted' AND a.op IS NULL GROUP BY d.office, o.label"""
    ):
        found[row["office"]][row["label"]] = row["n"]
    return found


def _told(tx: Tx, now_ms: int) -> dict[str, dict[str, int]]:
    """Office → what its laptops said of themselves: with old publications, ops that wait on them, ops that a text message named."""
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    places = {
        bytes(row["device"]): row["office"]
        for row in tx.query("SELECT device, office FROM device WHERE revoked_ms IS NULL")
    }
    for device, row in contacts.ages(tx, now_ms).items():
        if device in places:
            found[places[device]]["old"] += int(row["old"])
            found[places[device]]["waiting"] += row["waiting"]
    for row in heartbeats.outstanding(tx):
        if bytes(row["device"]) in places:
            found[places[bytes(row["device"])]]["outstanding"] += row["outstanding"]
    return found


def _state(row: Row, last: int | None, today: int) -> str:
    """The one word that an office's cell shows: what wants a person first."""
    if row["quarantined"]:
        return "quarantine"
    if row["gaps"]:
        return "gap"
    if last is None:
        return "new"
    if row["late"]:
        return "silent"
    return "today" if last >= today else "recent"


def _by_office(tx: Tx, sql: str, values: dict[str, Any] | None = None) -> dict[str, Row]:
    return {row["office"]: row for row in tx.query(sql, values or {})}


def totals(tx: Tx) -> Row:
    """What the whole centre holds."""
    return tx.query(
        """SELECT (SELECT count(*) FROM office) AS offices, (SELECT count(*) FROM device) AS devices,
               (SELECT coalesce(max(idx), -1) + 1 FROM leaf) AS batches, (SELECT coalesce(sum(records), 0) FROM device) AS records,
               (SELECT count(*) FROM op o LEFT JOIN set_aside a ON a.op = o.hash AND a.device = o.device
                   WHERE o.label >= 'q:' AND o.label < 'q;' AND o.label <> 'accepted' AND a.op IS NULL) AS quarantined,
               (SELECT count(*) FROM op WHERE label = 'pending' AND label <> 'accepted') AS pending,
               (SELECT count(*) FROM effect WHERE state = 'waiting') AS effects, (SELECT count(*) FROM refused) AS refused"""
    )[0]


def quarantine(tx: Tx, limit: int = 500, *, aside: bool = False) -> list[Row]:
    """Ops that wait for an admin or for a module, newest first; ``aside``: those that an admin has set aside."""
    return tx.query(
        f"""SELECT o.hash, o.parent, o.device, d.office, d.number, o.seq, o.kind, o.label, o.wall_ms, o.batch, o.place, b.received_ms,
               f.name_km, f.name_en
           FROM op o JOIN batch b ON b.idx = o.batch LEFT JOIN device d ON d.device = o.device LEFT JOIN office f ON f.code = d.office
           LEFT JOIN set_aside a ON a.op = o.hash AND a.device = o.device
           WHERE o.label >= 'q:' AND o.label < 'q;' AND o.label <> 'accepted' AND a.op IS {"NOT" if aside else ""} NULL
           ORDER BY +o.batch DESC, o.place LIMIT :limit""",  # +: by the few that wait, not along the index of all batches
        {"limit": limit},
    )


def pending(tx: Tx, limit: int = 200) -> list[Row]:
    """Devices with ops that wait for their parents, or for their enrolment (then without office)."""
    return tx.query(
        """SELECT o.device, d.office, d.number, f.name_km, f.name_en, count(*) AS n, min(o.seq) AS first_seq, max(b.received_ms) AS last_ms
           FROM op o JOIN batch b ON b.idx = o.batch LEFT JOIN device d ON d.device = o.device LEFT JOIN office f ON f.code = d.office
           WHERE o.label = 'pending' AND o.label <> 'accepted' GROUP BY o.device, d.office, d.number, f.name_km, f.name_en
           ORDER BY last_ms DESC LIMIT :limit""",
        {"limit": limit},
    )


def daily(tx: Tx, office: str, now_ms: int) -> list[int]:
    """New records of each of the last four weeks' days, oldest first, today last."""
    first = tally.day(now_ms) - (TIMELINE_DAYS - 1)
    rows = tx.query(
        """SELECT t.day, sum(t.records) AS n FROM tally t JOIN device d ON d.device = t.device
           WHERE d.office = :office AND t.day >= :first GROUP BY t.day""",
        {"first": first, "office": office},
    )
    days = [0] * TIMELINE_DAYS
    for row in rows:
        days[min(row["day"] - first, TIMELINE_DAYS - 1)] = row["n"]
    return days


def doubled(tx: Tx, office: str, limit: int = 20) -> list[Row]:
    """Batches of an office of which some ops had come before, newest first: counted once, whatever came twice."""
    return tx.query(
        """SELECT b.idx, d.number, b.received_ms, b.n, b.new_ops, b.via FROM batch b JOIN device d ON d.device = b.device
           WHERE d.office = :office AND b.new_ops < b.n ORDER BY b.idx DESC LIMIT :limit""",
        {"office": office, "limit": limit},
    )


def timeline(tx: Tx, office: str, limit: int = 100) -> list[Row]:
    """What happened with an office, newest first: ``{"ms", "what", "number", "batch", "a", "b", "note"}``."""
    return tx.query(
        """SELECT * FROM (
               SELECT b.received_ms AS ms, 'batch' AS what, d.number, b.idx AS batch, b.new_ops AS a, b.n AS b, b.via AS note
                   FROM batch b JOIN device d ON d.device = b.device WHERE d.office = :office
               UNION ALL SELECT made_ms, 'slot', number, NULL, 0, 0, '' FROM slot WHERE office = :office
               UNION ALL SELECT enrolled_ms, 'enrolled', number, NULL, 0, 0, '' FROM device WHERE office = :office
               UNION ALL SELECT revoked_ms, 'revoked', number, NULL, cutoff_seq, 0, '' FROM device
                   WHERE office = :office AND revoked_ms IS NOT NULL
               UNION ALL SELECT c.made_ms, c.decision, d.number, o.batch, o.seq, 0, c.reason
                   FROM decision c JOIN op o ON o.hash = c.op JOIN device d ON d.device = o.device WHERE d.office = :office
           ) AS happened ORDER BY ms DESC LIMIT :limit""",
        {"office": office, "limit": limit},
    )
