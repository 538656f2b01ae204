"""The doors of the console: who is inside, which forms are theirs, how much a form may bring."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sync.hub.console import login
from sync.hub.console.login import Visit, Visits
from sync.hub.console.pages import HEADERS, page

MAX_FORM: Final = 64 * 1024  # bytes of a form without files
LOGIN: Final = "/console/login"

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


Page = Callable[[Request, Visit], Response]
Action = Callable[[Request, Visit, Form], Response]


class Doors:
    """Wraps pages and actions so that they only ever run for an admin who is inside."""

    def __init__(self, visits: Visits) -> None:
        self.visits = visits

    def inside(self, handler: Page) -> Endpoint:
        """A page for admins; others are led to the log-in and from there back."""

        async def endpoint(request: Request) -> Response:
            visit = self.visits.of(request)
            return _to_login(request) if visit is None else await run_in_threadpool(handler, request, visit)

        return endpoint

    def posted(self, handler: Action, limit: int = MAX_FORM) -> Endpoint:
        """An action: needs a visit, the visit's token, and a form within ``limit`` bytes."""

        async def endpoint(request: Request) -> Response:
            visit = self.visits.of(request)
            if visit is None:
                return _to_login(request)
            try:
                async with _form(request, limit) as fields:
                    form = _read(fields)
                    if not login.token_holds(visit, form.fields.get("token")):
                        return page(request, "old.html", {}, visit=visit, status=403)
                    return await run_in_threadpool(handler, request, visit, form)
            except (TooLarge, MultiPartException):
                return page(request, "large.html", {"limit": limit}, visit=visit, status=413)

        return endpoint


def _to_login(request: Request) -> Response:
    back = request.url.path if request.method == "GET" else "/console/"
    if request.headers.get("hx-request"):  # a part of a page: the whole page must go to the log-in
        return Response(status_code=204, headers={"HX-Redirect": LOGIN, **HEADERS})
    return RedirectResponse(f"{LOGIN}?back={quote(back)}", 303, headers=HEADERS)


def _form(request: Request, limit: int) -> Any:
    """The form of ``request``, its bytes counted while they are read."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > limit:
        raise TooLarge
    receive, seen = request._receive, 0

    async def counted() -> Any:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise TooLarge
        return message

    request._receive = counted
    return request.form(max_files=1, max_fields=50, max_part_size=MAX_FORM)


def _read(fields: Any) -> Form:
    file = fields.get("file")
    plain = {name: value for name, value in fields.items() if isinstance(value, str)}
    return Form(plain, file if isinstance(file, UploadFile) and file.filename else None)


async def small_form(request: Request) -> Form:
    """A form from outside the doors (the log-in); an over-long or broken one is empty."""
    try:
        async with _form(request, MAX_FORM) as fields:
            return _read(fields)
    except (TooLarge, MultiPartException):
        return Form({})
