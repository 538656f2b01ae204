"""What waits: ops in quarantine, ops whose parents are missing, laptops that are not enrolled."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from sync.hub import reports
from sync.hub.console.login import Visit
from sync.hub.console.pages import centre_of, page
from sync.hub.console.records import kind_title


def quarantine(request: Request, visit: Visit) -> Response:
    """All of it on one page."""
    centre = centre_of(request)
    rows, pending, gaps = centre.storage.read(
        lambda tx: (reports.quarantine(tx), reports.pending(tx), reports.gaps(tx))
    )
    for row in rows:
        row["title"] = kind_title(centre, row["kind"])
    return page(request, "quarantine.html", {"rows": rows, "pending": pending, "gaps": gaps}, visit=visit)
