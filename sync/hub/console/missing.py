"""The page that says that there is no such page."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from sync.hub.console.login import Visit
from sync.hub.console.pages import page


def missing(request: Request, visit: Visit) -> Response:
    """404, in words."""
    return page(request, "missing.html", {}, visit=visit, status=404)
