"""A copy of a laptop becomes a laptop of its own: evidence on request, and its enrolment with a place and numbers.

The predecessor's key and the hub's own evidence take the place of an office pack and its code. A revoked predecessor cannot
do it. The same request again gets the same certificate; the evidence alone is enough after an older copy of the hub was put back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from nacl import utils
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sync import cbor, succession
from sync.hub import enrolment, forks, labels, paths  # noqa: F401  paths: numbers in addresses
from sync.hub.enrolment import Answer, Ticket
from sync.hub.storage import Row, Tx
from sync.limits import MAX_SEQ
from sync.succession import Evidence

if TYPE_CHECKING:
    from sync.hub.centre import Centre

MOST_CARRIED: Final = 8  # evidence of so many branches goes onto one stick
_CBOR: Final = "application/cbor"


# --- what the centre shows


def open_evidence(centre: Centre, tx: Tx, device: bytes, head: bytes, head_seq: int) -> list[bytes]:
    """All that a stick brings back to the copy of ``device`` whose last op is ``head``: evidence of branches that were put aside,
    or that it is behind. Nothing for the copy that the hub follows."""
    now = centre.clock.wall_ms()
    row = tx.one("SELECT label FROM op WHERE hash = :op AND device = :d", {"op": head, "d": device})
    if row is None or row["label"] == labels.FORK:
        found = [fork for fork in forks.of_device(tx, device) if fork["seq"] <= head_seq][-MOST_CARRIED:]
        if found:
            return [_signed(centre, forks.evidence(tx, fork, now)) for fork in found]
    late = forks.behind(tx, device, head_seq, now)
    return [_signed(centre, late)] if late else []


def _signed(centre: Centre, evidence: Evidence) -> bytes:
    return succession.issue_evidence(evidence, centre.keys.log, centre.log.note_key.id())


def _open(centre: Centre, tx: Tx, office: str, slot: bytes, now_ms: int) -> Row:
    """A place in the office that no code opens: only the predecessor's key does."""
    row = tx.query("SELECT * FROM office WHERE code = :code", {"code": office})[0]
    facts = {
        "code": row["code"], "name": {"km": row["name_km"], "en": row["name_en"]},
        "province": {"km": row["province_km"], "en": row["province_en"]},
    }  # fmt: skip
    return enrolment.open_slot(tx, centre.keys, facts, Ticket(slot, "", utils.random(32)), now_ms, centre.log.epoch)


# --- what the copy asks


def succeed(centre: Centre, tx: Tx, data: bytes) -> Answer:
    """Enrol the copy that made the request ``data``.

    403 HB-172 the predecessor is revoked, or its key did not sign; 404 HB-173 no such predecessor; 409 HB-174 the evidence is
    about another laptop, or its place is taken.
    """
    request, signed, signature, proof = succession.read_request(data)
    evidence, now = succession.read_evidence(proof, bytes(centre.keys.log.verify_key)), centre.clock.wall_ms()
    known = tx.one("SELECT certificate, predecessor FROM device WHERE device = :d", {"d": request.device_id})
    if known is not None:
        same = known["predecessor"] == request.predecessor
        return Answer(200, known["certificate"]) if same else Answer(409, code="HB-174")
    old = tx.one("SELECT office, sign_public, revoked_ms FROM device WHERE device = :d", {"d": request.predecessor})
    if old is None:
        return Answer(404, code="HB-173")
    if old["revoked_ms"] is not None or not succession.predecessor_holds(old["sign_public"], signed, signature):
        return Answer(403, code="HB-172")
    if evidence.device_id != request.predecessor or request.office != old["office"]:
        return Answer(409, code="HB-174")
    slot = tx.one("SELECT * FROM slot WHERE slot = :s", {"s": request.slot})
    if slot is None:
        slot = _open(centre, tx, request.office, request.slot, now)
    elif slot["device"] is not None or slot["office"] != request.office:
        return Answer(409, code="HB-174")
    return Answer(201, enrolment.succeed(tx, centre.keys, request, slot, signed, now))


# --- the calls


def routes(bounded: Any, device_of: Any) -> list[Route]:
    """The calls; ``bounded`` reads bodies within limits, ``device_of`` finds who signed a request."""

    def listed(request: Request, body: bytes) -> Response:
        device = device_of(request, body)
        if isinstance(device, Response):
            return device
        rows = request.app.state.centre.storage.read(lambda tx: forks.of_device(tx, device))
        return Response(cbor.encode([[row["op"], row["seq"]] for row in rows]), media_type=_CBOR)

    def shown(request: Request, body: bytes) -> Response:
        device = device_of(request, body)
        if isinstance(device, Response):
            return device
        centre, op = request.app.state.centre, _hash(request.path_params["op"])

        def work(tx: Tx) -> bytes | None:
            fork = forks.one(tx, op)
            if fork is None or fork["device"] != device:
                return None
            return _signed(centre, forks.evidence(tx, fork, centre.clock.wall_ms()))

        return _answer(centre.storage.read(work))

    def late(request: Request, body: bytes) -> Response:
        device = device_of(request, body)
        if isinstance(device, Response):
            return device
        centre, seq = request.app.state.centre, min(request.path_params["seq"], MAX_SEQ)
        found = centre.storage.read(lambda tx: forks.behind(tx, device, seq, centre.clock.wall_ms()))
        return _answer(_signed(centre, found) if found else None)

    def rekey(request: Request, body: bytes) -> Response:
        centre = request.app.state.centre
        answer = centre.storage.write(lambda tx: succeed(centre, tx, body))
        if answer.status == 201:
            centre.settle()  # so that this very run of the laptop finds its own publications
        return Response(answer.certificate or b"", answer.status, media_type=_CBOR)

    return [
        Route("/v1/forks", bounded(listed, 0)),
        Route("/v1/forks/behind/{seq:number}", bounded(late, 0)),
        Route("/v1/forks/{op}", bounded(shown, 0)),
        Route("/v1/rekey", bounded(rekey, succession.MAX_REQUEST), methods=["POST"]),
    ]


def _answer(data: bytes | None) -> Response:
    return PlainTextResponse("no evidence", 404) if data is None else Response(data, media_type=_CBOR)


def _hash(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
