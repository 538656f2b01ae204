"""Officers as their laptops declared them, who moved where, and moving somebody whose office cannot."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from i18n import dates
from sync import identity
from sync.errors import SalaError
from sync.hub import codes, transfers
from sync.hub.console.doors import Form
from sync.hub.console.login import Visit
from sync.hub.console.pages import centre_of, page
from sync.hub.console.sought import holds, office_words


def listing(request: Request, visit: Visit) -> Response:
    """Everybody, by office."""
    return _listing(request, visit, {})


def move(request: Request, visit: Visit, form: Form) -> Response:
    """Move an officer; signed by the centre."""
    centre, day = centre_of(request), form.get("day", 10)
    try:
        at_ms = dates.midnight_ms(day) if day else centre.clock.wall_ms()
        to_office = form.get("office", 20).partition(" ")[0]
        transfers.move(centre, form.get("officer", 32), to_office, form.get("role", 20), at_ms, visit.admin)
    except SalaError as error:
        return _listing(request, visit, {"error": error}, 422)
    return RedirectResponse("/console/officers", 303)


def statement(request: Request, _: Visit) -> Response:
    """The statement of a move, to carry to the new office."""
    idx = request.path_params["idx"]
    data = centre_of(request).storage.read(lambda tx: transfers.statement(tx, idx))
    headers = {"Content-Disposition": f'attachment; filename="{idx}.sala-transfer"'}
    return Response(data, media_type="application/octet-stream", headers=headers)


def code(request: Request, visit: Visit, form: Form) -> Response:
    """A code to read out, shown once."""
    laptop = form.get("laptop", 6)
    spoken = codes.issue(centre_of(request), form.get("office", 8), int(laptop) if laptop.isdecimal() else None)
    return page(request, "code.html", {"spoken": spoken}, visit=visit)


def _listing(request: Request, visit: Visit, more: dict[str, Any], status: int = 200) -> Response:
    people, moves, places, offices = centre_of(request).storage.read(
        lambda tx: (
            transfers.people(tx), transfers.listing(tx), office_words(tx),
            {row["code"]: {"km": row["name_km"], "en": row["name_en"]} for row in tx.query("SELECT code, name_km, name_en FROM office")},
        )
    )  # fmt: skip
    newest = {(one["office"], one["id"]): one for one in people}
    everybody = sorted(newest.values(), key=lambda one: (one["office"], one["latin"]))
    asked = request.query_params.get("q", "")[:80]
    values = {
        "people": everybody, "moves": moves, "q": asked,
        "found": [
            one for one in everybody
            if holds(asked, places.get(one["office"], one["office"]), one["name"], one["latin"])
        ], "office_names": offices,
        "roles": identity.ROLES, "titles": TITLES, "error": None,
    }  # fmt: skip
    return page(request, "officers.html", {**values, **more}, visit=visit, status=status)


TITLES = {
    "receiving": {"km": "មន្ត្រីទទួល", "en": "Receiving officer"},
    "cashier": {"km": "បេឡាករ", "en": "Cashier"},
    "competent": {"km": "មន្ត្រីជំនាញ", "en": "Competent officer"},
    "chief": {"km": "ប្រធានការិយាល័យ", "en": "Chief of office"},
    "it": {"km": "មន្ត្រីព័ត៌មានវិទ្យា", "en": "IT officer"},
    "reader": {"km": "មន្ត្រីអានរបស់ទីភ្នាក់ងារ", "en": "Agency reader"},
}
