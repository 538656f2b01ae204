"""Numbers and codes: which laptop holds which blocks, and until when."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from sync.hub.console.login import Visit
from sync.hub.console.pages import centre_of, page
from sync.hub.storage import Row, Tx

ROWS: Final = 100
TITLES: Final = {
    "link-codes": {"km": "កូដតំណខ្លី", "en": "Codes of short links"},
    "certificate-numbers": {"km": "លេខវិញ្ញាបនបត្រ", "en": "Certificate numbers"},
    "receipt-numbers": {"km": "លេខបង្កាន់ដៃ", "en": "Receipt numbers"},
}


def show(request: Request, visit: Visit) -> Response:
    """Every block that counts, by laptop; those that expire soonest first when asked."""
    centre, query = centre_of(request), request.query_params
    office, text = query.get("office", "")[:8], query.get("from", "0")
    offset = int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else 0
    now = centre.clock.wall_ms()

    def read(tx: Tx) -> tuple[list[Row], list[Row]]:
        totals = tx.query(
            """SELECT resource, count(*) AS blocks, sum(size) AS numbers FROM lease WHERE not_after_ms > :now
               GROUP BY resource ORDER BY resource""",
            {"now": now},
        )
        rows = tx.query(
            """SELECT l.resource, s.office, s.number, s.device, f.name_km, f.name_en, count(*) AS blocks, sum(l.size) AS numbers,
                   max(l.first + l.size) - 1 AS last, min(l.not_after_ms) AS first_end_ms, max(l.made_ms) AS made_ms
               FROM lease l JOIN slot s ON s.slot = l.slot LEFT JOIN office f ON f.code = s.office
               WHERE l.not_after_ms > :now AND (:office = '' OR s.office = :office)
               GROUP BY l.resource, s.office, s.number, s.device, f.name_km, f.name_en
               ORDER BY s.office, s.number, l.resource LIMIT :limit OFFSET :offset""",
            {"now": now, "office": office, "limit": ROWS + 1, "offset": offset},
        )
        return totals, rows

    totals, rows = centre.storage.read(read)
    values: dict[str, Any] = {
        "totals": totals, "rows": rows[:ROWS], "more": len(rows) > ROWS, "offset": offset, "step": ROWS, "office": office, "titles": TITLES,
    }  # fmt: skip
    return page(request, "leases.html", values, visit=visit)
