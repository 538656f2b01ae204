"""An admin's own log-in: what must be set up before the first visit, a new passphrase, an authenticator, recovery codes, open visits."""

from __future__ import annotations

from typing import Any

import zxingcpp
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sync.errors import Refused, SalaError
from sync.hub import watch
from sync.hub.centre import Centre
from sync.hub.console import admins, entrance, held, login, secondfactor
from sync.hub.console.doors import LOGIN, Form, small_form
from sync.hub.console.login import Visit
from sync.hub.console.pages import centre_of, page
from sync.hub.storage import Row, Tx

# --- before the first visit


def set_up(request: Request) -> Response:
    """What must still be done: first a passphrase of one's own, then an authenticator."""
    visit = entrance.visit_of(request, login.BEGIN)
    return RedirectResponse(LOGIN, 303) if visit is None else _set_up(request, visit, None)


async def posted_set_up(request: Request) -> Response:
    """One step of it."""
    return await run_in_threadpool(_posted_set_up, request, await small_form(request))


def _posted_set_up(request: Request, form: Form) -> Response:
    centre, visit = centre_of(request), entrance.visit_of(request, login.BEGIN)
    if visit is None or not login.token_holds(visit, form.fields.get("token")):
        return RedirectResponse(LOGIN, 303)
    codes: list[str] = []
    try:
        if form.get("act") == "passphrase":
            new_passphrase(centre, visit, form, old=None)
        else:
            codes = take_factor(centre, visit, form.get("code", 40))
    except SalaError as error:
        return _set_up(request, visit, error, 422)
    now = centre.clock.wall_ms()

    def work(tx: Tx) -> tuple[bool, str | None]:
        """Whether all is set up; what was typed too late in the visit before."""
        admin = admins.one(tx, visit.admin)
        if admin is None or admin["must_change"] or admins.needs_factor(tx, admin):
            return False, None
        typed = held.carry(tx, visit.key, visit.admin)
        tx.execute("DELETE FROM visit WHERE key_hash = :key", {"key": visit.key})
        watch.note(tx, visit.admin, watch.DOOR, "in", now)
        return True, typed

    done, typed = centre.storage.write(work)
    if not done:
        return _codes(request, None, codes, "/console/begin") if codes else RedirectResponse("/console/begin", 303)
    then = held.PLACE if typed else "/console/"
    response = _codes(request, None, codes, then) if codes else RedirectResponse(then, 303)
    entrance.begin(request, visit.admin, response, login.IN, typed)
    return response


def _set_up(request: Request, visit: Visit, error: SalaError | None, status: int = 200) -> Response:
    centre = centre_of(request)
    admin = centre.storage.read(lambda tx: admins.one(tx, visit.admin))
    if admin is None:
        return RedirectResponse(LOGIN, 303)
    values: dict[str, Any] = {
        "visiting": visit,
        "error": error,
        "least": admins.LEAST,
        "secret": "",
        "picture": "",
        "must": True,
    }
    if not admin["must_change"]:
        values |= offer(centre, visit) | {"must": False}
    return page(request, "begin.html", values, visit=None, status=status)


# --- inside


def show(request: Request, visit: Visit) -> Response:
    """The page of one's own log-in."""
    return _show(request, visit, {})


def act(request: Request, visit: Visit, form: Form) -> Response:
    """Change the passphrase, take a new authenticator, make new recovery codes, end other visits."""
    centre, what = centre_of(request), form.get("act", 20)
    try:
        if what == "passphrase":
            new_passphrase(centre, visit, form, old=form.fields.get("old", ""))
            return _show(request, visit, {"done": "passphrase"})
        if what == "factor":
            _sure(centre, visit, form)
            return _show(request, visit, offer(centre, visit))
        if what == "confirm":
            return _codes(request, visit, take_factor(centre, visit, form.get("code", 40)), "/console/me")
        if what == "codes":
            _sure(centre, visit, form)
            return _codes(request, visit, _fresh_codes(centre, visit), "/console/me")
        centre.storage.write(lambda tx: admins.sign_out(tx, visit.admin, but=visit.key))
        return _show(request, visit, {"done": "out"})
    except SalaError as error:
        more = offer(centre, visit) if what == "confirm" else {}
        return _show(request, visit, {"error": error, **more}, 422)


def new_passphrase(centre: Centre, visit: Visit, form: Form, *, old: str | None) -> None:
    """A passphrase of one's own; other visits end. Refused HB-160 short, HB-204 typed differently or unchanged, HB-205 wrong old one."""
    new, again = form.fields.get("new", ""), form.fields.get("again", "")
    if admins.normal(new) != admins.normal(again):
        raise Refused("HB-204")
    if old is not None:
        _sure(centre, visit, form, "old")
    admin = centre.storage.read(lambda tx: admins.one(tx, visit.admin))
    with login.checking:
        same = admins.passphrase_holds(admin["passphrase"] if admin else None, new)
    if same:
        raise Refused("HB-204")
    now = centre.clock.wall_ms()

    def work(tx: Tx) -> None:
        admins.set_passphrase(tx, visit.admin, new, now)
        admins.sign_out(tx, visit.admin, but=visit.key)
        watch.note(tx, visit.admin, watch.DOOR, "new passphrase", now)

    centre.storage.write(work)


def offer(centre: Centre, visit: Visit) -> dict[str, Any]:
    """A secret for an authenticator as letters and as a picture; it counts once a code of it was typed."""
    row = centre.storage.read(lambda tx: tx.one("SELECT pending FROM visit WHERE key_hash = :key", {"key": visit.key}))
    if row is not None and row["pending"]:
        secret = secondfactor.unseal(centre.keys, row["pending"])
    else:
        secret = secondfactor.new_secret()
        sealed = secondfactor.seal(centre.keys, secret)
        centre.storage.write(
            lambda tx: tx.execute(
                "UPDATE visit SET pending = :sealed WHERE key_hash = :key", {"sealed": sealed, "key": visit.key}
            )
        )
    picture = _qr(secondfactor.address(secret, visit.admin, centre.settings["name"]))
    groups = " ".join(secret[place : place + 4] for place in range(0, len(secret), 4))
    return {"secret": groups, "picture": picture}


def take_factor(centre: Centre, visit: Visit, code: str) -> list[str]:
    """Believe the offered authenticator once it shows the right code; the recovery codes. Refused HB-206 for a wrong one."""
    now = centre.clock.wall_ms()
    codes = secondfactor.new_recovery()

    def work(tx: Tx) -> bool:
        row = tx.one("SELECT pending FROM visit WHERE key_hash = :key", {"key": visit.key})
        sealed = row["pending"] if row else None
        wait = login.wait_s(tx, "code", visit.admin, now)
        step = (
            secondfactor.step_of(secondfactor.unseal(centre.keys, sealed), code, 0, now)
            if sealed and not wait
            else None
        )
        if sealed is None or step is None:
            login.failed(tx, "code", visit.admin, now)
            return False
        login.succeeded(tx, "code", visit.admin)
        admins.set_factor(tx, visit.admin, sealed, step, secondfactor.keep_recovery(centre.keys, codes))
        tx.execute("UPDATE visit SET pending = NULL WHERE key_hash = :key", {"key": visit.key})
        admins.sign_out(tx, visit.admin, but=visit.key)
        watch.note(tx, visit.admin, watch.DOOR, "new authenticator", now)
        return True

    if not centre.storage.write(work):
        raise Refused("HB-206")
    return codes


def _fresh_codes(centre: Centre, visit: Visit) -> list[str]:
    codes = secondfactor.new_recovery()
    kept, now = secondfactor.keep_recovery(centre.keys, codes), centre.clock.wall_ms()

    def work(tx: Tx) -> None:
        tx.execute(
            "UPDATE admin SET recovery = :kept WHERE name = :n AND totp IS NOT NULL", {"kept": kept, "n": visit.admin}
        )
        watch.note(tx, visit.admin, watch.DOOR, "new recovery codes", now)

    centre.storage.write(work)
    return codes


def _sure(centre: Centre, visit: Visit, form: Form, field: str = "passphrase") -> None:
    """Whoever changes a log-in shows its passphrase again: an unattended screen must not be enough. Refused HB-205."""
    now = centre.clock.wall_ms()
    with login.checking:  # a wrong one is counted before the next is looked at
        wait, admin = centre.storage.read(
            lambda tx: (login.wait_s(tx, "passphrase", visit.admin, now), admins.one(tx, visit.admin))
        )
        stored = admin["passphrase"] if admin else None
        if wait or not admins.passphrase_holds(stored, form.fields.get(field, "")):
            centre.storage.write(lambda tx: login.failed(tx, "passphrase", visit.admin, now))
            raise Refused("HB-205")


def _show(request: Request, visit: Visit, more: dict[str, Any], status: int = 200) -> Response:
    centre = centre_of(request)
    now = centre.clock.wall_ms()

    def read(tx: Tx) -> tuple[Row | None, list[Row]]:
        return admins.one(tx, visit.admin), login.open_visits(tx, visit.admin, now)

    admin, visits = centre.storage.read(read)
    if admin is None:
        return RedirectResponse(LOGIN, 303)
    values: dict[str, Any] = {
        "admin": admin, "visits": visits, "left": secondfactor.left(admin["recovery"]), "least": admins.LEAST, "error": None, "done": "",
        "secret": "", "picture": "",
    }  # fmt: skip
    return page(request, "me.html", {**values, **more}, visit=visit, status=status)


def _codes(request: Request, visit: Visit | None, codes: list[str], then: str) -> Response:
    return page(request, "codes.html", {"codes": codes, "then": then}, visit=visit)


def _qr(text: str) -> Markup:
    """A QR code as a picture that stands in the page itself: black on white in every theme."""
    barcode = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    picture: Any = zxingcpp.write_barcode_to_image(barcode, scale=1, add_quiet_zones=True)
    size, pixels = picture.shape[0], bytes(picture)  # one byte a module, 0 is dark
    dark = "".join(f"M{place % size} {place // size}h1v1h-1z" for place, pixel in enumerate(pixels) if pixel == 0)
    return Markup(
        f'<svg class="qr" viewBox="0 0 {size} {size}" aria-hidden="true"><rect class="paper" width="{size}" height="{size}"/>'
        f'<path class="ink" d="{dark}"/></svg>'
    )  # nothing from outside stands in it: numbers only
