"""Records that two laptops changed without seeing each other: beside each other, or against each other."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from i18n.catalog import Text
from sync.hub import formlabels, marks, parallels
from sync.hub.centre import Centre
from sync.hub.console import content
from sync.hub.console.login import Visit
from sync.hub.console.pages import centre_of, page
from sync.hub.console.records import kind_title, officers
from sync.hub.storage import Row, Tx

ROWS: Final = 30


def show(request: Request, visit: Visit) -> Response:
    """The newest; those that an office has put together only when asked for."""
    centre, query = centre_of(request), request.query_params
    everything = query.get("all") == "1"
    text = query.get("before", "")
    before = int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0
    marks.quickly(centre.storage)
    rows, waiting = centre.storage.read(
        lambda tx: (_listing(tx, everything=everything, before=before), parallels.count(tx))
    )
    for row in rows:
        row["fields"] = _worded(centre, row) if row["changes"] else []
        for one in row["changes"]:
            one["title"] = kind_title(centre, one["kind"])
            one["who"] = officers(one["officers"]).get(bytes(one["officer"]).hex(), "")
    values: dict[str, Any] = {"rows": rows[:ROWS], "more": len(rows) > ROWS, "all": everything, "waiting": waiting}
    return page(request, "conflicts.html", values, visit=visit)


def _listing(tx: Tx, *, everything: bool, before: int) -> list[Row]:
    rows = parallels.listing(tx, open_only=not everything, before=before, limit=ROWS + 1)
    for row in rows:
        row["form"] = formlabels.of(tx, bytes(row["changes"][0]["def_hash"])) if row["changes"] else None
    return rows


def _worded(centre: Centre, row: Row) -> list[tuple[Text | str, list[list[content.Line]]]]:
    """The fields about which the changes differ: what each is called, and what each change says."""
    labels = content.Labels(
        row["form"].fields if row["form"] else {}, content.of_module(centre, row["changes"][0]["kind"])
    )
    found = []
    for name, values in row["fields"].items():
        said = [content.field(str(name), value, labels) for value in values]
        found.append((said[0][0].name, said))
    return found
