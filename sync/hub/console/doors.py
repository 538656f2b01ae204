"""The doors of the console: who is inside and may do what, which forms are theirs, how much a form may bring, what is written down."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, unquote_plus

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from sync.errors import Known, SalaError
from sync.hub import listening, watch
from sync.hub.console import held, login, roles
from sync.hub.console.login import Visit
from sync.hub.console.pages import HEADERS, centre_of, page

MAX_FORM: Final = 64 * 1024  # bytes of a form without files
MOST_FIELDS: Final = 600  # a branch with 500 records to tick
LOGIN: Final = "/console/login"
CODE: Final = "/console/code"
BEGIN: Final = "/console/begin"
SAME_LOOK_MS: Final = 10 * 60_000
MOST_QUERY: Final = 300  # characters of an address or a question in the audit
_MOST_LOOKS: Final = 50_000
_ASKED: Final = (
    "decision",
    "reason",
    "keep",
    "name",
    "role",
    "rule",
    "office",
    "url",
    "name_km",
    "name_en",
    "under",
    "id",
    "end",
    "note",
    "act",
)  # fields of forms that the audit keeps

Endpoint = Callable[[Request], Awaitable[Response]]


class TooLarge(Exception):
    """A form over its bound."""


@dataclass(slots=True)
class Form:
    """A posted form: its fields, and its file if it has one."""

    fields: Mapping[str, str]
    file: UploadFile | None = field(default=None)

    def get(self, name: str, most: int = 2_000) -> str:
        return self.fields.get(name, "")[:most].strip()

    def number(self, name: str) -> int | None:
        """A whole number; None when there is none."""
        text = self.get(name, 16)
        return int(text) if text.isascii() and text.isdecimal() else None


Page = Callable[[Request, Visit], Response]
Action = Callable[[Request, Visit, Form], Response]


class Doors:
    """Wraps pages and actions: they run only for an admin who is inside and may do this, and every look and act is written down."""

    def __init__(self) -> None:
        self._looks = Looks()

    def inside(self, handler: Page, power: str = roles.LOOK, *, kept: bool = True, quiet: bool = False) -> Endpoint:
        """A page for admins with ``power``; others are led to the log-in and from there back.

        ``kept``: the page is shown only once its look is written down. Only the board goes without when the disk is full, so
        that one sees how the hub does. ``quiet``: a page that fetches itself again; no look, and the visit's half hour runs on.
        """

        async def endpoint(request: Request) -> Response:
            visit = await run_in_threadpool(login.of, request, quiet=quiet)
            if visit is None or visit.stage != login.IN:
                return _to_login(request, visit)
            return _closed(await run_in_threadpool(self._show, handler, request, visit, power, kept and not quiet))

        return endpoint

    def posted(self, handler: Action, power: str, limit: int = MAX_FORM) -> Endpoint:
        """An action: needs a visit, ``power``, the visit's token, and a form within ``limit`` bytes."""

        async def endpoint(request: Request) -> Response:
            visit = await run_in_threadpool(login.of, request)
            if visit is None or visit.stage != login.IN:
                await run_in_threadpool(held.keep_ended, request, await small_form(request))
                return _to_login(request, visit)
            try:
                async with _form(request, limit) as fields:
                    form = _read(fields)
                    if not login.token_holds(visit, form.fields.get("token")):
                        if await run_in_threadpool(held.keep_from_elsewhere, request, visit, form):
                            return RedirectResponse(held.PLACE, 303, headers=HEADERS)
                        return page(request, "old.html", {}, visit=visit, status=403)
                    return _closed(await run_in_threadpool(self._act, handler, request, visit, form, power))
            except (
                TooLarge,
                MultiPartException,
                HTTPException,
            ):  # the last: how starlette tells of a broken or endless form
                return page(request, "large.html", {"limit": limit}, visit=visit, status=413)
            except ClientDisconnect:  # the line broke in the middle: nobody hears an answer
                return PlainTextResponse("cut off", 400)

        return endpoint

    def _show(self, handler: Page, request: Request, visit: Visit, power: str, kept: bool) -> Response:
        if not visit.may(power):
            return _not_yours(request, visit, power)
        try:
            response = handler(request, visit)
            if response.status_code == 200:
                self._looks.note(request, visit, kept=kept)
        except SalaError as error:
            return _problem(request, visit, error)
        return response

    def _act(self, handler: Action, request: Request, visit: Visit, form: Form, power: str) -> Response:
        if not visit.may(power):
            return _not_yours(request, visit, power)
        try:
            noted(request, visit, form)  # first: what is not written down is not done
        except SalaError as error:
            return _problem(request, visit, error)
        try:
            response = handler(request, visit, form)
        except SalaError as error:
            response = _problem(request, visit, error)
        if response.status_code >= 400:
            write(request, visit.admin, watch.ACT, request.url.path, refused=response.status_code)
        elif form.get("held"):
            centre_of(request).storage.write(lambda tx: held.forget(tx, visit.key))
        return response


def _closed(response: Response) -> Response:
    """Files too are kept in no cache and taken for nothing else than they are: an office pack opens a door."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


class Looks:
    """Writes down who opened what. The same page of the same visit within ten minutes is one look."""

    def __init__(self) -> None:
        self._last: dict[tuple[bytes, str], int] = {}
        self._lock = threading.Lock()

    def note(self, request: Request, visit: Visit, *, kept: bool) -> None:
        now, query = centre_of(request).clock.wall_ms(), str(request.url.query)[:MOST_QUERY]
        key = (visit.key, f"{request.url.path}?{query}")
        with self._lock:
            last = self._last.get(key)
            if last is not None and 0 <= now - last < SAME_LOOK_MS:
                return
            if len(self._last) >= _MOST_LOOKS:
                self._last.clear()
        try:
            write(
                request, visit.admin, watch.LOOK, request.url.path, **({"query": unquote_plus(query)} if query else {})
            )
        except SalaError:
            if kept:
                raise
        with self._lock:
            self._last[key] = now


def write(request: Request, admin: str, what: str, subject: str, **more: Any) -> None:
    """One row of the audit."""
    centre = centre_of(request)
    centre.storage.write(lambda tx: watch.note(tx, admin, what, subject[:MOST_QUERY], centre.clock.wall_ms(), **more))


def noted(request: Request, visit: Visit, form: Form) -> None:
    """An act, with what was asked for; never a passphrase or a code."""
    asked = {name: form.get(name, 300) for name in _ASKED if form.get(name)}
    if form.file is not None:
        asked["file"] = (form.file.filename or "")[:200]
    write(request, visit.admin, watch.ACT, request.url.path, **({"asked": asked} if asked else {}))


def _not_yours(request: Request, visit: Visit, power: str) -> Response:
    write(request, visit.admin, watch.ACT, request.url.path, refused=403)
    return page(
        request,
        "notyours.html",
        {"power": roles.DUTIES[power], "role": roles.TITLES[visit.role]},
        visit=visit,
        status=403,
    )


def _problem(request: Request, visit: Visit, error: SalaError) -> Response:
    """A refusal that the page itself has no place for."""
    return page(request, "problem.html", {"error": error}, visit=visit, status=503 if isinstance(error, Known) else 422)


def _to_login(request: Request, visit: Visit | None) -> Response:
    place = {login.CODE: CODE, login.BEGIN: BEGIN}.get(visit.stage, LOGIN) if visit else LOGIN
    back = request.url.path if request.method == "GET" else "/console/"
    if request.headers.get("hx-request"):  # a part of a page: the whole page must go to the log-in
        return Response(status_code=204, headers={"HX-Redirect": place, **HEADERS})
    late = "" if request.method == "GET" else "&late=1"
    return RedirectResponse(f"{place}?back={quote(back)}{late}", 303, headers=HEADERS)


def _form(request: Request, limit: int) -> Any:
    """The form of ``request``, its bytes counted while they are read."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > limit:
        raise TooLarge
    receive, seen = request._receive, 0

    async def counted() -> Any:
        nonlocal seen
        message = await listening.piece(receive)
        seen += len(message.get("body", b""))
        if seen > limit:
            raise TooLarge
        return message

    request._receive = counted
    return request.form(max_files=1, max_fields=MOST_FIELDS, max_part_size=MAX_FORM)


def _read(fields: Any) -> Form:
    file = fields.get("file")
    plain = {name: value.replace("\0", "") for name, value in fields.items() if isinstance(value, str)}
    return Form(plain, file if isinstance(file, UploadFile) and file.filename else None)


async def small_form(request: Request) -> Form:
    """A form from outside the doors (the log-in); an over-long or broken one is empty."""
    try:
        async with _form(request, MAX_FORM) as fields:
            return _read(fields)
    except (TooLarge, MultiPartException, HTTPException, ClientDisconnect):
        return Form({})
