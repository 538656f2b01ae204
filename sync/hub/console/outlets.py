"""Who gets the centre's data: tables as files, programs that read the feed, programs that are told, desks of agencies."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Final

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response

from sync.errors import Refused
from sync.hub import agency
from sync.hub.console import roles
from sync.hub.console.doors import Form
from sync.hub.console.login import Visit
from sync.hub.console.pages import centre_of, language, page
from sync.hub.feeds import files, tables, tokens, webhooks
from sync.hub.storage import Tx

_MEDIA: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}


def show(request: Request, visit: Visit) -> Response:
    """Everything that leaves as data, and the ways to add and to end."""
    return _page(request, visit, {})


def download(request: Request, visit: Visit) -> Response:  # noqa: ARG001
    """One table as a file."""
    centre = centre_of(request)
    table = tables.find(centre.runner.projections, request.path_params["name"])
    format = request.path_params["format"]
    if format not in _MEDIA:
        raise Refused("HB-231", format=format[:20])
    folder = tempfile.TemporaryDirectory(prefix="sala-export-")
    try:
        path = Path(folder.name) / f"{table.name}.{format}"
        files.write(centre.storage, table, format, path, language(request))
    except BaseException:
        folder.cleanup()
        raise
    return FileResponse(
        path,
        media_type=_MEDIA[format],
        filename=path.name,
        background=BackgroundTask(folder.cleanup),
    )


def add_token(request: Request, visit: Visit, form: Form) -> Response:
    """A token for one more program; it is shown once."""
    centre, name = centre_of(request), form.get("name", tokens.MAX_NAME)
    wanted = form.get("table", 100) or tokens.EVERY_TABLE
    if wanted != tokens.EVERY_TABLE:
        tables.find(centre.runner.projections, wanted)
    made = centre.storage.write(lambda tx: tokens.add(tx, name, [wanted], centre.clock.wall_ms()))
    return _page(request, visit, {"token_name": name, "token": made})


def end_token(request: Request, visit: Visit, form: Form) -> Response:  # noqa: ARG001
    """Take a token away."""
    centre_of(request).storage.write(lambda tx: tokens.remove(tx, form.get("name", tokens.MAX_NAME)))
    return RedirectResponse("/console/outlets", 303)


def add_webhook(request: Request, visit: Visit, form: Form) -> Response:
    """One more program that is told; its secret is shown once."""
    centre, kind = centre_of(request), form.get("kind", 100)
    made = centre.storage.write(
        lambda tx: webhooks.add(
            tx, form.get("url", webhooks.MAX_URL + 1), [kind] if kind else [], centre.clock.wall_ms(),
            from_beginning=form.get("from") == "beginning",
        )
    )  # fmt: skip
    return _page(request, visit, {"secret": made["secret"]})


def change_webhook(request: Request, visit: Visit, form: Form) -> Response:  # noqa: ARG001
    """Switch a receiver on or off, or forget it."""
    centre, text = centre_of(request), form.get("id", 12)
    id, act = int(text) if text.isascii() and text.isdecimal() else 0, form.get("act", 20)

    def change(tx: Tx) -> None:
        if act == "remove":
            webhooks.remove(tx, id)
        else:
            webhooks.set_state(tx, id, on=act == "on", now_ms=centre.clock.wall_ms())

    centre.storage.write(change)
    return RedirectResponse("/console/outlets", 303)


def change_desk(request: Request, visit: Visit, form: Form) -> Response:
    """Let a laptop read what is sealed to the agency, or no longer."""
    centre, text = centre_of(request), form.get("id", 40)
    try:
        device = bytes.fromhex(text)
    except ValueError:
        raise Refused("HB-240", device=text) from None
    change = agency.end if form.get("act", 20) == "end" else agency.allow
    centre.storage.write(lambda tx: change(tx, device, visit.admin, centre.clock.wall_ms()))
    return RedirectResponse("/console/outlets", 303)


def _page(request: Request, visit: Visit, more: dict[str, Any]) -> Response:
    centre = centre_of(request)
    listed = tables.listed(centre.runner.projections)

    def read(tx: Tx) -> dict[str, Any]:
        return {
            "rows": [{"name": table.name, "title": table.title, "n": table.count(tx)} for table in listed],
            "tokens": tokens.listed(tx),
            "webhooks": webhooks.listed(tx),
            "desks": agency.desks(tx),
            "laptops": tx.query(
                """SELECT d.device, d.office, d.number, f.name_km, f.name_en FROM device d JOIN office f ON f.code = d.office
                   WHERE d.revoked_ms IS NULL AND NOT EXISTS (SELECT 1 FROM desk k WHERE k.device = d.device)
                   ORDER BY d.office, d.number LIMIT 1000"""
            ) if visit.may(roles.LAPTOPS) else [],
        }  # fmt: skip

    kinds = sorted(
        ((kind["name"], kind["title"]) for found in centre.manifests for kind in found.get("kind", ())),
        key=lambda kind: kind[0],
    )
    values = {"token": "", "token_name": "", "secret": "", "kinds": kinds, "formats": files.offered()} | more
    return page(request, "outlets.html", {**centre.storage.read(read), **values, "feed": _feed(request)}, visit=visit)


def _feed(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}/odata/"
