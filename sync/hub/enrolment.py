"""Laptops join: a slot with a one-time code becomes an office pack; the first good request binds it to a device key.

Revoking names the last op that still counts; what comes later is stored and receipted, and waits in quarantine.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from nacl import utils

from sync import cbor, devices, ops
from sync.devices import Certificate, Request
from sync.errors import Refused
from sync.hub import leases, tree
from sync.hub.keys import HubKeys
from sync.hub.storage import Row, Tx
from sync.limits import CODE_TRIES, DAY_MS
from sync.notes import NoteKey
from sync.pack import OfficePack, build

EPOCH_NUMBERS: Final = 20  # laptops of one office
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

    Each epoch of the log counts laptops from further on: a restored hub does not know the last ones that it numbered.
    """
    tx.execute(
        """INSERT INTO office (code, name_km, name_en, province_km, province_en, added_ms) VALUES (:code, :km, :en, :pkm, :pen, :now)
           ON CONFLICT (code) DO UPDATE SET name_km = :km, name_en = :en, province_km = :pkm, province_en = :pen""",
        {
            "code": office["code"], "km": office["name"]["km"], "en": office["name"]["en"], "pkm": office["province"]["km"],
            "pen": office["province"]["en"], "now": now_ms,
        },
    )  # fmt: skip
    last = tx.query("SELECT max(number) AS last FROM slot WHERE office = :o", {"o": office["code"]})[0]["last"]
    slot: Row = {
        "slot": ticket.slot,
        "office": office["code"],
        "number": max(last or 0, (epoch - 1) * EPOCH_NUMBERS) + 1,
    }
    tx.execute(
        """INSERT INTO slot (slot, office, number, code_key, not_after_ms, tries, made_ms)
           VALUES (:slot, :office, :number, :key, :not_after, 0, :now)""",
        {**slot, "key": ticket.key, "not_after": now_ms + PACK_DAYS * DAY_MS, "now": now_ms},
    )
    for resource in leases.BLOCKS:
        leases.grant(tx, keys, resource=resource, slot=slot, now_ms=now_ms)
    return slot


def make_pack(
    tx: Tx, keys: HubKeys, slot: Row, code: str, *, office: Mapping[str, Any], urls: tuple[str, ...], log: NoteKey, tuf_root: bytes,
    publications: Mapping[str, bytes], now_ms: int,
) -> bytes:  # fmt: skip
    """The signed office pack of an open slot."""
    return build(
        OfficePack(
            office=dict(office), slot=slot["slot"], number=slot["number"], code=code, code_not_after_ms=now_ms + PACK_DAYS * DAY_MS,
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

    403 wrong code, 404 no such slot, 409 the slot has another device, 410 the code is too old or was tried too often.
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
    if now_ms > slot["not_after_ms"] or slot["tries"] >= CODE_TRIES:
        return Answer(410, code="HB-126")
    if not devices.code_holds(slot["code_key"], signed, mac):
        tx.execute("UPDATE slot SET tries = tries + 1 WHERE slot = :slot", {"slot": slot["slot"]})
        return Answer(403, code="HB-123")
    if tx.one("SELECT 1 AS yes FROM device WHERE device = :d", {"d": request.device_id}):
        return Answer(409, code="HB-125")  # one laptop, one slot
    return Answer(201, _admit(tx, keys, request, slot, now_ms))


def _admit(tx: Tx, keys: HubKeys, request: Request, slot: Row, now_ms: int) -> bytes:
    certificate = devices.issue_certificate(
        Certificate(
            device_id=request.device_id, sign_public=request.sign_public, seal_public=request.seal_public,
            office_public=request.office_public, office=request.office, number=slot["number"], valid_from_ms=now_ms,
            predecessor=request.predecessor,
        ),
        keys.pack,
    )  # fmt: skip
    officers = [
        {"id": one.id.hex(), "name": one.name, "latin": one.latin, "role": one.role, "public": one.public.hex()}
        for one in request.officers
    ]
    tx.execute(
        """INSERT INTO device (device, office, number, sign_public, seal_public, office_public, certificate, enrolled_ms, predecessor,
               officers, last_seen_ms)
           VALUES (:device, :office, :number, :sign, :seal, :issue, :certificate, :now, :before, :officers, :now)""",
        {
            "device": request.device_id, "office": request.office, "number": slot["number"], "sign": request.sign_public,
            "seal": request.seal_public, "issue": request.office_public, "certificate": certificate, "now": now_ms,
            "before": request.predecessor, "officers": json.dumps(officers, ensure_ascii=False),
        },
    )  # fmt: skip
    tx.execute(
        "UPDATE slot SET device = :device WHERE slot = :slot", {"device": request.device_id, "slot": slot["slot"]}
    )
    tree.settle(tx, [ops.genesis(request.sign_public)])  # what came before the hub knew the device
    return certificate


def revoke(tx: Tx, device: bytes, now_ms: int) -> Row:
    """Revoke a lost laptop: what was receipted stays accepted, what comes later goes to quarantine. Refused HB-120: unknown."""
    found = tx.one("SELECT * FROM device WHERE device = :d", {"d": device})
    if found is None:
        raise Refused("HB-120", device=device.hex())
    if found["revoked_ms"] is None:
        head = tx.one(
            "SELECT max(seq) AS head FROM op WHERE device = :d AND label IN ('accepted', 'q:schema')", {"d": device}
        )
        tx.execute(
            "UPDATE device SET revoked_ms = :now, cutoff_seq = :cutoff WHERE device = :d",
            {"now": now_ms, "cutoff": (head["head"] if head else 0) or 0, "d": device},
        )
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
