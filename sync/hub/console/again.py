"""Asking a laptop for a batch once more: what that means first, then the asking."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sync.errors import SalaError
from sync.hub import askagain, decisions
from sync.hub.console.doors import Form
from sync.hub.console.login import Visit
from sync.hub.console.pages import centre_of, page


def question(request: Request, visit: Visit) -> Response:
    """What will happen. Refused HB-267: nobody there to ask."""
    return _question(request, visit, None, "")


def ask(request: Request, visit: Visit, form: Form) -> Response:
    """Ask, with the reason that the office will read."""
    centre, idx = centre_of(request), request.path_params["idx"]
    reason, seen, now = form.get("reason", decisions.MOST_REASON + 1), form.number("seen"), centre.clock.wall_ms()
    try:
        centre.storage.write(lambda tx: askagain.ask(tx, idx, reason, visit.admin, now, seen=seen))
    except SalaError as error:
        return _question(request, visit, error, reason)
    centre.wake()
    return RedirectResponse(f"/console/batch/{idx}", 303)


def _question(request: Request, visit: Visit, error: SalaError | None, reason: str) -> Response:
    idx = request.path_params["idx"]
    found, seen = centre_of(request).storage.read(lambda tx: (askagain.find(tx, idx), decisions.clock(tx)))
    values = {
        "row": found.row, "attached": found.attached, "gone": found.gone, "seen": seen, "error": error,
        "typed": {askagain.DECISION: reason},
    }  # fmt: skip
    return page(request, "again.html", values, visit=visit, status=422 if error else 200)
