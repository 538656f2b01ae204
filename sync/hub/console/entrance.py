"""Log-in, log-out, language, and the files that need no log-in: style, script and fonts."""

from __future__ import annotations

import hmac
import secrets
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response

from i18n.catalog import LANGUAGES
from sync.hub.console import login
from sync.hub.console.doors import LOGIN, Form, small_form
from sync.hub.console.login import Visits
from sync.hub.console.pages import ASSETS, HERE, LANGUAGE_COOKIE, centre_of, page, tokens

GATE: Final = "sala-gate"  # cookie: a log-in form must come from the page that we gave
FONTS: Final = frozenset({"SalaKhmer-Regular.ttf", "SalaKhmer-Bold.ttf"})
STATIC: Final = {"console.css": "text/css", "console.js": "text/javascript", "htmx.min.js": "text/javascript"}
_LONG: Final = {"Cache-Control": "public, max-age=604800"}
_SHORT: Final = {"Cache-Control": "public, max-age=300"}


class Entrance:
    """The log-in over one process's visits."""

    def __init__(self, visits: Visits) -> None:
        self._visits = visits

    def show(self, request: Request) -> Response:
        """The log-in page."""
        return self._page(request, back=request.query_params.get("back", "/console/"))

    async def enter(self, request: Request) -> Response:
        """Check name and passphrase."""
        return await run_in_threadpool(self._enter, request, await small_form(request))

    async def leave(self, request: Request) -> Response:
        """Log out. Needs the visit's token, so that no other site can do it."""
        form, visit = await small_form(request), self._visits.of(request)
        if visit is not None and login.token_holds(visit, form.fields.get("token")):
            self._visits.end(request)
        return RedirectResponse(LOGIN, 303)

    def _enter(self, request: Request, form: Form) -> Response:
        name, back = form.get("name", 100), inside(form.get("back"))
        gate = request.cookies.get(GATE, "")
        if not gate or not hmac.compare_digest(gate.encode(), form.get("gate").encode()):
            return self._page(request, back=back, name=name, old=True, status=403)
        if wait := self._visits.wait_s(name):
            return self._page(request, back=back, name=name, wait=wait, status=429)
        stored = centre_of(request).storage.read(lambda tx: login.stored_passphrase(tx, name))
        with self._visits.checking:
            holds = login.passphrase_holds(stored, form.fields.get("passphrase", ""))
        if not holds:
            self._visits.failed(name)
            return self._page(request, back=back, name=name, wrong=True, wait=self._visits.wait_s(name), status=403)
        response = RedirectResponse(back, 303)
        response.delete_cookie(GATE, path="/console")
        self._visits.begin(name, response, secure=request.url.scheme == "https")
        return response

    def _page(
        self,
        request: Request,
        *,
        back: str,
        name: str = "",
        wrong: bool = False,
        old: bool = False,
        wait: int = 0,
        status: int = 200,
    ) -> Response:
        gate = secrets.token_urlsafe(24)
        values = {"back": inside(back), "name": name, "wrong": wrong, "old": old, "wait": wait, "gate": gate}
        response = page(request, "login.html", values, visit=None, status=status)
        response.set_cookie(
            GATE,
            gate,
            max_age=3600,
            path="/console",
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
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
