"""The hub's log: its newest signed checkpoint, what was refused, and checking it whole."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sync.hub.console.doors import Form
from sync.hub.console.login import Visit
from sync.hub.console.pages import centre_of, page


def log(request: Request, visit: Visit) -> Response:
    """The page of the log."""
    return _log(request, visit, None)


def verify(request: Request, visit: Visit, _: Form) -> Response:
    """Recompute everything from the raw batches."""
    centre = centre_of(request)
    return _log(request, visit, centre.storage.read(centre.log.verify))


def _log(request: Request, visit: Visit, faults: list[str] | None) -> Response:
    centre = centre_of(request)
    note, refused, signed = centre.storage.read(
        lambda tx: (
            centre.log.latest(tx),
            tx.query("SELECT hash, reason, via, received_ms FROM refused ORDER BY idx DESC LIMIT 50"),
            tx.query("SELECT max(made_ms) AS ms FROM checkpoint")[0]["ms"],
        )
    )
    values: dict[str, Any] = {
        "note": note,
        "refused": refused,
        "faults": faults,
        "signed_ms": signed,
        "log_name": centre.log.name,
    }
    return page(request, "log.html", values, visit=visit)
