"""What province relays ask of the centre; every call is signed with the relay's key over a nonce."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from sync import wire
from sync.hub import cosignatures, leases, relays
from sync.hub.centre import Centre
from sync.hub.storage import Row, Tx

_CBOR = "application/cbor"


def signed(endpoint: Callable[[Request, bytes, Row], Response]) -> Callable[[Request, bytes], Response]:
    """``endpoint`` behind the relay's signature; refused with 403 (unknown) or 401 (the nonce is gone)."""

    def checked(request: Request, body: bytes) -> Response:
        try:
            who, nonce, signature = (
                bytes.fromhex(request.headers.get(name, "")) for name in (wire.DEVICE, wire.NONCE, wire.SIGNATURE)
            )
        except ValueError:
            return PlainTextResponse("unsigned", 403)
        relay = _centre(request).storage.read(lambda tx: relays.by_id(tx, who))
        raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
        if relay is None or not wire.request_holds(
            relay["public"], request.method, raw.decode("ascii", "replace"), body, nonce, signature
        ):
            return PlainTextResponse("unknown relay or wrong signature", 403)
        if not request.app.state.nonces.spend(nonce):
            return PlainTextResponse("nonce", 401)
        return endpoint(request, body, relay)

    return checked


def offer(request: Request, body: bytes, relay: Row) -> Response:
    """What of the relay's batches and pieces is not here yet."""
    centre, said = _centre(request), relays.read_offer(body)
    centre.storage.write(lambda tx: relays.heard(tx, relay["name"], said, centre.clock.wall_ms()))
    return Response(centre.storage.read(lambda tx: relays.wanted(tx, said, centre.log)).encode(), media_type=_CBOR)


def words(request: Request, body: bytes, _: Row) -> Response:
    """The centre's word about laptops that the relay serves."""
    centre, asked = _centre(request), relays.read_devices(body)
    found = centre.storage.read(lambda tx: relays.words(centre, tx, asked))
    return Response(relays.encode_words(found), media_type=_CBOR)


def cosign(request: Request, body: bytes, relay: Row) -> Response:
    """A cosignature under one of our checkpoints."""
    centre, note = _centre(request), body.decode("utf-8", "replace")
    centre.storage.write(lambda tx: cosignatures.take(tx, centre.log, relay["name"], note))
    return Response(status_code=204)


def lease(request: Request, body: bytes, _: Row) -> Response:
    """One more block of numbers for a laptop that asked the relay for it."""
    centre, resource = _centre(request), request.path_params["resource"]
    [device] = relays.read_devices(body) or [b""]

    def refill(tx: Tx) -> bool:
        slot = tx.one("SELECT * FROM slot WHERE device = :d", {"d": device})
        now = centre.clock.wall_ms()
        return slot is not None and leases.grant(tx, centre.keys, resource=resource, slot=slot, now_ms=now) is not None

    if centre.storage.write(refill):
        centre.publish()
    return Response(status_code=202)


def _centre(request: Request) -> Centre:
    centre: Centre = request.app.state.centre
    return centre
