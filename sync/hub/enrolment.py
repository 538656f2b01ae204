"""Laptops join: a slot with a one-time code becomes an office pack; the first good request binds it to a device key.

Revoking names the last op that still counts; what comes later is stored and receipted, and waits in quarantine.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from nacl import utils

from sync import cbor, devices, ops
from sync.cbor import Malformed
from sync.devices import Certificate, Request
from sync.errors import Refused
from sync.hub import acts, leases, signers, tally, tree
from sync.hub.keys import HubKeys
from sync.hub.storage import Row, Tx
from sync.limits import CODE_TRIES, DAY_MS
from sync.notes import NoteKey
from sync.pack import OfficePack, build

SLOT: Final = "sync.slot"  # kinds of acts
ENROLLED: Final = "sync.enrolled"
REVOKED: Final = "sync.revoked"
EPOCH_NUMBERS: Final = 20  # laptops of one office
_STRETCHES: Final = 498  # of so many numbers each: a laptop's number has four digits at most, because papers carry it
PACK_DAYS: Final = 60  # a pack's code lives as long as its first leases


@dataclass(frozen=True, slots=True)
class Ticket:
    """The secret part of a new slot: its id and its one-time code."""

    slot: bytes
    code: str
    key: bytes  # what the hub keeps of the code


def new_ticket() -> Ticket:
    """A fresh ticket; slow on purpose (Argon2id), so made outside any transaction."""
    slot, code = utils.random(16), devices.new_code(utils.random(devices.CODE_LENGTH))
    return Ticket(slot, code, devices.code_key(code, slot))


def open_slot(tx: Tx, keys: HubKeys, office: Mapping[str, Any], ticket: Ticket, now_ms: int, epoch: int = 1) -> Row:
    """A new laptop slot of ``office`` (``{"code", "name": {km, en}, "province": {km, en}}``) with its first leases.

    Each epoch of the log counts laptops in another stretch: a restored hub does not know the last ones that it numbered.
    """
    tx.execute(
        """INSERT INTO office (code, name_km, name_en, province_km, province_en, added_ms) VALUES (:code, :km, :en, :pkm, :pen, :now)
           ON CONFLICT (code) DO UPDATE SET name_km = :km, name_en = :en, province_km = :pkm, province_en = :pen""",
        {
            "code": office["code"], "km": office["name"]["km"], "en": office["name"]["en"], "pkm": office["province"]["km"],
            "pen": office["province"]["en"], "now": now_ms,
        },
    )  # fmt: skip
    slot: Row = {"slot": ticket.slot, "office": office["code"], "number": _number(tx, office["code"], epoch)}
    tx.execute(
        """INSERT INTO slot (slot, office, number, code_key, not_after_ms, tries, made_ms)
           VALUES (:slot, :office, :number, :key, :not_after, 0, :now)""",
        {**slot, "key": ticket.key, "not_after": now_ms + PACK_DAYS * DAY_MS, "now": now_ms},
    )
    acts.record(tx, SLOT, {}, now_ms, [("office", "code", office["code"]), ("slot", "slot", ticket.slot)])
    for resource in leases.BLOCKS:
        leases.grant(tx, keys, resource=resource, slot=slot, now_ms=now_ms)
    return slot


def _number(tx: Tx, office: str, epoch: int) -> int:
    """The first free number of an office in the stretch of ``epoch``. Lives that begin within eight hours have stretches of their own."""
    stretch = 0 if epoch == 1 else 1 + (epoch // 60 if epoch > _STRETCHES else epoch) % _STRETCHES
    behind = stretch * EPOCH_NUMBERS
    rows = tx.query("SELECT number FROM slot WHERE office = :o AND number > :n", {"o": office, "n": behind})
    taken = {row["number"] for row in rows}
    return next(number for number in count(behind + 1) if number not in taken)


def make_pack(
    tx: Tx, keys: HubKeys, slot: Row, code: str, *, office: Mapping[str, Any], urls: tuple[str, ...], log: NoteKey, tuf_root: bytes,
    publications: Mapping[str, bytes], now_ms: int,
) -> bytes:  # fmt: skip
    """The signed office pack of an open slot."""
    release = keys.release()
    facts = {**office, "release": release.hex()} if release else dict(office)
    return build(
        OfficePack(
            office=facts, slot=slot["slot"], number=slot["number"], code=code, code_not_after_ms=now_ms + PACK_DAYS * DAY_MS,
            hub_urls=urls, log=log, agency_seal=bytes(keys.agency), recovery_seal=bytes(keys.recovery), tuf_root=tuf_root,
            publications=publications, leases=leases.of_slot(tx, slot["slot"], now_ms), made_ms=now_ms,
        ),
        keys.pack,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to an enrolment request: HTTP status, and the device certificate or the code that says why there is none."""

    status: int
    certificate: bytes | None = None
    code: str = ""


def enrol(tx: Tx, keys: HubKeys, request: Request, signed: bytes, mac: bytes, now_ms: int) -> Answer:
    """Answer an enrolment request; the same request again gets the same certificate.

    202 the province must still sign, 403 wrong code, 404 no such slot, 409 the slot has another device, 410 the code is too
    old or was tried too often.
    """
    slot = tx.one(
        "SELECT * FROM slot WHERE slot = :slot AND office = :office", {"slot": request.slot, "office": request.office}
    )
    if slot is None:
        return Answer(404, code="HB-124")
    if slot["device"] is not None:
        found = tx.one("SELECT certificate FROM device WHERE device = :d", {"d": request.device_id})
        return (
            Answer(200, found["certificate"])
            if found and slot["device"] == request.device_id
            else Answer(409, code="HB-125")
        )
    waits = tx.one("SELECT device FROM pending_device WHERE slot = :slot", {"slot": slot["slot"]})
    if waits is not None:
        return Answer(202) if waits["device"] == request.device_id else Answer(409, code="HB-125")
    if now_ms > slot["not_after_ms"] or slot["tries"] >= CODE_TRIES:
        return Answer(410, code="HB-126")
    if not devices.code_holds(slot["code_key"], signed, mac):
        tx.execute("UPDATE slot SET tries = tries + 1 WHERE slot = :slot", {"slot": slot["slot"]})
        acts.record(tx, SLOT, {"wrong_code": True}, now_ms, [("slot", "slot", slot["slot"])])
        return Answer(403, code="HB-123")
    if tx.one("SELECT 1 AS yes FROM device WHERE device = :d", {"d": request.device_id}):
        return Answer(409, code="HB-125")  # one laptop, one slot
    sent = cbor.encode([signed, mac])
    role, key = signers.province_key(tx, keys.folder, request.office)
    if role is not None and key is None:
        tx.execute(
            "INSERT INTO pending_device (device, slot, request, asked_ms) VALUES (:device, :slot, :request, :now)",
            {"device": request.device_id, "slot": slot["slot"], "request": sent, "now": now_ms},
        )
        acts.record(tx, SLOT, {"waits": True}, now_ms, [("pending_device", "device", request.device_id)])
        return Answer(202)
    certificate = devices.issue_certificate(_certificate(request, slot, now_ms), key or keys.pack)
    return Answer(201, _admit(tx, request, slot, certificate, devices.words(sent), now_ms))


def pending(tx: Tx) -> list[dict[str, Any]]:
    """Laptops that wait for their province's signature: device, office, number, request words, what is to be signed."""
    found = []
    for row in tx.query(
        """SELECT p.device, p.request, p.asked_ms, s.number, s.slot FROM pending_device p JOIN slot s ON s.slot = p.slot
           ORDER BY p.asked_ms, p.device"""
    ):
        request, _, _ = devices.read_request(row["request"])
        payload = devices.certificate_payload(_certificate(request, row, row["asked_ms"]))
        found.append(
            {
                "device": row["device"], "office": request.office, "number": row["number"], "asked_ms": row["asked_ms"],
                "words": devices.words(row["request"]), "payload": payload,
            }
        )  # fmt: skip
    return found


def admit_signed(tx: Tx, certificate: bytes, province: bytes, now_ms: int) -> str:
    """Enrol a waiting laptop by the certificate that its province has signed; its device id in hex.

    Refused HB-182: not signed with the province's key, or about no laptop that waits.
    """
    try:
        said = devices.read_certificate(certificate, province)
    except Malformed as error:
        raise Refused("HB-182", role="province") from error
    row = tx.one("SELECT slot, request FROM pending_device WHERE device = :d", {"d": said.device_id})
    wanted = {one["device"]: one["payload"] for one in pending(tx)}.get(said.device_id)
    if row is None or wanted != devices.certificate_payload(said):
        if tx.one("SELECT 1 AS yes FROM device WHERE device = :d", {"d": said.device_id}):
            return said.device_id.hex()  # the same file again
        raise Refused("HB-182", role="province")
    request, _, _ = devices.read_request(row["request"])
    slot = tx.query("SELECT * FROM slot WHERE slot = :slot", {"slot": row["slot"]})[0]
    _admit(tx, request, slot, certificate, devices.words(row["request"]), now_ms)
    tx.execute("DELETE FROM pending_device WHERE device = :d", {"d": said.device_id})
    acts.record(tx, SLOT, {"waits": False}, now_ms, [("pending_device", "device", said.device_id)])
    return said.device_id.hex()


def _certificate(request: Request, slot: Row, now_ms: int) -> Certificate:
    return Certificate(
        device_id=request.device_id, sign_public=request.sign_public, seal_public=request.seal_public,
        office_public=request.office_public, office=request.office, number=slot["number"], valid_from_ms=now_ms,
        predecessor=request.predecessor,
    )  # fmt: skip


def _admit(tx: Tx, request: Request, slot: Row, certificate: bytes, words: str, now_ms: int) -> bytes:
    officers = [
        {"id": one.id.hex(), "name": one.name, "latin": one.latin, "role": one.role, "public": one.public.hex()}
        for one in request.officers
    ]
    tx.execute(
        """INSERT INTO device (device, office, number, sign_public, seal_public, office_public, certificate, enrolled_ms, predecessor,
               officers, last_seen_ms, words)
           VALUES (:device, :office, :number, :sign, :seal, :issue, :certificate, :now, :before, :officers, :now, :words)""",
        {
            "device": request.device_id, "office": request.office, "number": slot["number"], "sign": request.sign_public,
            "seal": request.seal_public, "issue": request.office_public, "certificate": certificate, "now": now_ms,
            "before": request.predecessor, "officers": json.dumps(officers, ensure_ascii=False),
            "words": words,
        },
    )  # fmt: skip
    tx.execute(
        "UPDATE slot SET device = :device WHERE slot = :slot", {"device": request.device_id, "slot": slot["slot"]}
    )
    rows = [("device", "device", request.device_id), ("slot", "slot", slot["slot"])]
    tally.enrolled(tx, request.device_id)
    acts.record(tx, ENROLLED, {"device": request.device_id}, now_ms, rows)
    tree.settle(tx, [ops.genesis(request.sign_public)])  # what came before the hub knew the device
    return certificate


def succeed(tx: Tx, keys: HubKeys, request: Request, slot: Row, signed: bytes, now_ms: int) -> bytes:
    """Enrol a copy of an enrolled laptop as one of its own (:mod:`sync.hub.rekeying` has checked that it may); its certificate."""
    certificate = devices.issue_certificate(_certificate(request, slot, now_ms), keys.pack)
    return _admit(tx, request, slot, certificate, devices.words(signed), now_ms)


def admit_again(tx: Tx, said: Certificate, slot: Row, certificate: bytes, now_ms: int) -> None:
    """Enrol a laptop that this hub has certified and forgotten (:mod:`sync.hub.readmission` has verified what it shows)."""
    request = Request(
        slot=slot["slot"], office=said.office, sign_public=said.sign_public, seal_public=said.seal_public,
        office_public=said.office_public, officers=(), made_ms=said.valid_from_ms, predecessor=said.predecessor,
    )  # fmt: skip
    _admit(tx, request, slot, certificate, "", now_ms)


def revoke(tx: Tx, device: bytes, now_ms: int) -> Row:
    """Revoke a lost laptop: what was receipted stays accepted, what comes later goes to quarantine. Refused HB-120: unknown."""
    found = tx.one("SELECT * FROM device WHERE device = :d", {"d": device})
    if found is None:
        raise Refused("HB-120", device=device.hex())
    if found["revoked_ms"] is None:
        head = tx.one(
            "SELECT max(seq) AS head FROM op WHERE device = :d AND label IN ('accepted', 'q:schema', 'q:officer')",
            {"d": device},
        )
        tx.execute(
            "UPDATE device SET revoked_ms = :now, cutoff_seq = :cutoff WHERE device = :d",
            {"now": now_ms, "cutoff": (head["head"] if head else 0) or 0, "d": device},
        )
        acts.record(tx, REVOKED, {"device": device}, now_ms, [("device", "device", device)])
    return tx.query("SELECT * FROM device WHERE device = :d", {"d": device})[0]


def revocations(tx: Tx) -> int:
    """The version of the revocation list: it only grows, because nobody is ever taken off it."""
    return int(tx.query("SELECT count(*) AS n FROM device WHERE revoked_ms IS NOT NULL")[0]["n"])


def device_lists(tx: Tx) -> dict[str, bytes]:
    """The targets ``devices/<province>.cbor``: who may sign for which office, and from where on no longer.

    ``{"revocations": version, "devices": [[device id, office, number, valid from ms]], "revoked": [[device id, last good
    sequence number, ms]]}``. Certificates stay at the hub: a laptop needs its own only.
    """
    found: dict[str, dict[str, Any]] = {}
    for row in tx.query(
        "SELECT device, office, number, enrolled_ms, revoked_ms, cutoff_seq FROM device ORDER BY office, number, device"
    ):
        province = found.setdefault(row["office"][:2], {"revocations": 0, "devices": [], "revoked": []})
        province["devices"].append([row["device"], row["office"], row["number"], row["enrolled_ms"]])
        if row["revoked_ms"] is not None:
            province["revoked"].append([row["device"], row["cutoff_seq"], row["revoked_ms"]])
            province["revocations"] += 1
    return {f"devices/{code}.cbor": cbor.encode(value) for code, value in found.items()}
