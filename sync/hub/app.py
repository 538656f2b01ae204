"""The hub's HTTP face: the calls of ``sync/wire.py``, the redirector and the console. Sizes are capped while reading."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

from sync import devices, wire
from sync.cbor import Malformed
from sync.errors import Known, Refused
from sync.hub import (
    answers,
    calls_agency,
    calls_log,
    calls_relay,
    contacts,
    enrolment,
    evidence,
    gate,
    leases,
    listening,
    log,
    moving,
    paths,  # noqa: F401  numbers in addresses
    readmission,
    redirector,
    rekeying,
    secondsite,
)
from sync.hub.centre import Centre
from sync.hub.nonces import Nonces, SharedNonces
from sync.hub.pace import Pace
from sync.hub.storage import Tx
from sync.limits import MAX_BATCH, MAX_CHUNK, MAX_MESSAGE, MAX_NOTE, MAX_SEQ

BUSY_S: Final = 5  # Retry-After when the hub itself cannot store (full disk, broken database)
_CBOR: Final = "application/cbor"
_RECEIPT: Final = "text/plain; charset=utf-8"

Endpoint = Callable[[Request], Awaitable[Response]]


class TooBig(Exception):
    """A body over its bound."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


def create(centre: Centre, pace: Pace | None = None) -> Starlette:
    """The application over an open hub. ``pace``: how fast one address may knock."""
    from sync.hub.console.routes import routes as console
    from sync.hub.feeds.odata import routes as odata
    from sync.hub.metrics import Metrics

    application = Starlette(
        routes=[
            Route("/v1/log/checkpoint", checkpoint),
            Route("/v1/log/consistency", consistency),
            Route("/v1/log/tile/{level:number}/{index:number}", tile),
            Route("/v1/enrol", bounded(enrol, MAX_MESSAGE), methods=["POST"]),
            Route("/v1/have", bounded(have, MAX_MESSAGE), methods=["POST"]),
            Route("/v1/batches/{digest}", bounded(put_batch, MAX_BATCH), methods=["PUT"]),
            Route("/v1/chunks/{digest}", bounded(put_chunk, MAX_CHUNK), methods=["PUT"]),
            Route("/v1/receipts", receipts),
            Route("/v1/leases/{resource}", bounded(lease, 0), methods=["POST"]),
            *rekeying.routes(bounded, _device),
            *readmission.routes(bounded),
            evidence.route(bounded),
            secondsite.route(bounded, _device),
            Route("/v1/tuf/{path:path}", publication),
            Route("/v1/relay/offer", bounded(calls_relay.signed(calls_relay.offer), MAX_MESSAGE), methods=["POST"]),
            Route("/v1/relay/words", bounded(calls_relay.signed(calls_relay.words), MAX_MESSAGE), methods=["POST"]),
            Route("/v1/relay/cosign", bounded(calls_relay.signed(calls_relay.cosign), MAX_NOTE), methods=["POST"]),
            Route(
                "/v1/relay/lease/{resource}", bounded(calls_relay.signed(calls_relay.lease), MAX_NOTE), methods=["POST"]
            ),
            Route("/v1/audit", partial(_signed, calls_log.audit)),
            Route("/v1/log/epoch/{epoch:number}", calls_log.epoch),
            Route("/v1/log/cosigned", calls_log.cosigned),
            Route("/v1/sealed", partial(_signed, calls_agency.page)),
            Route("/v1/sealed/piece/{digest}", partial(_signed, calls_agency.piece)),
            Route("/healthz", gate.healthz),
            Route("/readyz", gate.readyz),
            Route("/metrics", gate.metrics),
            Mount("/odata", routes=odata()),
            Mount("/console", routes=console()),
            Route("/console", home),
            Route("/", home),
            Route("/{code}", redirector.visit),
        ],
    )
    application.router.redirect_slashes = False  # a code with a slash behind it is simply not a code
    application.state.centre = centre
    application.state.metrics = Metrics(centre)
    application.add_middleware(Nonced)
    application.add_middleware(gate.Gate, pace=pace or Pace(), metrics=application.state.metrics)
    shared = SharedNonces(centre.storage, centre.clock, bytes(centre.keys.log))
    application.state.nonces = shared if centre.shared else Nonces()
    return application


class Nonced:
    """Puts a fresh nonce on every answer of the API and turns known failures into their status."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        nonce = scope["app"].state.nonces.give().hex().encode() if "app" in scope else None

        async def with_nonce(message: Any) -> None:
            if message["type"] == "http.response.start" and nonce:
                message["headers"] = [*message.get("headers", ()), (wire.NONCE.lower().encode(), nonce)]
            await send(message)

        await self._app(scope, receive, with_nonce)


def bounded(endpoint: Callable[[Request, bytes], Response], limit: int) -> Endpoint:
    """``endpoint`` with the body read up to ``limit`` bytes and run off the event loop; failures become their status."""

    async def answered(request: Request) -> Response:
        try:
            body = await _read(request, limit)
        except TooBig:
            return PlainTextResponse(f"at most {limit} bytes", 413)
        except ClientDisconnect:  # the line broke in the middle: nobody hears an answer, and no fault of the hub's
            return PlainTextResponse("cut off", 400)
        return await run_in_threadpool(partial(_guarded, endpoint, request, body))

    return answered


def _guarded(endpoint: Callable[[Request, bytes], Response], request: Request, body: bytes) -> Response:
    try:
        return endpoint(request, body)
    except (Malformed, Refused) as error:
        return PlainTextResponse(str(error.values.get("reason", error.code)), 422)
    except Known as error:
        logging.getLogger(__name__).error("the hub cannot store: %s", error)
        return PlainTextResponse("busy", 503, headers={"Retry-After": str(BUSY_S)})


async def _read(request: Request, limit: int) -> bytes:
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > limit:
        raise TooBig(limit)
    body, more = bytearray(), True
    while more:
        message = await listening.piece(request.receive)
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > limit:
            raise TooBig(limit)
        more = message.get("more_body", False)
    return bytes(body)


def _centre(request: Request) -> Centre:
    centre: Centre = request.app.state.centre
    return centre


def _cbor(data: bytes, status: int = 200) -> Response:
    return Response(data, status, media_type=_CBOR)


# --- the log


def checkpoint(request: Request) -> Response:
    """The newest signed checkpoint; public."""
    centre = _centre(request)
    return Response(centre.storage.read(centre.log.latest), media_type=_RECEIPT)


def consistency(request: Request) -> Response:
    """The proof between two sizes of one epoch; public."""
    from sync.notes import hash_lines

    centre = _centre(request)
    epoch, old, new = (_number(request.query_params.get(name)) for name in ("epoch", "old", "new"))

    def prove(tx: Tx) -> str | None:
        if None in (epoch, old, new) or epoch != centre.log.epoch or not 0 <= (old or 0) <= (new or 0) <= log.size(tx):
            return None
        return hash_lines(log.consistency(tx, old or 0, new or 0))

    text = centre.storage.read(prove)
    return PlainTextResponse("no such sizes", 404) if text is None else Response(text, media_type=_RECEIPT)


def tile(request: Request) -> Response:
    """One tile of hashes; public, immutable once full."""
    centre = _centre(request)
    width = _number(request.query_params.get("w")) or log.TILE_WIDTH
    if not 0 < width <= log.TILE_WIDTH:
        return PlainTextResponse("no such tile", 404)
    data = centre.storage.read(
        lambda tx: log.tile(tx, request.path_params["level"], request.path_params["index"], width)
    )
    return (
        PlainTextResponse("no such tile", 404)
        if data is None
        else Response(data, media_type="application/octet-stream")
    )


# --- devices


def enrol(request: Request, body: bytes) -> Response:
    centre = _centre(request)
    asked, signed, mac = devices.read_request(body)
    now = centre.clock.wall_ms()
    answer = centre.storage.write(lambda tx: enrolment.enrol(tx, centre.keys, asked, signed, mac, now))
    if answer.status == 201:
        centre.settle()  # so that this very run of the laptop finds its own publications
    return _cbor(answer.certificate or b"", answer.status)


def _device(request: Request, body: bytes) -> bytes | Response:
    """The device that signed this request, or the answer that refuses it."""
    centre = _centre(request)
    try:
        device, nonce, signature = (
            bytes.fromhex(request.headers.get(name, "")) for name in (wire.DEVICE, wire.NONCE, wire.SIGNATURE)
        )
    except ValueError:
        return PlainTextResponse("unsigned", 403)
    row = centre.storage.read(lambda tx: tx.one("SELECT sign_public FROM device WHERE device = :d", {"d": device}))
    if row is None or not wire.request_holds(
        row["sign_public"], request.method, _target(request), body, nonce, signature
    ):
        return PlainTextResponse("unknown device or wrong signature", 403)
    if not request.app.state.nonces.spend(nonce):
        return PlainTextResponse("nonce", 401)
    return device


def _signed(answer: Callable[[Request, bytes], Response], request: Request) -> Response:
    """``answer`` for the device that signed this request, which has no body."""
    device = _device(request, b"")
    return device if isinstance(device, Response) else answer(request, device)


def _target(request: Request) -> str:
    """Path and query as they stood on the request line."""
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    query: bytes = request.scope["query_string"]
    return (raw.partition(b"?")[0] + (b"?" + query if query else b"")).decode("ascii", "replace")


def have(request: Request, body: bytes) -> Response:
    centre = _centre(request)
    device = _device(request, body)
    if isinstance(device, Response):
        return device
    offered, now = wire.read_have(body), centre.clock.wall_ms()
    if centre.storage.read(lambda tx: contacts.stale(tx, device, offered.about, now)):
        centre.storage.write(lambda tx: contacts.heard(tx, device, offered.about, now))
    return _cbor(centre.storage.read(lambda tx: answers.missing(centre, tx, device, offered)).encode())


def put_batch(request: Request, body: bytes) -> Response:
    """201 with the receipt; the same bytes again: 200 with the same receipt. Nothing that is validly signed is refused."""
    digest = _digest(request)
    if digest is None:
        return PlainTextResponse("no hash", 404)
    centre = _centre(request)
    with centre.burst.taking():
        taken = centre.ingest.take(body, digest)
        if taken.again:
            moving.put_back(centre, digest, body)
    centre.wake()
    return Response(taken.receipt, 200 if taken.again else 201, media_type=_RECEIPT)


def put_chunk(request: Request, body: bytes) -> Response:
    digest = _digest(request)
    if digest is None:
        return PlainTextResponse("no hash", 404)
    centre = _centre(request)
    new = centre.ingest.take_chunk(body, digest, centre.put_chunk)
    return Response(b"", 201 if new else 200)


def receipts(request: Request) -> Response:
    centre = _centre(request)
    device = _device(request, b"")
    if isinstance(device, Response):
        return device
    after = _number(request.query_params.get("after")) or 0
    return _cbor(centre.storage.read(lambda tx: answers.receipts(tx, device, after)).encode())


def lease(request: Request, body: bytes) -> Response:
    centre = _centre(request)
    device = _device(request, body)
    if isinstance(device, Response):
        return device
    resource, now = request.path_params["resource"], centre.clock.wall_ms()

    def refill(tx: Tx) -> bool:
        slot = tx.one("SELECT * FROM slot WHERE device = :d", {"d": device})
        return slot is not None and leases.grant(tx, centre.keys, resource=resource, slot=slot, now_ms=now) is not None

    if centre.storage.write(refill):
        centre.publish()
    return Response(b"", 202)


def publication(request: Request) -> Response:
    place = _centre(request).repository.read(request.path_params["path"])
    return (
        PlainTextResponse("not published", 404)
        if place is None
        else FileResponse(place, media_type="application/octet-stream")
    )


async def home(_: Request) -> Response:
    return RedirectResponse("/console/", 303)


def _digest(request: Request) -> bytes | None:
    try:
        digest = bytes.fromhex(request.path_params["digest"])
    except ValueError:
        return None
    return digest if len(digest) == 32 else None


def _number(text: str | None) -> int | None:
    return (
        int(text) if text and text.isascii() and text.isdecimal() and len(text) < 17 and int(text) <= MAX_SEQ else None
    )
