"""Who may log in: roles, second factors, open visits; and the rule about second factors."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sync.errors import SalaError
from sync.hub import watch
from sync.hub.console import admins, login, roles
from sync.hub.console.doors import Form
from sync.hub.console.login import Visit
from sync.hub.console.missing import missing
from sync.hub.console.pages import centre_of, page
from sync.hub.storage import Row, Tx

LATEST: Final = 30  # rows of the audit on the page of one admin


def listing(request: Request, visit: Visit) -> Response:
    """Everybody."""
    return _listing(request, visit, {})


def add(request: Request, visit: Visit, form: Form) -> Response:
    """A log-in for one more person: its starting passphrase is shown once."""
    centre = centre_of(request)
    start, name = admins.starting_passphrase(), admins.name_of(form.get("name", 200))
    now = centre.clock.wall_ms()

    def work(tx: Tx) -> bool:
        if admins.one(tx, name) is not None:
            return False
        admins.set_passphrase(tx, name, start, now, role=form.get("role", 40), must_change=True)
        return True

    try:
        made = centre.storage.write(work)
    except SalaError as error:
        return _listing(request, visit, {"error": error, "typed": name}, 422)
    if not made:
        return _listing(request, visit, {"there": True, "typed": name}, 422)
    return _listing(request, visit, {"made": name, "start": start})


def rule(request: Request, visit: Visit, form: Form) -> Response:
    """Who must have a second factor."""
    try:
        centre_of(request).storage.write(lambda tx: admins.set_rule(tx, form.get("rule", 20)))
    except SalaError as error:
        return _listing(request, visit, {"error": error}, 422)
    return RedirectResponse("/console/users", 303)


def one(request: Request, visit: Visit) -> Response:
    """One person."""
    return _one(request, visit, request.query_params.get("name", ""), {})


def act(request: Request, visit: Visit, form: Form) -> Response:
    """Another role, in or out, a forgotten passphrase, a lost authenticator, open visits."""
    centre, name, what = centre_of(request), form.get("name", 200), form.get("act", 20)
    now = centre.clock.wall_ms()
    start = ""
    try:
        if what == "role":
            centre.storage.write(lambda tx: admins.change_role(tx, name, form.get("role", 40)))
        elif what == "disable":
            centre.storage.write(lambda tx: admins.disable(tx, name, now))
        elif what == "enable":
            centre.storage.write(lambda tx: admins.enable(tx, name))
        elif what == "factor":
            centre.storage.write(lambda tx: admins.reset_factor(tx, name))
        elif what == "out":
            centre.storage.write(lambda tx: admins.sign_out(tx, name))
        elif what == "passphrase":
            start = admins.starting_passphrase()
            if not centre.storage.write(lambda tx: _start_again(tx, name, start, now)):
                return missing(request, visit)
        elif what == "remove":
            centre.storage.write(lambda tx: admins.remove(tx, name))
            return RedirectResponse("/console/users", 303)
        else:
            return missing(request, visit)
    except SalaError as error:
        return _one(request, visit, name, {"error": error}, 422)
    return _one(request, visit, name, {"start": start, "done": what})


def _start_again(tx: Tx, name: str, start: str, now: int) -> bool:
    """A new starting passphrase for somebody who is there; their visits end."""
    if admins.one(tx, name) is None:
        return False
    admins.set_passphrase(tx, name, start, now, must_change=True)
    admins.sign_out(tx, name)
    return True


def _listing(request: Request, visit: Visit, more: dict[str, Any], status: int = 200) -> Response:
    centre = centre_of(request)
    now = centre.clock.wall_ms()
    rows, wanted = centre.storage.read(lambda tx: (admins.listing(tx, now), admins.rule(tx)))
    values: dict[str, Any] = {
        "rows": rows, "rule": wanted, "rules": admins.RULES, "roles": roles.TITLES, "duties": roles.DUTIES, "powers": roles.POWERS,
        "error": None, "there": False, "typed": "", "made": "", "start": "",
    }  # fmt: skip
    return page(request, "users.html", {**values, **more}, visit=visit, status=status)


def _one(request: Request, visit: Visit, name: str, more: dict[str, Any], status: int = 200) -> Response:
    centre = centre_of(request)
    now = centre.clock.wall_ms()

    def read(tx: Tx) -> tuple[Row | None, list[Row], list[Row]]:
        return (
            admins.one(tx, name), login.open_visits(tx, name, now), watch.listing(tx, admin=admins.name_of(name), limit=LATEST),
        )  # fmt: skip

    found, visits, latest = centre.storage.read(read)
    if found is None:
        return missing(request, visit)
    values: dict[str, Any] = {
        "user": found, "visits": visits, "latest": latest, "roles": roles.TITLES, "error": None, "start": "", "done": "",
    }  # fmt: skip
    return page(request, "user.html", {**values, **more}, visit=visit, status=status)
