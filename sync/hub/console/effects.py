"""What is to leave the centre and waits for the operator: no carrier is connected, so a person hands it over and says so here."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sync.errors import SalaError
from sync.hub import dispatch
from sync.hub.centre import Centre
from sync.hub.console.content import A_TIME_MS, lines
from sync.hub.console.doors import Form
from sync.hub.console.login import Visit
from sync.hub.console.pages import centre_of, menu, page


def waiting(request: Request, visit: Visit) -> Response:
    """The tray."""
    return _tray(request, visit, None)


def finish(request: Request, visit: Visit, form: Form) -> Response:
    """Write down how handing over went."""
    centre = centre_of(request)
    now, failed = centre.clock.wall_ms(), form.get("end") == "failed"
    try:
        centre.storage.write(
            lambda tx: dispatch.finish(
                tx, form.get("id"), admin=visit.admin, note=form.get("note"), now_ms=now, failed=failed
            )
        )
    except SalaError as error:
        return _tray(request, visit, error, 422)
    return RedirectResponse("/console/dispatch", 303)


def _tray(request: Request, visit: Visit, error: SalaError | None, status: int = 200) -> Response:
    centre = centre_of(request)
    titles, known = dict(menu(centre)), _known(centre)

    def worded(row: dict[str, Any]) -> dict[str, Any]:
        title = titles.get(row["projection"], {"km": row["kind"], "en": row["kind"]})
        payload = row["payload"]
        facts = [
            {**fact, "value": payload[fact["key"]]}
            for fact in known.get(row["projection"], ())
            if fact["key"] in payload
        ]
        named = {fact["key"] for fact in facts}
        marks = lines({key: value for key, value in payload.items() if key not in named})
        return {**row, "facts": facts, "marks": marks, "title": title}

    rows, ended = centre.storage.read(lambda tx: (dispatch.waiting(tx), dispatch.ended(tx)))
    values: dict[str, Any] = {"a_time": A_TIME_MS}
    values |= {"rows": [worded(row) for row in rows], "ended": [worded(row) for row in ended], "error": error}
    return page(request, "dispatch.html", values, visit=visit, status=status)


def _known(centre: Centre) -> dict[str, list[dict[str, Any]]]:
    """What each module calls the facts of its effects: the columns of its table, and ``facts`` that only the tray shows."""
    tables = {p.name: p.console() for p in centre.runner.projections if hasattr(p, "console")}
    return {name: [*table["columns"], *table.get("facts", ())] for name, table in tables.items()}
