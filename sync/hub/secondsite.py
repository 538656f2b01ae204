"""What the hub's second site holds of attachments: asked by laptops before they let go of their own copy."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sync import cbor, pruning
from sync.cbor import Malformed
from sync.hub.storage import Tx
from sync.limits import MAX_HAVE, MAX_MESSAGE

PIECES: Final = "stable-chunk"  # meta: the last piece of which a second site has confirmed its copy


def confirm(tx: Tx, last: int) -> None:
    """A second site holds every piece up to number ``last``."""
    tx.execute(
        "INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = :value",
        {"name": PIECES, "value": str(last)},
    )


def held(tx: Tx, names: list[bytes]) -> list[bytes]:
    """Those of ``names`` that a second site holds."""
    found = tx.one("SELECT value FROM meta WHERE name = :name", {"name": PIECES})
    last = int(found["value"]) if found else 0
    return [
        name
        for name in names
        if tx.one("SELECT 1 AS yes FROM chunk WHERE hash = :hash AND idx <= :last", {"hash": name, "last": last})
    ]


def route(bounded: Any, device_of: Any) -> Route:
    """``POST /v1/second-site``: a list of pieces → the hub's signed word about those that are safe."""

    def called(request: Request, body: bytes) -> Response:
        device = device_of(request, body)
        if isinstance(device, Response):
            return device
        centre, names = request.app.state.centre, _names(body)
        found = centre.storage.read(lambda tx: held(tx, names))
        said = pruning.say_held(device, found, centre.keys.log, centre.log.note_key.id())
        return Response(said, media_type="application/cbor")

    return Route("/v1/second-site", bounded(called, MAX_MESSAGE), methods=["POST"])


def _names(data: bytes) -> list[bytes]:
    match cbor.decode(data):
        case list(names) if len(names) <= MAX_HAVE and all(isinstance(n, bytes) and len(n) == 32 for n in names):
            return names
    raise Malformed("second site: list")
