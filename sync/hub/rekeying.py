"""A copy of a laptop becomes a laptop of its own: evidence on request, a place and numbers for the copy, its enrolment.

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
from sync.hub import acts, enrolment, forks, leases
from sync.hub.enrolment import Answer, Ticket
from sync.hub.storage import Row, Tx
from sync.limits import MAX_SEQ
from sync.succession import Evidence

if TYPE_CHECKING:
    from sync.hub.centre import Centre

ACT: Final = "sync.fork"  # a place in the office was set apart for the copy that made a branch
_CBOR: Final = "application/cbor"


# --- what the centre gives


def evidence_of(centre: Centre, tx: Tx, fork: Row) -> bytes:
    """The signed evidence of ``fork`` with a place and numbers for the copy; they are set apart at the first asking."""
    now = centre.clock.wall_ms()
    slot = _slot_of(centre, tx, fork, now)
    grants = tuple(leases.of_slot(tx, slot["slot"], now))
    return _signed(centre, forks.evidence(tx, fork, now, slot=slot["slot"], number=slot["number"], grants=grants))


def open_evidence(centre: Centre, tx: Tx, device: bytes, head_seq: int) -> list[bytes]:
    """All that a stick brings back to ``device``: evidence of every branch whose copy has not re-keyed, or that it is behind."""
    found = [
        fork
        for fork in forks.of_device(tx, device)
        if fork["slot"] is None
        or tx.one("SELECT 1 AS yes FROM slot WHERE slot = :s AND device IS NULL", {"s": fork["slot"]})
    ]
    if found:
        return [evidence_of(centre, tx, fork) for fork in found[:MOST_CARRIED]]
    late = forks.behind(tx, device, head_seq, centre.clock.wall_ms())
    return [_signed(centre, late)] if late else []


MOST_CARRIED: Final = 8


def _signed(centre: Centre, evidence: Evidence) -> bytes:
    return succession.issue_evidence(evidence, centre.keys.log, centre.log.note_key.id())


def _slot_of(centre: Centre, tx: Tx, fork: Row, now_ms: int) -> Row:
    if fork["slot"] is not None:
        found = tx.one("SELECT slot, office, number FROM slot WHERE slot = :s", {"s": fork["slot"]})
        if found is not None:
            return found
    device = tx.query("SELECT office FROM device WHERE device = :d", {"d": fork["device"]})[0]
    made = _open(centre, tx, device["office"], utils.random(16), now_ms)
    tx.execute("UPDATE fork SET slot = :slot WHERE op = :op", {"slot": made["slot"], "op": fork["op"]})
    acts.record(tx, ACT, {"op": fork["op"]}, now_ms, [("fork", "op", fork["op"])])
    return made


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
    if slot is None:  # the copy is behind and brings its own place; or this hub is an older copy of itself
        slot = _open(centre, tx, request.office, request.slot, now)
    elif slot["device"] is not None or slot["office"] != request.office or request.slot != evidence.slot:
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
            return evidence_of(centre, tx, fork) if fork is not None and fork["device"] == device else None

        return _answer(centre.storage.write(work))

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
        Route("/v1/forks/behind/{seq:int}", bounded(late, 0)),
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
