"""Signing a part of the publications on another machine: prepare a file, sign it where the key is, take it back.

The file names every target with its hash and carries the bytes of those that changed, so that the keeper can look at what
they sign. The signature is TUF's own, over the metadata of the whole part. A province's file also names the laptops whose
certificates wait. Nothing in a file is believed: the hub compares what comes back with what stands here now.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from nacl.signing import SigningKey
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Targets
from tuf.api.serialization import DeserializationError

from sync import devices
from sync.errors import Refused
from sync.hub import enrolment, parts, signers
from sync.hub.centre import Centre
from sync.hub.storage import Row, Tx
from sync.limits import MAX_PUBLICATION

UNSIGNED: Final = "sala/publications-unsigned/v1"
SIGNED: Final = "sala/publications-signed/v1"
DAYS: Final = 365  # for how long a keeper signs
_MOST: Final = 3 * MAX_PUBLICATION  # bytes of a file


@dataclass(frozen=True, slots=True)
class Change:
    """What a signature would change: ``new``, ``changed`` or ``gone``."""

    name: str
    what: str
    size: int


def waiting(centre: Centre, wanted: dict[str, dict[str, bytes]] | None = None) -> dict[str, list[Change]]:
    """What waits for the signature of a keeper elsewhere, by role; also certificates of laptops, named by their device.

    ``wanted``: what :func:`parts_elsewhere` has said just now.
    """
    found, certificates = centre.storage.read(
        lambda tx: ({row["name"]: row for row in signers.listing(tx) if not row["online"]}, enrolment.pending(tx))
    )
    wanted = parts_elsewhere(centre) if wanted is None else wanted
    said = {name: _changes(row, wanted.get(name, {})) for name, row in found.items()}
    for row in certificates:
        role = signers.name_of("province", row["office"][:2])
        if role in said:
            said[role].append(Change(f"{row['office']}/{row['number']}", "laptop", 0))
    return {name: changes for name, changes in said.items() if changes}


def prepare(centre: Centre, name: str) -> bytes:
    """The file to carry to the keeper of a role. Refused: HB-180 no such role, HB-184 the hub signs it itself."""
    row = centre.storage.read(lambda tx: signers.one(tx, name))
    if row["online"]:
        raise Refused("HB-184", role=name)
    targets, now = parts_elsewhere(centre).get(name, {}), centre.clock.wall_ms()
    before = _signed(row)
    version = max(before.version + 1 if before else 1, centre.settings.get("publications_from", 1))
    expires = datetime.fromtimestamp(now / 1000, UTC).replace(microsecond=0) + timedelta(days=DAYS)
    part = parts.fill(Targets(version, expires=expires), targets)
    changes = _changes(row, targets)
    waits = centre.storage.read(enrolment.pending) if row["kind"] == "province" else []
    document = {
        "format": UNSIGNED, "centre": centre.settings["name"], "role": name, "holder": row["holder"],
        "public": row["public"].hex(), "made_ms": now, "signed": part.to_dict(),
        "changes": [
            {"name": change.name, "what": change.what, "size": change.size, "sha256": sha256(targets[change.name]).hexdigest(),
             "data": b64encode(targets[change.name]).decode()}
            if change.name in targets else {"name": change.name, "what": change.what}
            for change in changes
        ],
        "laptops": [
            {"device": one["device"].hex(), "office": one["office"], "number": one["number"], "words": one["words"],
             "certificate": one["payload"].hex()}
            for one in waits if one["office"][:2] == row["subject"]
        ],
    }  # fmt: skip
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def read(data: bytes) -> dict[str, Any]:
    """A prepared file, for its keeper to look at: every changed target is what the metadata lists. Refused HB-183 otherwise."""
    document = _document(data, UNSIGNED)
    try:
        part = Targets.from_dict(json.loads(json.dumps(document["signed"])))
        listed = parts.hashes(part)
        for change in document["changes"]:
            if "data" in change and sha256(b64decode(change["data"])).hexdigest() != listed[change["name"]]:
                raise Refused("HB-183", role=document["role"])
        if part.delegations is not None:
            raise Refused("HB-183", role=document["role"])
    except (KeyError, TypeError, ValueError, AttributeError, RepositoryError, DeserializationError) as error:
        raise Refused("HB-183", role=str(document.get("role", ""))[:60]) from error
    return document


def sign(data: bytes, key: SigningKey) -> bytes:
    """A prepared file signed by its keeper: needs no hub. Refused: HB-183 not such a file, HB-182 another key than the role's."""
    document = read(data)
    if bytes(key.verify_key).hex() != document["public"]:
        raise Refused("HB-182", role=document["role"])
    made: Metadata[Targets] = Metadata(Targets.from_dict(document["signed"]))
    made.sign(parts.signer(key))
    certificates = [
        devices.sign_certificate(bytes.fromhex(one["certificate"]), key).hex() for one in document["laptops"]
    ]
    signed = {
        "format": SIGNED,
        "role": document["role"],
        "metadata": json.loads(made.to_bytes()),
        "certificates": certificates,
    }
    return json.dumps(signed, ensure_ascii=False, indent=1).encode()


def accept(centre: Centre, data: bytes) -> dict[str, Any]:
    """Take a signed file and publish it: what was published, and which laptops are enrolled by it.

    Refused: HB-180 no such role, HB-182 not signed by its key, HB-183 something changed meanwhile: prepare and sign anew.
    """
    document = _document(data, SIGNED)
    name, targets_now = str(document.get("role", "")), parts_elsewhere(centre)
    row = centre.storage.read(lambda tx: signers.one(tx, name))
    made = parts.read_signed(json.dumps(document["metadata"]).encode(), signers.delegate(centre.folder, row))
    before, targets = _signed(row), targets_now.get(name, {})
    if (before and made.signed.version <= before.version) or parts.hashes(made.signed) != parts.digests(targets):
        raise Refused("HB-183", role=name)
    centre.repository.hold(targets)
    certificates = [bytes.fromhex(text) for text in document["certificates"]]
    now = centre.clock.wall_ms()

    def work(tx: Tx) -> list[str]:
        tx.execute(
            "UPDATE role SET metadata = :data, changed_ms = :now WHERE name = :name",
            {"data": made.to_bytes(), "now": now, "name": name},
        )
        return [enrolment.admit_signed(tx, one, row["public"], now) for one in certificates]

    enrolled = centre.storage.write(work)
    return {"role": name, "version": made.signed.version, "changed": centre.settle(), "enrolled": enrolled}


def parts_elsewhere(centre: Centre) -> dict[str, dict[str, bytes]]:
    """What each keeper elsewhere would sign now: role → its targets."""
    targets, delegates = centre.elsewhere()
    return parts.split(targets, delegates)


# --- inside


def _signed(row: Row) -> Targets | None:
    return Metadata[Targets].from_bytes(row["metadata"]).signed if row["metadata"] else None


def _changes(row: Row, targets: dict[str, bytes]) -> list[Change]:
    before = parts.hashes(signed) if (signed := _signed(row)) else {}
    after = parts.digests(targets)
    return [
        Change(
            name, "gone" if name not in after else "changed" if name in before else "new", len(targets.get(name, b""))
        )
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def _document(data: bytes, wanted: str) -> dict[str, Any]:
    try:
        document = json.loads(data) if len(data) <= _MOST else None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or document.get("format") != wanted:
        raise Refused("HB-183", role="")
    return document
