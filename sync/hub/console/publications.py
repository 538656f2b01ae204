"""What the centre sends down: the published set, one more file, taking one back."""

from __future__ import annotations

import re
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sync.errors import SalaError
from sync.hub import announce, publish
from sync.hub.console.doors import Form
from sync.hub.console.login import Visit
from sync.hub.console.pages import centre_of, page
from sync.limits import MAX_PUBLICATION

MOST: Final = MAX_PUBLICATION + 64 * 1024  # bytes of the form with its file
_HEX = re.compile(r"^(leases|inbox)/([0-9a-f]{32})\.cbor$")


def listing(request: Request, visit: Visit) -> Response:
    """Everything that is published now."""
    return _listing(request, visit, None)


def put(request: Request, visit: Visit, form: Form) -> Response:
    """Publish one file."""
    centre = centre_of(request)
    if form.file is None:
        return _listing(request, visit, None, 422, no_file=True)
    name = f"{form.get('under', 20)}/{(form.file.filename or '').rpartition('/')[2]}"
    data, now = form.file.file.read(), centre.clock.wall_ms()
    try:
        centre.storage.write(lambda tx: announce.put(tx, {name: data}, now))
    except SalaError as error:
        return _listing(request, visit, error, 422)
    centre.publish()
    return RedirectResponse("/console/publications", 303)


def withdraw(request: Request, visit: Visit, form: Form) -> Response:
    """Take a publication back."""
    centre = centre_of(request)
    try:
        centre.storage.write(lambda tx: announce.withdraw(tx, [form.get("name")], centre.clock.wall_ms()))
    except SalaError as error:
        return _listing(request, visit, error, 422)
    centre.publish()
    return RedirectResponse("/console/publications", 303)


def _listing(
    request: Request, visit: Visit, error: SalaError | None, status: int = 200, *, no_file: bool = False
) -> Response:
    centre = centre_of(request)
    listed = centre.repository.listing()
    by_hand, devices = centre.storage.read(
        lambda tx: (
            announce.by_hand(tx),
            {row["device"].hex(): row for row in tx.query("SELECT device, office, number FROM device")},
        )
    )
    shared: list[dict[str, Any]] = []
    private: list[dict[str, Any]] = []
    for target in listed.targets:
        row = {"name": target.name, "size": target.size, "sha256": target.sha256, "by_hand": by_hand.get(target.name)}
        found = _HEX.match(target.name)
        if found:
            private.append({**row, "folder": found[1], "device": devices.get(found[2])})
        else:
            shared.append(row)
    values = {
        "listing": listed, "shared": shared, "private": private, "folders": sorted(publish.FOLDERS), "error": error, "no_file": no_file,
        "root_days": (listed.root_expires_ms - centre.clock.wall_ms()) // 86_400_000,
    }  # fmt: skip
    return page(request, "publications.html", values, visit=visit, status=status)
