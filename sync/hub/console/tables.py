"""The tables that modules make of what was accepted: one generic page for each, listed without knowing it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from sync.hub.console.content import A_TIME_MS
from sync.hub.console.doors import Form
from sync.hub.console.login import Visit
from sync.hub.console.missing import missing
from sync.hub.console.pages import centre_of, page
from sync.hub.storage import Tx

ROWS: Final = 100


def overview(request: Request, visit: Visit) -> Response:
    """Which tables there are and how far each has come."""
    centre = centre_of(request)
    cursors, last = centre.storage.read(
        lambda tx: (
            {row["projection"]: row for row in tx.query("SELECT * FROM cursor")},
            tx.query("SELECT coalesce(max(idx), 0) AS last FROM accepted")[0]["last"],
        )
    )
    rows = [
        {"name": p.name, "title": p.console()["title"], "cursor": cursors.get(p.name), "version": p.version}
        for p in centre.runner.projections
        if hasattr(p, "console")
    ]
    return page(request, "tables.html", {"rows": rows, "last": last}, visit=visit)


def one(request: Request, visit: Visit) -> Response:
    """One table, page by page."""
    return _one(request, visit, None)


def rebuild(request: Request, visit: Visit, _: Form) -> Response:
    """Make a table anew from the raw batches and compare."""
    centre, name = centre_of(request), request.path_params["name"]
    if all(projection.name != name for projection in centre.runner.projections):
        return missing(request, visit)
    return _one(request, visit, asdict(centre.rebuild(name)[name]))


def _one(request: Request, visit: Visit, outcome: dict[str, Any] | None) -> Response:
    centre, name = centre_of(request), request.path_params["name"]
    projection = next((p for p in centre.runner.projections if p.name == name and hasattr(p, "console")), None)
    if projection is None:
        return missing(request, visit)
    console = projection.console()
    text = request.query_params.get("from", "0")
    offset = int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0

    def read(tx: Tx) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
        rows = tx.query(
            f"SELECT * FROM ({console['query']}) AS listed LIMIT :limit OFFSET :offset",
            {"limit": ROWS + 1, "offset": offset},
        )
        return rows, tx.one("SELECT accepted_idx, failure, failed_op FROM cursor WHERE projection = :p", {"p": name})

    rows, cursor = centre.storage.read(read)
    columns = [
        {**column, "figures": all(_figure(row[column["key"]]) for row in rows) and bool(rows)}
        for column in console["columns"]
    ]
    values = {
        "name": name, "title": console["title"], "columns": columns, "rows": rows[:ROWS], "more": len(rows) > ROWS,
        "offset": offset, "step": ROWS,
        "cursor": cursor, "outcome": outcome, "a_time": A_TIME_MS,
    }  # fmt: skip
    return page(request, "table.html", values, visit=visit)


def _figure(value: Any) -> bool:
    return value is None or (type(value) is int and value < A_TIME_MS)
