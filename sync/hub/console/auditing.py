"""The audit of the console: who looked at what, who did what, with filters, as a file, and checked whole."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from i18n import dates
from i18n.cells import harmless
from sync.hub import watch
from sync.hub.centre import Centre
from sync.hub.console.doors import Form
from sync.hub.console.login import Visit
from sync.hub.console.pages import centre_of, day_ms, page
from sync.hub.feeds import looks, tokens
from sync.hub.storage import Row, Tx
from sync.limits import DAY_MS

ROWS: Final = 100
_COLUMNS: Final = ("number", "time", "admin", "what", "address", "more", "hash")


def show(request: Request, visit: Visit) -> Response:
    """The newest rows that fit the filters, page by page."""
    return _show(request, visit, None)


def verify(request: Request, visit: Visit, _: Form) -> Response:
    """Recompute the whole chain."""
    centre = centre_of(request)
    return _show(request, visit, centre.storage.read(watch.verify))


def export(request: Request, visit: Visit) -> Response:  # noqa: ARG001
    """Every row: as CSV for people (with the mark that lets Excel see Khmer), or as JSON lines for a checker."""
    centre = centre_of(request)
    as_csv = request.query_params.get("as") != "jsonl"
    rows = _every(centre)
    name, kind = ("audit.csv", "text/csv") if as_csv else ("audit.jsonl", "application/jsonl")
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(
        _csv(rows) if as_csv else _lines(rows), media_type=f"{kind}; charset=utf-8", headers=headers
    )


def _every(centre: Centre) -> Iterator[Row]:
    """Every row from the first on, as they are wanted: rows are only ever added, so no reading has to see one moment."""
    after = 0
    while found := centre.storage.read(lambda tx, a=after: watch.stretch(tx, a)):  # type: ignore[misc]
        yield from found
        after = int(found[-1]["idx"])


def _show(request: Request, visit: Visit, verdict: watch.Verdict | None) -> Response:
    centre, query = centre_of(request), request.query_params
    wanted = {name: query.get(name, "")[:100] for name in ("admin", "what", "subject", "since", "until")}
    before = query.get("before", "")
    until = day_ms(wanted["until"])

    def read(tx: Tx) -> tuple[list[Row], tuple[int, bytes], list[str], list[Row]]:
        rows = watch.listing(
            tx, admin=wanted["admin"], what=wanted["what"] if wanted["what"] in watch.WHATS else "", subject=wanted["subject"],
            since_ms=day_ms(wanted["since"]), until_ms=until + DAY_MS if until else 0,
            before=int(before) if before.isascii() and before.isdecimal() and len(before) < 12 else 0, limit=ROWS + 1,
        )  # fmt: skip
        return rows, watch.head(tx), _names(tx), [] if before else looks.open_sums(tx)

    rows, head, names, running = centre.storage.read(read)
    values: dict[str, Any] = {
        "rows": rows[:ROWS], "more": len(rows) > ROWS, "wanted": wanted, "total": head[0], "head": head[1].hex(),
        "names": names, "running": running, "hour_ms": looks.HOUR_MS, "whats": watch.WHATS, "verdict": verdict,
    }  # fmt: skip
    return page(request, "audit.html", values, visit=visit)


def _names(tx: Tx) -> list[str]:
    """Who can be picked: people, then programs."""
    people = [row["name"] for row in tx.query("SELECT name FROM admin ORDER BY name")]
    return people + [looks.WHO.format(name=row["name"]) for row in tokens.listed(tx)]


def _csv(rows: Iterable[Row]) -> Iterator[str]:
    import json

    yield "\ufeff" + ",".join(_COLUMNS) + "\r\n"
    for row in rows:
        event = json.loads(row["event"])
        more = {name: value for name, value in event.items() if name not in ("admin", "what", "subject", "at")}
        text = io.StringIO()
        csv.writer(text).writerow([
            row["idx"], dates.moment(event["at"]).isoformat(), *(harmless(event[name]) for name in ("admin", "what", "subject")),
            harmless(json.dumps(more, ensure_ascii=False)) if more else "", bytes(row["hash"]).hex(),
        ])  # fmt: skip
        yield text.getvalue()


def _lines(rows: Iterable[Row]) -> Iterator[str]:
    for row in rows:
        yield watch.line(row) + "\n"
