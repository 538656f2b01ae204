"""Log-in, log-out, language, and the files that need no log-in: style, script and fonts."""

from __future__ import annotations

import hmac
import secrets
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response

from i18n.catalog import LANGUAGES
from sync.hub import watch
from sync.hub.centre import Centre
from sync.hub.console import admins, held, login, secondfactor
from sync.hub.console.doors import BEGIN, CODE, LOGIN, Form, small_form, write
from sync.hub.console.login import Visit
from sync.hub.console.pages import ASSETS, HERE, LANGUAGE_COOKIE, centre_of, page, tokens
from sync.hub.storage import Row, Tx

GATE: Final = "sala-gate"  # cookie: a log-in form must come from the page that we gave
FONTS: Final = frozenset({"SalaKhmer-Regular.ttf", "SalaKhmer-Bold.ttf"})
STATIC: Final = {"console.css": "text/css", "console.js": "text/javascript", "htmx.min.js": "text/javascript"}
_LONG: Final = {"Cache-Control": "public, max-age=604800"}
_SHORT: Final = {"Cache-Control": "public, max-age=300"}


# --- the passphrase


def show(request: Request) -> Response:
    """The log-in page."""
    kept = login.ended(request)[1] is not None and held.waits(request)
    late = "kept" if kept else "late" if request.query_params.get("late") else ""
    return _page(request, back=request.query_params.get("back", "/console/"), late=late)


async def enter(request: Request) -> Response:
    """Check name and passphrase."""
    return await run_in_threadpool(_enter, request, await small_form(request))


async def leave(request: Request) -> Response:
    """Log out. Needs the visit's token, so that no other site can do it."""
    return await run_in_threadpool(_leave, request, await small_form(request))


def _leave(request: Request, form: Form) -> Response:
    visit = login.of(request)
    if visit is not None and login.token_holds(visit, form.fields.get("token")):
        login.end(centre_of(request), visit)
        write(request, visit.admin, watch.DOOR, "out")
    return RedirectResponse(LOGIN, 303)


def _enter(request: Request, form: Form) -> Response:
    centre, name, back = centre_of(request), form.get("name", admins.LONGEST_NAME), inside(form.get("back"))
    gate, now = request.cookies.get(GATE, ""), centre.clock.wall_ms()
    if not gate or not hmac.compare_digest(gate.encode(), form.get("gate").encode()):
        return _page(request, back=back, name=name, old=True, status=403)
    passphrase = form.fields.get("passphrase", "")
    with login.crowd() as there:
        admin, wrong, wait = _checked(centre, name, passphrase, now) if there else (None, False, login.CROWDED_S)
    if admin is None:
        return _page(request, back=back, name=name, wrong=wrong, wait=wait, status=403 if wrong else 429)
    key = login.key_of(request)
    stage, typed = centre.storage.write(lambda tx: (_right(tx, admin, now), held.carry(tx, key, admin["name"])))
    place = {login.IN: held.PLACE if typed else back, login.CODE: CODE, login.BEGIN: BEGIN}[stage]
    response = RedirectResponse(place, 303)
    response.delete_cookie(GATE, path="/console")
    begin(request, admin["name"], response, stage, typed)
    return response


def _checked(centre: Centre, name: str, passphrase: str, now: int) -> tuple[Row | None, bool, int]:
    """Who showed their passphrase; else None, whether it was wrong, and the seconds to wait. A wrong one is counted before the next
    is looked at: many tries at once are no way around the waits."""
    with login.checking:
        wait, admin = centre.storage.read(lambda tx: (login.wait_s(tx, "passphrase", name, now), admins.one(tx, name)))
        if wait:
            return None, False, wait
        holds = admins.passphrase_holds(admin["passphrase"] if admin else None, passphrase)
        if admin is not None and holds and admin["disabled_ms"] is None:
            return admin, False, 0
        return None, True, centre.storage.write(lambda tx: _wrong(tx, "passphrase", name, admin, now))


def _wrong(tx: Tx, what: str, name: str, admin: Row | None, now: int) -> int:
    """Count a wrong try and write it down when it is about somebody real; the seconds to wait."""
    login.failed(tx, what, name, now)
    if admin is not None:
        watch.note(tx, admin["name"], watch.DOOR, f"wrong {what}", now)
    return login.wait_s(tx, what, name, now)


def _right(tx: Tx, admin: Row, now: int) -> str:
    """What comes after a right passphrase."""
    login.succeeded(tx, "passphrase", admin["name"])
    if admin["totp"] is not None:
        return login.CODE
    stage = login.BEGIN if admin["must_change"] or admins.needs_factor(tx, admin) else login.IN
    watch.note(tx, admin["name"], watch.DOOR, "in" if stage == login.IN else "to be set up", now)
    return stage


def begin(request: Request, name: str, response: Response, stage: str, typed: str | None = None) -> None:
    """A new visit, and with it a new key; what was ``typed`` too late in the one before comes along."""
    secure, agent = request.url.scheme == "https", request.headers.get("user-agent", "")
    login.begin(centre_of(request), name, response, stage=stage, secure=secure, agent=agent, held=typed)


# --- the second factor


def ask_code(request: Request) -> Response:
    """The page that asks for the code."""
    visit = login.of(request)
    if visit is None or visit.stage != login.CODE:
        return RedirectResponse(LOGIN, 303)
    return page(request, "secondfactor.html", {"visiting": visit, "wrong": False, "wait": 0}, visit=None)


async def enter_code(request: Request) -> Response:
    """Check a code of the authenticator, or a recovery code."""
    return await run_in_threadpool(_enter_code, request, await small_form(request))


def _enter_code(request: Request, form: Form) -> Response:
    centre, visit = centre_of(request), login.of(request)
    if visit is None or visit.stage != login.CODE or not login.token_holds(visit, form.fields.get("token")):
        return RedirectResponse(LOGIN, 303)
    now = centre.clock.wall_ms()

    def work(tx: Tx) -> tuple[str, int, str | None]:
        """The stage that follows, "" for a wrong code; the seconds to wait; what was typed too late."""
        admin = admins.one(tx, visit.admin)
        wait = login.wait_s(tx, "code", visit.admin, now)
        if admin is None or wait:
            return "", wait, None
        if not code_holds(tx, centre.keys, admin, form.get("code", 40), now):
            return "", _wrong(tx, "code", visit.admin, admin, now), None
        typed = held.carry(tx, visit.key, visit.admin)
        login.succeeded(tx, "code", visit.admin)
        tx.execute("DELETE FROM visit WHERE key_hash = :key", {"key": visit.key})
        stage = login.BEGIN if admin["must_change"] else login.IN
        watch.note(tx, visit.admin, watch.DOOR, "in" if stage == login.IN else "to be set up", now)
        return stage, 0, typed

    stage, wait, typed = centre.storage.write(work)
    if not stage:
        values = {"visiting": visit, "wrong": True, "wait": wait}
        return page(request, "secondfactor.html", values, visit=None, status=429 if wait else 403)
    response = RedirectResponse(BEGIN if stage == login.BEGIN else held.PLACE if typed else "/console/", 303)
    begin(request, visit.admin, response, stage, typed)
    return response


def code_holds(tx: Tx, keys: Any, admin: Row, code: str, now: int) -> bool:
    """Whether ``code`` is one of this admin's; it is spent by that."""
    step = secondfactor.step_of(secondfactor.unseal(keys, admin["totp"]), code, admin["totp_step"], now)
    if step is not None:
        tx.execute("UPDATE admin SET totp_step = :s WHERE name = :n", {"s": step, "n": admin["name"]})
        return True
    left = secondfactor.spend_recovery(keys, admin["recovery"], code)
    if left is None:
        return False
    tx.execute("UPDATE admin SET recovery = :left WHERE name = :n", {"left": left, "n": admin["name"]})
    watch.note(tx, admin["name"], watch.DOOR, "recovery code", now)
    return True


# --- pages and files


def _page(
    request: Request,
    *,
    back: str,
    name: str = "",
    wrong: bool = False,
    old: bool = False,
    wait: int = 0,
    late: str = "",
    status: int = 200,
) -> Response:
    gate = secrets.token_urlsafe(24)
    values = {"back": inside(back), "name": name, "wrong": wrong, "old": old, "wait": wait, "late": late, "gate": gate}
    response = page(request, "login.html", values, visit=None, status=status)
    secure = request.url.scheme == "https"
    response.set_cookie(GATE, gate, max_age=3600, path="/console", httponly=True, samesite="strict", secure=secure)
    return response


def inside(path: str) -> str:
    """``path`` if it is one of the console's pages, else the board: nobody is sent elsewhere."""
    plain = (
        path.startswith("/console/") and not path.startswith(LOGIN) and all(c.isalnum() or c in "/-_." for c in path)
    )
    return path if plain else "/console/"


def language(request: Request) -> Response:
    """Remember the language and go back."""
    response = RedirectResponse(inside(request.query_params.get("back", "")), 303)
    chosen = request.path_params["language"]
    if chosen in LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, chosen, max_age=31_536_000, path="/", samesite="strict")
    return response


def static(request: Request) -> Response:
    """Style and script; the colours come from the program's own tokens."""
    name = request.path_params["name"]
    if name == "tokens.css":
        return Response(tokens(), media_type="text/css", headers=_SHORT)
    if name not in STATIC:
        return PlainTextResponse("no such file", 404)
    return FileResponse(HERE / "static" / name, media_type=STATIC[name], headers=_SHORT)


def font(request: Request) -> Response:
    """The two fonts of the program."""
    name = request.path_params["name"]
    if name not in FONTS:
        return PlainTextResponse("no such font", 404)
    return FileResponse(ASSETS / "fonts" / name, media_type="font/ttf", headers=_LONG)


def visit_of(request: Request, stage: str) -> Visit | None:
    """The visit of this request when it stands at ``stage``."""
    visit = login.of(request)
    return visit if visit is not None and visit.stage == stage else None
