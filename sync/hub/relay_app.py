"""A relay's HTTP face: the same calls as the centre's, as far as a relay can answer them (docs/formats/relay.md).

Enrolment and numbers are asked of the centre while the laptop waits; without a line upwards the laptop is told that, and goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from sync import notes, relayed, wire
from sync.batch import device_id
from sync.errors import Known
from sync.hub import relay_run, relay_words
from sync.hub.app import Nonced, bounded
from sync.hub.nonces import Nonces
from sync.hub.relay import Relay
from sync.limits import MAX_BATCH, MAX_CHUNK, MAX_MESSAGE

_NOTE: Final = "text/plain; charset=utf-8"
_NO_CENTRE: Final = 424  # the relay is there and the centre is not: this one call cannot be answered now


def create(relay: Relay) -> Starlette:
    """The application over an open relay."""
    application = Starlette(
        routes=[
            Route("/v1/log/checkpoint", checkpoint),
            Route("/v1/log/consistency", consistency),
            Route("/v1/log/epoch/{epoch}", life),
            Route("/v1/enrol", bounded(enrol, MAX_MESSAGE), methods=["POST"]),
            Route("/v1/relayed", bounded(relayed_, 4 * MAX_MESSAGE), methods=["POST"]),
            Route("/v1/batches/{digest}", bounded(put_batch, MAX_BATCH), methods=["PUT"]),
            Route("/v1/chunks/{digest}", bounded(put_chunk, MAX_CHUNK), methods=["PUT"]),
            Route("/v1/leases/{resource}", bounded(lease, 0), methods=["POST"]),
            Route("/v1/tuf/{path:path}", publication),
            Route("/healthz", health),
        ]
    )
    application.add_middleware(_Named, name=relay.settings.name)
    application.add_middleware(Nonced)
    application.state.relay = relay
    application.state.nonces = Nonces()
    return application


class _Named:
    """Says on every answer that a relay gives it."""

    def __init__(self, app: Any, name: str) -> None:
        self._name, self._app = name.encode("ascii", "replace"), app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def named(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (wire.RELAY.lower().encode(), self._name)]
            await send(message)

        await self._app(scope, receive, named)


def health(_: Request) -> Response:
    return PlainTextResponse("ok")


def _relay(request: Request) -> Relay:
    found: Relay = request.app.state.relay
    return found


def checkpoint(request: Request) -> Response:
    """The centre's newest checkpoint that this relay cosigned, or that a stick has brought; 424 before the first."""
    relay = _relay(request)
    note = relay.storage.read(lambda tx: relay_words.greeting(relay, tx))
    return Response(note, media_type=_NOTE) if note else PlainTextResponse("no word of the centre yet", _NO_CENTRE)


def consistency(request: Request) -> Response:
    """The proof between two sizes of the centre's log, out of this relay's own copy."""
    relay = _relay(request)
    epoch, old, new = (_number(request.query_params.get(name, "")) for name in ("epoch", "old", "new"))
    seen = relay.storage.read(relay.mirror.seen)
    if epoch != seen.epoch or not 0 <= old <= new <= seen.size:
        return PlainTextResponse("no such sizes", 404)
    return Response(
        notes.hash_lines(relay.storage.read(lambda tx: relay.mirror.consistency(tx, old, new))), media_type=_NOTE
    )


def life(request: Request) -> Response:
    """The centre's signed note with which a life of its log began."""
    epoch = _number(request.path_params["epoch"])
    note = _relay(request).storage.read(lambda tx: relay_run.life_note(tx, epoch))
    return Response(note, media_type=_NOTE) if note else PlainTextResponse("no such epoch", 404)


def enrol(request: Request, body: bytes) -> Response:
    """The centre decides; what it says goes back as it is."""
    return _through(lambda: _relay(request).through("POST", "/v1/enrol", body))


def relayed_(request: Request, body: bytes) -> Response:
    """What this relay lacks of a laptop's work, and what the centre has answered."""
    device = _signer(request, body)
    if isinstance(device, Response):
        return device
    found = _relay(request).answer(device, relayed.read_question(body))
    return Response(found.encode(), media_type="application/cbor")


def put_batch(request: Request, body: bytes) -> Response:
    """200 with the centre's receipt if it is here; else 202 with this relay's own: handed over, and no more than that."""
    digest, relay = _digest(request), _relay(request)
    if digest is None:
        return PlainTextResponse("no hash", 404)
    receipt = relay.take(body, digest)
    if receipt is not None:
        return Response(receipt, 200, media_type=_NOTE)
    return Response(relay.handed(digest), 202, media_type=_NOTE)


def put_chunk(request: Request, body: bytes) -> Response:
    digest = _digest(request)
    if digest is None:
        return PlainTextResponse("no hash", 404)
    return Response(b"", 201 if _relay(request).take_chunk(body, digest) else 200)


def lease(request: Request, body: bytes) -> Response:
    """More numbers, asked of the centre for the laptop."""
    device = _signer(request, body)
    if isinstance(device, Response):
        return device
    try:
        status = _relay(request).lease(device, request.path_params["resource"])
    except Known:
        status = _NO_CENTRE
    return Response(b"", status)


def publication(request: Request) -> Response:
    place = _relay(request).published.read(request.path_params["path"])
    return (
        PlainTextResponse("not here", 404)
        if place is None
        else FileResponse(place, media_type="application/octet-stream")
    )


def _through(call: Callable[[], Any]) -> Response:
    try:
        answer = call()
    except Known:
        return PlainTextResponse("the centre cannot be reached from here now", _NO_CENTRE)
    return Response(answer.body, answer.status, media_type="application/cbor")


def _signer(request: Request, body: bytes) -> bytes | Response:
    """The laptop that signed this request. One that was never here shows nothing and is told nothing: its key is not known."""
    try:
        device, nonce, signature = (
            bytes.fromhex(request.headers.get(name, "")) for name in (wire.DEVICE, wire.NONCE, wire.SIGNATURE)
        )
    except ValueError:
        return PlainTextResponse("unsigned", 403)
    public = _relay(request).public(device)
    if public is None:
        return device if len(device) == 16 else PlainTextResponse("unsigned", 403)
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if device_id(public) != device or not wire.request_holds(public, request.method, target, body, nonce, signature):
        return PlainTextResponse("wrong signature", 403)
    if not request.app.state.nonces.spend(nonce):
        return PlainTextResponse("nonce", 401)
    return device


def _digest(request: Request) -> bytes | None:
    try:
        digest = bytes.fromhex(request.path_params["digest"])
    except ValueError:
        return None
    return digest if len(digest) == 32 else None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 17 else -1
