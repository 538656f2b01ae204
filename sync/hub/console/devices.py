"""Laptops: who is enrolled, one more office pack, a lost laptop."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from i18n import gazetteer
from sync.errors import SalaError
from sync.hub import contacts, enrolment, reports
from sync.hub.console.doors import Form
from sync.hub.console.login import Visit
from sync.hub.console.missing import missing
from sync.hub.console.pages import centre_of, language, page
from sync.hub.console.sought import holds, office_words
from sync.hub.offices import office_facts
from sync.hub.storage import Tx


def listing(request: Request, visit: Visit) -> Response:
    """All laptops, open slots, and the form for one more."""
    return _listing(request, visit, {})


def suggest(request: Request, visit: Visit) -> Response:
    """Provinces and districts that match what is being typed, as a part of the page."""
    wanted = request.query_params.get("office", "")[:60]
    found = [
        unit for unit in gazetteer.search(wanted, limit=40) if unit.level in ("province", "district")
    ][:8] if wanted.strip() else []  # fmt: skip
    return page(request, "suggest.html", {"units": found}, visit=visit)


def enrol(request: Request, visit: Visit, form: Form) -> Response:
    """The office pack as a download."""
    typed = {name: form.get(name, 200) for name in ("office", "name_km", "name_en", "url")}
    try:
        facts = office_facts(typed["office"].partition(" ")[0], typed["name_km"], typed["name_en"])
        pack = centre_of(request).enrol(facts, [typed["url"]])
    except SalaError as error:
        return _listing(request, visit, {"error": error, "typed": typed}, 422)
    headers = {"Content-Disposition": f'attachment; filename="office-{facts["code"]}.pack"'}
    return Response(pack, media_type="application/octet-stream", headers=headers)


def ask_revoke(request: Request, visit: Visit) -> Response:
    """What revoking means, before it is done."""
    row = _row(request)
    if row is None:
        return missing(request, visit)
    centre = centre_of(request)
    now = centre.clock.wall_ms()

    def read(tx: Tx) -> dict[str, Any]:
        others = [one for one in reports.devices(tx, row["office"]) if one["revoked_ms"] is None]
        return {
            "office": tx.query("SELECT name_km, name_en FROM office WHERE code = :o", {"o": row["office"]})[0],
            "others": len([one for one in others if one["device"] != row["device"]]),
            "told": contacts.ages(tx, now).get(bytes(row["device"])),
        }

    return page(request, "revoke.html", {"device": row, **centre.storage.read(read)}, visit=visit)


def revoke(request: Request, visit: Visit, _: Form) -> Response:
    """Revoke a lost laptop."""
    row, centre = _row(request), centre_of(request)
    if row is None:
        return missing(request, visit)
    centre.storage.write(lambda tx: enrolment.revoke(tx, row["device"], centre.clock.wall_ms()))
    centre.wake()
    return RedirectResponse("/console/devices", 303)


def _row(request: Request) -> dict[str, Any] | None:
    rows = centre_of(request).storage.read(reports.devices)
    return next((row for row in rows if row["device"].hex() == request.path_params["device"]), None)


def _listing(request: Request, visit: Visit, more: dict[str, Any], status: int = 200) -> Response:
    rows, places, slots = centre_of(request).storage.read(
        lambda tx: (
            reports.devices(tx),
            office_words(tx),
            tx.query(
                "SELECT office, number, made_ms, not_after_ms FROM slot WHERE device IS NULL ORDER BY made_ms DESC"
            ),
        )
    )
    for row in rows:
        officers = json.loads(row["officers"])
        row["people"] = [one["name"] if language(request) == "km" else one["latin"] for one in officers]
        row["found_by"] = " ".join(f"{one['name']} {one['latin']}" for one in officers)
    asked = request.query_params.get("q", "")[:80]
    typed = {
        "office": request.query_params.get("office", "")[:8],
        "name_km": "",
        "name_en": "",
        "url": _own_url(request),
    }
    values = {
        "devices": [row for row in rows if holds(asked, places.get(row["office"], row["office"]), row["found_by"], row["words"])],
        "q": asked, "slots": slots, "error": None, "typed": typed,
    }  # fmt: skip
    return page(request, "devices.html", {**values, **more}, visit=visit, status=status)


def _own_url(request: Request) -> str:
    """The address at which this very browser reached the hub: a good first guess."""
    return f"{request.url.scheme}://{request.url.netloc}"
