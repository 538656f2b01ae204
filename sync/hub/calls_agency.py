"""The calls of an agency's desk: ``/v1/sealed``."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from sync.hub import agency
from sync.hub.centre import Centre
from sync.limits import MAX_SEQ


def page(request: Request, device: bytes) -> Response:
    """The next page of sealed batches for a desk."""
    centre: Centre = request.app.state.centre
    text = request.query_params.get("after", "0")
    if not (text.isascii() and text.isdecimal() and len(text) < 17 and int(text) <= MAX_SEQ):
        return PlainTextResponse("no such place", 404)
    if not centre.storage.read(lambda tx: agency.is_desk(tx, device)):
        return PlainTextResponse("no desk", 403)
    found = centre.storage.read(lambda tx: agency.page(centre, tx, int(text)))
    return Response(found.encode(), media_type="application/cbor")


def piece(request: Request, device: bytes) -> Response:
    """One piece of an attachment for a desk."""
    centre: Centre = request.app.state.centre
    try:
        digest = bytes.fromhex(request.path_params["digest"])
    except ValueError:
        return PlainTextResponse("no hash", 404)
    if not centre.storage.read(lambda tx: agency.is_desk(tx, device)):
        return PlainTextResponse("no desk", 403)
    data = centre.storage.read(lambda tx: agency.piece(centre, tx, digest))
    return PlainTextResponse("not here", 404) if data is None else Response(data)
