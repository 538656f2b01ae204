"""A laptop that this hub has enrolled and forgotten, because an older copy was put back, shows the hub its own certificates.

What waited for its enrolment is accepted then, and have/want works again: without it, what had a receipt would never be offered
once more. Numbers and slots of the time that was lost are skipped by every new epoch, so nobody else has the laptop's.
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
from sync.hub import acts, enrolment, offices, signers
from sync.limits import MAX_MESSAGE

if TYPE_CHECKING:
    from sync.hub.centre import Centre
    from sync.hub.storage import Row, Tx


def readmit(centre: Centre, tx: Tx, data: bytes) -> int:
    """Enrol anew the laptops of the certificates in ``data`` that are not known here; how many. Malformed: one is not ours."""
    slot, certificates = readmission.read(data)
    fresh = 0
    for place, certificate in enumerate(certificates):
        said = _verified(centre, tx, certificate)
        if tx.one("SELECT 1 AS yes FROM device WHERE device = :d", {"d": said.device_id}) is None:
            newest = place == len(certificates) - 1
            place_of = _slot(centre, tx, said, slot if newest else b"")
            enrolment.admit_again(tx, said, place_of, certificate, centre.clock.wall_ms())
            fresh += 1
    return fresh


def _verified(centre: Centre, tx: Tx, data: bytes) -> Certificate:
    """A certificate of this centre, or of the province of the office that it names."""
    known = [
        bytes(centre.keys.pack.verify_key),
        *(row["public"] for row in signers.listing(tx) if row["kind"] == "province"),
    ]
    key = devices.certifier(data, known)
    if key is None:
        raise Malformed("readmit: not certified here")
    found = devices.read_certificate(data, key)
    if key != known[0]:
        role, _ = signers.province_key(tx, centre.folder, found.office)
        if role is None or role["public"] != key:
            raise Malformed("readmit: certified by another province")
    return found


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
