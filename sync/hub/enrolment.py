"""Laptops join: a slot with a one-time code becomes an office pack; the first good request binds it to a device key.

Revoking names the last op that still counts; what comes later is stored and receipted, and waits in quarantine.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from nacl import utils

from sync import cbor, devices, ops
from sync.devices import Certificate, Request
from sync.errors import Refused
from sync.hub import ingest, leases
from sync.hub.keys import HubKeys
from sync.hub.storage import Row, Tx
from sync.limits import CODE_TRIES, DAY_MS
from sync.notes import NoteKey
from sync.pack import OfficePack, build

PACK_DAYS: Final = 60  # a pack's code lives as long as its first leases


def open_slot(tx: Tx, keys: HubKeys, office: Mapping[str, Any], now_ms: int) -> tuple[Row, str]:
    """A new laptop slot of ``office`` (``{"code", "name": {km, en}, "province": {km, en}}``) with its leases; the slot and its code."""
    tx.execute(
        """INSERT INTO office (code, name_km, name_en, province_km, province_en, added_ms)
           VALUES (:code, :km, :en, :pkm, :pen, :now) ON CONFLICT (code) DO NOTHING""",
        {
            "code": office["code"], "km": office["name"]["km"], "en": office["name"]["en"], "pkm": office["province"]["km"],
            "pen": office["province"]["en"], "now": now_ms,
        },
    )  # fmt: skip
    last = tx.one("SELECT max(number) AS last FROM slot WHERE office = :o", {"o": office["code"]})
    slot: Row = {"slot": utils.random(16), "office": office["code"], "number": (last["last"] or 0) + 1 if last else 1}
    code = devices.new_code(utils.random(devices.CODE_LENGTH))
    tx.execute(
        """INSERT INTO slot (slot, office, number, code_key, not_after_ms, tries, made_ms)
           VALUES (:slot, :office, :number, :key, :not_after, 0, :now)""",
        {**slot, "key": devices.code_key(code, slot["slot"]), "not_after": now_ms + PACK_DAYS * DAY_MS, "now": now_ms},
    )
    for resource in leases.BLOCKS:
        leases.grant(tx, keys, resource=resource, slot=slot, now_ms=now_ms)
    return slot, code


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


def enrol(tx: Tx, keys: HubKeys, request: Request, signed: bytes, mac: bytes, now_ms: int) -> tuple[int, bytes]:
    """Answer an enrolment request: HTTP status and body (the device certificate for 200 and 201).

    403 wrong code, 404 no such slot, 409 the slot has another device, 410 the code is too old or was tried too often.
    The same request again gets the same certificate.
    """
    slot = tx.one("SELECT * FROM slot WHERE slot = :slot AND office = :office", {"slot": request.slot, "office": request.office})
    if slot is None:
        return 404, b""
    if slot["device"] is not None:
        found = tx.one("SELECT certificate FROM device WHERE device = :d", {"d": request.device_id})
        same = slot["device"] == request.device_id and found is not None
        return (200, found["certificate"]) if same and found else (409, b"")
    if now_ms > slot["not_after_ms"] or slot["tries"] >= CODE_TRIES:
        return 410, b""
    if not devices.code_holds(slot["code_key"], signed, mac):
        tx.execute("UPDATE slot SET tries = tries + 1 WHERE slot = :slot", {"slot": slot["slot"]})
        return 403, b""
    return 201, _admit(tx, keys, request, slot, now_ms)


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
    tx.execute("UPDATE slot SET device = :device WHERE slot = :slot", {"device": request.device_id, "slot": slot["slot"]})
    ingest.settle(tx, [ops.genesis(request.sign_public)])  # what came before the hub knew the device
    head = tx.one("SELECT max(seq) AS head FROM op WHERE device = :d", {"d": request.device_id})
    tx.execute(
        "UPDATE device SET head_seq = :head WHERE device = :d", {"head": (head["head"] if head else 0) or 0, "d": request.device_id}
    )
    return certificate


def revoke(tx: Tx, device: bytes, now_ms: int) -> Row:
    """Revoke a lost laptop: what was receipted stays accepted, what comes later goes to quarantine. Refused HB-120: unknown."""
    found = tx.one("SELECT * FROM device WHERE device = :d", {"d": device})
    if found is None:
        raise Refused("HB-120", device=device.hex())
    if found["revoked_ms"] is None:
        head = tx.one("SELECT max(seq) AS head FROM op WHERE device = :d AND label = 'accepted'", {"d": device})
        tx.execute(
            "UPDATE device SET revoked_ms = :now, cutoff_seq = :cutoff WHERE device = :d",
            {"now": now_ms, "cutoff": (head["head"] if head else 0) or 0, "d": device},
        )
        next_version(tx)
    return tx.query("SELECT * FROM device WHERE device = :d", {"d": device})[0]


def next_version(tx: Tx) -> int:
    """Raise the version of the revocation list."""
    version = revocations(tx) + 1
    tx.execute(
        "INSERT INTO meta (name, value) VALUES ('revocations', :v) ON CONFLICT (name) DO UPDATE SET value = :v", {"v": str(version)}
    )
    return version


def revocations(tx: Tx) -> int:
    """The version of the revocation list; it only goes up."""
    found = tx.one("SELECT value FROM meta WHERE name = 'revocations'")
    return int(found["value"]) if found else 0


def device_list(tx: Tx) -> bytes:
    """The target ``devices/all.cbor``: every certificate and every revocation, for relays and for other offices."""
    rows = tx.query("SELECT certificate, device, revoked_ms, cutoff_seq FROM device ORDER BY device")
    return cbor.encode(
        {
            "version": revocations(tx),
            "certificates": [row["certificate"] for row in rows],
            "revoked": [[row["device"], row["cutoff_seq"], row["revoked_ms"]] for row in rows if row["revoked_ms"] is not None],
        }
    )
