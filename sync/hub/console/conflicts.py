"""Records that two laptops changed without seeing each other: beside each other, or against each other."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from sync.hub import marks, parallels
from sync.hub.console.login import Visit
from sync.hub.console.pages import centre_of, page
from sync.hub.console.records import QUICK, kind_title, officers

ROWS: Final = 30


def show(request: Request, visit: Visit) -> Response:
    """The newest; those that an office has put together only when asked for."""
    centre, query = centre_of(request), request.query_params
    everything = query.get("all") == "1"
    text = query.get("before", "")
    before = int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0
    marks.advance(centre.storage, QUICK)
    rows, waiting = centre.storage.read(
        lambda tx: (
            parallels.listing(tx, open_only=not everything, before=before, limit=ROWS + 1), parallels.count(tx),
        )
    )  # fmt: skip
    for row in rows:
        for one in row["changes"]:
            one["title"] = kind_title(centre, one["kind"])
            one["who"] = officers(one["officers"]).get(bytes(one["officer"]).hex(), "")
    values: dict[str, Any] = {"rows": rows[:ROWS], "more": len(rows) > ROWS, "all": everything, "waiting": waiting}
    return page(request, "conflicts.html", values, visit=visit)
