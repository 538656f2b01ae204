"""A laptop that this hub has enrolled and forgotten, because an older copy was put back, shows the hub its own certificates.

What waited for its enrolment is accepted then, and have/want works again: without it, what had a receipt would never be offered
once more. Numbers and slots of the time that was lost are skipped by every new epoch, so nobody else has the laptop's.

A certificate by a province's key counts while that key is the province's, after another one took its place (unless it was
stolen), and when this hub never heard of it: then signed top metadata of this hub's publications must name it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nacl import utils
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sync import devices, readmission
from sync.cbor import Malformed
from sync.devices import Certificate
from sync.errors import Refused
from sync.hub import acts, enrolment, offices, parts, signers
from sync.limits import MAX_MESSAGE

if TYPE_CHECKING:
    from tuf.api.metadata import Targets

    from sync.hub.centre import Centre
    from sync.hub.storage import Row, Tx


def readmit(centre: Centre, tx: Tx, data: bytes) -> int:
    """Enrol anew the laptops of the certificates in ``data`` that are not known here; how many. Malformed: one is not ours."""
    slot, certificates, proofs = readmission.read(data)
    tops = [_top(centre, proof) for proof in proofs]
    fresh = 0
    for place, certificate in enumerate(certificates):
        if tx.one("SELECT 1 AS yes FROM device WHERE certificate = :c", {"c": certificate}) is not None:
            continue  # whoever signed it then
        said = _verified(centre, tx, certificate, tops)
        if tx.one("SELECT 1 AS yes FROM device WHERE device = :d", {"d": said.device_id}) is None:
            newest = place == len(certificates) - 1
            place_of = _slot(centre, tx, said, slot if newest else b"")
            enrolment.admit_again(tx, said, place_of, certificate, centre.clock.wall_ms())
            fresh += 1
    return fresh


def _verified(centre: Centre, tx: Tx, data: bytes, tops: list[Targets]) -> Certificate:
    """A certificate of this centre, or of the province of the office that it names."""
    office = devices.office_of(data)
    good, stolen = signers.certified(tx, office)
    named = [key for top in tops for key in _keys(top, signers.name_of("province", office[:2])) if key not in stolen]
    key = devices.certifier(data, [bytes(centre.keys.pack.verify_key), *good, *named])
    if key is None:
        raise Malformed("readmit: not certified here")
    return devices.read_certificate(data, key)


def _top(centre: Centre, data: bytes) -> Targets:
    """Top metadata of the publications that this hub has signed at any time, read out of a proof."""
    from tuf.api.exceptions import RepositoryError
    from tuf.api.metadata import Metadata, Root, Targets
    from tuf.api.serialization import DeserializationError

    try:
        top: Metadata[Targets] = Metadata[Targets].from_bytes(data)
        root = Metadata[Root].from_bytes(centre.repository.root()).signed
        root.verify_delegate(parts.TOP, top.signed_bytes, top.signatures)
    except (RepositoryError, DeserializationError, ValueError) as error:
        raise Malformed("readmit: proof") from error
    return top.signed


def _keys(top: Targets, role: str) -> list[bytes]:
    """The Ed25519 keys that ``top`` gives to a delegated role."""
    roles = (top.delegations.roles if top.delegations else None) or {}
    if top.delegations is None or role not in roles:
        return []
    return [bytes.fromhex(top.delegations.keys[one].keyval["public"]) for one in roles[role].keyids]


def _slot(centre: Centre, tx: Tx, said: Certificate, wanted: bytes) -> Row:
    """The place in the office with the certificate's number; made anew when the copy that was put back has none."""
    found = tx.one("SELECT * FROM slot WHERE office = :o AND number = :n", {"o": said.office, "n": said.number})
    if found is not None and found["device"] is None:
        return found
    taken = not wanted or tx.one("SELECT 1 AS yes FROM slot WHERE slot = :s", {"s": wanted}) is not None
    made: Row = {"slot": utils.random(16) if taken else wanted, "office": said.office, "number": said.number}
    if found is None:  # else somebody has the number already: this laptop keeps it without a place of its own
        _insert(tx, made, centre.clock.wall_ms())
    return made


def _insert(tx: Tx, slot: Row, now_ms: int) -> None:
    """A place that no code opens, and its office when that is forgotten too."""
    try:
        facts = offices.office_facts(slot["office"])
    except Refused:
        facts = {"name": {"km": slot["office"], "en": slot["office"]}, "province": {"km": "", "en": ""}}
    tx.execute(
        """INSERT INTO office (code, name_km, name_en, province_km, province_en, added_ms) VALUES (:code, :km, :en, :pkm, :pen, :now)
           ON CONFLICT (code) DO NOTHING""",
        {
            "code": slot["office"], "km": facts["name"]["km"], "en": facts["name"]["en"], "pkm": facts["province"]["km"],
            "pen": facts["province"]["en"], "now": now_ms,
        },
    )  # fmt: skip
    tx.execute(
        """INSERT INTO slot (slot, office, number, code_key, not_after_ms, tries, made_ms)
           VALUES (:slot, :office, :number, :key, 0, 0, :now)""",
        {**slot, "key": utils.random(32), "now": now_ms},
    )
    rows = [("office", "code", slot["office"]), ("slot", "slot", slot["slot"])]
    acts.record(tx, enrolment.SLOT, {}, now_ms, rows)


def routes(bounded: Callable[..., Any]) -> list[Route]:
    """The call; ``bounded`` reads bodies within limits. Nobody signs it: the certificates are signed."""

    def call(request: Request, body: bytes) -> Response:
        centre = request.app.state.centre
        if centre.storage.write(lambda tx: readmit(centre, tx, body)):
            centre.settle()
        return Response(b"")

    return [Route("/v1/readmit", bounded(call, MAX_MESSAGE), methods=["POST"])]
