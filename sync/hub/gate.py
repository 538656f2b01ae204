"""What every request passes first: the pace of its address and the stop-watch of the metrics. And who may read those."""

from __future__ import annotations

import ipaddress
import time
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from sync.hub import health
from sync.hub.feeds import tokens
from sync.hub.metrics import CONTENT_TYPE, Metrics
from sync.hub.pace import Pace

METRICS: Final = "metrics"  # a feed token for this "table" reads the metrics from another machine
_CALLS: Final = frozenset({"batches", "chunks", "have", "receipts", "enrol", "leases", "tuf", "log"})
_UNPACED: Final = ("/healthz", "/readyz", "/metrics")


class Gate:
    """Middleware: slows floods and measures answers."""

    def __init__(self, app: Any, pace: Pace, metrics: Metrics) -> None:
        self._app, self._pace, self._metrics = app, pace, metrics

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] in _UNPACED:
            await self._app(scope, receive, send)
            return
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:  # no database keeps such a text
            await PlainTextResponse("no such address", 404)(scope, receive, send)
            return
        began, call, status = time.perf_counter(), _call(scope["path"]), 500

        async def watched(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        wait = self._pace.wait_s(scope["client"][0] if scope.get("client") else "")
        try:
            if wait:
                await PlainTextResponse("later", 503, headers={"Retry-After": str(wait)})(scope, receive, watched)
            else:
                await self._app(scope, receive, watched)
        finally:
            self._metrics.seen(call, status, time.perf_counter() - began)


def healthz(_: Request) -> Response:
    """The process answers."""
    return JSONResponse({"ok": True}, headers={"Cache-Control": "no-store"})


def readyz(request: Request) -> Response:
    """200: the hub can store what is sent; 503 names what stands in the way."""
    found = health.readiness(request.app.state.centre)
    return JSONResponse(found, 200 if found["ok"] else 503, headers={"Cache-Control": "no-store"})


def metrics(request: Request) -> Response:
    """Prometheus text, for this machine and for holders of a token."""
    header, centre = request.headers.get("authorization", ""), request.app.state.centre
    if not _from_here(request):
        row = centre.storage.read(lambda tx: tokens.holder(tx, header)) if header else None
        if row is None or not tokens.may_read(row, METRICS):
            return PlainTextResponse("a token is needed", 401, headers={"WWW-Authenticate": "Bearer"})
    return Response(request.app.state.metrics.text(), media_type=CONTENT_TYPE)


def _from_here(request: Request) -> bool:
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _call(path: str) -> str:
    """The kind of a request; never a path, for those hold codes and names."""
    parts = path.split("/", 3)
    if parts[1] == "v1":
        return parts[2] if len(parts) > 2 and parts[2] in _CALLS else "other"
    return parts[1] if parts[1] in ("console", "odata") else "link"
