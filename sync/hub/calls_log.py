"""Calls about the hub's log and about laptops' audit logs, for laptops, witnesses and inspectors."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from sync import notes
from sync.hub import audits, cosignatures, epochs, log
from sync.hub.centre import Centre
from sync.hub.storage import Tx
from sync.witnesses import Countersigned

_NOTE = "text/plain; charset=utf-8"


def audit(request: Request, device: bytes) -> Response:
    """What stands witness for this laptop: the cosignature of its audit log, and the newest cosigned checkpoint of ours.

    ``?epoch=E&size=N``: the checkpoint that the laptop knows; the answer proves that the cosigned one agrees with it.
    """
    centre = _centre(request)
    epoch, size = (_number(request.query_params.get(name, "")) for name in ("epoch", "size"))

    def gather(tx: Tx) -> bytes:
        cosigned = cosignatures.newest(tx, centre.log.epoch) or ""
        proof: list[bytes] = []
        if cosigned and epoch == centre.log.epoch and 0 < size <= log.size(tx):
            other = notes.read_checkpoint(cosigned, centre.log.note_key).size
            proof = log.consistency(tx, min(size, other), max(size, other))
        return Countersigned(audits.note(tx, centre.log, device) or "", cosigned, proof).encode()

    return Response(centre.storage.read(gather), media_type="application/cbor")


def epoch(request: Request) -> Response:
    """The signed note with which an epoch of the log began; public."""
    note = _centre(request).storage.read(lambda tx: epochs.note_of(tx, request.path_params["epoch"]))
    return PlainTextResponse("no such epoch", 404) if note is None else Response(note, media_type=_NOTE)


def cosigned(request: Request) -> Response:
    """The newest checkpoint of this epoch that a witness has cosigned, with all cosignatures; public, 204 before the first."""
    centre = _centre(request)
    note = centre.storage.read(lambda tx: cosignatures.newest(tx, centre.log.epoch))
    return Response(status_code=204) if note is None else Response(note, media_type=_NOTE)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 17 else 0


def _centre(request: Request) -> Centre:
    centre: Centre = request.app.state.centre
    return centre
